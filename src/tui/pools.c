/* The Pool tab: the pool that the service's instances are, and those of threads inside the process. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/spark.h"
#include "base/units.h"
#include "model/figure.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { CELL = 32,
	SLOW_MS = 3000,               /* a task that takes longer is marked … */
	SLOW_TIMES = 3,               /* … if it takes this many times what the slowest did */
	GRAPH_WIDTH = GAUGE_MOST / 2, /* the newest of what is known, so that the figures have room */
	GRAPH_LEAST = 6,
	NAME_WIDTH = 7,
	GRAPH_MOST = 4096 };

static json_int_t figure(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void draw_graph(
	struct pane *pane, const struct ui *ui, const char *name, const struct gauge *now, const struct gauge *then, const char *after)
{
	const struct gauge *gauge = ui->past_us ? then : now;
	double values[GAUGE_MOST], most = gauge_most(gauge);
	unsigned count = gauge_size(gauge), first;
	enum spark_style style = ui_graph(ui);
	struct text line;
	char tail[CELL * 6] = "";

	for (unsigned i = 0; i < count; i++)
		values[i] = gauge_at(gauge, i);
	if (count)
		snprintf(tail, sizeof tail, "  %.0f, at the most %.0f", values[count - 1], most);
	int room = pane->area.width - NAME_WIDTH - (int)(strlen(tail) + strlen(after)) - 3; /* the figures go first */
	unsigned width = room < GRAPH_LEAST ? GRAPH_LEAST : room < GRAPH_WIDTH ? (unsigned)room
									       : GRAPH_WIDTH;
	first = count > width * spark_span(style) ? count - width * spark_span(style) : 0;
	text_init(&line, GRAPH_MOST);
	text_format(&line, " %-6s", name);
	spark_append(&line, values + first, count - first, most > 0 ? most : 1, style);
	for (unsigned i = (count - first + spark_span(style) - 1) / spark_span(style); i < width; i++)
		text_putc(&line, ' ');
	text_format(&line, "%s   %s", tail, after);
	pane_format(pane, LOOK_NORMAL, "%s", text_string(&line));
	text_finish(&line);
}

/* ---- a pool of processes ---- */

static const char *milliseconds(char out[CELL], const json_t *times, const char *key)
{
	const json_t *value = json_object_get(times, key);

	if (!json_is_number(value))
		return "-";
	double ms = json_number_value(value);
	snprintf(out, CELL, ms < 10 ? "%.2fms" : ms < 10000 ? "%.0fms"
							    : "%.1fs",
		ms < 10000 ? ms : ms / 1000);
	return out;
}

static void describe_times(const json_t *pool, const char *key, const char *name, char out[CELL * 4])
{
	const json_t *times = json_object_get(pool, key);
	char median[CELL], high[CELL], highest[CELL];

	snprintf(out, CELL * 4, "%s p50 %s p95 %s p99 %s", name, milliseconds(median, times, "p50"), milliseconds(high, times, "p95"),
		milliseconds(highest, times, "p99"));
}

static bool is_slow(const json_t *pool, json_int_t since_ms)
{
	const json_t *most = json_object_get(json_object_get(pool, "run_ms"), "p99");

	return since_ms > SLOW_MS && json_is_number(most) && (double)since_ms > SLOW_TIMES * json_number_value(most);
}

static void draw_worker(struct pane *pane, const json_t *pool, const json_t *worker)
{
	const json_t *task = json_object_get(worker, "task");
	json_int_t since_ms = figure(worker, "since_ms");
	bool is_busy = json_is_integer(task), is_bad = is_busy && is_slow(pool, since_ms);
	char id[CELL] = "-", since[UNITS_TEXT_SIZE] = "-";

	if (is_busy) {
		snprintf(id, sizeof id, "%lld", (long long)json_integer_value(task));
		units_format_duration(since, (uint64_t)since_ms);
	}
	pane_format(pane, is_bad ? LOOK_BAD : is_busy ? LOOK_GOOD
						      : LOOK_NORMAL,
		" %4lld %-10s %7lld %9lld %7lld  %-12s %s%s", (long long)figure(worker, "instance"),
		json_string_value(json_object_get(worker, "state")), (long long)figure(worker, "running"),
		(long long)figure(worker, "completed"), (long long)figure(worker, "failed"), id, since,
		is_bad ? "  much longer than others" : "");
}

static void draw_workers(struct pane *pane, const json_t *pool)
{
	const json_t *worker;
	size_t i;

	pane_format(pane, LOOK_HEADING, " %4s %-10s %7s %9s %7s  %-12s %s", "#", "STATE", "RUNNING", "DONE", "FAILED", "TASK", "SINCE");
	json_array_foreach(json_object_get(pool, "workers"), i, worker)
		draw_worker(pane, pool, worker);
}

static void draw_process_pool(struct pane *pane, const struct ui *ui)
{
	const struct insight *insight = &ui->insight;
	const json_t *pool = insight->pool;
	bool is_draining = json_is_true(json_object_get(pool, "draining"));
	char times[CELL * 4];

	pane_format(pane, is_draining ? LOOK_WARN : LOOK_TITLE,
		" POOL %s, of processes: %lld there, %lld wanted, %lld tasks each; %lld run, %lld wait%s", ui->shown.service,
		(long long)figure(pool, "size"), (long long)figure(pool, "target"), (long long)figure(pool, "concurrency"),
		(long long)figure(pool, "busy"), (long long)figure(pool, "queued"), is_draining ? "; DRAINING: takes no more" : "");
	pane_format(pane, LOOK_NORMAL, " submitted %lld  started %lld  completed %lld  failed %lld  run again %lld",
		(long long)figure(pool, "submitted"), (long long)figure(pool, "started"),
		(long long)figure(pool, "completed"), (long long)figure(pool, "failed"), (long long)figure(pool, "retried"));
	describe_times(pool, "wait_ms", "wait", times);
	draw_graph(pane, ui, "queue", &insight->depth, &insight->depth_then, times);
	describe_times(pool, "run_ms", "run", times);
	draw_graph(pane, ui, "busy", &insight->busy, &insight->busy_then, times);
	draw_workers(pane, pool);
	pane_format(pane, LOOK_DIM, " + - one worker more or fewer  = exactly so many  d drain, and again to go on");
}

/* ---- pools of threads ---- */

static void describe_kinds(const struct pool_report *pool, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (enum work_kind kind = 0; kind < WORK_KIND_COUNT && used < size; kind++)
		if (pool->by_kind[kind])
			used += (size_t)snprintf(out + used, size - used, "  %s %" PRIu64, work_kind_name(kind), pool->by_kind[kind]);
}

static void draw_thread_pool(struct pane *pane, const struct pool_report *pool)
{
	char threads[FIGURE_SIZE], busy[FIGURE_SIZE], queued[FIGURE_SIZE], kinds[128], line[512];
	bool is_full = pool->queued != SAMPLE_UNKNOWN && pool->queued && pool->busy == pool->threads;

	describe_kinds(pool, kinds, sizeof kinds);
	snprintf(line, sizeof line, " %-6s %-20s %7s %7s %6s%s%s%s%s", pool_kind_name(pool->kind), *pool->name ? pool->name : "-",
		figure_count(threads, pool->threads, "?"), figure_count(busy, pool->busy, "?"), figure_count(queued, pool->queued, "?"),
		pool->is_exact || pool->queued == SAMPLE_UNKNOWN ? " " : "+", kinds, *pool->reason ? "  " : "", pool->reason);
	pane_safe(pane, is_full ? LOOK_WARN : LOOK_NORMAL, "", line, strlen(line));
}

/* What libthrum's pools tell of themselves, and no other's. */
static void draw_histograms(struct pane *pane, const struct ui *ui)
{
	const json_t *pool;
	char waits[CELL * 4], runs[CELL * 4], line[CELL * 16];

	for (int i = 0; (pool = insight_thread_pool(ui, i)); i++) {
		describe_times(pool, "wait_ms", "wait", waits);
		describe_times(pool, "run_ms", "run", runs);
		snprintf(line, sizeof line, " %s: %lld of %lld threads, %lld done, %lld failed   %s   %s%s",
			json_string_value(json_object_get(pool, "name")), (long long)figure(pool, "threads"),
			(long long)figure(pool, "target"), (long long)figure(pool, "completed"), (long long)figure(pool, "failed"), waits,
			runs, json_is_true(json_object_get(pool, "draining")) ? "   DRAINED" : "");
		pane_safe(pane, LOOK_NORMAL, "", line, strlen(line));
	}
	if (!insight_is_pool(&ui->insight) && insight_thread_pool(ui, 0))
		pane_format(pane, LOOK_DIM, " zoomed, + and - ask the first of them for a thread more or fewer");
}

static void draw_thread_pools(struct pane *pane, const struct ui *ui)
{
	const struct insight *insight = &ui->insight;

	pane_format(pane, LOOK_HEADING, " %-6s %-20s %7s %7s %6s   %s", "KIND", "NAME", "THREADS", "BUSY", "QUEUE", "OF WHICH");
	for (size_t i = 0; i < insight->study.pool_count; i++)
		draw_thread_pool(pane, &insight->study.pools[i]);
	draw_histograms(pane, ui);
	if (insight_is_pool(insight))
		return;
	draw_graph(pane, ui, "queue", &insight->depth, &insight->depth_then, "");
	draw_graph(pane, ui, "busy", &insight->busy, &insight->busy_then, "");
}

int pools_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	struct pane pane = { .grid = grid, .area = area, .skip = ui->cursor };

	if (insight_is_pool(&ui->insight))
		draw_process_pool(&pane, ui);
	if (ui->insight.study.pool_count)
		draw_thread_pools(&pane, ui);
	if (pane.line)
		return pane.line;
	pane_format(&pane, LOOK_DIM, " no pool is seen in it");
	pane_format(&pane, LOOK_DIM,
		" `pool:` makes one of a service's processes; libuv's and libthrum's are found in any process that has one");
	return pane.line;
}
