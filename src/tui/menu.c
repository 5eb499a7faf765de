/* What the dashboard lets choose. */
#include "tui/picker.h"
#include "tui/ui.h"

static const char *sort_item(const void *context, int index)
{
	(void)context;
	return sort_names[index];
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

/* The first is all of them. */
static const char *namespace_item(const void *context, int index)
{
	static char name[64];

	if (!index)
		return "all namespaces";
	namespace_at(context, (unsigned)index - 1, name);
	return name;
}

static int count_namespaces(const struct ui *ui)
{
	char name[64];
	int count = 0;

	do
		namespace_at(ui, (unsigned)count++, name);
	while (name[0]);
	return count;
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

static void take_namespace(struct ui *ui, int index)
{
	ui->namespace[0] = '\0';
	if (index)
		namespace_at(ui, (unsigned)index - 1, ui->namespace);
	rows_keep_selection(ui);
}

static const struct {
	struct picker picker; /* without a count: it is counted when it is shown */
	void (*take)(struct ui *ui, int index);
} menus[MENU_COUNT] = {
	[MENU_SORT] = { { "Sort by", SORT_COUNT, sort_item, NULL }, take_sort },
	[MENU_STATES] = { { "Show which", STATE_CHOICES, state_item, NULL }, take_states },
	[MENU_NAMESPACE] = { { "Show which namespace", 0, namespace_item, NULL }, take_namespace },
	[MENU_SIGNAL] = { { "Send a signal", PICKER_SIGNALS, signal_item, NULL }, take_signal },
};

static struct picker picker_of(const struct ui *ui)
{
	struct picker picker = menus[ui->menu].picker;

	picker.context = ui;
	if (!picker.count)
		picker.count = count_namespaces(ui);
	return picker;
}

void menu_open(struct ui *ui, enum menu menu, int chosen)
{
	ui->dialog = DIALOG_MENU;
	ui->menu = menu;
	ui->choice = chosen;
}

void menu_key(struct ui *ui, uint32_t key)
{
	struct picker picker = picker_of(ui);
	int index = picker_key(&picker, &ui->choice, key);

	if (index != PICKER_OPEN)
		ui->dialog = DIALOG_NONE;
	if (index >= 0)
		menus[ui->menu].take(ui, index);
}

void menu_draw(const struct ui *ui, struct grid *grid)
{
	struct picker picker = picker_of(ui);

	picker_draw(&picker, ui->choice < picker.count ? ui->choice : 0, grid, ui->is_unicode);
}
