/* The rows of a fleet's table: engines, and below each its services. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/value.h"
#include "tui/fleet_ui.h"

static const char *string_of(const json_t *object, const char *name)
{
	const char *string = json_string_value(json_object_get(object, name));

	return string ? string : "";
}

/* ---- how fast ---- */

static const json_t *named(const json_t *list, const char *key, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)list, i, one) if (strcmp(string_of(one, key), name) == 0) return one;
	return NULL;
}

/* An engine tells of itself every other second: until it does, the last rate holds. */
static json_t *rate_of(const json_t *former, const json_t *former_pool, const json_t *engine, const json_t *pool)
{
	uint64_t before_us = time_from_json(json_object_get(former, "ts")), us = time_from_json(json_object_get(engine, "ts"));
	json_int_t more = json_integer_value(json_object_get(pool, "answered")) -
			  json_integer_value(json_object_get(former_pool, "answered"));

	if (us <= before_us)
		return json_incref(json_object_get(former_pool, "rate"));
	return more < 0 ? json_null() : rate_to_json((double)more * 1e6 / (double)(us - before_us));
}

static void add_rates(const json_t *former, json_t *engine)
{
	json_t *pool;
	size_t i;

	json_array_foreach(json_object_get(engine, "pools"), i, pool)
	{
		const json_t *former_pool = named(json_object_get(former, "pools"), "pool", string_of(pool, "pool"));
		if (former_pool)
			json_object_set_new(pool, "rate", rate_of(former, former_pool, engine, pool));
	}
}

void fleet_take(struct fleet *fleet, json_t *engines)
{
	json_t *engine;
	size_t i;

	json_array_foreach(engines, i, engine)
	{
		const json_t *former = named(fleet->engines, "engine", string_of(engine, "engine"));
		if (former)
			add_rates(former, engine);
	}
	json_t *old = fleet->engines;
	fleet->engines = engines;
	fleet->trouble[0] = '\0';
	fleet_build_rows(fleet);
	json_decref(old);
}

/* ---- rows ---- */

static void add_row(struct fleet *fleet, json_t *engine, json_t *service)
{
	if (fleet->row_count % 64 == 0)
		fleet->rows = memory_resize(fleet->rows, fleet->row_count + 64, sizeof *fleet->rows);
	fleet->rows[fleet->row_count++] = (struct fleet_row){ engine, service };
}

static void name_row(char out[2 * FLEET_NAME_SIZE], const struct fleet_row *row)
{
	snprintf(out, 2 * FLEET_NAME_SIZE, "%s\n%s", string_of(row->engine, "engine"), string_of(row->service, "service"));
}

static void select_place(struct fleet *fleet, size_t place)
{
	fleet->place = fleet->row_count && place >= fleet->row_count ? fleet->row_count - 1 : place;
	fleet->selected[0] = '\0';
	if (fleet->row_count)
		name_row(fleet->selected, &fleet->rows[fleet->place]);
}

/* What was selected is found again; if it is gone, its place is. */
static void select_again(struct fleet *fleet)
{
	char name[2 * FLEET_NAME_SIZE];

	for (size_t i = 0; i < fleet->row_count; i++) {
		name_row(name, &fleet->rows[i]);
		if (strcmp(name, fleet->selected) == 0) {
			fleet->place = i;
			return;
		}
	}
	select_place(fleet, fleet->place);
}

void fleet_build_rows(struct fleet *fleet)
{
	json_t *engine, *service;
	size_t i, k;

	fleet->row_count = 0;
	json_array_foreach(fleet->engines, i, engine)
	{
		add_row(fleet, engine, NULL);
		if (!json_object_get(fleet->folded, string_of(engine, "engine")))
			json_array_foreach(json_object_get(engine, "services"), k, service) add_row(fleet, engine, service);
	}
	select_again(fleet);
}

void fleet_move(struct fleet *fleet, long rows)
{
	long place = (long)fleet->place + rows;

	select_place(fleet, place > 0 ? (size_t)place : 0);
}

/* ---- folding ---- */

static void set_folded(struct fleet *fleet, const char *engine, bool is_folded)
{
	if (is_folded)
		json_object_set_new(fleet->folded, engine, json_true());
	else
		json_object_del(fleet->folded, engine);
}

static size_t place_of_engine(const struct fleet *fleet, size_t place)
{
	while (place > 0 && fleet->rows[place].service)
		place--;
	return place;
}

void fleet_fold(struct fleet *fleet, bool is_folded)
{
	if (!fleet->row_count)
		return;
	select_place(fleet, place_of_engine(fleet, fleet->place));
	set_folded(fleet, string_of(fleet->rows[fleet->place].engine, "engine"), is_folded);
	fleet_build_rows(fleet);
}

void fleet_fold_all(struct fleet *fleet)
{
	bool is_folded = json_object_size(fleet->folded) == 0;
	json_t *engine;
	size_t i;

	if (fleet->row_count)
		select_place(fleet, place_of_engine(fleet, fleet->place));
	json_object_clear(fleet->folded);
	json_array_foreach(fleet->engines, i, engine) if (is_folded) set_folded(fleet, string_of(engine, "engine"), true);
	fleet_build_rows(fleet);
}

void fleet_choose(struct fleet *fleet)
{
	const json_t *engine = fleet->row_count ? fleet->rows[fleet->place].engine : NULL;

	if (!engine)
		return;
	if (!json_is_true(json_object_get(engine, "alive"))) {
		snprintf(fleet->trouble, sizeof fleet->trouble, "%.150s is not heard of: it has no dashboard", string_of(engine, "engine"));
		return;
	}
	snprintf(fleet->choice.host, FLEET_NAME_SIZE, "%s", string_of(engine, "host"));
	snprintf(fleet->choice.project, FLEET_NAME_SIZE, "%s", string_of(engine, "project"));
	fleet->is_leaving = true;
}

void fleet_finish(struct fleet *fleet)
{
	json_decref(fleet->engines);
	json_decref(fleet->folded);
	free(fleet->rows);
}
