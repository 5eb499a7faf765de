#include <stdio.h>
#include <string.h>

#include "base/spark.h"
#include "base/units.h"
#include "model/figure.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { CELL = 96,
	NAME_LEAST = 14,
	NAME_SHORT = 12, /* … where nothing else would be left beside it */
	STAYS = 2,       /* what leaves last */
	NAME_CUT = 9,
	NAME_MOST = 26,
	TREND_LEAST = 8,
	TREND_VALUES = REPLICA_HISTORY,
	QUEUE_CELLS = 5 };

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

/* ---- figures: of one instance, or of all of a service together ---- */

static uint64_t uptime_ms(const struct row *row, uint64_t now_us)
{
	return row->pid && row->started_us && now_us > row->started_us ? (now_us - row->started_us) / 1000 : 0;
}

static double known(uint64_t figure)
{
	return figure == SAMPLE_UNKNOWN ? -1 : (double)figure;
}

static double of_cpu(const struct row *row)
{
	return row->sample.pid ? row->sample.cpu_pct : -1;
}

static double of_rss(const struct row *row)
{
	return row->sample.pid ? known(row->sample.rss) : -1;
}

static double of_threads(const struct row *row)
{
	return row->sample.pid ? known(row->sample.threads) : -1;
}

static double of_fds(const struct row *row)
{
	return row->sample.pid ? known(row->sample.fds) : -1;
}

static double of_queue(const struct row *row)
{
	return row->sample.pid ? known(row->sample.inside.queue) : -1;
}

static double of_loop(const struct row *row)
{
	double used = row->sample.pid ? row->sample.inside.utilisation : -1;

	return used < 0 ? -1 : used * 100;
}

static double of_lag(const struct row *row)
{
	return row->sample.pid ? known(row->sample.inside.lag_ms) : -1;
}

static double of_in(const struct row *row)
{
	return row->ipc.is_known ? row->ipc.in_rate : -1;
}

static double of_out(const struct row *row)
{
	return row->ipc.is_known ? row->ipc.out_rate : -1;
}

/* Below 0: it is in none. */
static double of_namespace(const struct row *row)
{
	return row->namespaces[0] ? 0 : -1;
}

static double of_restarts(const struct row *row)
{
	return restart_counts_sum(&row->restarts);
}

/* A sum of those that are known; below 0: none is. */
static double sum(const struct table_row *row, double (*figure)(const struct row *row))
{
	double total = -1;

	for (unsigned i = 0; i < (row->is_service ? row->count : 1); i++) {
		double value = figure(&row->row[i].row);
		if (value >= 0)
			total = total < 0 ? value : total + value;
	}
	return total;
}

/* The largest of those that are known; below 0: none is. */
static double largest(const struct table_row *row, double (*figure)(const struct row *row))
{
	double most = -1;

	for (unsigned i = 0; i < (row->is_service ? row->count : 1); i++) {
		double value = figure(&row->row[i].row);
		most = value > most ? value : most;
	}
	return most;
}

double table_figure(enum sort sort, const struct table_row *row, uint64_t now_us)
{
	static double (*const figures[SORT_COUNT])(const struct row *row) = {
		[SORT_CPU] = of_cpu,
		[SORT_MEMORY] = of_rss,
		[SORT_QUEUE] = of_queue,
		[SORT_RESTARTS] = of_restarts,
	};
	double most = -1;

	if (sort == SORT_LAG)
		return largest(row, of_lag);
	if (figures[sort])
		return sum(row, figures[sort]);
	for (unsigned i = 0; sort == SORT_UPTIME && i < (row->is_service ? row->count : 1); i++) {
		double uptime = (double)uptime_ms(&row->row[i].row, now_us);
		most = uptime > most ? uptime : most;
	}
	return most;
}

/* ---- columns ---- */

struct cells {
	const struct ui *ui;
	const struct table_row *row;
};

static void put_state(char *out, const struct cells *cells)
{
	const struct table_row *row = cells->row;

	if (!row->is_service)
		view_state(out, CELL, &row->row->row, cells->ui->now_us);
	else
		snprintf(out, CELL, "%u/%u %s", row->up, row->count, row->row->row.is_draining ? "draining" : "up");
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
	double ms = table_figure(SORT_UPTIME, cells->row, cells->ui->now_us);

	if (ms <= 0)
		snprintf(out, CELL, "-");
	else
		units_format_duration(out, ms < 1000 ? 1000 : (uint64_t)ms / 1000 * 1000);
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
	double cpu = sum(cells->row, of_cpu);

	if (cpu >= 0)
		snprintf(out, CELL, "%.1f", cpu);
	else
		snprintf(out, CELL, "-");
}

static void put_rss(char *out, const struct cells *cells)
{
	double rss = sum(cells->row, of_rss);

	if (rss >= 0)
		units_format_size(out, (uint64_t)rss);
	else
		snprintf(out, CELL, "-");
}

static void put_threads(char *out, const struct cells *cells)
{
	char figure[FIGURE_SIZE];

	snprintf(out, CELL, "%s", figure_whole(figure, sum(cells->row, of_threads), "-"));
}

static void put_fds(char *out, const struct cells *cells)
{
	char figure[FIGURE_SIZE];

	snprintf(out, CELL, "%s", figure_whole(figure, sum(cells->row, of_fds), "-"));
}

static void put_namespace(char *out, const struct cells *cells)
{
	const char *names = cells->row->row->row.namespaces;

	snprintf(out, CELL, "%s", *names ? names : "-");
}

/* Every cell of the bar stands for four times as many as the one before it: 1, 4, 16, 64, 256. */
static void put_queue(char *out, const struct cells *cells)
{
	double queue = sum(cells->row, of_queue), step = 1;
	bool is_unicode = cells->ui->is_unicode;
	int used = 0;

	if (queue < 0) {
		snprintf(out, CELL, "-");
		return;
	}
	for (int i = 0; i < QUEUE_CELLS; i++, step *= 4)
		used += snprintf(out + used, CELL - (size_t)used, "%s",
			queue >= step ? (is_unicode ? "█" : "#") : (is_unicode ? "░" : "."));
	snprintf(out + used, CELL - (size_t)used, "%5.0f", queue);
}

/* Of several loops the worst is told: one that is stuck is not better for the others. */
static void put_loop(char *out, const struct cells *cells)
{
	char figure[FIGURE_SIZE];

	snprintf(out, CELL, "%s", figure_rate(figure, largest(cells->row, of_loop), "-"));
}

static void put_lag(char *out, const struct cells *cells)
{
	double lag = largest(cells->row, of_lag);
	char figure[FIGURE_SIZE];

	snprintf(out, CELL, "%s%s", figure_duration(figure, lag < 0 ? SAMPLE_UNKNOWN : (uint64_t)lag, "-"),
		lag >= INSIDE_BLOCKED_MS ? "!" : "");
}

/* At most five characters. */
static void format_rate(char *out, double rate)
{
	if (rate < 0)
		snprintf(out, CELL, "-");
	else if (rate > 0 && rate < 9.95)
		snprintf(out, CELL, "%.1f", rate);
	else if (rate < 9999.5)
		snprintf(out, CELL, "%.0f", rate);
	else
		snprintf(out, CELL, "%.0fk", rate / 1000);
}

static void put_in(char *out, const struct cells *cells)
{
	format_rate(out, sum(cells->row, of_in));
}

static void put_out(char *out, const struct cells *cells)
{
	format_rate(out, sum(cells->row, of_out));
}

/* ---- … of one of its threads ---- */

static void put_thread_state(char *out, const struct cells *cells)
{
	const struct thread_report *thread = cells->row->thread;

	snprintf(out, CELL, "%c %s", thread->state ? thread->state : '?', thread->wchan);
}

static void put_thread_id(char *out, const struct cells *cells)
{
	snprintf(out, CELL, "%d", (int)cells->row->thread->tid);
}

static void put_thread_cpu(char *out, const struct cells *cells)
{
	char figure[FIGURE_SIZE];

	snprintf(out, CELL, "%s", figure_rate(figure, cells->row->thread->cpu_pct, "-"));
}

static void put_thread_role(char *out, const struct cells *cells)
{
	snprintf(out, CELL, "%s", cells->row->thread->role);
}

/* Those that leave with a high number go first when the screen is narrow; 0 never goes, and 100 is there only when chosen. */
static const struct table_column {
	const char *title;
	int width, leaves;
	bool is_left;
	enum sort sort;                                           /* by which it is sorted; SORT_FILE: none */
	void (*put)(char *out, const struct cells *cells);        /* at most CELL bytes */
	void (*put_thread)(char *out, const struct cells *cells); /* NULL: nothing */
	double (*figure)(const struct row *row);                  /* a column of which all say less than 0 is left out; NULL: it is not */
} columns[] = {
	[COLUMN_STATE] = { "STATE", 13, 0, true, SORT_FILE, put_state, put_thread_state, NULL },
	[COLUMN_NAMESPACE] = { "NS", 8, 12, true, SORT_FILE, put_namespace, NULL, of_namespace },
	[COLUMN_PID] = { "PID", 7, 4, false, SORT_FILE, put_pid, put_thread_id, NULL },
	[COLUMN_UPTIME] = { "UPTIME", 8, 5, false, SORT_UPTIME, put_uptime, NULL, NULL },
	[COLUMN_RESTARTS] = { "RST", 4, 3, false, SORT_RESTARTS, put_restarts, NULL, NULL },
	[COLUMN_CPU] = { "CPU%", 5, 1, false, SORT_CPU, put_cpu, put_thread_cpu, NULL },
	[COLUMN_RSS] = { "RSS", 5, 2, false, SORT_MEMORY, put_rss, NULL, NULL },
	[COLUMN_THREADS] = { "THR", 4, 7, false, SORT_FILE, put_threads, NULL, NULL },
	[COLUMN_FDS] = { "FDS", 5, 100, false, SORT_FILE, put_fds, NULL, NULL },
	[COLUMN_QUEUE] = { "QUEUE", 10, 6, true, SORT_QUEUE, put_queue, put_thread_role, of_queue },
	[COLUMN_LOOP] = { "LOOP%", 5, 9, false, SORT_FILE, put_loop, NULL, of_loop },
	[COLUMN_LAG] = { "LAG", 6, 8, false, SORT_LAG, put_lag, NULL, of_lag },
	[COLUMN_IN] = { "IN/s", 5, 10, false, SORT_FILE, put_in, NULL, of_in },
	[COLUMN_OUT] = { "OUT/s", 5, 11, false, SORT_FILE, put_out, NULL, of_out },
};
enum { FIGURE_COLUMNS = sizeof columns / sizeof *columns,
	LEAVES_NEVER_COMES = 100 };

void table_measure(struct ui *ui)
{
	for (int i = 0; i < FIGURE_COLUMNS; i++)
		for (size_t k = 0; k < ui->replica.row_count && columns[i].figure && !(ui->told_columns & 1u << i); k++)
			if (columns[i].figure(&ui->replica.rows[k].row) >= 0)
				ui->told_columns |= 1u << i;
}

/* Those that are chosen, or else those that anybody has something to say in. */
static unsigned wanted_columns(const struct ui *ui)
{
	unsigned wanted = 1u << COLUMN_TREND;

	if (ui->settings.table.columns)
		return ui->settings.table.columns;
	for (int i = 0; i < FIGURE_COLUMNS; i++)
		if (columns[i].leaves < LEAVES_NEVER_COMES && (!columns[i].figure || ui->told_columns & 1u << i))
			wanted |= 1u << i;
	return wanted;
}

/* What fits into a width. */
struct fit {
	unsigned columns; /* a bit for each */
	int name, trend;  /* widths */
	struct metric_columns metrics;
};

static bool has_column(const struct fit *fit, int column)
{
	return fit->columns & 1u << column;
}

static void share_rest(struct fit *fit, int rest)
{
	fit->name = rest > NAME_CUT ? rest : NAME_CUT;
	if (rest < NAME_LEAST + TREND_LEAST + 1 || !has_column(fit, COLUMN_TREND))
		return;
	fit->name = rest - TREND_LEAST - 1 < NAME_MOST ? rest - TREND_LEAST - 1 : NAME_MOST;
	fit->trend = rest - fit->name - 1 < TREND_VALUES ? rest - fit->name - 1 : TREND_VALUES;
	fit->name = rest - fit->trend - 1;
}

/* What some processes tell of themselves has what the columns of all leave; the last that has room for a little is cut. */
static int fit_metrics(struct fit *fit, const struct ui *ui, int room)
{
	int used = 0;

	for (unsigned rank = 0; rank < METRICS_MOST; rank++)
		for (size_t i = 0; i < ui->replica.row_count; i++)
			metric_columns_add(&fit->metrics, &ui->replica.rows[i].row.ipc.metrics, rank);
	for (unsigned i = 0; i < fit->metrics.count; i++) {
		struct metric_column *column = &fit->metrics.items[i];
		int left = room - used - 1;
		if (left < METRIC_WIDTH_LEAST)
			fit->metrics.count = i;
		else
			used += 1 + (column->width = column->width < left ? column->width : left);
	}
	return used;
}

static int width_of(unsigned set)
{
	int width = 1;

	for (int i = 0; i < FIGURE_COLUMNS; i++)
		width += set & 1u << i ? columns[i].width + 1 : 0;
	return width;
}

/* The next to be left out, if there is another one than the state, which never is. */
static int last_of(unsigned set)
{
	int last = COLUMN_STATE;

	for (int i = 0; i < FIGURE_COLUMNS; i++)
		if (set & 1u << i && columns[i].leaves > columns[last].leaves)
			last = i;
	return last;
}

static struct fit fit_columns(const struct ui *ui, int width)
{
	struct fit fit = { .columns = wanted_columns(ui) };
	unsigned figures = fit.columns & ~(1u << COLUMN_TREND);

	for (int last; (last = last_of(figures)) != COLUMN_STATE; figures &= ~(1u << last))
		if (width - width_of(figures) >= (columns[last].leaves > STAYS ? NAME_LEAST : NAME_SHORT))
			break;
	fit.columns = figures | (fit.columns & 1u << COLUMN_TREND);
	int used = width_of(figures), trend = has_column(&fit, COLUMN_TREND) ? TREND_LEAST + 1 : 0;
	used += fit_metrics(&fit, ui, width - used - NAME_LEAST - trend);
	share_rest(&fit, width - used);
	return fit;
}

static void put_cell(struct grid *grid, struct rect *at, int width, bool is_left, enum look look, const char *text)
{
	int length = (int)strlen(text), shift = is_left || length > width ? 0 : width - length;

	at->x++;
	grid_put(grid, (struct rect){ at->x + shift, at->y, width - shift, 1 }, look, text);
	at->x += width;
}

static void put_column(struct grid *grid, struct rect *at, const struct table_column *column,
	enum look look, const char *text)
{
	put_cell(grid, at, column->width, column->is_left, look, text);
}

static void draw_column_title(const struct ui *ui, struct grid *grid, struct rect *at, const struct table_column *column)
{
	bool is_sorted = column->sort != SORT_FILE && column->sort == ui->settings.table.sort;

	if (column->sort != SORT_FILE)
		grid_spot(grid, (struct rect){ at->x + 1, at->y, column->width, 1 }, SPOT_SORT, column->sort);
	put_column(grid, at, column, is_sorted ? LOOK_KEY : LOOK_HEADING, column->title);
	if (is_sorted)
		grid_put(grid, (struct rect){ at->x, at->y, 1, 1 }, LOOK_KEY,
			ui->is_unicode ? (ui->settings.table.is_inverted ? "▲" : "▼") : (ui->settings.table.is_inverted ? "^" : "v"));
}

void table_draw_heading(const struct ui *ui, struct grid *grid, struct rect area)
{
	struct fit fit = fit_columns(ui, area.width);
	struct rect at = { area.x + 1, area.y, area.width, area.height };

	if (!area.height)
		return;
	grid_fill(grid, area, LOOK_HEADING, ' ');
	grid_put(grid, (struct rect){ at.x, at.y, fit.name, 1 }, LOOK_HEADING, "NAME");
	grid_spot(grid, (struct rect){ at.x, at.y, fit.name, 1 }, SPOT_SORT, SORT_NAME);
	at.x += fit.name;
	for (int i = 0; i < FIGURE_COLUMNS; i++)
		if (has_column(&fit, i))
			draw_column_title(ui, grid, &at, &columns[i]);
	for (unsigned i = 0; i < fit.metrics.count; i++)
		put_cell(grid, &at, fit.metrics.items[i].width, false, LOOK_HEADING, fit.metrics.items[i].name);
	grid_put(grid, (struct rect){ at.x + 1, at.y, fit.trend, 1 }, LOOK_HEADING, "CPU 60s");
}

/* The sample so many back from the newest; below 0: there is none. */
static double trend_value(const struct table_row *row, unsigned back)
{
	double total = -1;

	for (unsigned i = 0; i < (row->is_service ? row->count : 1); i++) {
		const struct replica_row *one = &row->row[i];
		if (back >= one->cpu_count || back >= TREND_VALUES)
			continue;
		double value = one->cpu[(one->cpu_count - 1 - back) % REPLICA_HISTORY];
		total = (total < 0 ? 0 : total) + (value > 0 ? value : 0);
	}
	return total;
}

/*
 * The mean of the samples that fall into one value of the graph, of which the newest may not be full yet: they are
 * counted from the first one ever, so that a value that is full changes no more.
 */
static double trend_mean(const struct table_row *row, unsigned back, unsigned each)
{
	unsigned newest = row->row->cpu_count % each ? row->row->cpu_count % each : each;
	unsigned from = back ? newest + (back - 1) * each : 0, count = back ? each : newest, known = 0;
	double total = 0;

	for (unsigned i = from; i < from + count; i++) {
		double value = trend_value(row, i);
		total += value > 0 ? value : 0;
		known += value >= 0;
	}
	return known ? total / known : -1;
}

/*
 * The last minute, however wide it is; 100 % of a core is full, or the largest of the values if that is more. What does not
 * always have samples is left out: it would come and go on a screen on which nothing happens.
 */
void table_draw_trend(const struct ui *ui, struct grid *grid, struct rect at, const struct table_row *row)
{
	enum spark_style style = ui_graph(ui);
	unsigned span = spark_span(style), count = (unsigned)at.width * span, each = (TREND_VALUES + count - 1) / count;
	double values[TREND_VALUES * 2 + 2], most = 100;

	for (unsigned back = 0; back < count; back++) {
		double value = back < TREND_VALUES / each ? trend_mean(row, back, each) : -1;
		values[count - 1 - back] = value;
		most = value > most ? value : most;
	}
	for (unsigned i = 0; i < (unsigned)at.width; i++)
		if (values[i * span] >= 0 || values[(i + 1) * span - 1] >= 0)
			grid_fill(grid, (struct rect){ at.x + (int)i, at.y, 1, 1 }, LOOK_DIM,
				spark_character(values + i * span, most, style));
}

/* Below its process. */
static void draw_thread_name(const struct ui *ui, struct grid *grid, struct rect at, const struct table_row *row)
{
	const struct thread_report *thread = row->thread;
	char name[sizeof thread->name + 16];
	const char *guide = !row->is_child || ui->settings.table.is_flat ? "  " : row->is_last ? "   "
									  : ui->is_unicode     ? "│  "
											       : "|  ";
	const char *branch = ui->is_unicode ? (row->is_last_thread ? "└─ " : "├─ ") : (row->is_last_thread ? "`- " : "|- ");
	int used = grid_format(grid, at, LOOK_NORMAL, "%s%s", guide, branch);

	at.x += used;
	at.width -= used;
	if (row->left_out)
		snprintf(name, sizeof name, "... %u more", row->left_out);
	else
		snprintf(name, sizeof name, "%s", thread->name);
	grid_put_safe(grid, at, LOOK_DIM, "", name, strlen(name));
}

static void draw_name(
	const struct ui *ui, struct grid *grid, struct rect at, const struct table_row *row)
{
	const struct row *facts = &row->row->row;
	bool is_flat = ui->settings.table.is_flat;
	const char *branch =
		ui->is_unicode ? (row->is_last ? "└─ " : "├─ ") : (row->is_last ? "`- " : "|- ");

	if (row->thread)
		draw_thread_name(ui, grid, at, row);
	else if (row->is_service)
		grid_format(grid, at, LOOK_TITLE, "%s %s",
			rows_is_folded(ui, facts->service) ? ">" : "v", facts->service);
	else if (row->is_child)
		grid_format(grid, at, LOOK_NORMAL, "%s%s/%u", is_flat ? "" : branch, facts->service, facts->instance);
	else
		grid_format(grid, at, is_flat ? LOOK_NORMAL : LOOK_TITLE, "%s%s", is_flat ? "" : "  ", facts->service);
}

static enum look look_of_cell(const struct table_column *column, const struct table_row *row, const char *text)
{
	if (row->thread)
		return text[0] == 'D' && column->put == put_state ? LOOK_BAD : LOOK_DIM;
	if (column->put == put_state && !row->is_service && !row->row->row.is_draining)
		return look_of_state(row->row->row.state);
	if (column->put == put_state && (row->up < row->count || row->row->row.is_draining))
		return LOOK_WARN;
	return strchr(text, '!') ? LOOK_WARN : LOOK_NORMAL;
}

/* Those of several processes are not added up: nobody knows which of them can be. */
static void draw_metrics(struct grid *grid, struct rect *at, const struct metric_columns *shown, const struct table_row *row)
{
	char text[sizeof(struct metric)];

	for (unsigned i = 0; i < shown->count; i++) {
		metric_cell(text, sizeof text, &row->row->row.ipc.metrics, shown->items[i].name);
		put_cell(grid, at, shown->items[i].width, false, LOOK_NORMAL, row->is_service ? "" : text);
	}
}

static void put_text(const struct table_column *column, char text[CELL], const struct cells *cells)
{
	void (*put)(char *out, const struct cells *cells) = cells->row->thread ? column->put_thread : column->put;

	text[0] = '\0';
	if (put && !cells->row->left_out)
		put(text, cells);
}

static void draw_row(const struct ui *ui, struct grid *grid, struct rect line, const struct fit *fit, const struct table_row *row)
{
	struct rect at = { line.x + 1, line.y, line.width, 1 };
	struct cells cells = { ui, row };
	char text[CELL];

	draw_name(ui, grid, (struct rect){ at.x, at.y, fit->name, 1 }, row);
	at.x += fit->name;
	for (int i = 0; i < FIGURE_COLUMNS; i++) {
		if (!has_column(fit, i))
			continue;
		put_text(&columns[i], text, &cells);
		put_column(grid, &at, &columns[i], look_of_cell(&columns[i], row, text), text);
	}
	if (!row->thread)
		draw_metrics(grid, &at, &fit->metrics, row);
	if (fit->trend && !row->thread)
		table_draw_trend(ui, grid, (struct rect){ at.x + 1, at.y, fit->trend, 1 }, row);
	bool is_selected = rows_is_selected(ui, row);
	struct target target = rows_target(row);
	if (!row->thread && tags_has(ui, &target))
		grid_put(grid, (struct rect){ line.x, line.y, 1, 1 }, LOOK_KEY, "*");
	else if (is_selected)
		grid_put(grid, (struct rect){ line.x, line.y, 1, 1 }, LOOK_NORMAL, ">");
	if (is_selected)
		grid_select(grid, line);
}

static void draw_centred(struct grid *grid, struct rect area, int row, const char *text)
{
	int length = (int)strlen(text), x = area.width > length ? (area.width - length) / 2 : 0,
	    y = (area.height > 6 ? area.height / 3 : 0) + row;

	if (y < area.height)
		grid_put(grid, (struct rect){ area.x + x, area.y + y, area.width - x, 1 }, LOOK_NORMAL, text);
}

static void draw_empty(const struct ui *ui, struct grid *grid, struct rect area)
{
	char text[CELL * 2];

	if (!ui->replica.row_count) {
		draw_centred(grid, area, 0, "Nothing is running yet.");
		draw_centred(grid, area, 2, "a  launch a command          :launch COMMAND");
		draw_centred(grid, area, 3, "?  all keys                  thrum apply -f FILE");
		return;
	}
	snprintf(text, sizeof text, "No instance matches - %zu hidden by the filter.", ui->replica.row_count);
	draw_centred(grid, area, 0, text);
	draw_centred(grid, area, 2, "Esc clears it     \\  edits it     &  chooses states");
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

int table_visible(const struct ui *ui, struct table_row *rows, int height)
{
	int count = rows_build(ui, rows, ROWS_MOST), first = first_row(ui, rows, count, height);

	count = count - first < height ? count - first : height;
	memmove(rows, rows + first, (size_t)(count > 0 ? count : 0) * sizeof *rows);
	return count > 0 ? count : 0;
}

void table_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	static struct table_row rows[ROWS_MOST];
	int count = rows_build(ui, rows, ROWS_MOST);
	int first = first_row(ui, rows, count, area.height);
	struct fit fit = fit_columns(ui, area.width);

	if (!count)
		draw_empty(ui, grid, area);
	for (int i = 0; i < area.height && first + i < count; i++) {
		struct rect line = { area.x, area.y + i, area.width, 1 };
		draw_row(ui, grid, line, &fit, &rows[first + i]);
		grid_spot(grid, line, SPOT_ROW, (uint32_t)(first + i));
	}
}
