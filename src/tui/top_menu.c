/* Lists of choices: one key moves, Enter or the mark of an item takes it, Esc leaves all as it was. */
#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/top_ui.h"

enum { WIDTH = 44 };

static const char *const signals[] = { "TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "STOP", "CONT", "ALRM", "WINCH",
	"ABRT", "KILL" };

static int count_signals(const struct top *top)
{
	(void)top;
	return sizeof signals / sizeof *signals;
}

static const char *signal_item(const struct top *top, int index)
{
	(void)top;
	return signals[index];
}

static void take_signal(struct top *top, int index)
{
	top->asked_signal = signals[index];
	top->dialog = TOP_DIALOG_SURE;
}

static int count_sorts(const struct top *top)
{
	(void)top;
	return MACHINE_SORT_COUNT;
}

static const char *sort_item(const struct top *top, int index)
{
	(void)top;
	return machine_sort_name((enum machine_sort)index);
}

static void take_sort(struct top *top, int index)
{
	top->wish.sort = (enum machine_sort)index;
	top->wish.is_inverted = false;
}

static int count_users(const struct top *top)
{
	return top->user_count + 1;
}

static const char *user_item(const struct top *top, int index)
{
	return index ? top->users[index - 1] : "everybody";
}

static void take_user(struct top *top, int index)
{
	snprintf(top->wish.user, sizeof top->wish.user, "%s", index ? top->users[index - 1] : "");
}

static const struct {
	const char *title;
	int (*count)(const struct top *top);
	const char *(*item)(const struct top *top, int index);
	void (*take)(struct top *top, int index);
} menus[] = {
	[TOP_DIALOG_SORT] = { "Sort by", count_sorts, sort_item, take_sort },
	[TOP_DIALOG_SIGNAL] = { "Send a signal", count_signals, signal_item, take_signal },
	[TOP_DIALOG_USER] = { "Show the processes of", count_users, user_item, take_user },
};

static bool has_user(const struct top *top, const char *user)
{
	for (int i = 0; i < top->user_count; i++)
		if (strcmp(top->users[i], user) == 0)
			return true;
	return false;
}

static void list_users(struct top *top)
{
	top->user_count = 0;
	for (size_t i = 0; i < top->machine.count && top->user_count < TOP_USERS_MOST; i++)
		if (!has_user(top, top->machine.processes[i].user))
			top->users[top->user_count++] = top->machine.processes[i].user;
}

void top_menu_open(struct top *top, enum top_dialog dialog, int chosen)
{
	top->dialog = dialog;
	top->choice = chosen;
	if (dialog == TOP_DIALOG_USER)
		list_users(top);
}

static char mark_of(int index)
{
	return (char)(index < 9 ? '1' + index : 'a' + index - 9);
}

static void choose(struct top *top, int index)
{
	enum top_dialog menu = top->dialog;

	top->dialog = TOP_DIALOG_NONE;
	menus[menu].take(top, index);
}

void top_menu_key(struct top *top, uint32_t key)
{
	int count = menus[top->dialog].count(top);

	if (key == INPUT_ESCAPE || key == INPUT_CONTROL('c'))
		top->dialog = TOP_DIALOG_NONE;
	else if (key == INPUT_ARROW_DOWN)
		top->choice = (top->choice + 1) % count;
	else if (key == INPUT_ARROW_UP)
		top->choice = (top->choice + count - 1) % count;
	else if (key == INPUT_RETURN)
		choose(top, top->choice);
	else if (key >= '1' && key <= 'z' && (key <= '9' || key >= 'a')) {
		int index = key <= '9' ? (int)(key - '1') : (int)(key - 'a') + 9;
		if (index < count)
			choose(top, index);
	}
}

void top_menu_draw(const struct top *top, struct grid *grid)
{
	int count = menus[top->dialog].count(top);
	struct rect area = grid_box(grid, top->is_unicode, WIDTH, count + 2, menus[top->dialog].title);
	int first = top->choice >= area.height ? top->choice - area.height + 1 : 0;

	for (int i = first; i < count && i - first < area.height; i++)
		grid_format(grid, (struct rect){ area.x, area.y + i - first, area.width, 1 },
			i == top->choice ? LOOK_KEY : LOOK_NORMAL, "%s %c  %s", i == top->choice ? ">" : " ",
			i < 35 ? mark_of(i) : ' ', menus[top->dialog].item(top, i));
	if (area.height > count + 1)
		grid_put(grid, (struct rect){ area.x, area.y + count + 1, area.width, 1 }, LOOK_DIM,
			"Enter or its mark takes it   Esc leaves it");
}
