#include "replay/logs.h"

#include <string.h>

#include "base/memory.h"
#include "protocol/chunk.h"

/* ---- how much there was ---- */

/* The run in which this byte is, or the last one before it: there is one. */
static const struct recording_run *run_at(const struct recording_stream *stream, uint64_t offset)
{
	size_t low = 0, high = stream->count - 1;

	while (low < high) {
		size_t middle = (low + high + 1) / 2;
		if (stream->runs[middle].offset > offset)
			high = middle - 1;
		else
			low = middle;
	}
	return &stream->runs[low];
}

/* What lies before a block. */
static uint64_t end_before(const struct recording_stream *stream, uint32_t block)
{
	size_t low = 0, high = stream->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (stream->runs[middle].block < block)
			low = middle + 1;
		else
			high = middle;
	}
	return low < stream->count ? stream->runs[low].offset : stream->end;
}

uint64_t *logs_ends(struct recording *recording, uint64_t at_us)
{
	uint64_t *ends = memory_zeroed(recording->member_count * 2 + 1, sizeof *ends), offset;
	uint32_t block = recording_block_at(recording, at_us);
	const struct entry *entry;

	for (size_t i = 0; i < recording->member_count * 2; i++)
		ends[i] = end_before(&recording->members[i / 2].streams[i % 2], block);
	recording_seek(recording, recording->blocks[block].offset);
	while ((entry = recording_next(recording, recording_block_end(recording, block), 1u << ENTRY_LOG, &offset))) {
		int i = recording_find(recording, entry->service, entry->instance);
		if (i >= 0 && entry->ts_us <= at_us)
			ends[i * 2 + entry->is_err] += entry->size + 1;
	}
	return ends;
}

/* ---- bytes ---- */

/* Lines that came at one time from one process are told together. */
struct gathering {
	json_t *chunks;
	struct text bytes;
	struct chunk chunk;
	uint64_t from, end; /* of what is asked for */
};

static void tell(struct gathering *gathering)
{
	struct chunk *chunk = &gathering->chunk;

	chunk->bytes = text_string(&gathering->bytes);
	chunk->size = gathering->bytes.size;
	if (chunk->size)
		json_array_append_new(gathering->chunks, chunk_to_json(chunk));
	text_clear(&gathering->bytes);
}

static void gather(struct gathering *gathering, const struct entry *entry, uint64_t at)
{
	struct chunk *chunk = &gathering->chunk;
	uint64_t from = at > gathering->from ? at : gathering->from, stop = at + entry->size + 1;
	size_t skipped = (size_t)(from - at), size = (size_t)((stop < gathering->end ? stop : gathering->end) - from);

	if (chunk->pid != entry->pid || chunk->time_us != entry->ts_us)
		tell(gathering);
	if (!gathering->bytes.size)
		*chunk = (struct chunk){ .offset = from, .time_us = entry->ts_us, .pid = entry->pid };
	bool has_end = skipped + size == entry->size + 1;
	text_append(&gathering->bytes, entry->text + skipped, has_end ? size - 1 : size);
	if (has_end)
		text_putc(&gathering->bytes, '\n');
}

/* On from where the last reading ended, or from the beginning of the block. */
static uint64_t begin(struct recording *recording, const struct recording_stream *stream, const struct recording_run *run, uint64_t offset)
{
	bool goes_on = stream->resume <= offset && stream->resume > run->offset;

	recording_seek(recording, goes_on ? stream->resume_at : recording->blocks[run->block].offset);
	return goes_on ? stream->resume : run->offset;
}

json_t *logs_chunks(struct recording *recording, size_t member, bool is_err, uint64_t offset, size_t most, uint64_t *next)
{
	struct recording_stream *stream = &recording->members[member].streams[is_err];
	const struct row *row = &recording->members[member].standing.row;
	struct gathering gathering = { .chunks = json_array(), .from = offset, .end = offset + most };
	const struct entry *entry;
	uint64_t place;

	*next = offset;
	if (!stream->count || offset >= stream->end)
		return gathering.chunks;
	text_init(&gathering.bytes, CHUNK_MOST);
	const struct recording_run *run = run_at(stream, offset);
	uint64_t at = begin(recording, stream, run, offset), end = recording_block_end(recording, run->block);
	while (at < gathering.end && (entry = recording_next(recording, end, 1u << ENTRY_LOG, &place))) {
		if (entry->is_err != is_err || entry->instance != row->instance || strcmp(entry->service, row->service) != 0)
			continue;
		uint64_t stop = at + entry->size + 1;
		if (stop > offset)
			gather(&gathering, entry, at);
		stream->resume = stop <= gathering.end ? stop : at;
		stream->resume_at = stop <= gathering.end ? recording->reel.from + recording->reel.at : place;
		at = stop;
	}
	tell(&gathering);
	text_finish(&gathering.bytes);
	*next = at < gathering.end ? at : gathering.end;
	return gathering.chunks;
}
