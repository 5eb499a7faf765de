/* The Info tab: how an instance is, what it is doing, and all that its configuration says. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "model/figure.h"
#include "protocol/secret.h"
#include "protocol/value.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { CELL = 64,
	LINE = 1024,
	FINDINGS_SHOWN = 2 /* unless the tab fills the screen */ };

static const char *info_string(const struct ui *ui, const char *part, const char *key)
{
	const json_t *value = json_object_get(json_object_get(ui->insight.info, part), key);

	return json_is_string(value) ? json_string_value(value) : "-";
}

static const char *policy_string(const struct ui *ui, const char *part, const char *key)
{
	const json_t *service = json_object_get(ui->insight.info, "service");
	const char *value = json_string_value(json_object_get(json_object_get(service, part), key));

	return value ? value : "-";
}

static void join_command(const struct ui *ui, char *out, size_t size)
{
	const json_t *words = json_object_get(json_object_get(ui->insight.info, "service"), "command"),
		     *word;
	size_t i, used = 0;

	out[0] = '\0';
	json_array_foreach(words, i, word)
	{
		int length = snprintf(
			out + used, size - used, "%s%s", i ? " " : "", json_string_value(word));
		used += length > 0 ? (size_t)length : 0;
		if (used >= size)
			return;
	}
}

static void describe_state(const struct ui *ui, const struct row *row, char out[LINE])
{
	char state[CELL], since[UNITS_TEXT_SIZE], left[48] = "";

	view_state(state, sizeof state, row, ui->now_us);
	units_format_duration(
		since, ui->now_us > row->since_us ? (ui->now_us - row->since_us) / 1000 : 0);
	if (row->leftovers)
		snprintf(left, sizeof left, ", %u of its processes are left", row->leftovers);
	snprintf(out, LINE, "%s for %s%s%s%s", state, since, left, row->detail[0] ? ": " : "",
		row->detail);
}

static void describe_death(const struct row *row, char out[LINE])
{
	char cause[CAUSE_TEXT_SIZE], uptime[UNITS_TEXT_SIZE], rss[UNITS_TEXT_SIZE];
	const struct death *death = &row->last_death;

	if (!row->has_last_death) {
		snprintf(out, LINE, "none");
		return;
	}
	death_describe(cause, death);
	units_format_duration(uptime, death->uptime_ms);
	snprintf(rss, sizeof rss, "-");
	if (death->peak_rss)
		units_format_size(rss, death->peak_rss);
	snprintf(out, LINE, "%s, pid %d, after %s, peak %s%s%s", cause, death->pid, uptime, rss,
		death->detail[0] ? ": " : "", death->detail);
}

/* As it was configured, which a recording does not tell. */
static void draw_command(struct pane *pane, const struct ui *ui)
{
	char text[LINE];

	if (ui->options->recording)
		return;
	join_command(ui, text, sizeof text);
	pane_pair_whole(pane, "command", text);
	pane_pair_whole(pane, "folder", info_string(ui, "service", "working_dir"));
}

static void draw_policy(struct pane *pane, const struct ui *ui)
{
	char text[LINE];

	if (ui->options->recording)
		return;
	snprintf(text, sizeof text, "restart %s, stop %s then KILL after %s",
		policy_string(ui, "availability", "restart"),
		policy_string(ui, "shutdown", "signal"), policy_string(ui, "shutdown", "timeout"));
	pane_pair_whole(pane, "policy", text);
	pane_pair_whole(pane, "log", info_string(ui, "log", "path"));
}

static void draw_facts(struct pane *pane, const struct ui *ui, const struct row *facts)
{
	char text[LINE], rss[UNITS_TEXT_SIZE], tree[UNITS_TEXT_SIZE];

	describe_state(ui, facts, text);
	pane_pair_whole(pane, "state", text);
	draw_command(pane, ui);
	if (facts->namespaces[0])
		pane_pair_whole(pane, "namespace", facts->namespaces);
	units_format_size(rss, facts->sample.rss);
	units_format_size(tree, facts->sample.tree_rss);
	if (facts->sample.pid)
		snprintf(text, sizeof text,
			"pid %d, cpu %.1f%%, rss %s, %llu descriptors; whole tree: %llu processes, cpu %.1f%%, rss %s",
			facts->pid, facts->sample.cpu_pct, rss,
			(unsigned long long)facts->sample.fds,
			(unsigned long long)facts->sample.tree_processes,
			facts->sample.tree_cpu_pct, tree);
	else
		snprintf(text, sizeof text, "no process");
	pane_pair_whole(pane, "process", text);
	snprintf(text, sizeof text, "crash %u, manual %u, limit %u, probe %u, watch %u",
		facts->restarts.crash, facts->restarts.manual, facts->restarts.limit,
		facts->restarts.probe, facts->restarts.watch);
	pane_pair_whole(pane, "restarts", text);
	describe_death(facts, text);
	pane_pair_whole(pane, "last end", text);
	draw_policy(pane, ui);
}

/* ---- what it is doing ---- */

/* What may be long is whole where there is room for it. */
static void put_long(struct pane *pane, const struct ui *ui, const char *name, const char *value)
{
	if (ui->is_zoomed)
		pane_pair_whole(pane, name, value);
	else
		pane_pair(pane, name, value);
}

static void draw_findings(struct pane *pane, const struct ui *ui)
{
	const struct study *study = &ui->insight.study;

	if (study->pid && study->pid != rows_selected(ui)->row.pid)
		return; /* of one that has ended */
	for (size_t i = 0; i < study->finding_count && (ui->is_zoomed || i < FINDINGS_SHOWN); i++)
		put_long(pane, ui, i ? "" : "doing", study->findings[i]);
	if (!study->finding_count && ui->insight.why[0] && !ui->options->recording)
		put_long(pane, ui, "doing", ui->insight.why);
}

/* ---- probes, sockets, limits ---- */

static void draw_probe(struct pane *pane, const struct ui *ui, const json_t *probe)
{
	const json_t *well = json_object_get(probe, "well");
	const char *said = json_string_value(json_object_get(probe, "said"));
	uint64_t asked_us = time_from_json(json_object_get(probe, "asked"));
	char text[LINE], ago[UNITS_TEXT_SIZE] = "not yet";

	if (asked_us)
		units_format_duration(ago, ui->now_us > asked_us ? (ui->now_us - asked_us) / 1000 : 0);
	snprintf(text, sizeof text, "%s by %s: %s, asked %s%s, %lld well and %lld not in a row%s%s",
		json_string_value(json_object_get(probe, "role")), json_string_value(json_object_get(probe, "kind")),
		json_is_null(well) ? "not known" : json_is_true(well) ? "well"
								      : "NOT WELL",
		ago, asked_us ? " ago" : "", (long long)json_integer_value(json_object_get(probe, "successes")),
		(long long)json_integer_value(json_object_get(probe, "failures")), said && *said ? "; said: " : "", said ? said : "");
	put_long(pane, ui, "probe", text);
}

static void draw_socket(struct pane *pane, const json_t *socket)
{
	char text[LINE];
	const json_t *connections = json_object_get(socket, "connections");
	int used = snprintf(text, sizeof text, "%s", json_string_value(json_object_get(socket, "address")));

	if (json_is_integer(connections) && used > 0 && (size_t)used < sizeof text)
		snprintf(text + used, sizeof text - (size_t)used, ", %lld connections so far",
			(long long)json_integer_value(connections));
	pane_pair_whole(pane, "socket", text);
}

static void draw_limit(struct pane *pane, const json_t *limit)
{
	char *text = json_dumps(limit, JSON_COMPACT);

	pane_pair_whole(pane, "limit", text ? text : "");
	free(text);
}

static void draw_metric(struct pane *pane, const char *name, const json_t *metric)
{
	char *text = json_dumps(metric, JSON_COMPACT | JSON_ENCODE_ANY), line[LINE];

	snprintf(line, sizeof line, "%s %s", name, text ? text : "");
	pane_pair_whole(pane, "metric", line);
	free(text);
}

static void draw_parts(struct pane *pane, const struct ui *ui)
{
	const json_t *channel = json_object_get(ui->insight.info, "channel");
	const char *note = json_string_value(json_object_get(channel, "note")), *name;
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(ui->insight.info, "probes"), i, item) draw_probe(pane, ui, item);
	if (!ui->is_zoomed)
		return;
	json_array_foreach(json_object_get(ui->insight.info, "sockets"), i, item) draw_socket(pane, item);
	json_array_foreach(json_object_get(json_object_get(ui->insight.info, "service"), "limits"), i, item) draw_limit(pane, item);
	json_object_foreach(json_object_get(channel, "metrics"), name, item) draw_metric(pane, name, item);
	if (note)
		pane_pair_whole(pane, "channel", note);
}

/* ---- variables ---- */

static void draw_variable(struct pane *pane, const json_t *variable)
{
	const char *name = json_string_value(json_object_get(variable, "name"));
	const char *value = json_string_value(json_object_get(variable, "value"));
	const char *source = json_string_value(json_object_get(variable, "source"));
	const char *running = json_string_value(json_object_get(variable, "running"));
	char text[LINE];

	if (secret_is_name(name))
		value = SECRET_SHOWN;
	snprintf(text, sizeof text, "%-12s %s=%s%s", source, name, value, running ? "   (the running process has another value)" : "");
	pane_pair_whole(pane, "", text);
}

/* What everybody has from the engine's own environment is the least of interest. */
static void draw_environment(struct pane *pane, const struct ui *ui)
{
	const json_t *variables = json_object_get(ui->insight.environment, "variables");
	json_t *item;
	size_t i;

	pane_format(pane, LOOK_HEADING, " VARIABLES, as the next start has them; secrets are masked");
	for (int pass = 0; pass < 2; pass++) {
		json_array_foreach(variables, i, item)
		{
			const char *source = json_string_value(json_object_get(item, "source"));
			if ((source && strcmp(source, "engine") == 0) == (pass == 1))
				draw_variable(pane, item);
		}
	}
}

/* ---- in short, above its log ---- */

enum { GRAPH_WIDTH = 20 };

/* What there is of it, with blanks between. */
__attribute__((format(printf, 2, 3))) static void add(struct text *line, const char *fmt, ...)
{
	char part[LINE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(part, sizeof part, fmt, args);
	va_end(args);
	text_format(line, "%s%s", line->size ? "   " : "", part);
}

static void put_line(struct pane *pane, struct text *line)
{
	if (line->size)
		pane_safe(pane, LOOK_NORMAL, " ", text_string(line), line->size);
	text_clear(line);
}

static void brief_identity(struct text *line, const struct ui *ui, const struct row *row)
{
	char text[LINE];

	describe_state(ui, row, text);
	add(line, "%s", text);
	if (ui->options->recording || !ui->insight.info)
		return;
	join_command(ui, text, sizeof text);
	add(line, "%s", text);
	add(line, "in %s", info_string(ui, "service", "working_dir"));
	if (row->namespaces[0])
		add(line, "ns %s", row->namespaces);
}

static void draw_brief_use(struct pane *pane, const struct ui *ui, const struct replica_row *found)
{
	const struct sample *sample = &found->row.sample;
	struct table_row one = { .row = (struct replica_row *)found };
	struct rect at = pane_next(pane);
	char rss[FIGURE_SIZE], tree[FIGURE_SIZE], fds[FIGURE_SIZE], threads[FIGURE_SIZE], text[LINE];

	int used = grid_format(pane->grid, at, LOOK_NORMAL, " cpu %.1f%% ", sample->cpu_pct > 0 ? sample->cpu_pct : 0);
	at.x += used;
	at.width -= used;
	if (at.height && at.width > GRAPH_WIDTH)
		table_draw_trend(ui, pane->grid, (struct rect){ at.x, at.y, GRAPH_WIDTH, 1 }, &one);
	at.x += GRAPH_WIDTH;
	at.width -= GRAPH_WIDTH;
	used = snprintf(text, sizeof text, "   rss %s   thr %s   fds %s", figure_size(rss, sample->rss, "?"),
		figure_count(threads, sample->threads, "?"), figure_count(fds, sample->fds, "?"));
	if (sample->tree_processes > 1 && sample->tree_processes != SAMPLE_UNKNOWN)
		snprintf(text + used, sizeof text - (size_t)used, "   all %llu of its tree: cpu %.1f%% rss %s",
			(unsigned long long)sample->tree_processes, sample->tree_cpu_pct, figure_size(tree, sample->tree_rss, "?"));
	grid_put(pane->grid, at, LOOK_NORMAL, text);
}

static void brief_inside(struct text *line, const struct row *row)
{
	const struct inside *inside = &row->sample.inside;
	char text[FIGURE_SIZE];

	if (inside->queue != SAMPLE_UNKNOWN && inside->size != SAMPLE_UNKNOWN && inside->size)
		add(line, "pool %llu of %llu busy, %llu queued", (unsigned long long)inside->busy, (unsigned long long)inside->size,
			(unsigned long long)inside->queue);
	if (inside->utilisation >= 0)
		add(line, "loop %.0f%%, lag %s", inside->utilisation * 100, figure_duration(text, inside->lag_ms, "?"));
	if (!row->ipc.is_known)
		return;
	add(line, "ipc in %s/s", figure_rate(text, row->ipc.in_rate, "?"));
	text_format(line, ", out %s/s, not read %s", figure_rate(text, row->ipc.out_rate, "?"), row->ipc.queued ? "" : "0");
	if (row->ipc.queued)
		text_puts(line, figure_size(text, row->ipc.queued, "?"));
	if (row->ipc.errors)
		text_format(line, ", no JSON %llu", (unsigned long long)row->ipc.errors);
}

static void brief_restarts(struct text *line, const struct row *row)
{
	const struct {
		const char *word;
		uint32_t count;
	} counts[] = { { "crash", row->restarts.crash }, { "manual", row->restarts.manual }, { "limit", row->restarts.limit },
		{ "probe", row->restarts.probe }, { "watch", row->restarts.watch } };
	bool is_any = false;

	text_puts(line, "restarts");
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (counts[i].count) {
			text_format(line, " %s %u", counts[i].word, counts[i].count);
			is_any = true;
		}
	text_puts(line, is_any ? "" : " none");
}

static void brief_policy(struct text *line, const struct ui *ui, const struct row *row)
{
	char cause[CAUSE_TEXT_SIZE] = "none", ago[UNITS_TEXT_SIZE], after[UNITS_TEXT_SIZE] = "-";
	uint64_t timeout_ms;
	const struct death *death = &row->last_death;

	brief_restarts(line, row);
	if (row->has_last_death)
		death_describe(cause, death);
	add(line, "last end %s", cause);
	if (row->has_last_death && ui->now_us > death->ended_us) {
		units_format_duration(ago, (ui->now_us - death->ended_us) / 1000000 * 1000);
		text_format(line, " %s ago", ago);
	}
	if (ui->options->recording || !ui->insight.info)
		return;
	add(line, "policy %s", policy_string(ui, "availability", "restart"));
	if (units_parse_duration(policy_string(ui, "shutdown", "timeout"), &timeout_ms))
		units_format_duration(after, timeout_ms);
	add(line, "stop %s, KILL after %s", policy_string(ui, "shutdown", "signal"), after);
}

/* The log below it is more of use than all that could be said of it; zoomed, that is told. */
static void draw_brief(struct pane *pane, const struct ui *ui)
{
	const struct replica_row *found = rows_selected(ui);
	struct text line;

	text_init(&line, LINE * 8);
	brief_identity(&line, ui, &found->row);
	put_line(pane, &line);
	if (found->row.sample.pid && found->row.pid)
		draw_brief_use(pane, ui, found);
	if (found->row.sample.pid && found->row.pid)
		brief_inside(&line, &found->row);
	put_line(pane, &line);
	brief_policy(&line, ui, &found->row);
	put_line(pane, &line);
	text_finish(&line);
	draw_findings(pane, ui);
	draw_parts(pane, ui);
}

static void draw_all_but_variables(struct pane *pane, const struct ui *ui)
{
	if (!ui->is_zoomed) {
		draw_brief(pane, ui);
		return;
	}
	draw_facts(pane, ui, &rows_selected(ui)->row);
	draw_findings(pane, ui);
	draw_parts(pane, ui);
}

int info_variables_at(const struct ui *ui, int width)
{
	struct grid nothing = { 0 };
	struct pane pane = { .grid = &nothing, .area.width = width };

	if (rows_selected(ui))
		draw_all_but_variables(&pane, ui);
	return pane.line;
}

int info_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	struct pane pane = { .grid = grid, .area = area };

	if (ui->is_zoomed)
		pane.skip = ui->is_environment ? info_variables_at(ui, area.width) : ui->cursor;
	draw_all_but_variables(&pane, ui);
	if (ui->is_zoomed && ui->insight.environment)
		draw_environment(&pane, ui);
	return pane.line;
}
