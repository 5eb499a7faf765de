/* What each key does: one row a key, from which the help is made. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/screen.h"
#include "tui/top_ui.h"

enum { SCROLL_BY = 8 };

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
	top->settings.top.sort = sort;
	machine_rank(&top->machine, true);
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

/* On, or off; as settings have it. */
static bool toggle(unsigned *choice)
{
	*choice = !*choice;
	return *choice;
}

static void toggle_tree(struct top *top)
{
	toggle(&top->settings.top.is_tree);
}

static void toggle_kernel(struct top *top)
{
	top_say(top, false, toggle(&top->settings.top.hides_kernel) ? "without threads of the kernel" : "with threads of the kernel");
}

static void toggle_threads(struct top *top)
{
	top_say(top, false, toggle(&top->settings.top.has_threads) ? "with threads" : "without threads");
	top->is_due = true;
}

static void toggle_paths(struct top *top)
{
	top_say(top, false, toggle(&top->settings.top.hides_paths) ? "programs without their folders" : "programs with their folders");
}

static void toggle_meters(struct top *top)
{
	toggle(&top->settings.top.hides_meters);
}

static void toggle_names(struct top *top)
{
	if (!top_column_toggle(&top->settings.top, top_column_find("name")))
		top_say(top, true, "that is the last column");
}

static void fold_this(struct top *top, const struct machine_id *id, bool is_folded)
{
	if (top->settings.top.is_tree && id->pid && machine_set_has(&top->wish.folded, id) != is_folded &&
		!machine_set_toggle(&top->wish.folded, id))
		top_say(top, true, "%d are folded; that is the most", MACHINE_CHOSEN_MOST);
}

static void fold_one(struct top *top)
{
	fold_this(top, &top->selected, true);
}

static void unfold_one(struct top *top)
{
	fold_this(top, &top->selected, false);
}

/* All, or again none: those below the roots, so that there is something to choose among. */
static void fold_all(struct top *top)
{
	size_t folded = top->wish.folded.count;

	top->wish.folded.count = 0;
	for (size_t i = 0; !folded && i + 1 < top->row_count; i++)
		if (top->rows[i].depth == 1 && top->rows[i + 1].depth > 1)
			fold_this(top, &top->rows[i].process->id, true);
}

/* To the one above, which is folded. */
static void fold_into_parent(struct top *top)
{
	long place = top->place;

	if (!top->settings.top.is_tree || place >= (long)top->row_count)
		return;
	while (place > 0 && top->rows[place].depth >= top->rows[top->place].depth)
		place--;
	if (top->rows[place].depth >= top->rows[top->place].depth)
		return;
	top_rows_move(top, place - top->place);
	fold_one(top);
}

/* Commands, sideways. */
static void scroll_commands(struct top *top, int by)
{
	top->left = top->left + by > 0 ? top->left + by : 0;
}

static void go_left(struct top *top)
{
	if (top->settings.top.is_tree)
		fold_one(top);
	else
		scroll_commands(top, -SCROLL_BY);
}

static void go_right(struct top *top)
{
	if (top->settings.top.is_tree)
		unfold_one(top);
	else
		scroll_commands(top, SCROLL_BY);
}

static void go_line_begin(struct top *top)
{
	top->left = 0;
}

/* Of the command that is selected. */
static void go_line_end(struct top *top)
{
	const struct machine_process *process = top_selected(top);
	int length = process ? (int)strlen(process->command) : 0;

	top->left = length > SCROLL_BY ? length - SCROLL_BY : 0;
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

/* The figures may be those of a pid: it is typed on. */
static void open_pid(struct top *top)
{
	top->prompt = TOP_PROMPT_PID;
	top->input[0] = '\0';
	keymap_type(top->input, sizeof top->input, top->key);
	top_rows_search_pid(top);
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

static void tag_tree(struct top *top)
{
	struct machine_id meant = top_meant(top);

	if (meant.pid && !machine_set_add_tree(&top->tags, &top->machine, &meant))
		top_say(top, true, "%d are tagged; that is the most", MACHINE_CHOSEN_MOST);
}

static void open_signals(struct top *top)
{
	if (top_deed_begin(top))
		top_menu_open(top, TOP_DIALOG_SIGNAL, 0);
}

static void nice_lower(struct top *top)
{
	top_deed_nice(top, -1);
}

static void nice_higher(struct top *top)
{
	top_deed_nice(top, 1);
}

/* ---- looking ---- */

/* Whoever is traced is, as long as that is looked at. */
static void end_trace(struct top *top)
{
	const struct top_source *source = top->options->source;
	struct error err;

	if (top->tab == TOP_TAB_CALLS)
		source->trace(source->context, &(struct machine_id){ 0 }, &err);
}

static void open_tab(struct top *top, enum top_tab tab)
{
	end_trace(top);
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

static void open_locks(struct top *top)
{
	open_tab(top, TOP_TAB_LOCKS);
}

static void open_environment(struct top *top)
{
	open_tab(top, TOP_TAB_ENVIRONMENT);
}

static void open_arguments(struct top *top)
{
	open_tab(top, TOP_TAB_ARGUMENTS);
}

static void open_calls(struct top *top)
{
	open_tab(top, TOP_TAB_CALLS);
}

/* Without strace there is still where each thread is now. */
static void trace(struct top *top)
{
	const struct top_source *source = top->options->source;
	struct machine_id meant = top_meant(top);
	struct error err = { 0 };

	if (top->options->read_only) {
		top_say(top, true, "this was opened with --read-only, and it would be stopped at each call");
		return;
	}
	open_tab(top, TOP_TAB_CALLS);
	if (!meant.pid || source->trace(source->context, &meant, &err))
		return;
	open_tab(top, TOP_TAB_THREADS);
	top_say(top, true, "%.160s: here is the call that each thread is in", err.text);
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

static void open_setup(struct top *top)
{
	top_menu_open(top, TOP_DIALOG_SETUP, 0);
}

static void open_help(struct top *top)
{
	top->scroll_help = 0;
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
	{ INPUT_ARROW_DOWN, "↓", go_down, "down", "next", TOP_ANYWHERE }, { INPUT_CONTROL('n'), "^N", go_down, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_ARROW_UP, "↑", go_up, "up", "previous", TOP_ANYWHERE }, { INPUT_CONTROL('p'), "^P", go_up, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_PAGE_DOWN, "PgDn", go_page_down, "page-down", "page down", TOP_ANYWHERE }, { INPUT_CONTROL('f'), "^F", go_page_down, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_PAGE_UP, "PgUp", go_page_up, "page-up", "page up", TOP_ANYWHERE }, { INPUT_CONTROL('b'), "^B", go_page_up, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_TOP, "Home", go_first, "first", "first", TOP_ANYWHERE }, { 'g', "g", go_first, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_BOTTOM, "End", go_last, "last", "last", TOP_ANYWHERE }, { 'G', "G", go_last, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_ARROW_LEFT, "←", go_left, "left", "scroll left; in a tree: fold", TOP_ANYWHERE },
	{ INPUT_ARROW_RIGHT, "→", go_right, "right", "scroll right; tree: unfold", TOP_ANYWHERE },
	{ INPUT_CONTROL('a'), "^A", go_line_begin, "line-begin", "to the beginning of commands", TOP_ANYWHERE }, { '^', "^", go_line_begin, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_CONTROL('e'), "^E", go_line_end, "line-end", "to the end of this command", TOP_ANYWHERE }, { '$', "$", go_line_end, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_FUNCTION + 3, "F3", open_search, "search", "search; F3, n go on", TOP_ANYWHERE }, { '/', "/", open_search, NULL, NULL, TOP_ANYWHERE },
	{ 'n', "n", search_next, "next-match", "next match", TOP_ANYWHERE },
	{ INPUT_SHIFT + 3, "S-F3", search_back, "previous-match", "previous match", TOP_ANYWHERE },
	{ '0', "0-9", open_pid, "pid", "to the pid that is typed", TOP_IN_TABLE },
	{ '1', "", open_pid, NULL, NULL, TOP_IN_TABLE }, { '2', "", open_pid, NULL, NULL, TOP_IN_TABLE },
	{ '3', "", open_pid, NULL, NULL, TOP_IN_TABLE }, { '4', "", open_pid, NULL, NULL, TOP_IN_TABLE },
	{ '5', "", open_pid, NULL, NULL, TOP_IN_TABLE }, { '6', "", open_pid, NULL, NULL, TOP_IN_TABLE },
	{ '7', "", open_pid, NULL, NULL, TOP_IN_TABLE }, { '8', "", open_pid, NULL, NULL, TOP_IN_TABLE },
	{ '9', "", open_pid, NULL, NULL, TOP_IN_TABLE },
	{ INPUT_FUNCTION + 4, "F4", open_filter, "filter", "filter (PCRE2, ! inverts)", TOP_ANYWHERE }, { '\\', "\\", open_filter, NULL, NULL, TOP_ANYWHERE },
	{ 'u', "u", open_users, "users", "of one user", TOP_ANYWHERE },
	{ 'H', "H", toggle_threads, "threads-rows", "rows for threads", TOP_ANYWHERE },
	{ 'K', "K", toggle_kernel, "kernel-threads", "threads of the kernel", TOP_ANYWHERE },
	{ 'p', "p", toggle_paths, "paths", "programs with their folders", TOP_ANYWHERE },
	{ 'm', "m", toggle_names, "names", "their own names (a column)", TOP_ANYWHERE },
	{ '#', "#", toggle_meters, "meters", "meters", TOP_ANYWHERE },
	{ INPUT_FUNCTION + 5, "F5", toggle_tree, "tree", "tree or flat", TOP_ANYWHERE }, { 't', "t", toggle_tree, NULL, NULL, TOP_ANYWHERE },
	{ '-', "-", fold_one, "fold", "fold", TOP_ANYWHERE },
	{ '+', "+", unfold_one, "unfold", "unfold", TOP_ANYWHERE },
	{ '*', "*", fold_all, "fold-all", "fold all, unfold all", TOP_ANYWHERE },
	{ INPUT_ERASE, "BS", fold_into_parent, "fold-parent", "fold into the parent", TOP_ANYWHERE },
	{ INPUT_FUNCTION + 6, "F6", open_sorts, "sort", "sort by ...", TOP_ANYWHERE }, { '<', "<", open_sorts, NULL, NULL, TOP_ANYWHERE }, { '>', ">", open_sorts, NULL, NULL, TOP_ANYWHERE },
	{ '.', ".", open_sorts, NULL, NULL, TOP_ANYWHERE }, { ',', ",", open_sorts, NULL, NULL, TOP_ANYWHERE },
	{ 'P', "P", sort_cpu, "by-cpu", "by CPU", TOP_ANYWHERE },
	{ 'M', "M", sort_memory, "by-memory", "by memory", TOP_ANYWHERE },
	{ 'T', "T", sort_time, "by-time", "by CPU time", TOP_ANYWHERE },
	{ 'N', "N", sort_pid, "by-pid", "by pid", TOP_ANYWHERE },
	{ 'I', "I", invert, "invert", "the other way round", TOP_ANYWHERE },
	{ ' ', "Space", tag, "tag", "tag, untag", TOP_ANYWHERE },
	{ 'c', "c", tag_tree, "tag-tree", "tag it and its descendants", TOP_ANYWHERE },
	{ 'U', "U", untag, "untag", "untag all", TOP_ANYWHERE },
	{ INPUT_FUNCTION + 9, "F9", open_signals, "signal", "send a signal (asks)", TOP_ANYWHERE }, { 'k', "k", open_signals, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_FUNCTION + 7, "F7", nice_lower, "nice-lower", "higher priority (nice -1)", TOP_ANYWHERE }, { ']', "]", nice_lower, NULL, NULL, TOP_IN_TABLE },
	{ INPUT_FUNCTION + 8, "F8", nice_higher, "nice-higher", "lower priority (nice +1)", TOP_ANYWHERE }, { '[', "[", nice_higher, NULL, NULL, TOP_IN_TABLE },
	{ 'i', "i", top_deed_open_io, "io-priority", "I/O priority", TOP_ANYWHERE },
	{ 'a', "a", top_deed_open_processors, "affinity", "CPU affinity", TOP_ANYWHERE },
	{ INPUT_RETURN, "Enter", open_details, "open", "details; 1-8 and Tab choose", TOP_ANYWHERE },
	{ '1', "1", open_info, "info", "what it is doing", TOP_IN_DETAILS },
	{ '2', "2", open_threads, "threads", "its threads", TOP_IN_DETAILS },
	{ 'l', "l", open_files, "files", "its open files", TOP_ANYWHERE }, { '3', "3", open_files, NULL, NULL, TOP_IN_DETAILS },
	{ '4', "4", open_sockets, "sockets", "its sockets and pipes", TOP_IN_DETAILS },
	{ 'x', "x", open_locks, "locks", "its locks on files", TOP_ANYWHERE }, { '5', "5", open_locks, NULL, NULL, TOP_IN_DETAILS },
	{ 'e', "e", open_environment, "environment", "its environment", TOP_ANYWHERE }, { '6', "6", open_environment, NULL, NULL, TOP_IN_DETAILS },
	{ 'w', "w", open_arguments, "arguments", "its whole command, wrapped", TOP_ANYWHERE }, { '7', "7", open_arguments, NULL, NULL, TOP_IN_DETAILS },
	{ 's', "s", trace, "trace", "its system calls (strace)", TOP_ANYWHERE },
	{ '8', "8", open_calls, "calls", "… as far as traced", TOP_IN_DETAILS },
	{ INPUT_TABULATOR, "Tab", next_tab, "next-tab", "next tab", TOP_ANYWHERE }, { ']', "]", next_tab, NULL, NULL, TOP_IN_DETAILS },
	{ INPUT_BACK_TAB, "S-Tab", previous_tab, "previous-tab", "previous tab", TOP_ANYWHERE }, { '[', "[", previous_tab, NULL, NULL, TOP_IN_DETAILS },
	{ 'z', "z", zoom, "zoom", "zoom the details", TOP_ANYWHERE },
	{ 'Z', "Z", pause_it, "pause", "pause", TOP_ANYWHERE },
	{ 'F', "F", follow, "follow", "follow the process or not", TOP_ANYWHERE },
	{ INPUT_FUNCTION + 2, "F2", open_setup, "setup", "setup: columns and more", TOP_ANYWHERE }, { 'S', "S", open_setup, NULL, NULL, TOP_ANYWHERE }, { 'C', "C", open_setup, NULL, NULL, TOP_ANYWHERE },
	{ INPUT_FUNCTION + 1, "F1", open_help, "help", "this help", TOP_ANYWHERE }, { '?', "?", open_help, NULL, NULL, TOP_ANYWHERE }, { 'h', "h", open_help, NULL, NULL, TOP_ANYWHERE },
	{ ':', ":", open_command, "command", "settings; :w keeps them", TOP_ANYWHERE },
	{ INPUT_CONTROL('l'), "^L", redraw, "redraw", "redraw", TOP_ANYWHERE },
	{ INPUT_CONTROL('z'), "^Z", suspend, "suspend", "suspend", TOP_ANYWHERE },
	{ INPUT_ESCAPE, "Esc", go_back, "back", "back; never quits", TOP_ANYWHERE },
	{ INPUT_FUNCTION + 10, "F10", quit, "quit", "quit", TOP_ANYWHERE }, { 'q', "q", quit, NULL, NULL, TOP_ANYWHERE }, { INPUT_CONTROL('c'), "^C", quit, NULL, NULL, TOP_ANYWHERE },
	{ 0, "", NULL, NULL, NULL, TOP_ANYWHERE },
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
	} else if (top->prompt == TOP_PROMPT_PID) {
		top_rows_search_pid(top);
	} else {
		snprintf(top->search, sizeof top->search, "%s", top->input);
		top_rows_search(top, 1, true);
	}
}

/* Keys that go on with what is typed, and do not belong to it. */
static bool is_done_by(struct top *top, uint32_t key)
{
	bool is_next = key == INPUT_FUNCTION + 3, is_previous = key == INPUT_SHIFT + 3;

	if (top->prompt == TOP_PROMPT_SEARCH && (is_next || is_previous)) {
		top_rows_search(top, is_next ? 1 : -1, false);
		return true;
	}
	if (top->prompt == TOP_PROMPT_PID && (key < '0' || key > '9') && key != INPUT_ERASE) {
		top->prompt = TOP_PROMPT_NONE;
		if (key != INPUT_RETURN && key != INPUT_ESCAPE)
			top_key(top, key);
		return true;
	}
	return false;
}

static void prompt_key(struct top *top, uint32_t key)
{
	if (is_done_by(top, key))
		return;
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
		top_deed_signal(top);
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

	if (name[0])
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

static bool is_here(const struct top *top, const struct top_key *row)
{
	return row->where == TOP_ANYWHERE || (row->where == TOP_IN_DETAILS) == (top->tab != TOP_TAB_NONE);
}

/* What was chosen for a key goes before what is built in, unless it is an action of the dashboard only. */
static void table_key(struct top *top, uint32_t key)
{
	const char *name = bindings_find(&top->settings.bindings, key);
	const struct top_key *row = name ? top_find_action(name) : NULL;

	if (name && strcmp(name, BINDING_NONE) == 0)
		return;
	for (const struct top_key *next = top_keys; next->key && !row; next++)
		row = next->key == key && is_here(top, next) ? next : NULL;
	top->key = key;
	if (row)
		row->act(top);
}

/* Where it does not fit, it is moved. */
static void help_key(struct top *top, uint32_t key)
{
	bool is_down = key == INPUT_ARROW_DOWN || key == INPUT_PAGE_DOWN || key == ' ';
	bool is_up = key == INPUT_ARROW_UP || key == INPUT_PAGE_UP;

	if (is_down)
		top->scroll_help++;
	else if (is_up)
		top->scroll_help -= top->scroll_help > 0;
	else
		top->dialog = TOP_DIALOG_NONE;
}

void top_key(struct top *top, uint32_t key)
{
	if (top->prompt != TOP_PROMPT_NONE)
		prompt_key(top, key);
	else if (top->dialog == TOP_DIALOG_SURE)
		sure_key(top, key);
	else if (top->dialog == TOP_DIALOG_HELP)
		help_key(top, key);
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
