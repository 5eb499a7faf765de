/* The History tab: what died, the last day in a row, and the record of one death. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "client/graph.h"
#include "protocol/value.h"
#include "tui/day.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { DAY_LEAST = 6, /* a pane of fewer lines has none */
	LINE_MOST = 4096 };

/* ---- the list ---- */

struct words {
	char ran[UNITS_TEXT_SIZE], rss[UNITS_TEXT_SIZE], cpu[UNITS_TEXT_SIZE], ending[DEATH_TEXT_SIZE];
};

static struct words describe(const struct death *death)
{
	struct words words = { .rss = "-" };

	units_format_duration(words.ran, death->uptime_ms);
	units_format_duration(words.cpu, death->cpu_ms);
	if (death->peak_rss)
		units_format_size(words.rss, death->peak_rss);
	death_explain(words.ending, death);
	return words;
}

static void draw_death(
	const struct ui *ui, struct grid *grid, struct rect at, const struct death *death)
{
	struct words words = describe(death);
	char started[CLOCK_TEXT_SIZE];

	clock_format_local_date(started, death->started_us);
	grid_format(grid, at, death_is_crash(death) ? LOOK_BAD : LOOK_NORMAL,
		" %4u %8d  %s %9s %6s %8s  %s  %s", death->life, death->pid, started, words.ran, words.rss,
		words.cpu, words.ending, death->detail);
	if (ui->is_zoomed && death == history_selected(ui)) {
		grid_put(grid, (struct rect){ at.x, at.y, 1, at.height }, LOOK_NORMAL, ">");
		grid_select(grid, at);
	}
}

/* The process that is there now is no death yet, but the newest life. */
static int draw_present(
	const struct ui *ui, struct grid *grid, struct rect at, const struct row *row)
{
	char started[CLOCK_TEXT_SIZE], ran[UNITS_TEXT_SIZE];

	if (!row->pid)
		return 0;
	clock_format_local_date(started, row->started_us);
	uint64_t ms = ui->now_us > row->started_us ? (ui->now_us - row->started_us) / 1000 : 0;
	units_format_duration(ran, ms < 1000 ? 1000 : ms / 1000 * 1000);
	grid_format(grid, at, LOOK_DIM, " %4u %8d  %s %9s %6s %8s  %s", row->life, row->pid,
		started, ran, "", "", state_name(row->state));
	return 1;
}

static void draw_list(
	const struct ui *ui, struct grid *grid, struct rect area, const struct row *row)
{
	int line = 1;

	grid_format(grid, area, LOOK_HEADING, " %4s %8s  %-19s %9s %6s %8s  %s", "LIFE", "PID",
		"STARTED", "RAN", "PEAK", "CPU", "ENDED BY");
	line += draw_present(ui, grid, rect_line(area, line), row);
	if (!history_count(ui))
		grid_put(grid, rect_line(area, line), LOOK_DIM, " no process of it has ended yet");
	int height = area.height - line, count = (int)history_count(ui);
	int first = ui->is_zoomed && ui->death >= height ? ui->death - height + 1 : 0;
	for (int i = first; i < count && i - first < height; i++)
		draw_death(ui, grid, rect_line(area, line + i - first), &ui->deaths[count - 1 - i]);
}

/* ---- one death ---- */

static int draw_graph(const struct ui *ui, struct grid *grid, struct rect at, const char *name,
	const char *key)
{
	struct text graph;

	text_init(&graph, LINE_MOST);
	text_format(&graph, " %s ", name);
	bool is_there = graph_append(
		&graph, json_object_get(ui->record, "samples"), key, ui_graph(ui));
	if (is_there)
		grid_put(grid, at, LOOK_NORMAL, text_string(&graph));
	text_finish(&graph);
	return is_there;
}

static void draw_lines(const struct ui *ui, struct grid *grid, struct rect area)
{
	const json_t *lines = json_object_get(ui->record, "lines");
	int count = (int)json_array_size(lines);
	int back = count - area.height > 0 ? count - area.height : 0;

	back = ui->scroll < back ? ui->scroll : back;
	if (!count)
		grid_put(grid, rect_line(area, 0), LOOK_DIM,
			json_is_array(lines) ? " it wrote nothing"
					     : " what it wrote last is not kept any more");
	int shown = count - back < area.height ? count - back : area.height;
	for (int i = 0; i < shown; i++) {
		const json_t *line = json_array_get(lines, (size_t)(count - back - shown + i));
		const json_t *text = json_object_get(line, "text");
		const char *stream = json_string_value(json_object_get(line, "stream"));
		char local[CLOCK_TEXT_SIZE], before[CLOCK_TEXT_SIZE + 4];
		clock_format_local(local, time_from_json(json_object_get(line, "ts")));
		snprintf(before, sizeof before, " %s ", local);
		grid_put_safe(grid, rect_line(area, i),
			stream && strcmp(stream, "stderr") == 0 ? LOOK_WARN : LOOK_NORMAL, before,
			json_is_string(text) ? json_string_value(text) : "",
			json_string_length(text));
	}
}

static int draw_facts(
	const struct ui *ui, struct grid *grid, struct rect area, const struct death *death)
{
	struct words words = describe(death);
	char ended[CLOCK_TEXT_SIZE];
	int line = 0;

	clock_format_local_date(ended, death->ended_us);
	grid_format(grid, rect_line(area, line++), LOOK_HEADING,
		" life %u, pid %d: %s at %s after %s, peak %s, CPU %s", death->life, death->pid,
		words.ending, ended, words.ran, words.rss, words.cpu);
	if (death->detail[0])
		grid_put_safe(grid, rect_line(area, line++), LOOK_WARN, " ", death->detail, strlen(death->detail));
	line += draw_graph(ui, grid, rect_line(area, line), "cpu", "cpu_pct");
	line += draw_graph(ui, grid, rect_line(area, line), "rss", "rss");
	return line;
}

static void draw_record(const struct ui *ui, struct grid *grid, struct rect area)
{
	struct death death;
	struct error err;

	if (!death_from_json(&death, ui->record, &err)) {
		grid_put(grid, area, LOOK_DIM, " asking ...");
		return;
	}
	int used = draw_facts(ui, grid, area, &death);
	if (used >= area.height)
		return;
	area.y += used;
	area.height -= used;
	draw_lines(ui, grid, area);
}

/* ---- all of it ---- */

size_t history_count(const struct ui *ui)
{
	size_t count = ui->death_count;

	while (ui->past_us && count && ui->deaths[count - 1].ended_us > ui->past_us)
		count--;
	return count;
}

const struct death *history_selected(const struct ui *ui)
{
	size_t count = history_count(ui);

	if (!count)
		return NULL;
	size_t back = (size_t)ui->death < count ? (size_t)ui->death : count - 1;
	return &ui->deaths[count - 1 - back];
}

void history_draw(const struct ui *ui, struct grid *grid, struct rect area, const struct row *row)
{
	struct rect list = area;

	if (ui->is_record_open) {
		draw_record(ui, grid, area);
		return;
	}
	if (area.height >= DAY_LEAST) {
		int height = day_height(ui, row, area.height);
		list.height -= height;
		day_draw(ui, grid, (struct rect){ area.x, area.y + list.height, area.width, height }, row);
	}
	draw_list(ui, grid, list, row);
}
