#include "engine/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "engine/lastwords.h"
#include "protocol/value.h"

enum { TENTH_US = 100000 };

static bool note_newest(void *context, const char *line, size_t size)
{
	struct recorder *recorder = context;

	if (line[size - 1] == '\n')
		snprintf(recorder->newest, sizeof recorder->newest, "%.*s", (int)size, line);
	return false;
}

void recorder_open(struct recorder *recorder, const char *dir)
{
	ledger_open(&recorder->ledger, dir, "deaths.jsonl", RECORDER_MOST);
	ledger_read(&recorder->ledger, note_newest, recorder);
}

void recorder_close(struct recorder *recorder)
{
	ledger_close(&recorder->ledger);
}

static uint64_t time_of(const struct recording *recording, unsigned number)
{
	return recording->began_us +
	       recording->samples[number % RECORDER_SAMPLES].tenths * (uint64_t)TENTH_US;
}

static struct recorded_sample make_sample(
	const struct recording *recording, const struct sample *sample, uint64_t now_us)
{
	return (struct recorded_sample){
		.tenths = (uint32_t)((now_us - recording->began_us) / TENTH_US),
		.rss_kib = sample->rss == SAMPLE_UNKNOWN ? UINT32_MAX : (uint32_t)(sample->rss / 1024),
		.cpu_pct = (float)sample->cpu_pct,
	};
}

void recorder_sample(struct member *member, const struct sample *sample, uint64_t now_us)
{
	struct recording *recording = member->recording;

	if (!recording)
		recording = member->recording = memory_zeroed(1, sizeof *recording);
	bool has_newest = recording->pid == sample->pid && recording->count;
	uint64_t newest_us = has_newest ? time_of(recording, recording->count - 1) : 0;
	if (!has_newest || now_us < newest_us) /* another process, or the clock was set back */
		*recording = (struct recording){ .pid = sample->pid, .began_us = now_us };
	else if (now_us - newest_us < RECORDER_STEP_MS * 1000ull)
		return;
	recording->samples[recording->count++ % RECORDER_SAMPLES] =
		make_sample(recording, sample, now_us);
}

static json_t *sample_of(const struct recording *recording, unsigned number)
{
	const struct recorded_sample *sample = &recording->samples[number % RECORDER_SAMPLES];
	json_int_t rss = (json_int_t)sample->rss_kib * 1024;

	return json_pack("{s:o,s:o,s:o}", "ts", time_to_json(time_of(recording, number)), "cpu_pct",
		json_real((double)(int)(sample->cpu_pct * 10 + 0.5f) / 10), "rss",
		sample->rss_kib == UINT32_MAX ? json_null() : json_integer(rss));
}

static json_t *samples_of(const struct recording *recording, const struct death *death)
{
	json_t *list = json_array();
	unsigned count = recording && recording->pid == death->pid ? recording->count : 0;

	for (unsigned i = count > RECORDER_SAMPLES ? count - RECORDER_SAMPLES : 0; i < count; i++)
		if (time_of(recording, i) + RECORDER_SPAN_MS * 1000ull >= death->ended_us)
			json_array_append_new(list, sample_of(recording, i));
	return list;
}

static json_t *key_of(const char *service, unsigned instance, const struct death *death)
{
	return json_pack("{s:s,s:i,s:I,s:i,s:o}", "service", service, "instance", (int)instance,
		"life", (json_int_t)death->life, "pid", (int)death->pid, "started",
		time_to_json(death->started_us));
}

/* How the line of its record begins: all of the key but the brace at the end. */
struct beginning {
	char text[RECORDER_KEY_SIZE];
	size_t size;
};

static struct beginning beginning_of(
	const char *service, unsigned instance, const struct death *death)
{
	struct beginning beginning;
	json_t *key = key_of(service, instance, death);

	size_t size = json_dumpb(key, beginning.text, sizeof beginning.text, JSON_COMPACT);
	CHECK(size && size <= sizeof beginning.text);
	beginning.size = size - 1;
	json_decref(key);
	return beginning;
}

/* No other line is parsed. */
struct search {
	struct beginning beginning;
	json_t *found;
};

static bool compare(void *context, const char *line, size_t size)
{
	struct search *search = context;
	const struct beginning *beginning = &search->beginning;

	if (size > beginning->size && memcmp(line, beginning->text, beginning->size) == 0)
		search->found = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
	return !search->found;
}

json_t *recorder_read(const struct recorder *recorder, const char *service, unsigned instance,
	const struct death *death)
{
	struct search search = { beginning_of(service, instance, death), NULL };

	ledger_read(&recorder->ledger, compare, &search);
	return search.found;
}

/* A former engine may have kept it as the last thing that it did. */
static bool is_kept(const struct recorder *recorder, const struct member *member)
{
	struct beginning beginning =
		beginning_of(member->now.service, member->now.index, &member->now.death);

	return strncmp(recorder->newest, beginning.text, beginning.size) == 0;
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
