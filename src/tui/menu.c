/* A list of choices over the screen: one key moves, Enter takes, Esc leaves all as it was. */
#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/ui.h"

static const char *const signals[] = { "TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "STOP", "CONT", "ALRM",
	"WINCH", "ABRT", "KILL" };

static const char *sort_item(int index)
{
	return sort_name((enum sort)index);
}

static const char *state_item(int index)
{
	return state_choices[index].name;
}

static const char *signal_item(int index)
{
	return signals[index];
}

static void take_sort(struct ui *ui, int index)
{
	sort_by(ui, (enum sort)index);
}

static void take_states(struct ui *ui, int index)
{
	ui->state_choice = (unsigned)index;
}

static void take_signal(struct ui *ui, int index)
{
	action_signal(ui, signals[index]);
}

static const struct {
	const char *title;
	int count;
	const char *(*item)(int index);
	void (*take)(struct ui *ui, int index);
} menus[MENU_COUNT] = {
	[MENU_SORT] = { "Sort by", SORT_COUNT, sort_item, take_sort },
	[MENU_STATES] = { "Show which", STATE_CHOICES, state_item, take_states },
	[MENU_SIGNAL] = { "Send a signal", sizeof signals / sizeof *signals, signal_item, take_signal },
};

void menu_open(struct ui *ui, enum menu menu, int chosen)
{
	ui->dialog = DIALOG_MENU;
	ui->menu = menu;
	ui->choice = chosen;
}

/* Digits and letters choose by the mark in front of an item, so that two keys do what is often done. */
static char mark_of(int index)
{
	return (char)(index < 9 ? '1' + index : 'a' + index - 9);
}

static void choose(struct ui *ui, int index)
{
	ui->dialog = DIALOG_NONE;
	menus[ui->menu].take(ui, index);
}

void menu_key(struct ui *ui, uint32_t key)
{
	int count = menus[ui->menu].count;

	if (key == INPUT_ESCAPE || key == 'q' || key == INPUT_CONTROL('c'))
		ui->dialog = DIALOG_NONE;
	else if (key == 'j' || key == INPUT_ARROW_DOWN)
		ui->choice = (ui->choice + 1) % count;
	else if (key == 'k' || key == INPUT_ARROW_UP)
		ui->choice = (ui->choice + count - 1) % count;
	else if (key == INPUT_RETURN)
		choose(ui, ui->choice);
	for (int i = 0; i < count; i++)
		if (key == (uint32_t)mark_of(i))
			choose(ui, i);
}

void menu_draw(const struct ui *ui, struct grid *grid)
{
	int count = menus[ui->menu].count;
	struct rect area = dialog_box(ui, grid, 62, count + 2, menus[ui->menu].title);

	for (int i = 0; i < count && i < area.height; i++)
		grid_format(grid, (struct rect){ area.x, area.y + i, area.width, 1 },
			i == ui->choice ? LOOK_KEY : LOOK_NORMAL, "%s %c  %s", i == ui->choice ? ">" : " ", mark_of(i),
			menus[ui->menu].item(i));
	if (area.height > count + 1)
		grid_put(grid, (struct rect){ area.x, area.y + count + 1, area.width, 1 }, LOOK_DIM,
			"Enter or its letter takes it   Esc leaves it");
}
