/* What the dashboard lets choose. */
#include "tui/picker.h"
#include "tui/ui.h"

static const char *sort_item(const void *context, int index)
{
	(void)context;
	return sort_name((enum sort)index);
}

static const char *state_item(const void *context, int index)
{
	(void)context;
	return state_choices[index].name;
}

static const char *signal_item(const void *context, int index)
{
	(void)context;
	return picker_signals[index];
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
	action_signal(ui, picker_signals[index]);
}

static const struct {
	struct picker picker;
	void (*take)(struct ui *ui, int index);
} menus[MENU_COUNT] = {
	[MENU_SORT] = { { "Sort by", SORT_COUNT, sort_item, NULL }, take_sort },
	[MENU_STATES] = { { "Show which", STATE_CHOICES, state_item, NULL }, take_states },
	[MENU_SIGNAL] = { { "Send a signal", PICKER_SIGNALS, signal_item, NULL }, take_signal },
};

void menu_open(struct ui *ui, enum menu menu, int chosen)
{
	ui->dialog = DIALOG_MENU;
	ui->menu = menu;
	ui->choice = chosen;
}

void menu_key(struct ui *ui, uint32_t key)
{
	int index = picker_key(&menus[ui->menu].picker, &ui->choice, key);

	if (index != PICKER_OPEN)
		ui->dialog = DIALOG_NONE;
	if (index >= 0)
		menus[ui->menu].take(ui, index);
}

void menu_draw(const struct ui *ui, struct grid *grid)
{
	picker_draw(&menus[ui->menu].picker, ui->choice, grid, ui->is_unicode);
}
