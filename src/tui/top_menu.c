/* What `thrum top` lets choose. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/picker.h"
#include "tui/screen.h"
#include "tui/top_ui.h"

enum { ITEM_SIZE = 64 };

/* What an item is made of: where it says more than a name, its text is made in `line`. */
struct menu_text {
	const struct top *top;
	char *line; /* of ITEM_SIZE */
};

/* ---- those that are taken at once ---- */

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
	return machine_sort_names[index];
}

static void take_sort(struct top *top, int index)
{
	top->settings.top.sort = (unsigned)index;
	top->wish.is_inverted = false;
	machine_rank(&top->machine, true);
}

static const char *user_item(const void *context, int index)
{
	const struct menu_text *text = context;

	return index ? text->top->users[index - 1] : "everybody";
}

static int count_users(const struct top *top)
{
	return top->user_count + 1;
}

static void take_user(struct top *top, int index)
{
	snprintf(top->wish.user, sizeof top->wish.user, "%s", index ? top->users[index - 1] : "");
}

static const char *io_item(const void *context, int index)
{
	(void)context;
	return top_io_name(index);
}

/* ---- those of which several hold ---- */

static const char *processor_item(const void *context, int index)
{
	const struct menu_text *text = context;

	snprintf(text->line, ITEM_SIZE, "[%c] processor %d", text->top->processors.may_use[index] ? 'x' : ' ', index);
	return text->line;
}

static int count_processors(const struct top *top)
{
	return (int)top->processors.count;
}

static void switch_processor(struct top *top, int index)
{
	top->processors.may_use[index] = !top->processors.may_use[index];
}

static void take_processors(struct top *top, int index)
{
	(void)index;
	top_deed_processors(top);
}

/* What is on or off; the others of the setup are columns: first those that are shown, from the left. */
static const struct {
	const char *text;
	size_t place; /* of an unsigned, in the settings */
	bool is_inverse;
} switches[] = {
	{ "tree", offsetof(struct settings, top.is_tree), false },
	{ "rows for threads", offsetof(struct settings, top.has_threads), false },
	{ "threads of the kernel", offsetof(struct settings, top.hides_kernel), true },
	{ "threads by their own names", offsetof(struct settings, top.hides_names), true },
	{ "folders of programs", offsetof(struct settings, top.hides_paths), true },
	{ "meters", offsetof(struct settings, top.hides_meters), true },
	{ "mouse", offsetof(struct settings, style.has_mouse), false },
};
enum { SWITCHES = sizeof switches / sizeof *switches,
	THEME_ITEM = SWITCHES,
	FIRST_COLUMN };

static const unsigned *switch_of(const struct settings *settings, int index)
{
	return (const unsigned *)((const char *)settings + switches[index].place);
}

static int count_setup(const struct top *top)
{
	int count = FIRST_COLUMN;

	(void)top;
	for (const struct top_column *column = top_columns; column->name; column++)
		count++;
	return count;
}

static const struct top_column *column_of(const struct top_choices *choices, int index)
{
	unsigned place = (unsigned)(index - FIRST_COLUMN), shown = 0;

	for (const struct top_column *column; (column = top_column_at(choices, shown)); shown++)
		if (shown == place)
			return column;
	for (const struct top_column *column = top_columns; column->name; column++)
		if (top_column_place(choices, column) == TOP_COLUMNS_MOST && shown++ == place)
			return column;
	return NULL;
}

static const char *setup_item(const void *context, int index)
{
	const struct menu_text *text = context;
	const struct settings *settings = &text->top->settings;

	if (index < SWITCHES) {
		bool is_on = *switch_of(settings, index) != switches[index].is_inverse;
		snprintf(text->line, ITEM_SIZE, "[%c] %s", is_on ? 'x' : ' ', switches[index].text);
	} else if (index == THEME_ITEM) {
		snprintf(text->line, ITEM_SIZE, "    theme: %s", theme_names[settings->style.theme]);
	} else {
		const struct top_column *column = column_of(&settings->top, index);
		bool is_shown = top_column_place(&settings->top, column) != TOP_COLUMNS_MOST;
		snprintf(text->line, ITEM_SIZE, "[%c] column %s (%s)", is_shown ? 'x' : ' ', column->title, column->name);
	}
	return text->line;
}

static void switch_setup(struct top *top, int index)
{
	struct settings *settings = &top->settings;

	if (index < SWITCHES) {
		unsigned *value = (unsigned *)((char *)settings + switches[index].place);
		*value = !*value;
	} else if (index == THEME_ITEM) {
		settings->style.theme = (settings->style.theme + 1) % THEME_COUNT;
	} else if (!top_column_toggle(&settings->top, column_of(&settings->top, index))) {
		top_say(top, true, "that is the last column");
	}
	screen_set_style(&settings->style);
	top->is_due = true;
	top_say(top, false, ":w keeps it");
}

/* The cursor goes with the column. */
static void move_column(struct top *top, int by)
{
	const struct top_column *column = top->choice < FIRST_COLUMN ? NULL : column_of(&top->settings.top, top->choice);

	if (!column)
		return;
	top_column_move(&top->settings.top, column, by);
	unsigned place = top_column_place(&top->settings.top, column);
	if (place != TOP_COLUMNS_MOST)
		top->choice = FIRST_COLUMN + (int)place;
}

/* ---- the menus ---- */

static const struct menu {
	const char *title;
	int count;
	int (*count_of)(const struct top *top); /* where count is 0 */
	const char *(*item)(const void *context, int index);
	void (*take)(struct top *top, int index);      /* Enter; NULL: it switches, too */
	void (*switch_it)(struct top *top, int index); /* Space, or its mark; NULL: its mark takes it */
} menus[TOP_DIALOG_COUNT] = {
	[TOP_DIALOG_SORT] = { "Sort by", MACHINE_SORT_COUNT, NULL, sort_item, take_sort, NULL },
	[TOP_DIALOG_SIGNAL] = { "Send a signal", PICKER_SIGNALS, NULL, signal_item, take_signal, NULL },
	[TOP_DIALOG_USER] = { "Show the processes of", 0, count_users, user_item, take_user, NULL },
	[TOP_DIALOG_IO] = { "I/O priority", TOP_IO_COUNT, NULL, io_item, top_deed_io, NULL },
	[TOP_DIALOG_PROCESSORS] = { "May use (Space), Enter does it", 0, count_processors, processor_item, take_processors,
		switch_processor },
	[TOP_DIALOG_SETUP] = { "Setup: Space, F7 F8 move, :w keeps", 0, count_setup, setup_item, NULL, switch_setup },
};

static struct picker picker_of(const struct menu *menu, const struct menu_text *text)
{
	return (struct picker){ menu->title, menu->count ? menu->count : menu->count_of(text->top), menu->item, text };
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

/* In one where several hold, a key but Enter, or all keys, leaves it open. */
static void switch_key(struct top *top, const struct menu *menu, int index, uint32_t key)
{
	bool is_taken = key == INPUT_RETURN && menu->take;

	if (index == PICKER_LEFT || is_taken)
		top->dialog = TOP_DIALOG_NONE;
	if (is_taken)
		menu->take(top, top->choice);
	else if (index >= 0 || key == ' ')
		menu->switch_it(top, index >= 0 ? index : top->choice);
	if (index >= 0)
		top->choice = index;
}

void top_menu_key(struct top *top, uint32_t key)
{
	const struct menu *menu = &menus[top->dialog];
	char line[ITEM_SIZE];
	struct menu_text text = { top, line };
	struct picker picker = picker_of(menu, &text);
	bool is_setup = top->dialog == TOP_DIALOG_SETUP;

	if (is_setup && (key == INPUT_FUNCTION + 7 || key == INPUT_FUNCTION + 8)) {
		move_column(top, key == INPUT_FUNCTION + 7 ? -1 : 1);
		return;
	}
	int index = picker_key(&picker, &top->choice, key);
	if (menu->switch_it) {
		switch_key(top, menu, index, key);
		return;
	}
	if (index != PICKER_OPEN)
		top->dialog = TOP_DIALOG_NONE;
	if (index >= 0)
		menu->take(top, index);
}

void top_menu_draw(struct top *top, struct grid *grid)
{
	char line[ITEM_SIZE];
	struct menu_text text = { top, line };
	struct picker picker = picker_of(&menus[top->dialog], &text);

	picker_draw(&picker, top->choice, grid, top->is_unicode);
}
