#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/spark.h"
#include "base/units.h"
#include "base/utf8.h"
#include "tui/keymap.h"
#include "tui/ui.h"

enum { CELL = 64,
	NAME_LEAST = 16,
	NAME_CUT = 9,
	NAME_USUAL = 20,
	KEYS_LONG = 98,
	TREND_LEAST = 8,
	TREND_MOST = 24,
	LINE = 1024 };

static struct rect line_of(struct rect area, int row)
{
	return (struct rect){ area.x, area.y + row, area.width, row < area.height ? 1 : 0 };
}

/* ---- words ---- */

static uint64_t left_ms(const struct row *row, uint64_t now_us)
{
	return row->deadline_us > now_us ? (row->deadline_us - now_us) / 1000 : 0;
}

void view_state(char *out, size_t size, const struct row *row, uint64_t now_us)
{
	const char *name = state_name(row->state);
	uint64_t left = left_ms(row, now_us);
	const struct death *death = &row->last_death;
	char pause[UNITS_TEXT_SIZE];

	units_format_duration(pause, left);
	if (row->state == STATE_SCHEDULED && left)
		snprintf(out, size, "%s %s", name, pause);
	else if ((row->state == STATE_BACKOFF || row->state == STATE_STOPPING) && left)
		snprintf(out, size, "%s %llu.%llus", name, (unsigned long long)(left / 1000),
			(unsigned long long)(left % 1000 / 100));
	else if ((row->state == STATE_COMPLETED || row->state == STATE_FAILED) &&
		 row->has_last_death && death->signal)
		snprintf(out, size, "%s %s", name, signal_name(death->signal));
	else if ((row->state == STATE_COMPLETED || row->state == STATE_FAILED) &&
		 row->has_last_death)
		snprintf(out, size, "%s %d", name, death->code);
	else
		snprintf(out, size, "%s", name);
}

static enum look look_of_state(enum state state)
{
	static const enum look looks[STATE_COUNT] = {
		[STATE_PENDING] = LOOK_DIM,
		[STATE_STARTING] = LOOK_WARN,
		[STATE_RUNNING] = LOOK_GOOD,
		[STATE_READY] = LOOK_GOOD,
		[STATE_UNHEALTHY] = LOOK_BAD,
		[STATE_BACKOFF] = LOOK_WARN,
		[STATE_STOPPING] = LOOK_WARN,
		[STATE_STOPPED] = LOOK_DIM,
		[STATE_FAILED] = LOOK_BAD,
		[STATE_FATAL] = LOOK_BAD,
		[STATE_SKIPPED] = LOOK_DIM,
	};

	return looks[state];
}

static uint64_t uptime_ms(const struct row *row, uint64_t now_us)
{
	return row->pid && now_us > row->started_us ? (now_us - row->started_us) / 1000 : 0;
}

/* ---- columns ---- */

/* The rows that a table row stands for: one instance, or all of a service. */
struct cells {
	const struct ui *ui;
	const struct table_row *row;
};

static double sum_cpu(const struct table_row *row)
{
	double sum = 0;

	for (unsigned i = 0; i < (row->is_service ? row->count : 1); i++)
		sum += row->row[i].row.sample.pid ? row->row[i].row.sample.cpu_pct : 0;
	return sum;
}

static uint64_t sum_rss(const struct table_row *row)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < (row->is_service ? row->count : 1); i++)
		if (row->row[i].row.sample.pid && row->row[i].row.sample.rss != SAMPLE_UNKNOWN)
			sum += row->row[i].row.sample.rss;
	return sum;
}

static bool is_sampled(const struct table_row *row)
{
	for (unsigned i = 0; i < (row->is_service ? row->count : 1); i++)
		if (row->row[i].row.sample.pid)
			return true;
	return false;
}

static void put_state(char *out, const struct cells *cells)
{
	const struct table_row *row = cells->row;

	if (!row->is_service)
		view_state(out, CELL, &row->row->row, cells->ui->now_us);
	else
		snprintf(out, CELL, "%u/%u up", row->up, row->count);
}

static void put_pid(char *out, const struct cells *cells)
{
	if (!cells->row->is_service && cells->row->row->row.pid)
		snprintf(out, CELL, "%d", cells->row->row->row.pid);
	else
		snprintf(out, CELL, "%s", cells->row->is_service ? "" : "-");
}

static void put_uptime(char *out, const struct cells *cells)
{
	uint64_t ms = uptime_ms(&cells->row->row->row, cells->ui->now_us);

	if (cells->row->is_service)
		out[0] = '\0';
	else if (!ms)
		snprintf(out, CELL, "-");
	else
		units_format_duration(out, ms < 1000 ? 1000 : ms / 1000 * 1000);
}

static void put_restarts(char *out, const struct cells *cells)
{
	uint32_t all = 0, crashes = 0;

	for (unsigned i = 0; i < (cells->row->is_service ? cells->row->count : 1); i++) {
		all += restart_counts_sum(&cells->row->row[i].row.restarts);
		crashes += cells->row->row[i].row.restarts.crash;
	}
	if (all)
		snprintf(out, CELL, "%u%s", all, crashes ? "!" : "");
	else
		snprintf(out, CELL, "-");
}

static void put_cpu(char *out, const struct cells *cells)
{
	if (is_sampled(cells->row))
		snprintf(out, CELL, "%.1f", sum_cpu(cells->row));
	else
		snprintf(out, CELL, "-");
}

static void put_rss(char *out, const struct cells *cells)
{
	if (is_sampled(cells->row))
		units_format_size(out, sum_rss(cells->row));
	else
		snprintf(out, CELL, "-");
}

static void put_threads(char *out, const struct cells *cells)
{
	const struct sample *sample = &cells->row->row->row.sample;

	if (cells->row->is_service)
		out[0] = '\0';
	else if (sample->pid && sample->threads != SAMPLE_UNKNOWN)
		snprintf(out, CELL, "%llu", (unsigned long long)sample->threads);
	else
		snprintf(out, CELL, "-");
}

/* Those with a high number go first when the screen is narrow; 0 never goes. */
static const struct column {
	const char *title;
	int width, leaves;
	bool is_left;
	void (*put)(char *out, const struct cells *cells); /* at most CELL bytes */
} columns[] = {
	{ "STATE", 15, 0, true, put_state },
	{ "PID", 8, 4, false, put_pid },
	{ "UPTIME", 9, 5, false, put_uptime },
	{ "RST", 5, 3, false, put_restarts },
	{ "CPU%", 7, 1, false, put_cpu },
	{ "RSS", 7, 2, false, put_rss },
	{ "THR", 5, 6, false, put_threads },
};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns,
	LEAVES_MOST = 6 };

/* What fits into a width. */
struct fit {
	int leaves;      /* columns that leave at this or above are gone */
	int name, trend; /* widths */
};

static struct fit fit_columns(int width)
{
	struct fit fit = { .leaves = LEAVES_MOST + 1 };
	int used;

	for (;; fit.leaves--) {
		used = 1;
		for (int i = 0; i < COLUMN_COUNT; i++)
			used += columns[i].leaves < fit.leaves ? columns[i].width + 1 : 0;
		if (width - used >= NAME_LEAST || fit.leaves == 1)
			break;
	}
	fit.name = width - used > NAME_CUT ? width - used : NAME_CUT;
	if (fit.name > NAME_USUAL + TREND_LEAST) {
		fit.trend = fit.name - NAME_USUAL > TREND_MOST ? TREND_MOST : fit.name - NAME_USUAL;
		fit.name -= fit.trend + 1;
	}
	return fit;
}

static void put_column(struct grid *grid, struct rect *at, const struct column *column,
	enum look look, const char *text)
{
	int length = (int)strlen(text),
	    shift = column->is_left || length > column->width ? 0 : column->width - length;

	at->x++;
	grid_put(grid, (struct rect){ at->x + shift, at->y, column->width - shift, 1 }, look, text);
	at->x += column->width;
}

static void draw_heading(struct grid *grid, struct rect area)
{
	struct fit fit = fit_columns(area.width);
	struct rect at = { area.x + 1, area.y, area.width, area.height };

	if (!area.height)
		return;
	grid_fill(grid, area, LOOK_HEADING, ' ');
	grid_put(grid, (struct rect){ at.x, at.y, fit.name, 1 }, LOOK_HEADING, "NAME");
	at.x += fit.name;
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (columns[i].leaves < fit.leaves)
			put_column(grid, &at, &columns[i], LOOK_HEADING, columns[i].title);
	grid_put(grid, (struct rect){ at.x + 1, at.y, fit.trend, 1 }, LOOK_HEADING, "CPU 60s");
}

/* The newest samples; 100 % of a core is full, or the largest of them if that is more. */
static void draw_trend(
	const struct ui *ui, struct grid *grid, struct rect at, const struct replica_row *row)
{
	int count = row->cpu_count < REPLICA_HISTORY ? (int)row->cpu_count : REPLICA_HISTORY;
	int shown = count < at.width ? count : at.width;
	float most = 100;

	for (int i = 0; i < count; i++)
		most = row->cpu[i] > most ? row->cpu[i] : most;
	for (int i = 0; i < shown; i++) {
		float value = row->cpu[(row->cpu_count - (unsigned)shown + (unsigned)i) %
				       REPLICA_HISTORY];
		grid_fill(grid, (struct rect){ at.x + at.width - shown + i, at.y, 1, 1 }, LOOK_DIM,
			spark_bar(value > 0 ? value : 0, most, ui->is_unicode));
	}
}

static void draw_name(
	const struct ui *ui, struct grid *grid, struct rect at, const struct table_row *row)
{
	const struct row *facts = &row->row->row;
	const char *branch =
		ui->is_unicode ? (row->is_last ? "└─ " : "├─ ") : (row->is_last ? "`- " : "|- ");

	if (row->is_service)
		grid_format(grid, at, LOOK_TITLE, "%s %s",
			rows_is_folded(ui, facts->service) ? ">" : "v", facts->service);
	else if (row->is_child)
		grid_format(
			grid, at, LOOK_NORMAL, "%s%s/%u", branch, facts->service, facts->instance);
	else
		grid_format(grid, at, LOOK_TITLE, "  %s", facts->service);
}

static void draw_row(
	const struct ui *ui, struct grid *grid, struct rect line, const struct table_row *row)
{
	struct fit fit = fit_columns(line.width);
	struct rect at = { line.x + 1, line.y, line.width, 1 };
	struct cells cells = { ui, row };
	char text[CELL];

	draw_name(ui, grid, (struct rect){ at.x, at.y, fit.name, 1 }, row);
	at.x += fit.name;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].leaves >= fit.leaves)
			continue;
		columns[i].put(text, &cells);
		bool is_state = columns[i].put == put_state;
		enum look look = is_state && !row->is_service       ? look_of_state(row->row->row.state)
				 : is_state && row->up < row->count ? LOOK_WARN
				 : strchr(text, '!')                ? LOOK_WARN
								    : LOOK_NORMAL;
		put_column(grid, &at, &columns[i], look, text);
	}
	if (fit.trend && !row->is_service)
		draw_trend(ui, grid, (struct rect){ at.x + 1, at.y, fit.trend, 1 }, row->row);
	if (rows_is_selected(ui, row)) {
		grid_put(grid, (struct rect){ line.x, line.y, 1, 1 }, LOOK_NORMAL, ">");
		grid_select(grid, line);
	}
}

static void draw_empty(struct grid *grid, struct rect area)
{
	static const char *const lines[] = { "Nothing is running yet.", "",
		"a  launch a command     ?  all keys" };

	for (int i = 0; i < 3; i++) {
		int length = (int)strlen(lines[i]),
		    x = area.width > length ? (area.width - length) / 2 : 0;
		if (area.height > i)
			grid_put(grid,
				(struct rect){ area.x + x,
					area.y + (area.height > 6 ? area.height / 3 : 0) + i,
					area.width, 1 },
				LOOK_NORMAL, lines[i]);
	}
}

/* The selected row is always among those shown, and as near the middle as need be. */
static int first_row(const struct ui *ui, const struct table_row *rows, int count, int height)
{
	int selected = 0;

	for (int i = 0; i < count; i++)
		if (rows_is_selected(ui, &rows[i]))
			selected = i;
	if (count <= height || selected < height / 2)
		return 0;
	return selected - height / 2 > count - height ? count - height : selected - height / 2;
}

static void draw_table(const struct ui *ui, struct grid *grid, struct rect area)
{
	static struct table_row rows[ROWS_MOST];
	int count = rows_build(ui, rows, ROWS_MOST);
	int first = first_row(ui, rows, count, area.height);

	if (!count)
		draw_empty(grid, area);
	for (int i = 0; i < area.height && first + i < count; i++)
		draw_row(ui, grid, line_of(area, i), &rows[first + i]);
}

/* ---- header ---- */

struct counts {
	unsigned up, waiting, bad;
};

static struct counts count_states(const struct replica *replica)
{
	struct counts counts = { 0 };

	for (size_t i = 0; i < replica->row_count; i++) {
		enum state state = replica->rows[i].row.state;
		counts.up += state == STATE_RUNNING || state == STATE_READY;
		counts.waiting += state == STATE_BACKOFF;
		counts.bad +=
			state == STATE_FAILED || state == STATE_FATAL || state == STATE_UNHEALTHY;
	}
	return counts;
}

static void draw_header(
	const struct ui *ui, struct grid *grid, struct rect area, enum layout_kind kind)
{
	struct counts counts = count_states(&ui->replica);
	char clock[CLOCK_TEXT_SIZE], cpu[UNITS_TEXT_SIZE] = "", bad[32] = "", waiting[32] = "",
				     text[LINE];
	const struct machine_sample *machine = &ui->replica.machine;

	clock_format_local(clock, ui->now_us);
	clock[8] = '\0';
	if (machine->cpus && machine->cpu_pct >= 0)
		snprintf(cpu, sizeof cpu, " | cpu %.0f%%/%u%%", machine->cpu_pct,
			machine->cpus * 100);
	if (counts.waiting)
		snprintf(waiting, sizeof waiting, "  backoff %u", counts.waiting);
	if (counts.bad)
		snprintf(bad, sizeof bad, "  failed %u !", counts.bad);
	if (kind == LAYOUT_STUB)
		snprintf(text, sizeof text, "up%u %s%s", counts.up, counts.bad ? "!" : "",
			ui->replica.project);
	else
		snprintf(text, sizeof text, " thrum %s | instances %zu  up %u%s%s%s",
			ui->replica.project, ui->replica.row_count, counts.up, waiting, bad,
			kind == LAYOUT_FULL ? cpu : "");
	grid_fill(grid, area, LOOK_TITLE, ' ');
	grid_put(grid, area, counts.bad ? LOOK_BAD : LOOK_TITLE, text);
	if (kind != LAYOUT_STUB)
		grid_put(grid, (struct rect){ area.width - 9, area.y, 9, 1 }, LOOK_TITLE, clock);
}

/* ---- details ---- */

static const char *title_hint(const struct ui *ui)
{
	if (!ui->is_zoomed)
		return " z zoom ";
	return ui->tab == TAB_HISTORY && !ui->is_record_open ? " Enter opens "
							     : " Esc back ";
}

static void draw_title(const struct ui *ui, struct grid *grid, struct rect area)
{
	static const char *const names[TAB_COUNT] = { "1 Info", "2 Threads", "3 Pool", "4 IPC",
		"5 History", "6 Logs" };
	const struct replica_row *row = rows_selected(ui);
	struct rect at = area;

	if (!area.height)
		return;
	grid_fill(grid, area, LOOK_DIM, ui->is_unicode ? 0x2500 : '-');
	at.x += 1;
	if (row)
		at.x += grid_format(
			grid, at, LOOK_TITLE, " %s/%u ", row->row.service, row->row.instance);
	for (int i = 0; i < TAB_COUNT; i++)
		at.x += grid_format(grid, at, (enum tab)i == ui->tab ? LOOK_KEY : LOOK_NORMAL,
			(enum tab)i == ui->tab ? "[%s]" : " %s ", names[i]);
	grid_put(grid, at, LOOK_DIM, title_hint(ui));
}

static void put_pair(
	struct grid *grid, struct rect area, int *row, const char *name, const char *value)
{
	struct rect at = line_of(area, *row);
	struct text safe;

	text_init(&safe, LINE * 4);
	utf8_append_safe(&safe, value, strlen(value) < LINE ? strlen(value) : LINE, false);
	grid_format(grid, (struct rect){ at.x + 1, at.y, 10, at.height }, LOOK_DIM, "%s", name);
	grid_put(grid, (struct rect){ at.x + 11, at.y, at.width - 11, at.height }, LOOK_NORMAL,
		text_string(&safe));
	text_finish(&safe);
	(*row)++;
}

static const char *info_string(const struct ui *ui, const char *part, const char *key)
{
	const json_t *value = json_object_get(json_object_get(ui->info, part), key);

	return json_is_string(value) ? json_string_value(value) : "-";
}

static const char *policy_string(const struct ui *ui, const char *part, const char *key)
{
	const json_t *service = json_object_get(ui->info, "service");
	const char *value = json_string_value(json_object_get(json_object_get(service, part), key));

	return value ? value : "-";
}

static void join_command(const struct ui *ui, char *out, size_t size)
{
	const json_t *words = json_object_get(json_object_get(ui->info, "service"), "command"),
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
	units_format_size(rss, death->peak_rss);
	snprintf(out, LINE, "%s, pid %d, after %s, peak %s%s%s", cause, death->pid, uptime, rss,
		death->detail[0] ? ": " : "", death->detail);
}

static int draw_info(
	const struct ui *ui, struct grid *grid, struct rect area, const struct replica_row *row)
{
	const struct row *facts = &row->row;
	char text[LINE], rss[UNITS_TEXT_SIZE], tree[UNITS_TEXT_SIZE];
	int line = 0;

	describe_state(ui, facts, text);
	put_pair(grid, area, &line, "state", text);
	join_command(ui, text, sizeof text);
	put_pair(grid, area, &line, "command", text);
	put_pair(grid, area, &line, "folder", info_string(ui, "service", "working_dir"));
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
	put_pair(grid, area, &line, "process", text);
	snprintf(text, sizeof text, "crash %u, manual %u, limit %u, probe %u, watch %u",
		facts->restarts.crash, facts->restarts.manual, facts->restarts.limit,
		facts->restarts.probe, facts->restarts.watch);
	put_pair(grid, area, &line, "restarts", text);
	describe_death(facts, text);
	put_pair(grid, area, &line, "last end", text);
	snprintf(text, sizeof text, "restart %s, stop %s then KILL after %s",
		policy_string(ui, "availability", "restart"),
		policy_string(ui, "shutdown", "signal"), policy_string(ui, "shutdown", "timeout"));
	put_pair(grid, area, &line, "policy", text);
	put_pair(grid, area, &line, "log", info_string(ui, "log", "path"));
	return line;
}

static void draw_log(const struct ui *ui, struct grid *grid, struct rect area)
{
	unsigned kept = ui->line_count < LOG_LINES ? ui->line_count : LOG_LINES;
	unsigned back = ui->scroll > 0 && (unsigned)ui->scroll < kept ? (unsigned)ui->scroll : 0;
	unsigned shown = kept - back < (unsigned)area.height ? kept - back : (unsigned)area.height;

	if (!kept && area.height)
		grid_put(grid, area, LOOK_DIM, " nothing was written yet");
	for (unsigned i = 0; i < shown; i++) {
		unsigned place = (ui->line_count - back - shown + i) % LOG_LINES;
		struct rect at = line_of(area, (int)i);
		at.x++;
		at.width--;
		grid_put(grid, at, ui->line_is_err[place] ? LOOK_WARN : LOOK_NORMAL,
			ui->lines[place]);
	}
}

static void draw_detail(const struct ui *ui, struct grid *grid, struct rect area)
{
	const struct replica_row *row = rows_selected(ui);
	int used;

	if (!row || !area.height)
		return;
	switch (ui->tab) {
	case TAB_INFO:
		used = draw_info(ui, grid, area, row);
		if (used < area.height) {
			area.y += used;
			area.height -= used;
			draw_log(ui, grid, area);
		}
		break;
	case TAB_HISTORY:
		history_draw(ui, grid, area, &row->row);
		break;
	case TAB_LOGS:
		draw_log(ui, grid, area);
		break;
	default:
		grid_put(grid, area, LOOK_DIM, " not measured by this version");
	}
}

/* ---- the last two lines ---- */

static void draw_newest(const struct ui *ui, struct grid *grid, struct rect area)
{
	const struct replica *replica = &ui->replica;
	char clock[CLOCK_TEXT_SIZE], cause[CAUSE_TEXT_SIZE] = "", delay[UNITS_TEXT_SIZE] = "";

	if (!replica->notice_count)
		return;
	const struct notice *notice =
		&replica->notices[(replica->notice_count - 1) % REPLICA_NOTICES];
	struct death death = {
		.cause = notice->cause, .code = notice->code, .signal = notice->signal
	};
	bool is_bad = notice->kind == NOTICE_FATAL || notice->kind == NOTICE_FAILED ||
		      notice->kind == NOTICE_BACKOFF;
	clock_format_local(clock, notice->ts_us);
	if (notice->cause)
		death_describe(cause, &death);
	if (notice->kind == NOTICE_BACKOFF)
		units_format_duration(delay, notice->delay_ms);
	grid_format(grid, area, is_bad ? LOOK_BAD : LOOK_NORMAL, " %.8s %s %s/%u %s %s%s%s %s",
		clock, is_bad ? "!" : " ", notice->service, notice->instance,
		notice_name(notice->kind), cause, *delay ? "again in " : "", delay, notice->detail);
}

static void draw_event(const struct ui *ui, struct grid *grid, struct rect area)
{
	char clock[CLOCK_TEXT_SIZE];

	if (!area.height)
		return;
	if (ui->lost_us) {
		clock_format_local(clock, ui->lost_us);
		grid_format(grid, area, LOOK_BAD,
			" lost the engine at %.8s; retrying - children are not touched", clock);
	} else if (ui->message[0]) {
		grid_format(grid, area, ui->is_bad ? LOOK_BAD : LOOK_GOOD, " %s%s",
			ui->is_bad ? "! " : "", ui->message);
	} else {
		draw_newest(ui, grid, area);
	}
}

static const char *prompt_name(enum prompt prompt)
{
	static const char *const names[] = {
		[PROMPT_SEARCH] = "/",
		[PROMPT_COMMAND] = ":",
		[PROMPT_SCALE] = "instances: ",
		[PROMPT_SIGNAL] = "signal (TERM, HUP, USR1 …): ",
	};

	return names[prompt];
}

static const char long_keys[] =
	" ? Help  Enter Open  r Restart  s Start  x Stop  + - Scale  a Launch  / Find  : Command  q Quit";
static const char short_keys[] = " ? Help  r Restart  s Start  x Stop  + - Scale  a Launch  / Find  q Quit";

static void draw_keys(
	const struct ui *ui, struct grid *grid, struct rect area, enum layout_kind kind)
{
	if (!area.height)
		return;
	grid_fill(grid, area, LOOK_KEY, ' ');
	if (ui->prompt != PROMPT_NONE)
		grid_format(grid, area, LOOK_NORMAL, "%s%s_", prompt_name(ui->prompt), ui->input);
	else if (kind == LAYOUT_FULL)
		grid_put(grid, area, LOOK_KEY, area.width < KEYS_LONG ? short_keys : long_keys);
	else if (kind == LAYOUT_COMPACT)
		grid_put(grid, area, LOOK_KEY, "?help Enter r x a : q");
	else
		grid_format(grid, area, LOOK_KEY, "%dx%d ?help q", grid->width, grid->height);
}

void view_draw(const struct ui *ui, struct grid *grid)
{
	struct layout layout = layout_of(grid->width, grid->height, ui->is_zoomed);

	draw_header(ui, grid, layout.header, layout.kind);
	draw_heading(grid, layout.heading);
	draw_table(ui, grid, layout.table);
	draw_title(ui, grid, layout.title);
	draw_detail(ui, grid, layout.detail);
	draw_event(ui, grid, layout.event);
	draw_keys(ui, grid, layout.keys, layout.kind);
	dialog_draw(ui, grid);
}
