#include "replay/deaths.h"

#include <string.h>

#include "protocol/value.h"

enum { LINES = 50,
	SAMPLES = 60,
	BEFORE = 8 * 1024 * 1024, /* of the file, that is looked through for them */
	BEHIND = 256 * 1024 /* what it wrote last may be told after its end */ };

static bool read_death(struct recording *recording, size_t member, const struct recording_death *place, struct death *death)
{
	struct standing then = recording->members[member].standing;
	uint64_t offset;

	recording_seek(recording, place->offset);
	const struct entry *entry = recording_next(recording, place->offset + 1, 1u << ENTRY_EVENT, &offset);
	then.row.life = place->life;
	then.row.pid = 0;
	if (!entry || !standing_death(&then, entry, death))
		return false;
	death->peak_rss = place->peak_rss;
	return true;
}

static unsigned kept(const struct recording_member *member)
{
	return member->death_count < RECORDING_DEATHS ? member->death_count : RECORDING_DEATHS;
}

void deaths_append(struct recording *recording, size_t index, uint64_t since_us, size_t most, json_t *list)
{
	const struct recording_member *member = &recording->members[index];
	unsigned count = kept(member);
	struct death death;

	for (unsigned i = member->death_count - (count < most ? count : (unsigned)most); i < member->death_count; i++)
		if (read_death(recording, index, &member->deaths[i % RECORDING_DEATHS], &death) && death.ended_us > since_us)
			json_array_append_new(list, death_to_json(member->standing.row.service, member->standing.row.instance, &death));
}

/* ---- the record of one ---- */

static void keep_last(json_t *list, json_t *one, size_t most)
{
	json_array_append_new(list, one);
	if (json_array_size(list) > most)
		json_array_remove(list, 0);
}

static json_t *line_to_json(const struct entry *entry)
{
	return json_pack("{s:o,s:s,s:o}", "ts", time_to_json(entry->ts_us), "stream", entry->is_err ? "stderr" : "stdout", "text",
		text_to_json(entry->text, entry->size));
}

static json_t *sample_of(const struct entry *entry)
{
	return json_pack("{s:o,s:O?,s:O?}", "ts", time_to_json(entry->ts_us), "cpu_pct", json_object_get(entry->json, "cpu_pct"), "rss",
		json_object_get(entry->json, "rss"));
}

/* By its pid: what it wrote may be told after its end, and after the start of the one that follows. */
static void read_last(struct recording *recording, const struct row *row, const struct recording_death *place, int32_t pid, json_t *lines,
	json_t *samples)
{
	uint32_t from = recording_block_before(recording, recording_block_of(recording, place->offset), BEFORE);
	const struct entry *entry;
	uint64_t offset;

	recording_seek(recording, recording->blocks[from].offset);
	while ((entry = recording_next(recording, place->offset + BEHIND, 1u << ENTRY_LOG | 1u << ENTRY_SAMPLE, &offset))) {
		if (entry->pid != pid || entry->instance != row->instance || strcmp(entry->service, row->service) != 0)
			continue;
		if (entry->kind == ENTRY_LOG)
			keep_last(lines, line_to_json(entry), LINES);
		else
			keep_last(samples, sample_of(entry), SAMPLES);
	}
}

static const struct recording_death *find(const struct recording_member *member, uint32_t life)
{
	for (unsigned i = member->death_count - kept(member); i < member->death_count; i++)
		if (member->deaths[i % RECORDING_DEATHS].life == life)
			return &member->deaths[i % RECORDING_DEATHS];
	return NULL;
}

json_t *deaths_record(struct recording *recording, size_t index, uint32_t life)
{
	const struct recording_member *member = &recording->members[index];
	const struct recording_death *place = find(member, life);
	const struct row *row = &member->standing.row;
	struct death death;

	if (!place || !read_death(recording, index, place, &death))
		return NULL;
	json_t *json = death_to_json(row->service, row->instance, &death), *lines = json_array(), *samples = json_array();
	read_last(recording, row, place, death.pid, lines, samples);
	json_object_set_new(json, "lines", lines);
	json_object_set_new(json, "samples", samples);
	return json;
}
