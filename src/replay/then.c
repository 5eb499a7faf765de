#include "replay/then.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/value.h"

enum { TREND = 60, /* samples of CPU before the moment … */
	TREND_US = 60 * 1000000,
	TREND_BYTES = 16 * 1024 * 1024, /* … looked for in so much of the file at the most */
	LOOKED_MOST = 64 * 1024 * 1024 /* bytes of blocks that have something of what is looked for */ };

/* ---- how all stood ---- */

struct trend {
	double values[TREND];
	unsigned count; /* ever */
};

struct scene {
	struct standing *standings; /* owned, as the next one; of all members */
	struct trend *trends;
};

static uint32_t earliest_of_trend(const struct recording *recording, uint32_t block, uint64_t at_us)
{
	uint32_t by_time = recording_block_at(recording, at_us > TREND_US ? at_us - TREND_US : 0);
	uint32_t by_size = recording_block_before(recording, block, TREND_BYTES);

	return by_time > by_size ? by_time : by_size;
}

/* Lines of output say nothing of how something stands, unless nothing else tells that it runs. */
static unsigned telling_kinds(const struct recording *recording)
{
	for (size_t i = 0; i < recording->member_count; i++)
		if (!recording->members[i].standing.row.life)
			return ENTRY_ALL;
	return ENTRY_ALL & ~(1u << ENTRY_LOG);
}

static void take(struct recording *recording, struct scene *scene, const struct entry *entry)
{
	int i = entry->service[0] ? recording_find(recording, entry->service, entry->instance) : -1;
	unsigned count;

	if (standing_count(entry, &count))
		for (size_t n = 0; n < recording->member_count; n++)
			if (strcmp(scene->standings[n].row.service, entry->service) == 0)
				standing_scale(&scene->standings[n], count);
	if (i < 0)
		return;
	standing_take(&scene->standings[i], entry);
	double cpu = rate_from_json(entry->json, "cpu_pct");
	if (entry->kind == ENTRY_SAMPLE && cpu >= 0)
		scene->trends[i].values[scene->trends[i].count++ % TREND] = cpu;
}

static struct scene recall(struct recording *recording, uint64_t at_us)
{
	struct scene scene = {
		.standings = memory_zeroed(recording->member_count + 1, sizeof *scene.standings),
		.trends = memory_zeroed(recording->member_count + 1, sizeof *scene.trends),
	};
	uint32_t block = recording_block_at(recording, at_us);
	uint32_t from = recording_recall(recording, earliest_of_trend(recording, block, at_us), scene.standings);
	unsigned kinds = telling_kinds(recording);
	const struct entry *entry;
	uint64_t offset;

	recording_seek(recording, recording->blocks[from].offset);
	while ((entry = recording_next(recording, recording_block_end(recording, block), kinds, &offset)))
		if (entry->ts_us <= at_us)
			take(recording, &scene, entry);
	return scene;
}

static json_t *trend_to_json(const struct trend *trend)
{
	json_t *json = json_array();

	for (unsigned i = trend->count > TREND ? trend->count - TREND : 0; i < trend->count; i++)
		json_array_append_new(json, rate_to_json(trend->values[i % TREND]));
	return json;
}

json_t *then_rows(struct recording *recording, uint64_t at_us)
{
	struct scene scene = recall(recording, at_us);
	json_t *rows = json_array();

	for (size_t i = 0; i < recording->member_count; i++) {
		struct row *row = &scene.standings[i].row;
		if (scene.standings[i].is_gone)
			continue;
		row->uptime_ms = row->started_us && at_us > row->started_us ? (at_us - row->started_us) / 1000 : 0;
		json_t *json = row_to_json(row);
		json_object_set_new(json, "trend", trend_to_json(&scene.trends[i]));
		json_array_append_new(rows, json);
	}
	free(scene.standings);
	free(scene.trends);
	return rows;
}

/* ---- what had happened, and was said ---- */

typedef json_t *picker(const struct entry *entry, const void *context);

static uint32_t count_in(const struct recording_block *block, enum entry_kind kind)
{
	return kind == ENTRY_EVENT ? block->events : block->messages;
}

/* Of one block the newest, in order, before those that are there already. */
static void put_before(struct recording *recording, json_t **list, uint32_t block, enum entry_kind kind, uint64_t at_us, size_t most,
	picker *pick, const void *context)
{
	const struct entry *entry;
	json_t *found = json_array(), *one;
	uint64_t offset;

	recording_seek(recording, recording->blocks[block].offset);
	while ((entry = recording_next(recording, recording_block_end(recording, block), 1u << kind, &offset)))
		if (entry->ts_us <= at_us && (one = pick(entry, context)))
			list_keep(found, one, most);
	json_array_extend(found, *list);
	json_decref(*list);
	*list = found;
}

static json_t *collect(struct recording *recording, enum entry_kind kind, uint64_t at_us, size_t most, picker *pick, const void *context)
{
	json_t *list = json_array();
	uint64_t looked = 0;

	for (uint32_t block = recording_block_at(recording, at_us) + 1; block-- > 0;) {
		if (!count_in(&recording->blocks[block], kind))
			continue;
		put_before(recording, &list, block, kind, at_us, most - json_array_size(list), pick, context);
		looked += recording_block_end(recording, block) - recording->blocks[block].offset;
		if (json_array_size(list) >= most || looked > LOOKED_MOST)
			break;
	}
	return list;
}

static json_t *pick_event(const struct entry *entry, const void *context)
{
	(void)context;
	return json_incref(entry->json);
}

/* They are numbered as they are told: a file may be of several runs, each of which began with 1. */
json_t *then_events(struct recording *recording, uint64_t at_us, size_t most)
{
	json_t *events = collect(recording, ENTRY_EVENT, at_us, most, pick_event, NULL), *event;
	size_t i;

	json_array_foreach(events, i, event) json_object_set_new(event, "seq", json_integer((json_int_t)i + 1));
	return events;
}

struct wanted {
	const char *service;
	int instance; /* below 0: all */
	const struct pattern *filter;
};

/* As it was heard: the message itself is text there. */
static json_t *pick_message(const struct entry *entry, const void *context)
{
	const struct wanted *wanted = context;
	const json_t *beginning = json_object_get(entry->json, "beginning");
	bool is_its = wanted->instance < 0 || (unsigned)wanted->instance == entry->instance;

	if (!is_its || strcmp(entry->service, wanted->service) != 0)
		return NULL;
	char *text = json_is_string(beginning) ? memory_copy(json_string_value(beginning))
					       : json_dumps(json_object_get(entry->json, "message"), JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text || (wanted->filter && !pattern_matches(wanted->filter, text, strlen(text)))) {
		free(text);
		return NULL;
	}
	json_t *json = json_copy(entry->json);
	json_object_del(json, "message");
	json_object_del(json, "beginning");
	json_object_set_new(json, "text", json_string(text));
	if (beginning)
		json_object_set_new(json, "cut", json_true());
	free(text);
	return json;
}

json_t *then_messages(struct recording *recording, uint64_t at_us, size_t most, const char *service, int instance,
	const struct pattern *filter)
{
	struct wanted wanted = { service, instance, filter };

	return collect(recording, ENTRY_IPC, at_us, most, pick_message, &wanted);
}

/* ---- from event to event ---- */

static uint64_t first_after(struct recording *recording, uint32_t block, uint64_t at_us)
{
	const struct entry *entry;
	uint64_t offset;

	recording_seek(recording, recording->blocks[block].offset);
	while ((entry = recording_next(recording, recording_block_end(recording, block), 1u << ENTRY_EVENT, &offset)))
		if (entry->ts_us > at_us)
			return entry->ts_us;
	return 0;
}

uint64_t then_next_event(struct recording *recording, uint64_t at_us, int direction)
{
	uint64_t found = 0;

	if (direction < 0) {
		json_t *last = collect(recording, ENTRY_EVENT, at_us ? at_us - 1 : 0, 1, pick_event, NULL);
		found = time_from_json(json_object_get(json_array_get(last, 0), "ts"));
		json_decref(last);
	}
	for (uint32_t block = recording_block_at(recording, at_us); direction > 0 && !found && block < recording->block_count; block++)
		if (recording->blocks[block].events)
			found = first_after(recording, block, at_us);
	return found ? found : at_us;
}
