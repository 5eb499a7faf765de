/* Which rows there are, and which of them is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/top_ui.h"

const struct machine_process *top_selected(const struct top *top)
{
	return top->place >= 0 && (size_t)top->place < top->row_count ? top->rows[top->place].process : NULL;
}

struct machine_id top_meant(const struct top *top)
{
	const struct machine_process *process = top_selected(top);

	if (process && process->is_thread)
		process = machine_find(&top->machine, process->parent);
	return process ? process->id : (struct machine_id){ 0 };
}

static void select_place(struct top *top, long place)
{
	long last = (long)top->row_count - 1;

	top->place = place > last ? last : place;
	if (top->place < 0)
		top->place = 0;
	const struct machine_process *process = top_selected(top);
	top->selected = process ? process->id : (struct machine_id){ 0 };
}

static bool is_wanted(const struct top_choices *choices, enum machine_sort sort)
{
	const struct top_column *column;
	bool is_wanted = choices->sort == sort;

	for (unsigned place = 0; !is_wanted && (column = top_column_at(choices, place)); place++)
		is_wanted = column->sort == sort;
	return is_wanted;
}

/* What nobody sees is not read. */
static void wish(struct top *top)
{
	const struct top_choices *choices = &top->settings.top;

	top->wish.filter = top->filter;
	top->wish.sort = (enum machine_sort)choices->sort;
	top->wish.is_tree = choices->is_tree;
	top->wish.hides_kernel = choices->hides_kernel;
	top->machine.wants_threads = choices->has_threads;
	top->machine.wants_io = is_wanted(choices, MACHINE_BY_READ) || is_wanted(choices, MACHINE_BY_WRITTEN);
	top->machine.wants_shared = is_wanted(choices, MACHINE_BY_SHARED);
}

/* The process that was selected, wherever it is now; else whoever has its place. */
void top_rows_build(struct top *top)
{
	free(top->rows);
	wish(top);
	top->rows = machine_rows(&top->machine, &top->wish, &top->row_count);
	long place = top->is_loose ? -1 : machine_row_of(top->rows, top->row_count, &top->selected);
	select_place(top, place >= 0 ? place : top->place);
}

void top_rows_move(struct top *top, long by)
{
	select_place(top, top->place + by > 0 ? top->place + by : 0);
}

void top_rows_search(struct top *top, int direction, bool from_here)
{
	long from = top->place + (from_here ? 0 : direction);

	if (!top->search[0])
		return;
	long found = machine_search(top->rows, top->row_count, from, direction, top->search);
	top->message[0] = '\0';
	if (found >= 0)
		select_place(top, found);
	else
		top_say(top, true, "'%s' is in no command that is shown", top->search);
}

void top_rows_search_pid(struct top *top)
{
	long found = machine_search_pid(top->rows, top->row_count, top->input);

	if (found >= 0)
		select_place(top, found);
}

/* While it is typed, half a pattern changes nothing: the last good one holds. */
void top_filter(struct top *top, const char *text)
{
	bool is_inverse = text[0] == '!';
	struct error err;
	struct pattern *pattern = text[is_inverse] ? pattern_create(text + is_inverse, &err) : NULL;

	top->filter_error[0] = '\0';
	if (text[is_inverse] && !pattern) {
		snprintf(top->filter_error, sizeof top->filter_error, "%.200s", err.text);
		return;
	}
	pattern_destroy(top->filter);
	top->filter = pattern;
	top->wish.is_filter_inverse = is_inverse;
	snprintf(top->filter_text, sizeof top->filter_text, "%s", pattern ? text : "");
}
