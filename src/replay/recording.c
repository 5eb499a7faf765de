#include "replay/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

/* ---- who is in it ---- */

static int compare_names(const struct standing *standing, const char *service, unsigned instance)
{
	int order = strcmp(standing->row.service, service);

	return order ? order : standing->row.instance < instance ? -1
								 : standing->row.instance > instance;
}

/* Where in the order of names it is, or belongs. */
static size_t place_of(const struct recording *recording, const char *service, unsigned instance)
{
	size_t low = 0, high = recording->member_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct recording_member *member = &recording->members[recording->order[middle]];
		if (compare_names(&member->standing, service, instance) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int recording_find(struct recording *recording, const char *service, unsigned instance)
{
	size_t last = recording->last_found;

	if (last < recording->member_count && compare_names(&recording->members[last].standing, service, instance) == 0)
		return (int)last; /* lines of one come one after the other */
	size_t place = place_of(recording, service, instance);
	if (place == recording->member_count)
		return -1;
	size_t found = recording->order[place];
	if (compare_names(&recording->members[found].standing, service, instance) != 0)
		return -1;
	recording->last_found = found;
	return (int)found;
}

/* NULL: there are too many. */
static struct recording_member *know(struct recording *recording, const struct entry *entry)
{
	int found = recording_find(recording, entry->service, entry->instance);
	size_t count = recording->member_count;

	if (found >= 0)
		return &recording->members[found];
	if (count == RECORDING_INSTANCES)
		return NULL;
	size_t place = place_of(recording, entry->service, entry->instance);
	if ((count & (count - 1)) == 0) {
		recording->members = memory_resize(recording->members, count ? count * 2 : 1, sizeof *recording->members);
		recording->order = memory_resize(recording->order, count ? count * 2 : 1, sizeof *recording->order);
	}
	memmove(recording->order + place + 1, recording->order + place, (count - place) * sizeof *recording->order);
	recording->order[place] = (unsigned)count;
	recording->member_count++;
	recording->members[count] = (struct recording_member){ 0 };
	standing_begin(&recording->members[count].standing, entry->service, entry->instance);
	return &recording->members[count];
}

/* ---- what is kept of each ---- */

static void add_bytes(struct recording_stream *stream, uint32_t block, size_t size)
{
	if (!stream->count || stream->runs[stream->count - 1].block != block) {
		if ((stream->count & (stream->count - 1)) == 0)
			stream->runs = memory_resize(stream->runs, stream->count ? stream->count * 2 : 1, sizeof *stream->runs);
		stream->runs[stream->count++] = (struct recording_run){ block, stream->end };
	}
	stream->end += size + 1; /* the end of the line */
}

static void add_death(struct recording_member *member, uint64_t offset)
{
	if (!member->deaths)
		member->deaths = memory_zeroed(RECORDING_DEATHS, sizeof *member->deaths);
	member->deaths[member->death_count++ % RECORDING_DEATHS] =
		(struct recording_death){ offset, member->peak_rss, member->standing.row.life };
	member->peak_rss = 0;
}

static void take_rss(struct recording_member *member)
{
	const struct sample *sample = &member->standing.row.sample;

	if (sample->pid && sample->rss != SAMPLE_UNKNOWN && sample->rss > member->peak_rss)
		member->peak_rss = sample->rss;
}

static void scale(struct recording *recording, const char *service, unsigned count)
{
	for (size_t i = 0; i < recording->member_count; i++)
		if (strcmp(recording->members[i].standing.row.service, service) == 0)
			standing_scale(&recording->members[i].standing, count);
}

static void take_entry(struct recording *recording, const struct entry *entry, uint64_t offset)
{
	struct recording_block *block = &recording->blocks[recording->block_count - 1];
	struct recording_member *member = entry->service[0] ? know(recording, entry) : NULL;
	struct death death;
	unsigned count;

	recording->entries++;
	recording->first_us = recording->first_us ? recording->first_us : entry->ts_us;
	if (entry->ts_us > block->last_us)
		block->last_us = recording->last_us = entry->ts_us;
	block->events += entry->kind == ENTRY_EVENT;
	block->messages += entry->kind == ENTRY_IPC;
	if (standing_count(entry, &count))
		scale(recording, entry->service, count);
	if (!member) {
		recording->left_out += entry->service[0] != '\0';
		return;
	}
	if (entry->kind == ENTRY_LOG)
		add_bytes(&member->streams[entry->is_err], (uint32_t)recording->block_count - 1, entry->size);
	else if (standing_death(&member->standing, entry, &death))
		add_death(member, offset);
	standing_take(&member->standing, entry);
	take_rss(member);
}

/* ---- places where all is known ---- */

static void drop_place(struct recording *recording, size_t i)
{
	recording->place_bytes -= recording->places[i].count * sizeof(struct standing);
	free(recording->places[i].standings);
}

/* Every second one, when they take too much. */
static void thin_places(struct recording *recording)
{
	size_t kept = 0;

	for (size_t i = 0; i < recording->place_count; i++) {
		if (i % 2)
			drop_place(recording, i);
		else
			recording->places[kept++] = recording->places[i];
	}
	recording->place_count = kept;
	recording->stride *= 2;
}

static void mark_place(struct recording *recording, uint32_t block)
{
	struct recording_place place = { block, NULL, recording->member_count };

	place.standings = memory_zeroed(place.count + 1, sizeof *place.standings);
	for (size_t i = 0; i < place.count; i++)
		place.standings[i] = recording->members[i].standing;
	recording->places = memory_resize(recording->places, recording->place_count + 1, sizeof *recording->places);
	recording->places[recording->place_count++] = place;
	recording->place_bytes += place.count * sizeof(struct standing);
	if (recording->place_bytes > RECORDING_STANDINGS_MOST)
		thin_places(recording);
}

uint32_t recording_recall(const struct recording *recording, uint32_t block, struct standing *standings)
{
	size_t i = recording->place_count - 1;

	while (i > 0 && recording->places[i].block > block)
		i--;
	const struct recording_place *place = &recording->places[i];
	memcpy(standings, place->standings, place->count * sizeof *standings);
	for (size_t n = place->count; n < recording->member_count; n++) {
		const struct row *row = &recording->members[n].standing.row;
		standing_begin(&standings[n], row->service, row->instance);
		standings[n].is_gone = true; /* until something is told of it */
	}
	return place->block;
}

/* ---- blocks ---- */

static void begin_block(struct recording *recording, uint64_t offset)
{
	size_t count = recording->block_count;

	if ((count & (count - 1)) == 0)
		recording->blocks = memory_resize(recording->blocks, count ? count * 2 : 1, sizeof *recording->blocks);
	recording->blocks[count] = (struct recording_block){ .offset = offset, .last_us = recording->last_us };
	recording->block_count++;
	if (count % recording->stride == 0)
		mark_place(recording, (uint32_t)count);
}

uint32_t recording_block_at(const struct recording *recording, uint64_t us)
{
	size_t low = 0, high = recording->block_count - 1;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (recording->blocks[middle].last_us > us)
			high = middle;
		else
			low = middle + 1;
	}
	return (uint32_t)low;
}

uint32_t recording_block_of(const struct recording *recording, uint64_t offset)
{
	size_t low = 0, high = recording->block_count - 1;

	while (low < high) {
		size_t middle = (low + high + 1) / 2;
		if (recording->blocks[middle].offset > offset)
			high = middle - 1;
		else
			low = middle;
	}
	return (uint32_t)low;
}

uint64_t recording_block_end(const struct recording *recording, uint32_t block)
{
	return block + 1 < recording->block_count ? recording->blocks[block + 1].offset : recording->size;
}

uint32_t recording_block_before(const struct recording *recording, uint32_t block, uint64_t bytes)
{
	uint32_t from = block;

	while (from > 0 && recording->blocks[block].offset - recording->blocks[from - 1].offset <= bytes)
		from--;
	return from;
}

/* ---- reading ---- */

void recording_seek(struct recording *recording, uint64_t offset)
{
	reel_seek(&recording->reel, offset);
}

const struct entry *recording_next(struct recording *recording, uint64_t end, unsigned kinds, uint64_t *offset)
{
	struct reel_line line;

	while (recording->reel.from + recording->reel.at < end && reel_next(&recording->reel, &line)) {
		*offset = line.offset;
		if (line.text && entry_read(&recording->entry, line.text, line.size, kinds) == ENTRY_FOUND)
			return &recording->entry;
	}
	return NULL;
}

/* ---- looking through it ---- */

static uint64_t block_size(uint64_t size)
{
	uint64_t share = size / RECORDING_BLOCKS;

	return share < RECORDING_BLOCK_LEAST ? RECORDING_BLOCK_LEAST : share > RECORDING_BLOCK_MOST ? RECORDING_BLOCK_MOST
												    : share;
}

/* The last line may be half of one: whoever wrote it was stopped, or writes on. */
static void take_line(struct recording *recording, const struct reel_line *line, uint64_t number)
{
	enum entry_found found = ENTRY_NONE;

	if (line->text && line->size)
		found = entry_read(&recording->entry, line->text, line->size, ENTRY_ALL);
	if (found == ENTRY_FOUND)
		take_entry(recording, &recording->entry, line->offset);
	recording->is_cut = line->is_cut && found == ENTRY_NONE;
	if (found != ENTRY_NONE || recording->is_cut || (line->text && !line->size))
		return;
	recording->garbled_at = recording->garbled++ ? recording->garbled_at : number;
}

static bool look_through(struct recording *recording, recording_progress *on_progress, void *context, struct error *err)
{
	uint64_t most = block_size(recording->size), begin = 0;
	struct reel_line line;

	begin_block(recording, 0);
	for (uint64_t number = 1; reel_next(&recording->reel, &line) && line.offset < recording->size; number++) {
		if (line.offset - begin >= most) {
			begin = line.offset;
			begin_block(recording, begin);
			if (!on_progress(context, begin, recording->size))
				return error_set(err, EINTR, "interrupted");
		}
		take_line(recording, &line, number);
	}
	return true;
}

static bool open_file(struct recording *recording, const char *path, struct error *err)
{
	struct stat status;

	recording->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (recording->fd < 0 || fstat(recording->fd, &status) < 0)
		return error_errno(err, "%s", path);
	if (!S_ISREG(status.st_mode))
		return error_set(err, 0, "%s is no regular file; what comes from a pipe has to be written to one first", path);
	recording->size = (uint64_t)status.st_size;
	return true;
}

static bool check(const struct recording *recording, const char *path, struct error *err)
{
	if (recording->entries)
		return true;
	return error_set(err, 0,
		"%s%s: no record of headless output is in it; `thrum up --headless --format json --samples 1s --ipc > FILE` writes them",
		path, recording->size ? ":1" : "");
}

bool recording_open(struct recording *recording, const char *path, recording_progress *on_progress, void *context, struct error *err)
{
	*recording = (struct recording){ .fd = -1, .stride = 1 };
	entry_init(&recording->entry);
	if (!open_file(recording, path, err))
		return false;
	reel_init(&recording->reel, recording->fd);
	return look_through(recording, on_progress, context, err) && check(recording, path, err);
}

void recording_finish(struct recording *recording)
{
	for (size_t i = 0; i < recording->member_count; i++) {
		free(recording->members[i].streams[0].runs);
		free(recording->members[i].streams[1].runs);
		free(recording->members[i].deaths);
	}
	for (size_t i = 0; i < recording->place_count; i++)
		free(recording->places[i].standings);
	free(recording->places);
	free(recording->members);
	free(recording->order);
	free(recording->blocks);
	reel_finish(&recording->reel);
	entry_finish(&recording->entry);
	close_if_open(recording->fd);
}
