/* The frame of a fleet. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/units.h"
#include "model/sample.h"
#include "protocol/value.h"
#include "tui/fleet_ui.h"

enum { CELL = 160,
	HELP_WIDTH = 44,
	KEY_WIDTH = 12 };

static const char *string_of(const json_t *object, const char *name)
{
	const char *string = json_string_value(json_object_get(object, name));

	return string ? string : "-";
}

static long long number_of(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

static bool is_alive(const json_t *engine)
{
	return json_is_true(json_object_get(engine, "alive"));
}

static const json_t *pool_of(const struct fleet_row *row)
{
	json_t *pool;
	size_t i;

	json_array_foreach(json_object_get(row->engine, "pools"), i,
		pool) if (row->service && strcmp(string_of(pool, "pool"), string_of(row->service, "service")) == 0) return pool;
	return NULL;
}

/* The sum over all services or pools of an engine. */
static long long sum_of(const json_t *engine, const char *list, const char *name)
{
	long long sum = 0;
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(engine, list), i, one) sum += number_of(one, name);
	return sum;
}

/* ---- the columns: of a service, and of an engine ---- */

static void format_name(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	const char *engine = string_of(row->engine, "engine");

	if (row->service)
		snprintf(out, CELL, "   %.150s", string_of(row->service, "service"));
	else
		snprintf(out, CELL, "%c %.150s", json_object_get(fleet->folded, engine) ? '+' : 'v', engine);
}

static void format_states(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	struct text line;

	(void)fleet;
	text_init(&line, CELL - 1);
	if (row->service)
		counts_put(&line, json_object_get(row->service, "states"));
	else if (!is_alive(row->engine))
		text_format(&line, "not heard of since %.19sZ", string_of(row->engine, "seen"));
	else if (!json_is_true(json_object_get(row->engine, "connected")))
		text_puts(&line, "its gateway has lost the engine");
	else
		text_format(&line, "thrum %.20s", string_of(row->engine, "version"));
	snprintf(out, CELL, "%s", text_string(&line));
	text_finish(&line);
}

static void format_up(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	uint64_t since_us = time_from_json(json_object_get(row->engine, "started"));

	out[0] = '\0';
	if (!row->service && is_alive(row->engine) && since_us && since_us < fleet->now_us)
		units_format_duration(out, (fleet->now_us - since_us) / 1000);
}

static void format_count(char out[CELL], const struct fleet_row *row, const char *name)
{
	snprintf(out, CELL, "%lld", row->service ? number_of(row->service, name) : sum_of(row->engine, "services", name));
}

static void format_instances(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	(void)fleet;
	format_count(out, row, "instances");
}

static void format_restarts(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	(void)fleet;
	format_count(out, row, "restarts");
}

static void format_cpu(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	double sum = -1;
	json_t *service;
	size_t i;

	(void)fleet;
	json_array_foreach(json_object_get(row->engine, "services"), i, service)
	{
		double pct = rate_from_json(service, "cpu_pct");
		if (pct >= 0 && (!row->service || row->service == service))
			sum = (sum < 0 ? 0 : sum) + pct;
	}
	snprintf(out, CELL, sum < 0 ? "-" : "%.1f", sum);
}

static void format_rss(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	uint64_t sum = 0;
	json_t *service;
	size_t i;

	(void)fleet;
	json_array_foreach(json_object_get(row->engine, "services"), i, service)
	{
		uint64_t rss = figure_from_json(service, "rss");
		if (rss != SAMPLE_UNKNOWN && (!row->service || row->service == service))
			sum += rss;
	}
	snprintf(out, CELL, "-");
	if (sum)
		units_format_size(out, sum);
}

static void format_pool(char out[CELL], const struct fleet_row *row, const char *name)
{
	const json_t *pool = pool_of(row);
	bool has_pools = json_array_size(json_object_get(row->engine, "pools")) > 0;

	snprintf(out, CELL, "-");
	if (pool || (!row->service && has_pools))
		snprintf(out, CELL, "%lld", pool ? number_of(pool, name) : sum_of(row->engine, "pools", name));
}

static void format_tasks(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	(void)fleet;
	format_pool(out, row, "tasks");
}

static void format_answered(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	(void)fleet;
	format_pool(out, row, "answered");
}

static double rate_of_engine(const json_t *engine)
{
	double sum = -1;
	json_t *pool;
	size_t i;

	json_array_foreach(json_object_get(engine, "pools"), i, pool)
	{
		double rate = rate_from_json(pool, "rate");
		if (rate >= 0)
			sum = (sum < 0 ? 0 : sum) + rate;
	}
	return sum;
}

static void format_rate(char out[CELL], const struct fleet *fleet, const struct fleet_row *row)
{
	const json_t *pool = pool_of(row);
	double rate = pool ? rate_from_json(pool, "rate") : row->service ? -1
									 : rate_of_engine(row->engine);

	(void)fleet;
	snprintf(out, CELL, rate < 0 ? "-" : rate < 10 ? "%.1f"
						       : "%.0f",
		rate);
}

static const struct column {
	const char *title;
	int width; /* below 0: to the left */
	void (*format)(char out[CELL], const struct fleet *fleet, const struct fleet_row *row);
} columns[] = {
	{ "ENGINE, SERVICE", -28, format_name },
	{ "NUM", 4, format_instances },
	{ "UP", 8, format_up },
	{ "RST", 4, format_restarts },
	{ "CPU%", 6, format_cpu },
	{ "RSS", 6, format_rss },
	{ "TASKS", 6, format_tasks },
	{ "ANSWERED", 9, format_answered },
	{ "/S", 6, format_rate },
	{ "STATES", -120, format_states },
};
enum { COLUMN_COUNT = sizeof columns / sizeof *columns };

static int draw_cell(struct grid *grid, struct rect at, enum look look, int width, const char *text)
{
	int room = width < 0 ? -width : width, length = (int)strlen(text);
	int indent = width > 0 && length < room ? room - length : 0;

	if (at.x + indent < grid->width)
		grid_put(grid, (struct rect){ at.x + indent, at.y, room - indent, 1 }, look, text);
	return at.x + room + 1;
}

static bool has_failed(const json_t *service)
{
	const json_t *states = json_object_get(service, "states");

	return json_object_get(states, "fatal") || json_object_get(states, "failed") || json_object_get(states, "unhealthy");
}

static bool waits(const json_t *service)
{
	return json_object_get(json_object_get(service, "states"), "backoff");
}

static enum look look_of(const struct fleet_row *row)
{
	if (row->service)
		return has_failed(row->service) ? LOOK_BAD : waits(row->service) ? LOOK_WARN
										 : LOOK_NORMAL;
	return is_alive(row->engine) ? LOOK_TITLE : LOOK_BAD;
}

static void draw_row(const struct fleet *fleet, struct grid *grid, int y, size_t place)
{
	const struct fleet_row *row = &fleet->rows[place];
	struct rect at = { 1, y, grid->width, 1 };
	char cell[CELL];

	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		columns[i].format(cell, fleet, row);
		at.x = draw_cell(grid, at, look_of(row), columns[i].width, cell);
	}
	if (place != fleet->place)
		return;
	grid_put(grid, (struct rect){ 0, y, 1, 1 }, LOOK_KEY, ">");
	grid_select(grid, (struct rect){ 0, y, grid->width, 1 });
}

static void draw_heading(struct grid *grid, int y)
{
	struct rect at = { 1, y, grid->width, 1 };

	for (size_t i = 0; i < COLUMN_COUNT; i++)
		at.x = draw_cell(grid, at, LOOK_HEADING, columns[i].width, columns[i].title);
}

static void draw_table(struct fleet *fleet, struct grid *grid, struct rect area)
{
	size_t room = area.height > 0 ? (size_t)area.height : 1;
	size_t last = fleet->row_count > room ? fleet->row_count - room : 0;

	fleet->shown = (int)room;
	fleet->first = fleet->first < last ? fleet->first : last;
	if (fleet->place >= fleet->first + room)
		fleet->first = fleet->place - room + 1;
	fleet->first = fleet->first < fleet->place ? fleet->first : fleet->place;
	for (int i = 0; i < area.height && fleet->first + (size_t)i < fleet->row_count; i++)
		draw_row(fleet, grid, area.y + i, fleet->first + (size_t)i);
	if (!fleet->engines)
		grid_put(grid, area, LOOK_DIM, " waiting for Redis");
	else if (!fleet->row_count)
		grid_put(grid, area, LOOK_DIM, " no engine has told of itself; `redis: {server: …}` in a configuration makes one do so");
}

/* ---- around it ---- */

static void draw_head(const struct fleet *fleet, struct grid *grid)
{
	size_t lost = 0, count = json_array_size(fleet->engines), i;
	long long instances = 0, tasks = 0;
	double rate = 0, one;
	char now[CLOCK_TEXT_SIZE];
	json_t *engine;

	json_array_foreach(fleet->engines, i, engine)
	{
		lost += !is_alive(engine);
		instances += sum_of(engine, "services", "instances");
		tasks += sum_of(engine, "pools", "tasks");
		one = rate_of_engine(engine);
		rate += one > 0 ? one : 0;
	}
	struct rect at = { 1, 0, grid->width - 1, 1 };
	at.x += grid_format(grid, at, LOOK_TITLE, "thrum fleet %.80s", fleet->where);
	at.x += grid_format(grid, at, LOOK_NORMAL, " | engines %zu", count);
	if (lost)
		at.x += grid_format(grid, at, LOOK_BAD, " lost %zu", lost);
	grid_format(grid, at, LOOK_NORMAL, " | instances %lld | tasks %lld, %.0f/s", instances, tasks, rate);
	clock_format_local(now, fleet->now_us);
	if (grid->width > 40)
		grid_format(grid, (struct rect){ grid->width - 9, 0, 9, 1 }, LOOK_NORMAL, "%.8s", now);
}

static void draw_help(const struct fleet *fleet, struct grid *grid)
{
	struct rect area = grid_box(grid, fleet->is_unicode, HELP_WIDTH, grid->height - 2, "Help - any key closes");
	int y = area.y;

	for (const struct fleet_key *key = fleet_keys; key->key; key++) {
		if (!key->help || y >= area.y + area.height)
			continue;
		struct rect at = { area.x, y++, area.width, 1 };
		for (const struct fleet_key *name = key; name == key || (name->key && !name->help); name++)
			at.x += grid_format(grid, at, LOOK_KEY, "%s ", name->name);
		at.x = at.x > area.x + KEY_WIDTH ? at.x : area.x + KEY_WIDTH;
		at.width = area.x + area.width - at.x;
		grid_put(grid, at, LOOK_NORMAL, key->help);
	}
}

void fleet_draw(struct fleet *fleet, struct grid *grid)
{
	struct rect foot = { 0, grid->height - 1, grid->width, 1 };

	fleet->now_us = clock_wall_us();
	draw_head(fleet, grid);
	draw_heading(grid, 1);
	draw_table(fleet, grid, (struct rect){ 0, 2, grid->width, grid->height - 3 });
	if (fleet->trouble[0])
		grid_format(grid, foot, LOOK_BAD, " %s", fleet->trouble);
	else
		grid_put(grid, foot, LOOK_KEY, " ? Help  Enter Dashboard of the engine  Space Fold  q Quit");
	if (fleet->is_helping)
		draw_help(fleet, grid);
}
