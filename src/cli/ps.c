/* Tables of what runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "model/figure.h"
#include "protocol/row.h"
#include "protocol/value.h"

enum {
	CELL = 40,
	WATCH_MS = 1000,
	NAME_WIDTH = 20,
	NUMBER_WIDTH = 4, /* "/123" behind a name */
};

/* "-" for what is not known, and for none: so that a number stands out. */
static const char *count_text(char out[CELL], uint64_t count)
{
	if (count == 0 || count == SAMPLE_UNKNOWN)
		return "-";
	snprintf(out, CELL, "%llu", (unsigned long long)count);
	return out;
}

static const char *state_text(char out[CELL], const struct row *row, uint64_t now_us)
{
	char pause[UNITS_TEXT_SIZE];
	bool is_dead = row->state == STATE_COMPLETED || row->state == STATE_FAILED;

	snprintf(out, CELL, "%s", state_name(row->state));
	bool waits = row->state == STATE_BACKOFF || row->state == STATE_SCHEDULED;
	if (waits && row->deadline_us > now_us) {
		units_format_duration(pause, (row->deadline_us - now_us) / 1000);
		snprintf(out, CELL, "%s %s", state_name(row->state), pause);
	} else if (is_dead && row->has_last_death && !row->last_death.signal) {
		snprintf(out, CELL, "%s %d", state_name(row->state), row->last_death.code);
	}
	return out;
}

/* As wide as the longest name. */
static int name_width(const json_t *rows)
{
	const json_t *row;
	size_t i, width = NAME_WIDTH;

	json_array_foreach(rows, i, row)
	{
		size_t length = json_string_length(json_object_get(row, "service"));
		if (length + NUMBER_WIDTH > width)
			width = length + NUMBER_WIDTH;
	}
	return (int)width;
}

/* Of what processes tell themselves: their words are not to be trusted. */
static void print_cell(int width, const char *text)
{
	char cell[METRIC_WIDTH_MOST + 1];

	utf8_excerpt(cell, sizeof cell, text, strlen(text));
	printf(" %*s", width, cell);
}

static void print_metrics(const struct row *row, const struct metric_columns *columns)
{
	char text[sizeof(struct metric)];

	for (unsigned i = 0; i < columns->count; i++) {
		metric_cell(text, sizeof text, &row->ipc.metrics, columns->items[i].name);
		print_cell(columns->items[i].width, text);
	}
}

static void print_heading(int width, const struct metric_columns *columns)
{
	printf("%-*s %-14s %8s %9s %4s %6s %6s %4s %4s %5s %5s %6s", width, "NAME", "STATE", "PID", "UPTIME", "RST",
		"CPU%", "RSS", "THR", "FDS", "QUEUE", "LOOP%", "LAG");
	for (unsigned i = 0; i < columns->count; i++)
		print_cell(columns->items[i].width, columns->items[i].name);
	putchar('\n');
}

static void print_row(const struct row *row, int width, const struct metric_columns *columns, uint64_t now_us)
{
	char name[CELL * 3], state[CELL], pid[CELL], restarts[CELL], threads[CELL], fds[CELL];
	char uptime[UNITS_TEXT_SIZE] = "-", rss[UNITS_TEXT_SIZE] = "-", cpu[CELL] = "-";
	const struct sample *sample = &row->sample;
	char queue[CELL], loop[CELL] = "-", lag[FIGURE_SIZE];

	snprintf(name, sizeof name, "%s/%u", row->service, row->instance);
	if (row->pid)
		units_format_duration(uptime, row->uptime_ms);
	if (sample->pid && sample->rss != SAMPLE_UNKNOWN)
		units_format_size(rss, sample->rss);
	if (sample->pid && sample->cpu_pct >= 0)
		snprintf(cpu, sizeof cpu, "%.1f", sample->cpu_pct);
	if (sample->pid && sample->inside.utilisation >= 0)
		snprintf(loop, sizeof loop, "%.0f", sample->inside.utilisation * 100);
	printf("%-*s %-14s %8s %9s %4s %6s %6s %4s %4s %5s %5s %6s", width, name, state_text(state, row, now_us),
		count_text(pid, (uint64_t)row->pid), uptime,
		count_text(restarts, restart_counts_sum(&row->restarts)), cpu, rss,
		sample->pid ? count_text(threads, sample->threads) : "-",
		sample->pid ? count_text(fds, sample->fds) : "-",
		sample->pid ? count_text(queue, sample->inside.queue) : "-", loop,
		sample->pid ? figure_duration(lag, sample->inside.lag_ms, "-") : "-");
	print_metrics(row, columns);
	if (row->detail[0] || (row->has_last_death && row->last_death.detail[0])) {
		printf("  ");
		cli_print_safe(row->detail[0] ? row->detail : row->last_death.detail);
	}
	putchar('\n');
}

static struct metric_columns metric_columns_of(const json_t *rows)
{
	struct metric_columns columns = { 0 };
	const json_t *json;
	struct row row;
	struct error err;
	size_t i;

	for (unsigned rank = 0; rank < METRICS_MOST; rank++)
		json_array_foreach(rows, i, json) if (row_from_json(&row, json, &err))
			metric_columns_add(&columns, &row.ipc.metrics, rank);
	return columns;
}

static int print_table(const json_t *rows)
{
	struct metric_columns columns = metric_columns_of(rows);
	int width = name_width(rows);
	uint64_t now_us = clock_wall_us();
	int status = EXIT_OK;
	const json_t *json;
	struct row row;
	struct error err;
	size_t i;

	print_heading(width, &columns);
	json_array_foreach(rows, i, json)
	{
		if (!row_from_json(&row, json, &err))
			continue;
		print_row(&row, width, &columns, now_us);
		if (row.state == STATE_FAILED || row.state == STATE_FATAL)
			status = EXIT_FAILED;
	}
	if (!json_array_size(rows))
		printf("nothing is here yet; `thrum run -- COMMAND` launches something\n");
	return status;
}

static int status_of(const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *state = json_string_value(json_object_get(row, "state"));
		if (state && (strcmp(state, "failed") == 0 || strcmp(state, "fatal") == 0))
			return EXIT_FAILED;
	}
	return EXIT_OK;
}

int cli_ps(struct invocation *invocation)
{
	int status = EXIT_OK;

	if (invocation->fleet)
		return invocation->name_count ? cli_fail(EXIT_USAGE, "ps --fleet takes no names") : cli_fleet(invocation, "ps");
	struct link *link = cli_connect(invocation, &status);

	for (bool again = link; again;) {
		json_t *result = cli_call(link, "list", cli_names(invocation), &status);
		const json_t *rows = json_object_get(result, "instances");
		if (result && invocation->watch && isatty(STDOUT_FILENO))
			printf("\033[H\033[2J");
		if (result && invocation->json)
			cli_print_json(rows);
		if (result)
			status = invocation->json ? status_of(rows) : print_table(rows);
		json_decref(result);
		fflush(stdout);
		again = result && invocation->watch && !ferror(stdout);
		if (again)
			link_wait(link, WATCH_MS);
	}
	link_close(link);
	return status;
}

int cli_info(struct invocation *invocation)
{
	int status = EXIT_OK;
	json_t *result = cli_ask(invocation, "info", json_pack("{s:s}", "name", invocation->names[0]), &status);

	if (result) {
		json_dumpf(result, stdout, invocation->json ? JSON_COMPACT : JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(result);
	return status;
}
