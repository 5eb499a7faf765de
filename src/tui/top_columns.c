#include "tui/top_columns.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "model/figure.h"
#include "model/sample.h"

enum { DAY_S = 86400 };

/* ---- what stands in them ---- */

static void format_pid(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%d", (int)process->id.pid);
}

static void format_parent(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%d", (int)process->parent);
}

static void format_group(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%d", (int)process->group);
}

static void format_session(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%d", (int)process->session);
}

static void format_user(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%.9s", process->user);
}

/* "RT" is what is before all nice values: the kernel counts on below zero there. */
static void format_priority(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	if (process->priority <= -100)
		snprintf(out, TOP_CELL_SIZE, "RT");
	else
		snprintf(out, TOP_CELL_SIZE, "%d", (int)process->priority);
}

static void format_nice(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%d", (int)process->nice);
}

static void format_processor(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "-");
	if (process->processor >= 0)
		snprintf(out, TOP_CELL_SIZE, "%d", (int)process->processor);
}

static void format_state(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%c", process->state);
}

static void format_cpu(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%.1f", process->cpu_pct);
}

static bool knows_memory(const struct machine *machine, const struct machine_process *process)
{
	return process->rss != SAMPLE_UNKNOWN && machine->memory_total && machine->memory_total != SAMPLE_UNKNOWN;
}

static void format_share(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	snprintf(out, TOP_CELL_SIZE, "-");
	if (knows_memory(machine, process))
		snprintf(out, TOP_CELL_SIZE, "%.1f", 100.0 * (double)process->rss / (double)machine->memory_total);
}

static void format_bytes(char out[TOP_CELL_SIZE], uint64_t bytes)
{
	snprintf(out, TOP_CELL_SIZE, "-");
	if (bytes != SAMPLE_UNKNOWN)
		units_format_size(out, bytes);
}

static void format_size(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	format_bytes(out, process->size);
}

static void format_rss(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	format_bytes(out, process->rss);
}

static void format_shared(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	format_bytes(out, process->shared);
}

static void format_read(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	char figure[FIGURE_SIZE];

	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%s", figure_speed(figure, process->read_rate, "-"));
}

static void format_written(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	char figure[FIGURE_SIZE];

	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%s", figure_speed(figure, process->write_rate, "-"));
}

static void format_faults(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	char figure[FIGURE_SIZE];

	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%s", figure_count(figure, process->faults, "-"));
}

/* The time of the day, and the day when that was not within the last. */
static void format_start(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	time_t started = (time_t)process->started_s;
	bool is_old = (uint64_t)machine->now_s > (uint64_t)process->started_s + DAY_S;
	struct tm when;

	snprintf(out, TOP_CELL_SIZE, "-");
	if (started && localtime_r(&started, &when))
		strftime(out, TOP_CELL_SIZE, is_old ? "%d%b" : "%H:%M", &when);
}

/* "1:02.34", and "12h34:56" from an hour on, as htop has it. */
static void format_time(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	unsigned long long hundredths = process->cpu_ns / 10000000, seconds = hundredths / 100;

	(void)machine;
	if (seconds < 3600)
		snprintf(out, TOP_CELL_SIZE, "%llu:%02llu.%02llu", seconds / 60, seconds % 60, hundredths % 100);
	else
		snprintf(out, TOP_CELL_SIZE, "%lluh%02llu:%02llu", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static void format_threads(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%llu", (unsigned long long)process->threads);
}

/* What the process calls itself, which need not be what it was called. */
static void format_name(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%s", process->name);
}

/* Who has nothing inside has none of it; of whom we may not look into, there is no telling. */
static const char *unknown(const struct machine_process *process)
{
	return process->inside.is_hidden ? "?" : "-";
}

static void format_queue(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	char figure[FIGURE_SIZE];

	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%s", figure_count(figure, process->inside.queue, unknown(process)));
}

static void format_loop(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	char figure[FIGURE_SIZE];

	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%s", figure_rate(figure, process->inside.utilisation * 100, unknown(process)));
}

static void format_lag(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process)
{
	char figure[FIGURE_SIZE];

	(void)machine;
	snprintf(out, TOP_CELL_SIZE, "%s", figure_duration(figure, process->inside.lag_ms, unknown(process)));
}

// clang-format off
const struct top_column top_columns[] = {
	{ "pid", "PID", 7, 0, true, MACHINE_BY_PID, format_pid },
	{ "user", "USER", -9, 1, true, MACHINE_BY_USER, format_user },
	{ "nice", "NI", 3, 9, true, MACHINE_BY_NICE, format_nice },
	{ "state", "S", -1, 0, true, MACHINE_BY_STATE, format_state },
	{ "cpu", "CPU%", 6, 0, true, MACHINE_BY_CPU, format_cpu },
	{ "mem", "MEM%", 5, 6, true, MACHINE_SORT_COUNT, format_share },
	{ "rss", "RSS", 6, 3, true, MACHINE_BY_MEMORY, format_rss },
	{ "time", "TIME+", 9, 4, true, MACHINE_BY_TIME, format_time },
	{ "threads", "THR", 4, 5, true, MACHINE_BY_THREADS, format_threads },
	{ "queue", "QUEUE", 6, 2, true, MACHINE_BY_QUEUE, format_queue },
	{ "loop", "LOOP%", 5, 7, true, MACHINE_BY_LOOP, format_loop },
	{ "lag", "LAG", 6, 8, true, MACHINE_BY_LAG, format_lag },
	{ "priority", "PRI", 3, 1, false, MACHINE_BY_PRIORITY, format_priority },
	{ "virt", "VIRT", 6, 1, false, MACHINE_BY_SIZE, format_size },
	{ "shared", "SHR", 6, 1, false, MACHINE_BY_SHARED, format_shared },
	{ "read", "READ/s", 6, 1, false, MACHINE_BY_READ, format_read },
	{ "written", "WRIT/s", 6, 1, false, MACHINE_BY_WRITTEN, format_written },
	{ "faults", "FAULTS", 6, 1, false, MACHINE_BY_FAULTS, format_faults },
	{ "start", "START", 5, 1, false, MACHINE_BY_START, format_start },
	{ "processor", "CPU", 3, 1, false, MACHINE_BY_PROCESSOR, format_processor },
	{ "ppid", "PPID", 7, 1, false, MACHINE_BY_PARENT, format_parent },
	{ "pgrp", "PGRP", 7, 1, false, MACHINE_SORT_COUNT, format_group },
	{ "session", "SESS", 7, 1, false, MACHINE_SORT_COUNT, format_session },
	{ "name", "NAME", -15, 1, false, MACHINE_SORT_COUNT, format_name },
	{ NULL, NULL, 0, 0, false, MACHINE_SORT_COUNT, NULL },
};
// clang-format on

/* ---- which of them ---- */

static const struct top_column *find_column(const char *name, size_t length)
{
	const struct top_column *column = top_columns;

	while (column->name && (strlen(column->name) != length || strncmp(column->name, name, length) != 0))
		column++;
	return column->name ? column : NULL;
}

const struct top_column *top_column_find(const char *name)
{
	return find_column(name, strlen(name));
}

const struct top_column *top_column_at(const struct top_choices *choices, unsigned place)
{
	const struct top_column *column = top_columns;

	if (choices->column_count)
		return place < choices->column_count ? &top_columns[choices->columns[place]] : NULL;
	for (; column->name; column++)
		if (column->is_built_in && place-- == 0)
			return column;
	return NULL;
}

unsigned top_column_place(const struct top_choices *choices, const struct top_column *column)
{
	const struct top_column *shown;

	for (unsigned place = 0; (shown = top_column_at(choices, place)); place++)
		if (shown == column)
			return place;
	return TOP_COLUMNS_MOST;
}

static void add_column(struct top_choices *choices, const struct top_column *column)
{
	choices->columns[choices->column_count++] = (uint8_t)(column - top_columns);
}

/* What was built in becomes a choice. */
static void choose_all(struct top_choices *choices)
{
	struct top_choices chosen = *choices;
	const struct top_column *column;

	chosen.column_count = 0;
	for (unsigned place = 0; (column = top_column_at(choices, place)); place++)
		add_column(&chosen, column);
	*choices = chosen;
}

bool top_columns_take(struct top_choices *choices, const char *names)
{
	struct top_choices chosen = { 0 };

	for (const char *at = names;; at++) {
		size_t length = strcspn(at, ",");
		const struct top_column *column = find_column(at, length);
		if (!column || (chosen.column_count && top_column_place(&chosen, column) != TOP_COLUMNS_MOST))
			return false;
		add_column(&chosen, column);
		at += length;
		if (!*at)
			break;
	}
	memcpy(choices->columns, chosen.columns, sizeof chosen.columns);
	choices->column_count = chosen.column_count;
	return true;
}

bool top_column_toggle(struct top_choices *choices, const struct top_column *column)
{
	choose_all(choices);
	unsigned place = top_column_place(choices, column);

	if (place == TOP_COLUMNS_MOST) {
		add_column(choices, column);
		return true;
	}
	if (choices->column_count == 1)
		return false;
	choices->column_count--;
	memmove(choices->columns + place, choices->columns + place + 1, choices->column_count - place);
	return true;
}

void top_column_move(struct top_choices *choices, const struct top_column *column, int by)
{
	choose_all(choices);
	unsigned place = top_column_place(choices, column), other = place + (unsigned)by;

	if (place == TOP_COLUMNS_MOST || other >= choices->column_count)
		return;
	choices->columns[place] = choices->columns[other];
	choices->columns[other] = (uint8_t)(column - top_columns);
}
