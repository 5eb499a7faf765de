/* What each key does: one row a key, from which the help is made. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/screen.h"
#include "tui/top_ui.h"

static void go_down(struct top *top)
{
	if (top->is_zoomed)
		top->scroll++;
	else
		top_rows_move(top, 1);
}

static void go_up(struct top *top)
{
	if (top->is_zoomed)
		top->scroll -= top->scroll > 0;
	else
		top_rows_move(top, -1);
}

static void go_page_down(struct top *top)
{
	if (top->is_zoomed)
		top->scroll += (int)top->shown;
	else
		top_rows_move(top, top->shown);
}

static void go_page_up(struct top *top)
{
	if (top->is_zoomed)
		top->scroll = top->scroll > (int)top->shown ? top->scroll - (int)top->shown : 0;
	else
		top_rows_move(top, -top->shown);
}

static void go_first(struct top *top)
{
	top->scroll = 0;
	top_rows_move(top, -(long)top->row_count);
}

static void go_last(struct top *top)
{
	top_rows_move(top, (long)top->row_count);
}

/* ---- which rows ---- */

static void sort_by(struct top *top, enum machine_sort sort)
{
	top->wish.is_inverted = top->wish.sort == sort && !top->wish.is_inverted;
	top->wish.sort = sort;
}

static void sort_cpu(struct top *top)
{
	sort_by(top, MACHINE_BY_CPU);
}

static void sort_memory(struct top *top)
{
	sort_by(top, MACHINE_BY_MEMORY);
}

static void sort_time(struct top *top)
{
	sort_by(top, MACHINE_BY_TIME);
}

static void sort_pid(struct top *top)
{
	sort_by(top, MACHINE_BY_PID);
}

static void invert(struct top *top)
{
	top->wish.is_inverted = !top->wish.is_inverted;
}

static void open_sorts(struct top *top)
{
	top_menu_open(top, TOP_DIALOG_SORT, (int)top->wish.sort);
}

static void open_users(struct top *top)
{
	top_menu_open(top, TOP_DIALOG_USER, 0);
}

static void toggle_tree(struct top *top)
{
	top->wish.is_tree = !top->wish.is_tree;
}

static void toggle_kernel(struct top *top)
{
	top->wish.hides_kernel = !top->wish.hides_kernel;
}

static void toggle_threads(struct top *top)
{
	top->machine.wants_threads = !top->machine.wants_threads;
	top_say(top, false, top->machine.wants_threads ? "with threads" : "without threads");
}

static void fold(struct top *top, bool is_folded)
{
	if (top->wish.is_tree && top->selected.pid && machine_set_has(&top->wish.folded, &top->selected) != is_folded &&
		!machine_set_toggle(&top->wish.folded, &top->selected))
		top_say(top, true, "%d are folded; that is the most", MACHINE_CHOSEN_MOST);
}

static void fold_one(struct top *top)
{
	fold(top, true);
}

static void unfold_one(struct top *top)
{
	fold(top, false);
}

static void unfold_all(struct top *top)
{
	top->wish.folded.count = 0;
}

static void open_search(struct top *top)
{
	top->prompt = TOP_PROMPT_SEARCH;
	top->input[0] = '\0';
}

static void search_next(struct top *top)
{
	top_rows_search(top, 1, false);
}

static void search_back(struct top *top)
{
	top_rows_search(top, -1, false);
}

static void open_filter(struct top *top)
{
	top->prompt = TOP_PROMPT_FILTER;
	snprintf(top->input, sizeof top->input, "%s", top->filter_text);
}

/* ---- acting ---- */

static void tag(struct top *top)
{
	struct machine_id meant = top_meant(top);

	if (meant.pid && !machine_set_toggle(&top->tags, &meant))
		top_say(top, true, "%d are tagged; that is the most", MACHINE_CHOSEN_MOST);
	top_rows_move(top, 1);
}

static void untag(struct top *top)
{
	top->tags.count = 0;
}

/* Who is meant is settled now, and not when the answer comes. */
static void open_signals(struct top *top)
{
	if (top->options->read_only) {
		top_say(top, true, "this was opened with --read-only");
		return;
	}
	struct machine_id meant = top_meant(top);
	top->asked = top->tags;
	if (!top->asked.count && meant.pid)
		machine_set_toggle(&top->asked, &meant);
	if (top->asked.count)
		top_menu_open(top, TOP_DIALOG_SIGNAL, 0);
}

static void send_signals(struct top *top)
{
	const struct top_source *source = top->options->source;
	struct error err = { 0 };
	size_t sent = 0;

	for (size_t i = 0; i < top->asked.count; i++)
		sent += source->signal(source->context, &top->asked.ids[i], top->asked_signal, &err);
	if (sent == top->asked.count)
		top_say(top, false, "%s sent to %zu", top->asked_signal, sent);
	else
		top_say(top, true, "%s sent to %zu of %zu: %.160s", top->asked_signal, sent, top->asked.count, err.text);
}

/* ---- looking ---- */

static void open_tab(struct top *top, enum top_tab tab)
{
	top->tab = tab;
	top->is_untold = true;
	top->scroll = 0;
	top->is_zoomed &= tab != TOP_TAB_NONE;
}

static void open_info(struct top *top)
{
	open_tab(top, TOP_TAB_INFO);
}

static void open_threads(struct top *top)
{
	open_tab(top, TOP_TAB_THREADS);
}

static void open_files(struct top *top)
{
	open_tab(top, TOP_TAB_FILES);
}

static void open_sockets(struct top *top)
{
	open_tab(top, TOP_TAB_SOCKETS);
}

static void next_tab(struct top *top)
{
	open_tab(top, top->tab + 1 < TOP_TAB_COUNT ? top->tab + 1 : TOP_TAB_INFO);
}

static void previous_tab(struct top *top)
{
	open_tab(top, top->tab > TOP_TAB_INFO ? top->tab - 1 : TOP_TAB_COUNT - 1);
}

static void open_details(struct top *top)
{
	open_tab(top, top->tab == TOP_TAB_NONE ? TOP_TAB_INFO : top->tab);
}

static void zoom(struct top *top)
{
	top->is_zoomed = !top->is_zoomed && top->tab != TOP_TAB_NONE;
}

static void pause_it(struct top *top)
{
	top->is_paused = !top->is_paused;
}

static void follow(struct top *top)
{
	top->is_loose = !top->is_loose;
	top_say(top, false, top->is_loose ? "the selection stays where it is" : "the selection stays with its process");
}

static void open_command(struct top *top)
{
	top->prompt = TOP_PROMPT_COMMAND;
	top->input[0] = '\0';
}

static void open_help(struct top *top)
{
	top->dialog = TOP_DIALOG_HELP;
}

static void redraw(struct top *top)
{
	(void)top;
	screen_resize();
}

static void suspend(struct top *top)
{
	(void)top;
	screen_suspend();
}

/* The nearest thing that is open is closed; it never quits. */
static void go_back(struct top *top)
{
	if (top->is_zoomed)
		top->is_zoomed = false;
	else if (top->tab != TOP_TAB_NONE)
		open_tab(top, TOP_TAB_NONE);
	else if (top->filter)
		top_filter(top, "");
	else
		untag(top);
}

static void quit(struct top *top)
{
	top->is_leaving = true;
}

// clang-format off
const struct top_key top_keys[] = {
	{ INPUT_ARROW_DOWN, "↓", go_down, "down", "next" },
	{ INPUT_ARROW_UP, "↑", go_up, "up", "previous" },
	{ INPUT_PAGE_DOWN, "PgDn", go_page_down, "page-down", "page down" }, { INPUT_CONTROL('f'), "^F", go_page_down, NULL, NULL },
	{ INPUT_PAGE_UP, "PgUp", go_page_up, "page-up", "page up" }, { INPUT_CONTROL('b'), "^B", go_page_up, NULL, NULL },
	{ INPUT_TOP, "Home", go_first, "first", "first" }, { 'g', "g", go_first, NULL, NULL },
	{ INPUT_BOTTOM, "End", go_last, "last", "last" }, { 'G', "G", go_last, NULL, NULL },
	{ INPUT_FUNCTION + 3, "F3", open_search, "search", "search a command or pid" }, { '/', "/", open_search, NULL, NULL },
	{ 'n', "n", search_next, "next-match", "next match" },
	{ 'N', "N", search_back, "previous-match", "previous match" },
	{ INPUT_FUNCTION + 4, "F4", open_filter, "filter", "filter (PCRE2, ! inverts)" }, { '\\', "\\", open_filter, NULL, NULL },
	{ 'u', "u", open_users, "users", "of one user" },
	{ 'H', "H", toggle_threads, "threads-rows", "rows for threads" },
	{ 'K', "K", toggle_kernel, "kernel-threads", "threads of the kernel" },
	{ INPUT_FUNCTION + 5, "F5", toggle_tree, "tree", "tree or flat" }, { 't', "t", toggle_tree, NULL, NULL },
	{ INPUT_ARROW_LEFT, "←", fold_one, "fold", "fold" }, { '-', "-", fold_one, NULL, NULL },
	{ INPUT_ARROW_RIGHT, "→", unfold_one, "unfold", "unfold" }, { '+', "+", unfold_one, NULL, NULL },
	{ '*', "*", unfold_all, "fold-all", "unfold all" },
	{ INPUT_FUNCTION + 6, "F6", open_sorts, "sort", "sort by ..." }, { '<', "<", open_sorts, NULL, NULL }, { '>', ">", open_sorts, NULL, NULL },
	{ 'P', "P", sort_cpu, "by-cpu", "by CPU" },
	{ 'M', "M", sort_memory, "by-memory", "by memory" },
	{ 'T', "T", sort_time, "by-time", "by CPU time" },
	{ 'p', "p", sort_pid, "by-pid", "by pid" },
	{ 'I', "I", invert, "invert", "the other way round" },
	{ ' ', "Space", tag, "tag", "tag, untag" },
	{ 'U', "U", untag, "untag", "untag all" },
	{ INPUT_FUNCTION + 9, "F9", open_signals, "signal", "send a signal (asks)" }, { 'k', "k", open_signals, NULL, NULL },
	{ INPUT_RETURN, "Enter", open_details, "open", "details" },
	{ '1', "1", open_info, "info", "what it is doing" },
	{ '2', "2", open_threads, "threads", "its threads" },
	{ '3', "3", open_files, "files", "its open files" },
	{ '4', "4", open_sockets, "sockets", "its sockets and pipes" },
	{ ']', "]", next_tab, "next-tab", "next tab" }, { INPUT_TABULATOR, "Tab", next_tab, NULL, NULL },
	{ '[', "[", previous_tab, "previous-tab", "previous tab" }, { INPUT_BACK_TAB, "S-Tab", previous_tab, NULL, NULL },
	{ 'z', "z", zoom, "zoom", "zoom the details" },
	{ 'Z', "Z", pause_it, "pause", "pause" },
	{ 'F', "F", follow, "follow", "follow the process or not" },
	{ INPUT_FUNCTION + 1, "F1", open_help, "help", "this help" }, { '?', "?", open_help, NULL, NULL }, { 'h', "h", open_help, NULL, NULL },
	{ ':', ":", open_command, "command", "settings: :theme light, :w" },
	{ INPUT_CONTROL('l'), "^L", redraw, "redraw", "redraw" },
	{ INPUT_CONTROL('z'), "^Z", suspend, "suspend", "suspend" },
	{ INPUT_ESCAPE, "Esc", go_back, "back", "back; never quits" },
	{ INPUT_FUNCTION + 10, "F10", quit, "quit", "quit" }, { 'q', "q", quit, NULL, NULL }, { INPUT_CONTROL('c'), "^C", quit, NULL, NULL },
	{ 0, "", NULL, NULL, NULL },
};
// clang-format on

/* ---- the line that is typed ---- */

static void save_settings(struct top *top)
{
	char path[PATH_MAX];
	struct error err;

	if (settings_save(&top->settings, &err) && settings_path(path, &err))
		top_say(top, false, "settings are kept in %.200s", path);
	else
		top_say(top, true, "%.240s", err.text);
}

static void take_command(struct top *top)
{
	struct error err;

	if (strcmp(top->input, "q") == 0) {
		quit(top);
	} else if (strcmp(top->input, "w") == 0) {
		save_settings(top);
	} else if (settings_take(&top->settings, top->input, NULL, &err)) {
		screen_set_style(&top->settings.style);
		top_say(top, false, "%s; :w keeps it", top->input);
	} else {
		top_say(top, true, "%.240s", err.text);
	}
}

static void take_input(struct top *top)
{
	if (top->prompt == TOP_PROMPT_FILTER) {
		top_filter(top, top->input);
	} else {
		snprintf(top->search, sizeof top->search, "%s", top->input);
		top_rows_search(top, 1, true);
	}
}

static void prompt_key(struct top *top, uint32_t key)
{
	if (key == INPUT_RETURN || key == INPUT_ESCAPE || key == INPUT_CONTROL('c')) {
		if (key != INPUT_RETURN && top->prompt == TOP_PROMPT_FILTER)
			top_filter(top, "");
		if (key == INPUT_RETURN && top->prompt == TOP_PROMPT_COMMAND)
			take_command(top);
		top->prompt = TOP_PROMPT_NONE;
		top->filter_error[0] = '\0';
		return;
	}
	keymap_type(top->input, sizeof top->input, key);
	if (top->prompt != TOP_PROMPT_COMMAND)
		take_input(top);
}

static void sure_key(struct top *top, uint32_t key)
{
	top->dialog = TOP_DIALOG_NONE;
	if (key == 'y')
		send_signals(top);
}

const struct top_key *top_find_action(const char *name)
{
	for (const struct top_key *row = top_keys; row->key; row++)
		if (row->action && strcmp(row->action, name) == 0)
			return row;
	return NULL;
}

static void add_name(char *out, size_t size, const char *name)
{
	size_t used = strlen(out);

	snprintf(out + used, size - used, "%s%s", used ? " " : "", name);
}

uint32_t top_key_names(const struct bindings *bindings, const struct top_key *row, char *out, size_t size)
{
	const char *action = row->action;
	char name[KEY_NAME_SIZE];
	uint32_t first = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < bindings->count; i++) {
		if (strcmp(bindings->all[i].action, action) != 0)
			continue;
		bindings_key_name(bindings->all[i].key, name);
		add_name(out, size, name);
		first = first ? first : bindings->all[i].key;
	}
	for (bool is_same = true; row->key && is_same; row++, is_same = !row->action) {
		const char *chosen = bindings_find(bindings, row->key);
		if (chosen && (top_find_action(chosen) || strcmp(chosen, BINDING_NONE) == 0))
			continue;
		add_name(out, size, row->name);
		first = first ? first : row->key;
	}
	return first;
}

/* What was chosen for a key goes before what is built in, unless it is an action of the dashboard only. */
static void table_key(struct top *top, uint32_t key)
{
	const char *name = bindings_find(&top->settings.bindings, key);
	const struct top_key *row = name ? top_find_action(name) : NULL;

	if (name && strcmp(name, BINDING_NONE) == 0)
		return;
	for (const struct top_key *next = top_keys; next->key && !row; next++)
		row = next->key == key ? next : NULL;
	if (row)
		row->act(top);
}

void top_key(struct top *top, uint32_t key)
{
	if (top->prompt != TOP_PROMPT_NONE)
		prompt_key(top, key);
	else if (top->dialog == TOP_DIALOG_SURE)
		sure_key(top, key);
	else if (top->dialog == TOP_DIALOG_HELP)
		top->dialog = TOP_DIALOG_NONE;
	else if (top->dialog != TOP_DIALOG_NONE)
		top_menu_key(top, key);
	else
		table_key(top, key);
	top_rows_build(top);
}

/* A row that is selected already is opened. */
static void click_row(struct top *top, long place)
{
	if (place == top->place)
		open_details(top);
	else
		top_rows_move(top, place - top->place);
}

void top_click(struct top *top, const struct grid *grid, int x, int y)
{
	struct spot spot = grid_spot_at(grid, x, y);

	if (spot.kind == SPOT_KEY)
		top_key(top, spot.value);
	else if (top->dialog != TOP_DIALOG_NONE || top->prompt != TOP_PROMPT_NONE)
		return;
	else if (spot.kind == SPOT_ROW)
		click_row(top, (long)spot.value);
	else if (spot.kind == SPOT_SORT)
		sort_by(top, (enum machine_sort)spot.value);
	top_rows_build(top);
}
