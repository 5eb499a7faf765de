/* What `thrum top` lets choose. */
#include <stdio.h>
#include <string.h>

#include "tui/picker.h"
#include "tui/top_ui.h"

static const char *signal_item(const void *context, int index)
{
	(void)context;
	return picker_signals[index];
}

static void take_signal(struct top *top, int index)
{
	top->asked_signal = picker_signals[index];
	top->dialog = TOP_DIALOG_SURE;
}

static const char *sort_item(const void *context, int index)
{
	(void)context;
	return machine_sort_name((enum machine_sort)index);
}

static void take_sort(struct top *top, int index)
{
	top->wish.sort = (enum machine_sort)index;
	top->wish.is_inverted = false;
}

static const char *user_item(const void *context, int index)
{
	const struct top *top = context;

	return index ? top->users[index - 1] : "everybody";
}

static void take_user(struct top *top, int index)
{
	snprintf(top->wish.user, sizeof top->wish.user, "%s", index ? top->users[index - 1] : "");
}

static const struct {
	const char *title;
	int count; /* 0: as many as there are users, and everybody */
	const char *(*item)(const void *context, int index);
	void (*take)(struct top *top, int index);
} menus[] = {
	[TOP_DIALOG_SORT] = { "Sort by", MACHINE_SORT_COUNT, sort_item, take_sort },
	[TOP_DIALOG_SIGNAL] = { "Send a signal", PICKER_SIGNALS, signal_item, take_signal },
	[TOP_DIALOG_USER] = { "Show the processes of", 0, user_item, take_user },
};

static struct picker picker_of(const struct top *top)
{
	int count = menus[top->dialog].count;

	return (struct picker){ menus[top->dialog].title, count ? count : top->user_count + 1, menus[top->dialog].item, top };
}

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

void top_menu_key(struct top *top, uint32_t key)
{
	enum top_dialog menu = top->dialog;
	struct picker picker = picker_of(top);
	int index = picker_key(&picker, &top->choice, key);

	if (index != PICKER_OPEN)
		top->dialog = TOP_DIALOG_NONE;
	if (index >= 0)
		menus[menu].take(top, index);
}

void top_menu_draw(const struct top *top, struct grid *grid)
{
	struct picker picker = picker_of(top);

	picker_draw(&picker, top->choice, grid, top->is_unicode);
}
