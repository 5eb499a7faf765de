#include "replay/deaths.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
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

struct found {
	size_t member;
	const struct recording_death *death;
};

static int compare_places(const void *a, const void *b)
{
	const struct found *one = a, *other = b;

	return one->death->offset < other->death->offset ? -1 : one->death->offset > other->death->offset;
}

/* In the order of the file; free(). */
static struct found *find_all(const struct recording *recording, const bool *is_wanted, size_t *count)
{
	struct found *all = NULL;

	*count = 0;
	for (size_t i = 0; i < recording->member_count; i++) {
		const struct recording_member *member = &recording->members[i];
		unsigned more = is_wanted[i] ? kept(member) : 0;
		all = memory_resize(all, *count + more + 1, sizeof *all);
		for (unsigned n = 0; n < more; n++)
			all[(*count)++] = (struct found){ i, &member->deaths[n] };
	}
	if (*count)
		qsort(all, *count, sizeof *all, compare_places);
	return all;
}

json_t *deaths_list(struct recording *recording, const bool *is_wanted, uint64_t since_us, size_t most)
{
	json_t *list = json_array();
	struct death death;
	size_t count;
	struct found *all = find_all(recording, is_wanted, &count);

	for (size_t i = count > most ? count - most : 0; i < count; i++) {
		const struct row *row = &recording->members[all[i].member].standing.row;
		if (read_death(recording, all[i].member, all[i].death, &death) && death.ended_us > since_us)
			json_array_append_new(list, death_to_json(row->service, row->instance, &death));
	}
	free(all);
	return list;
}

/* ---- the record of one ---- */

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
			list_keep(lines, line_to_json(entry), LINES);
		else
			list_keep(samples, sample_of(entry), SAMPLES);
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
