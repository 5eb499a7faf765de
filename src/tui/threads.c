/* The Threads tab: what every thread of the process is for, and what it does now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
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

/* ---- columns ---- */

enum { CELL = 80,
	NAME_MOST = 15,
	ROLE_MOST = 18 };

static void put_tid(char *out, const struct thread_report *thread)
{
	snprintf(out, CELL, "%d", (int)thread->tid);
}

/* A thread calls itself what it likes: neutralised before it is measured. */
static void put_name(char *out, const struct thread_report *thread)
{
	struct text safe;

	text_init(&safe, sizeof thread->name * 4);
	utf8_append_safe(&safe, thread->name, strlen(thread->name), false);
	snprintf(out, CELL, "%s", text_string(&safe));
	text_finish(&safe);
}

static void put_role(char *out, const struct thread_report *thread)
{
	snprintf(out, CELL, "%s", or_mark(thread->role, "-"));
}

static void put_state(char *out, const struct thread_report *thread)
{
	snprintf(out, CELL, "%c", thread->state);
}

static void put_cpu(char *out, const struct thread_report *thread)
{
	char figure[FIGURE_SIZE];

	snprintf(out, CELL, "%s", figure_rate(figure, thread->cpu_pct, "?"));
}

static void put_wait(char *out, const struct thread_report *thread)
{
	char figure[FIGURE_SIZE];

	snprintf(out, CELL, "%s", figure_count(figure, thread->run_wait_ms, "?"));
}

static void put_switches(char *out, const struct thread_report *thread)
{
	char figure[FIGURE_SIZE];

	snprintf(out, CELL, "%s", figure_rate(figure, thread->switch_rate, "?"));
}

static void put_processor(char *out, const struct thread_report *thread)
{
	snprintf(out, CELL, "%d", (int)thread->last_cpu);
}

static void put_place(char *out, const struct thread_report *thread)
{
	snprintf(out, CELL, "%s", or_mark(thread->wchan, "-"));
}

static void put_call(char *out, const struct thread_report *thread)
{
	snprintf(out, CELL, "%s", or_mark(thread->syscall, "?"));
}

/* Those that leave with a high number go first when it is narrow; 0 never goes. */
static const struct thread_column {
	const char *title;
	int width, leaves;
	bool is_left;
	bool is_fitted;                                             /* no wider than what is in it */
	void (*put)(char *out, const struct thread_report *thread); /* at most CELL bytes */
} columns[] = {
	{ "TID", 7, 0, false, false, put_tid },
	{ "NAME", NAME_MOST, 0, true, true, put_name },
	{ "ROLE", ROLE_MOST, 1, true, true, put_role },
	{ "S", 1, 0, true, false, put_state },
	{ "CPU%", 6, 0, false, false, put_cpu },
	{ "WAIT-MS", 8, 4, false, false, put_wait },
	{ "SWITCH/S", 8, 3, false, false, put_switches },
	{ "ON", 3, 5, false, false, put_processor },
	{ "WAITS IN", 18, 2, true, false, put_place },
	{ "SYSCALL", 16, 6, true, false, put_call },
};
enum { COLUMNS = sizeof columns / sizeof *columns };

struct widths {
	int of[COLUMNS]; /* 0: it is left out */
};

static int fitted(const struct thread_column *column, const struct study *study)
{
	int widest = (int)strlen(column->title);
	char text[CELL];

	for (size_t i = 0; i < study->thread_count; i++) {
		column->put(text, &study->threads[i]);
		widest = (int)strlen(text) > widest ? (int)strlen(text) : widest;
	}
	return widest < column->width ? widest : column->width;
}

static struct widths fit(const struct study *study, int room)
{
	struct widths widths;
	int used = 1;

	for (int i = 0; i < COLUMNS; i++)
		used += 1 + (widths.of[i] = columns[i].is_fitted ? fitted(&columns[i], study) : columns[i].width);
	for (int last = 1; used - 1 > room && last;) {
		last = 0;
		for (int i = 0; i < COLUMNS; i++)
			if (widths.of[i] && columns[i].leaves > columns[last].leaves)
				last = i;
		used -= last ? widths.of[last] + 1 : 0;
		widths.of[last] = last ? 0 : widths.of[last];
	}
	return widths;
}

/* thread NULL: the titles. */
static void put_line(char *out, size_t size, const struct widths *widths, const struct thread_report *thread)
{
	size_t used = 0;
	char text[CELL];

	for (int i = 0; i < COLUMNS && used < size; i++) {
		int width = widths->of[i];
		if (!width)
			continue;
		if (thread)
			columns[i].put(text, thread);
		else
			snprintf(text, sizeof text, "%s", columns[i].title);
		used += (size_t)snprintf(out + used, size - used, columns[i].is_left ? " %-*.*s" : " %*.*s", width, width, text);
	}
}

static void draw_thread(struct pane *pane, const struct widths *widths, const struct thread_report *thread, bool is_selected)
{
	struct rect at = rect_line(pane->area, pane->line - pane->skip);
	char line[256];

	put_line(line, sizeof line, widths, thread);
	if (is_selected)
		line[0] = '>';
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
	grid_format(grid, at, LOOK_DIM, " %zu threads: %u run, %u sleep, %u wait for a device; sorted by %s", study->thread_count,
		states['R'], states['S'], states['D'], order_names[insight->order]);
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

	struct widths widths = fit(&insight->study, area.width);
	char titles[256];

	put_line(titles, sizeof titles, &widths, NULL);
	pane_format(&pane, LOOK_HEADING, "%s", titles);
	int room = area.height - 2;
	int first = ui->cursor >= room ? ui->cursor - room + 1 : 0;
	for (int i = first; i < count && i - first < room; i++)
		draw_thread(&pane, &widths, threads[i], ui->is_zoomed && i == ui->cursor);
	draw_sum(insight, grid, rect_line(area, area.height - 1));
	return count;
}
