#include "engine/recorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/lastwords.h"
#include "protocol/value.h"

enum { KEY_SIZE = 256 };

void recorder_open(struct recorder *recorder, const char *dir)
{
	recorder->opened_us = clock_wall_us();
	ledger_open(&recorder->ledger, dir, "deaths.jsonl", RECORDER_MOST);
}

void recorder_close(struct recorder *recorder)
{
	ledger_close(&recorder->ledger);
}

static struct recorded_sample *newest_sample(struct recording *recording)
{
	return &recording->samples[(recording->count - 1) % RECORDER_SAMPLES];
}

void recorder_sample(struct member *member, const struct sample *sample, uint64_t now_us)
{
	struct recording *recording = member->recording;

	if (!recording)
		recording = member->recording = memory_zeroed(1, sizeof *recording);
	if (recording->pid != sample->pid)
		*recording = (struct recording){ .pid = sample->pid };
	if (recording->count &&
		now_us - newest_sample(recording)->time_us < RECORDER_STEP_MS * 1000ull)
		return;
	recording->count++;
	*newest_sample(recording) = (struct recorded_sample){ now_us, sample->rss,
		(float)sample->cpu_pct };
}

static json_t *samples_of(const struct recording *recording, const struct death *death)
{
	json_t *list = json_array();

	if (!recording || recording->pid != death->pid)
		return list;
	unsigned first =
		recording->count > RECORDER_SAMPLES ? recording->count - RECORDER_SAMPLES : 0;
	for (unsigned i = first; i < recording->count; i++) {
		const struct recorded_sample *sample = &recording->samples[i % RECORDER_SAMPLES];
		if (sample->time_us + RECORDER_SPAN_MS * 1000ull < death->ended_us)
			continue;
		bool has_rss = sample->rss != SAMPLE_UNKNOWN;
		json_array_append_new(list,
			json_pack("{s:o,s:o,s:o}", "ts", time_to_json(sample->time_us), "cpu_pct",
				json_real((double)(int)(sample->cpu_pct * 10 + 0.5f) / 10), "rss",
				has_rss ? json_integer((json_int_t)sample->rss) : json_null()));
	}
	return list;
}

static json_t *key_of(const char *service, unsigned instance, const struct death *death)
{
	return json_pack("{s:s,s:i,s:I,s:i,s:o}", "service", service, "instance", (int)instance,
		"life", (json_int_t)death->life, "pid", (int)death->pid, "started",
		time_to_json(death->started_us));
}

/* A record is found by how its line begins: no other line is parsed. */
struct search {
	char key[KEY_SIZE];
	size_t size;
	json_t *found;
	bool only_newest;
};

static bool compare(void *context, const char *line, size_t size)
{
	struct search *search = context;

	if (size > search->size && memcmp(line, search->key, search->size) == 0)
		search->found = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
	return !search->found && !search->only_newest;
}

static json_t *find(const struct recorder *recorder, const char *service, unsigned instance,
	const struct death *death, bool only_newest)
{
	struct search search = { .only_newest = only_newest };
	json_t *key = key_of(service, instance, death);

	/* all but the brace at the end */
	search.size = json_dumpb(key, search.key, sizeof search.key, JSON_COMPACT);
	search.size = search.size <= sizeof search.key ? search.size - 1 : 0;
	json_decref(key);
	if (search.size)
		ledger_read(&recorder->ledger, compare, &search);
	return search.found;
}

/* Only the newest record can be of a death that a former engine did not live to note. */
static bool is_kept(const struct recorder *recorder, const struct member *member)
{
	const struct death *death = &member->now.death;

	if (death->ended_us >= recorder->opened_us)
		return false;
	json_t *found = find(recorder, member->now.service, member->now.index, death, true);
	json_decref(found);
	return found;
}

bool recorder_add(struct recorder *recorder, const struct member *member, struct error *err)
{
	const struct death *death = &member->now.death;

	if (is_kept(recorder, member))
		return true;
	json_t *record = key_of(member->now.service, member->now.index, death);
	json_object_set_new(record, "lines", lastwords_of(member, death->pid));
	json_object_set_new(record, "samples", samples_of(member->recording, death));
	char *line = json_dumps(record, JSON_COMPACT);
	json_decref(record);
	bool ok = ledger_add(&recorder->ledger, line, err);
	free(line);
	return ok;
}

json_t *recorder_read(const struct recorder *recorder, const char *service, unsigned instance,
	const struct death *death)
{
	return find(recorder, service, instance, death, false);
}
