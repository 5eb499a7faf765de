#include "tui/log_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void log_source_finish(struct log_source *source)
{
	for (unsigned i = 0; i < LOG_BLOCKS; i++) {
		free(source->blocks[i].bytes);
		free(source->blocks[i].pieces);
		source->blocks[i] = (struct log_block){ 0 };
	}
}

/* ---- blocks ---- */

static uint64_t begin_of(const struct log_block *block)
{
	return block->number * LOG_BLOCK;
}

static const struct log_block *peek(const struct log_source *source, uint64_t number)
{
	for (unsigned i = 0; i < LOG_BLOCKS; i++)
		if (source->blocks[i].used && source->blocks[i].number == number)
			return &source->blocks[i];
	return NULL;
}

static struct log_block *look(struct log_source *source, uint64_t number)
{
	struct log_block *block = (struct log_block *)peek(source, number);

	if (block)
		block->used = ++source->looks;
	return block;
}

static void clear(struct log_block *block, uint32_t from)
{
	block->from = block->size = from;
	block->count = 0;
	block->has_line_end = false;
}

static struct log_block *make_room(struct log_source *source, uint64_t number)
{
	struct log_block *oldest = &source->blocks[0];

	for (unsigned i = 1; i < LOG_BLOCKS; i++)
		if (source->blocks[i].used < oldest->used)
			oldest = &source->blocks[i];
	if (!oldest->bytes)
		oldest->bytes = memory_zeroed(1, LOG_BLOCK);
	oldest->number = number;
	oldest->used = ++source->looks;
	clear(oldest, 0);
	return oldest;
}

/* The pieces are few, or as many as there are milliseconds: room is doubled. */
static void add_piece(struct log_block *block, const struct log_piece *piece)
{
	const struct log_piece *last = block->count ? &block->pieces[block->count - 1] : NULL;
	bool goes_on = last && !last->is_final && !piece->is_final && last->pid == piece->pid && last->time_us == piece->time_us;
	bool is_known = last && last->is_final && piece->is_final && last->at == piece->at;

	if (goes_on || is_known)
		return;
	if ((block->count & (block->count - 1)) == 0)
		block->pieces = memory_resize(block->pieces, block->count ? block->count * 2 : 1, sizeof *block->pieces);
	block->pieces[block->count++] = *piece;
}

void log_source_take(struct log_source *source, const struct chunk *chunk)
{
	uint64_t number = chunk->offset / LOG_BLOCK;
	uint32_t at = (uint32_t)(chunk->offset % LOG_BLOCK);
	struct log_block *block = look(source, number);

	if (chunk->size > LOG_BLOCK - at)
		return; /* more than was asked for */
	if (!block)
		block = make_room(source, number);
	if (at < block->size)
		return; /* known */
	if (at != block->size)
		clear(block, at); /* what lay between is not kept any more */
	add_piece(block, &(struct log_piece){ at, chunk->pid, chunk->time_us, chunk->is_final });
	memcpy(block->bytes + at, chunk->bytes, chunk->size);
	block->has_line_end |= memchr(chunk->bytes, '\n', chunk->size) != NULL;
	block->size += (uint32_t)chunk->size;
}

bool log_source_lacks(const struct log_source *source, uint64_t number, uint64_t *offset, size_t *most)
{
	const struct log_block *block = peek(source, number);
	uint64_t begin = number * LOG_BLOCK, stop = begin + LOG_BLOCK;

	*offset = begin + (block ? block->size : 0);
	*most = (size_t)(stop - *offset);
	if (source->is_fixed && stop > source->end)
		*most = source->end > *offset ? (size_t)(source->end - *offset) : 0;
	return !source->is_gone && *most && *offset < source->end && stop > source->first;
}

static enum log_step want(struct log_source *source, uint64_t offset, int direction)
{
	if (source->is_gone)
		return LOG_NONE;
	source->is_wanted = true;
	source->wanted = offset;
	source->direction = direction;
	return LOG_WAITS;
}

/* ---- where lines begin ---- */

/* Where a line is over though it has no end: there its process closed the stream, or another one wrote. */
static bool is_forced(const struct log_block *block, size_t i)
{
	const struct log_piece *piece = &block->pieces[i];

	return piece->is_final || (i > 0 && !block->pieces[i - 1].is_final && block->pieces[i - 1].pid != piece->pid);
}

/* The number of pieces that begin up to this place. */
static size_t count_up_to(const struct log_block *block, uint64_t at)
{
	size_t low = 0, high = block->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (block->pieces[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first such place above this one and not above `most`; 0: none. */
static uint32_t forced_above(const struct log_block *block, uint32_t at, uint32_t most)
{
	for (size_t i = count_up_to(block, at); i < block->count && block->pieces[i].at <= most; i++)
		if (is_forced(block, i))
			return block->pieces[i].at;
	return 0;
}

/* The last one that is not below `least` and below this one; false: none. */
static bool forced_below(const struct log_block *block, uint32_t at, uint32_t least, uint32_t *found)
{
	for (size_t i = count_up_to(block, at - 1); i > 0 && block->pieces[i - 1].at >= least; i--)
		if (is_forced(block, i - 1)) {
			*found = block->pieces[i - 1].at;
			return true;
		}
	return false;
}

static bool is_forced_at_begin(const struct log_block *block)
{
	uint32_t found;

	return forced_below(block, 1, 0, &found);
}

static bool has_begin_below(const struct log_block *block, uint32_t below, uint32_t *found)
{
	uint32_t stop = below - 1 < block->size ? below - 1 : block->size;
	const char *line_end = stop > block->from ? memrchr(block->bytes + block->from, '\n', stop - block->from) : NULL;
	uint32_t least = line_end ? (uint32_t)(line_end - block->bytes) + 1 : block->from;

	*found = least;
	return forced_below(block, below, least, found) || line_end;
}

/* The last place below this one where a line may begin. */
static enum log_step begin_below(struct log_source *source, uint64_t below, uint64_t *found)
{
	bool is_further = false; /* we are in a block before the one we began with */

	for (uint64_t at = below;; is_further = true) {
		uint32_t place;
		*found = source->first;
		if (at <= source->first + 1)
			return LOG_FOUND;
		struct log_block *next = (at - 1) % LOG_BLOCK ? NULL : look(source, (at - 1) / LOG_BLOCK);
		*found = at - 1;
		if (next && is_forced_at_begin(next))
			return LOG_FOUND;
		/* at - 1 is the first place that does not count; a line end before it is at at - 2 */
		struct log_block *block = look(source, (at - 2) / LOG_BLOCK);
		if (!block || begin_of(block) + block->size < at - 1)
			return want(source, at - 2, -1);
		if (is_further && !block->has_line_end)
			return LOG_FOUND; /* at - 1 */
		if (has_begin_below(block, (uint32_t)(at - begin_of(block)), &place)) {
			*found = begin_of(block) + place;
			return LOG_FOUND;
		}
		if (block->from) {
			*found = begin_of(block) + block->from;
			return LOG_FOUND;
		}
		at = begin_of(block) + 1;
	}
}

enum log_step log_source_floor(struct log_source *source, uint64_t offset, uint64_t *found)
{
	return begin_below(source, offset + 1, found);
}

/* The first place above this one where a line is over. */
static enum log_step end_above(struct log_source *source, uint64_t offset, uint64_t *found)
{
	for (uint64_t at = offset;;) {
		if (at >= source->end && at == offset)
			return LOG_NONE;
		struct log_block *block = look(source, at / LOG_BLOCK);
		if (block && at > offset && is_forced_at_begin(block)) {
			*found = at;
			return LOG_FOUND;
		}
		if (at >= source->end)
			return LOG_NONE;
		uint32_t place = (uint32_t)(at % LOG_BLOCK);
		if (!block || block->size <= place)
			return want(source, at, 1);
		const char *line_end = memchr(block->bytes + place, '\n', block->size - place);
		uint32_t stop = line_end ? (uint32_t)(line_end - block->bytes) + 1 : block->size;
		uint32_t forced = forced_above(block, place, stop);
		if (forced || line_end) {
			*found = begin_of(block) + (forced ? forced : stop);
			return LOG_FOUND;
		}
		at = begin_of(block) + block->size;
		if (block->size < LOG_BLOCK)
			return at < source->end ? want(source, at, 1) : LOG_NONE;
		*found = at;
		if (!block->has_line_end)
			return LOG_FOUND;
	}
}

/* ---- lines ---- */

static uint64_t time_at(struct log_source *source, uint64_t offset)
{
	const struct log_block *block = look(source, offset / LOG_BLOCK);
	size_t count = block ? count_up_to(block, offset - begin_of(block)) : 0;

	return count ? block->pieces[count - 1].time_us : 0;
}

static enum log_step place_line(struct log_source *source, uint64_t from, uint64_t to, struct log_place *found)
{
	*found = (struct log_place){ from, time_at(source, from), (uint32_t)(to - from) };
	return LOG_FOUND;
}

enum log_step log_source_after(struct log_source *source, uint64_t offset, struct log_place *found)
{
	uint64_t from = offset > source->first ? offset : source->first, to = 0;
	enum log_step step = end_above(source, from, &to);

	return step == LOG_FOUND ? place_line(source, from, to, found) : step;
}

enum log_step log_source_before(struct log_source *source, uint64_t offset, struct log_place *found)
{
	uint64_t from = 0;

	if (offset <= source->first)
		return LOG_NONE;
	enum log_step step = begin_below(source, offset, &from);
	return step == LOG_FOUND ? place_line(source, from, offset, found) : step;
}

static size_t without_end(const char *text, size_t size)
{
	if (size && text[size - 1] == '\n')
		size--;
	return size && text[size - 1] == '\r' ? size - 1 : size; /* a terminal ends its lines so */
}

static const char *gather(struct log_source *source, const struct log_place *place, struct text *spare, size_t *size)
{
	uint64_t stop = place->offset + place->size;

	text_clear(spare);
	for (uint64_t at = place->offset; at < stop;) {
		const struct log_block *block = look(source, at / LOG_BLOCK);
		uint64_t end = block ? begin_of(block) + block->size : 0;
		if (end <= at || begin_of(block) + block->from > at)
			return NULL;
		uint64_t part = (end < stop ? end : stop) - at;
		text_append(spare, block->bytes + (at - begin_of(block)), (size_t)part);
		at += part;
	}
	*size = without_end(text_string(spare), spare->size);
	return text_string(spare);
}

const char *log_source_text(struct log_source *source, const struct log_place *place, struct text *spare, size_t *size)
{
	const struct log_block *block = look(source, place->offset / LOG_BLOCK);
	uint64_t at = place->offset % LOG_BLOCK;

	if (block && block->from <= at && at + place->size <= block->size) {
		*size = without_end(block->bytes + at, place->size);
		return block->bytes + at;
	}
	const char *text = gather(source, place, spare, size);
	if (!text)
		want(source, place->offset, 1);
	return text;
}
