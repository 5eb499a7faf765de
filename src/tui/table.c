#include <stdio.h>
#include <string.h>

#include "base/spark.h"
#include "base/units.h"
#include "model/figure.h"
#include "tui/ui.h"

enum { CELL = 96,
	NAME_LEAST = 14,
	NAME_CUT = 9,
	NAME_MOST = 26,
	TREND_LEAST = 8,
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
	double threads = sum(cells->row, of_threads);

	if (threads >= 0)
		snprintf(out, CELL, "%.0f", threads);
	else
		snprintf(out, CELL, "-");
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

/* Those with a high number go first when the screen is narrow; 0 never goes. */
static const struct column {
	const char *title;
	int width, leaves;
	bool is_left;
	enum sort sort;                                    /* by which it is sorted; SORT_FILE: none */
	void (*put)(char *out, const struct cells *cells); /* at most CELL bytes */
} columns[] = {
	{ "STATE", 13, 0, true, SORT_FILE, put_state },
	{ "PID", 7, 4, false, SORT_FILE, put_pid },
	{ "UPTIME", 8, 5, false, SORT_UPTIME, put_uptime },
	{ "RST", 4, 3, false, SORT_RESTARTS, put_restarts },
	{ "CPU%", 5, 1, false, SORT_CPU, put_cpu },
	{ "RSS", 5, 2, false, SORT_MEMORY, put_rss },
	{ "THR", 4, 7, false, SORT_FILE, put_threads },
	{ "QUEUE", 10, 6, true, SORT_QUEUE, put_queue },
	{ "LOOP%", 5, 9, false, SORT_FILE, put_loop },
	{ "LAG", 6, 8, false, SORT_LAG, put_lag },
	{ "IN/s", 5, 10, false, SORT_FILE, put_in },
	{ "OUT/s", 5, 11, false, SORT_FILE, put_out },
};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns,
	LEAVES_MOST = 11 };

/* What fits into a width. */
struct fit {
	int leaves;      /* columns that leave at this or above are gone */
	int name, trend; /* widths */
	struct metric_columns metrics;
};

static void share_rest(struct fit *fit, int rest)
{
	fit->name = rest > NAME_CUT ? rest : NAME_CUT;
	if (rest < NAME_LEAST + TREND_LEAST + 1)
		return;
	fit->name = rest - TREND_LEAST - 1 < NAME_MOST ? rest - TREND_LEAST - 1 : NAME_MOST;
	fit->trend = rest - fit->name - 1 < REPLICA_HISTORY ? rest - fit->name - 1 : REPLICA_HISTORY;
	fit->name = rest - fit->trend - 1;
}

/* What processes tell of themselves has what the other columns leave; the last that has room for a little is cut. */
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

static struct fit fit_columns(const struct ui *ui, int width)
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
	used += fit_metrics(&fit, ui, width - used - NAME_LEAST);
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

static void put_column(struct grid *grid, struct rect *at, const struct column *column,
	enum look look, const char *text)
{
	put_cell(grid, at, column->width, column->is_left, look, text);
}

static void draw_column_title(const struct ui *ui, struct grid *grid, struct rect *at, const struct column *column)
{
	bool is_sorted = column->sort != SORT_FILE && column->sort == ui->sort;

	if (column->sort != SORT_FILE)
		grid_spot(grid, (struct rect){ at->x + 1, at->y, column->width, 1 }, SPOT_SORT, column->sort);
	put_column(grid, at, column, is_sorted ? LOOK_KEY : LOOK_HEADING, column->title);
	if (is_sorted)
		grid_put(grid, (struct rect){ at->x, at->y, 1, 1 }, LOOK_KEY,
			ui->is_unicode ? (ui->is_inverted ? "▲" : "▼") : (ui->is_inverted ? "^" : "v"));
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
	for (int i = 0; i < COLUMN_COUNT; i++)
		if (columns[i].leaves < fit.leaves)
			draw_column_title(ui, grid, &at, &columns[i]);
	for (unsigned i = 0; i < fit.metrics.count; i++)
		put_cell(grid, &at, fit.metrics.items[i].width, false, LOOK_HEADING, fit.metrics.items[i].name);
	grid_put(grid, (struct rect){ at.x + 1, at.y, fit.trend, 1 }, LOOK_HEADING, "CPU 60s");
}

/* The sample so many back from the newest; below 0: there is none. */
static double trend_value(const struct table_row *row, int back)
{
	double total = -1;

	for (unsigned i = 0; i < (row->is_service ? row->count : 1); i++) {
		const struct replica_row *one = &row->row[i];
		if ((unsigned)back >= one->cpu_count || back >= REPLICA_HISTORY)
			continue;
		double value = one->cpu[(one->cpu_count - 1 - (unsigned)back) % REPLICA_HISTORY];
		total = (total < 0 ? 0 : total) + (value > 0 ? value : 0);
	}
	return total;
}

/* The newest samples; 100 % of a core is full, or the largest of them if that is more. */
static void draw_trend(const struct ui *ui, struct grid *grid, struct rect at, const struct table_row *row)
{
	double values[REPLICA_HISTORY], most = 100;

	for (int back = 0; back < REPLICA_HISTORY; back++) {
		values[back] = trend_value(row, back);
		most = values[back] > most ? values[back] : most;
	}
	for (int i = 0; i < at.width; i++)
		if (values[i] >= 0)
			grid_fill(grid, (struct rect){ at.x + at.width - 1 - i, at.y, 1, 1 }, LOOK_DIM,
				spark_bar(values[i], most, ui->is_unicode));
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
		grid_format(grid, at, LOOK_NORMAL, "%s%s/%u", ui->is_flat ? "" : branch, facts->service, facts->instance);
	else
		grid_format(grid, at, ui->is_flat ? LOOK_NORMAL : LOOK_TITLE, "%s%s", ui->is_flat ? "" : "  ", facts->service);
}

static enum look look_of_cell(const struct column *column, const struct table_row *row, const char *text)
{
	if (column->put == put_state && !row->is_service)
		return look_of_state(row->row->row.state);
	if (column->put == put_state && row->up < row->count)
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

static void draw_row(const struct ui *ui, struct grid *grid, struct rect line, const struct fit *fit, const struct table_row *row)
{
	struct rect at = { line.x + 1, line.y, line.width, 1 };
	struct cells cells = { ui, row };
	char text[CELL];

	draw_name(ui, grid, (struct rect){ at.x, at.y, fit->name, 1 }, row);
	at.x += fit->name;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].leaves >= fit->leaves)
			continue;
		columns[i].put(text, &cells);
		put_column(grid, &at, &columns[i], look_of_cell(&columns[i], row, text), text);
	}
	draw_metrics(grid, &at, &fit->metrics, row);
	if (fit->trend)
		draw_trend(ui, grid, (struct rect){ at.x + 1, at.y, fit->trend, 1 }, row);
	bool is_selected = rows_is_selected(ui, row);
	struct target target = rows_target(row);
	if (tags_has(ui, &target))
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
		draw_centred(grid, area, 2, "a  launch a command     ?  all keys");
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
