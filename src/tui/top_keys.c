/* What each key does: one row a key, from which the help is made. */
#include <stdio.h>

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
	top->is_stale = true;
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
	{ INPUT_ARROW_DOWN, "↓", go_down, "next" },
	{ INPUT_ARROW_UP, "↑", go_up, "previous" },
	{ INPUT_PAGE_DOWN, "PgDn", go_page_down, "page down" }, { INPUT_CONTROL('f'), "^F", go_page_down, NULL },
	{ INPUT_PAGE_UP, "PgUp", go_page_up, "page up" }, { INPUT_CONTROL('b'), "^B", go_page_up, NULL },
	{ INPUT_TOP, "Home", go_first, "first" }, { 'g', "g", go_first, NULL },
	{ INPUT_BOTTOM, "End", go_last, "last" }, { 'G', "G", go_last, NULL },
	{ INPUT_FUNCTION + 3, "F3", open_search, "search a command or pid" }, { '/', "/", open_search, NULL },
	{ 'n', "n", search_next, "next match" },
	{ 'N', "N", search_back, "previous match" },
	{ INPUT_FUNCTION + 4, "F4", open_filter, "filter (PCRE2, ! inverts)" }, { '\\', "\\", open_filter, NULL },
	{ 'u', "u", open_users, "of one user" },
	{ 'H', "H", toggle_threads, "rows for threads" },
	{ 'K', "K", toggle_kernel, "threads of the kernel" },
	{ INPUT_FUNCTION + 5, "F5", toggle_tree, "tree or flat" }, { 't', "t", toggle_tree, NULL },
	{ INPUT_ARROW_LEFT, "←", fold_one, "fold" }, { '-', "-", fold_one, NULL },
	{ INPUT_ARROW_RIGHT, "→", unfold_one, "unfold" }, { '+', "+", unfold_one, NULL },
	{ '*', "*", unfold_all, "unfold all" },
	{ INPUT_FUNCTION + 6, "F6", open_sorts, "sort by ..." }, { '<', "<", open_sorts, NULL }, { '>', ">", open_sorts, NULL },
	{ 'P', "P", sort_cpu, "by CPU" },
	{ 'M', "M", sort_memory, "by memory" },
	{ 'T', "T", sort_time, "by CPU time" },
	{ 'p', "p", sort_pid, "by pid" },
	{ 'I', "I", invert, "the other way round" },
	{ ' ', "Space", tag, "tag, untag" },
	{ 'U', "U", untag, "untag all" },
	{ INPUT_FUNCTION + 9, "F9", open_signals, "send a signal (asks)" }, { 'k', "k", open_signals, NULL },
	{ INPUT_RETURN, "Enter", open_details, "details" },
	{ '1', "1", open_info, "what it is doing" },
	{ '2', "2", open_threads, "its threads" },
	{ '3', "3", open_files, "its open files" },
	{ '4', "4", open_sockets, "its sockets and pipes" },
	{ ']', "]", next_tab, "next tab" }, { INPUT_TABULATOR, "Tab", next_tab, NULL },
	{ '[', "[", previous_tab, "previous tab" }, { INPUT_BACK_TAB, "S-Tab", previous_tab, NULL },
	{ 'z', "z", zoom, "zoom the details" },
	{ 'Z', "Z", pause_it, "pause" },
	{ 'F', "F", follow, "follow the process or not" },
	{ INPUT_FUNCTION + 1, "F1", open_help, "this help" }, { '?', "?", open_help, NULL }, { 'h', "h", open_help, NULL },
	{ INPUT_CONTROL('l'), "^L", redraw, "redraw" },
	{ INPUT_CONTROL('z'), "^Z", suspend, "suspend" },
	{ INPUT_ESCAPE, "Esc", go_back, "back; never quits" },
	{ INPUT_FUNCTION + 10, "F10", quit, "quit" }, { 'q', "q", quit, NULL }, { INPUT_CONTROL('c'), "^C", quit, NULL },
	{ 0, "", NULL, NULL },
};
// clang-format on

/* ---- the line that is typed ---- */

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
		top->prompt = TOP_PROMPT_NONE;
		top->filter_error[0] = '\0';
		return;
	}
	keymap_type(top->input, sizeof top->input, key);
	take_input(top);
}

static void sure_key(struct top *top, uint32_t key)
{
	top->dialog = TOP_DIALOG_NONE;
	if (key == 'y')
		send_signals(top);
}

static void table_key(struct top *top, uint32_t key)
{
	for (const struct top_key *row = top_keys; row->key; row++)
		if (row->key == key) {
			row->act(top);
			return;
		}
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
