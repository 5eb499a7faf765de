/* The Threads tab: what every thread of the process is for, and what it does now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/figure.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { STATES = 128 };

static const char *const order_names[] = {
	[THREADS_BY_CPU] = "CPU",
	[THREADS_BY_TID] = "number",
	[THREADS_BY_SWITCHES] = "switches",
	[THREADS_BY_ROLE] = "role",
};

typedef double rank_function(const struct thread_report *thread);

static double by_cpu(const struct thread_report *thread)
{
	return thread->cpu_pct;
}

static double by_switches(const struct thread_report *thread)
{
	return thread->switch_rate;
}

static int compare(const void *a, const void *b, void *order)
{
	static rank_function *const ranks[THREAD_ORDERS] = { [THREADS_BY_CPU] = by_cpu, [THREADS_BY_SWITCHES] = by_switches };
	const struct thread_report *left = *(struct thread_report *const *)a, *right = *(struct thread_report *const *)b;
	rank_function *rank = ranks[*(enum thread_order *)order];

	if (rank && rank(left) != rank(right))
		return rank(left) > rank(right) ? -1 : 1;
	if (*(enum thread_order *)order == THREADS_BY_ROLE && strcmp(left->role, right->role) != 0)
		return strcmp(left->role, right->role);
	return left->tid < right->tid ? -1 : left->tid > right->tid;
}

/* Ties stay in the order of their numbers: nothing changes places for nothing. */
static const struct thread_report **sorted(const struct insight *insight)
{
	static const struct thread_report *threads[INSIDE_THREADS_MOST];
	enum thread_order order = insight->order;

	for (size_t i = 0; i < insight->study.thread_count; i++)
		threads[i] = &insight->study.threads[i];
	qsort_r(threads, insight->study.thread_count, sizeof *threads, compare, &order);
	return threads;
}

static const char *or_mark(const char *text, const char *mark)
{
	return *text ? text : mark;
}

static enum look look_of(char state)
{
	return state == 'D' ? LOOK_BAD : state == 'R' ? LOOK_GOOD
						      : LOOK_NORMAL;
}

static void draw_thread(struct pane *pane, const struct thread_report *thread, bool is_selected)
{
	char cpu[FIGURE_SIZE], wait[FIGURE_SIZE], switches[FIGURE_SIZE], line[256];
	struct rect at = rect_line(pane->area, pane->line - pane->skip);

	snprintf(line, sizeof line, "%c%7d %-15.15s %-18.18s %c %6s %8s %8s %3d  %-18.18s %s", is_selected ? '>' : ' ', (int)thread->tid,
		thread->name, or_mark(thread->role, "-"), thread->state, figure_rate(cpu, thread->cpu_pct, "?"),
		figure_count(wait, thread->run_wait_ms, "?"), figure_rate(switches, thread->switch_rate, "?"), (int)thread->last_cpu,
		or_mark(thread->wchan, "-"), or_mark(thread->syscall, "?"));
	pane_safe(pane, look_of(thread->state), "", line, strlen(line));
	if (is_selected)
		grid_select(pane->grid, at);
}

static void draw_sum(const struct insight *insight, struct grid *grid, struct rect at)
{
	unsigned states[STATES] = { 0 };
	const struct study *study = &insight->study;

	for (size_t i = 0; i < study->thread_count; i++)
		states[study->threads[i].state & (STATES - 1)]++;
	grid_format(grid, at, LOOK_DIM,
		" %zu threads: %u run, %u sleep, %u wait for a device; sorted by %s (< another order, w where one is)",
		study->thread_count, states['R'], states['S'], states['D'], order_names[insight->order]);
}

int32_t threads_selected(const struct ui *ui)
{
	bool is_there = ui->cursor >= 0 && (size_t)ui->cursor < ui->insight.study.thread_count;

	return is_there ? sorted(&ui->insight)[ui->cursor]->tid : 0;
}

int threads_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	const struct insight *insight = &ui->insight;
	const struct thread_report **threads = sorted(insight);
	struct pane pane = { .grid = grid, .area = area };
	int count = (int)insight->study.thread_count;

	pane_format(&pane, LOOK_HEADING, " %7s %-15s %-18s S %6s %8s %8s %3s  %-18s %s", "TID", "NAME", "ROLE", "CPU%", "WAIT-MS",
		"SWITCH/S", "ON", "WAITS IN", "SYSCALL");
	int room = area.height - 2;
	int first = ui->cursor >= room ? ui->cursor - room + 1 : 0;
	for (int i = first; i < count && i - first < room; i++)
		draw_thread(&pane, threads[i], ui->is_zoomed && i == ui->cursor);
	draw_sum(insight, grid, rect_line(area, area.height - 1));
	return count;
}
