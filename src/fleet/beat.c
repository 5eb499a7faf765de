#include "fleet/beat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/value.h"

/* Of one service: how many of its instances are in which state, and what their trees use. */
static json_t *describe_service(const struct replica *replica, size_t first)
{
	const char *name = replica->rows[first].row.service;
	json_t *states = json_object();
	uint64_t rss = 0, measured = 0, instances = 0, restarts = 0;
	double cpu = 0;

	for (size_t i = first; i < replica->row_count; i++) {
		const struct row *row = &replica->rows[i].row;
		const char *state = state_name(row->state);
		if (strcmp(row->service, name) != 0)
			continue;
		instances++;
		restarts += restart_counts_sum(&row->restarts);
		json_object_set_new(states, state, json_integer(json_integer_value(json_object_get(states, state)) + 1));
		if (!row->sample.pid)
			continue;
		measured++;
		rss += row->sample.tree_rss == SAMPLE_UNKNOWN ? 0 : row->sample.tree_rss;
		cpu += row->sample.tree_cpu_pct > 0 ? row->sample.tree_cpu_pct : 0;
	}
	return json_pack("{s:s,s:I,s:o,s:I,s:o,s:o}", "service", name, "instances", (json_int_t)instances, "states", states, "restarts",
		(json_int_t)restarts, "rss", figure_to_json(measured ? rss : SAMPLE_UNKNOWN), "cpu_pct", rate_to_json(measured ? cpu : -1));
}

/* Rows of a service stand together. */
static bool is_first_of_its_service(const struct replica *replica, size_t index)
{
	return index == 0 || strcmp(replica->rows[index - 1].row.service, replica->rows[index].row.service) != 0;
}

static json_t *describe_feed(const struct feed *feed)
{
	const struct local *local = &feed->local;

	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:b}", "pool", feed->pool, "slots", (json_int_t)local->slots, "tasks",
		(json_int_t)tasks_count(&feed->tasks), "answered", (json_int_t)feed->finished, "taken_over", (json_int_t)feed->taken_over,
		"dead_letters", (json_int_t)feed->buried, "open", local->is_open);
}

static json_t *describe_feeds(const struct feed *feeds, size_t count)
{
	json_t *pools = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(pools, describe_feed(&feeds[i]));
	return pools;
}

json_t *beat_describe(const struct settings *settings, const struct replica *replica, const struct feed *feeds, size_t count)
{
	json_t *services = json_array();
	char now[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < replica->row_count; i++)
		if (is_first_of_its_service(replica, i))
			json_array_append_new(services, describe_service(replica, i));
	clock_format_iso(now, clock_wall_us());
	return json_pack("{s:s,s:s,s:s,s:s,s:b,s:o,s:s,s:o,s:o}", "engine", settings->name, "host", settings->machine, "project",
		settings->project, "version", PACKAGE_VERSION, "connected", replica->is_connected, "started",
		time_to_json(replica->project_started_us), "ts", now, "services", services, "pools", describe_feeds(feeds, count));
}

void beat_send(const struct settings *settings, struct redis *redis, json_t *beat)
{
	char *text = json_dumps(beat, JSON_COMPACT);

	json_decref(beat);
	if (text) {
		redis_ask(redis, NULL, NULL, "SET %s:engine:%s %s PX %d", settings->prefix, settings->name, text, BEAT_KEPT_MS);
		redis_ask(redis, NULL, NULL, "ZADD %s:engines %" PRIu64 " %s", settings->prefix, clock_wall_us() / 1000, settings->name);
	}
	free(text);
}

void beat_end(const struct settings *settings, struct redis *redis)
{
	redis_ask(redis, NULL, NULL, "DEL %s:engine:%s", settings->prefix, settings->name);
	redis_ask(redis, NULL, NULL, "ZREM %s:engines %s", settings->prefix, settings->name);
}
