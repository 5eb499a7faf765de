#include "engine/disk_cap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"

enum { PATH_SIZE = 4096,
	TELL_AGAIN_US = 60 * 1000000 };

struct closed_segment {
	const struct logfile *log; /* borrowed */
	unsigned number;
	uint64_t size;
	struct timespec changed;
};

struct pile {
	struct closed_segment *segments; /* owned */
	size_t count, room;
	uint64_t size; /* of all, those being written too */
};

static void add_segment(struct pile *pile, const struct logfile *log, unsigned number, const struct stat *st)
{
	if (pile->count == pile->room) {
		pile->room = pile->room ? pile->room * 2 : 64;
		pile->segments = memory_resize(pile->segments, pile->room, sizeof *pile->segments);
	}
	pile->segments[pile->count++] =
		(struct closed_segment){ log, number, (uint64_t)st->st_size, st->st_mtim };
	pile->size += (uint64_t)st->st_size;
}

static void add_log(struct pile *pile, const struct logfile *log)
{
	char path[PATH_SIZE];
	struct stat st;

	if (!log->path)
		return;
	pile->size += log->position;
	for (unsigned number = 1; number <= log->max_files; number++) {
		snprintf(path, sizeof path, "%s.%u", log->path, number);
		if (stat(path, &st) < 0)
			return;
		add_segment(pile, log, number, &st);
	}
}

/* Of one log the one with the larger number is the older, even when both were closed at the same time. */
static int compare_age(const void *a, const void *b)
{
	const struct closed_segment *one = a, *other = b;

	if (one->changed.tv_sec != other->changed.tv_sec)
		return one->changed.tv_sec < other->changed.tv_sec ? -1 : 1;
	if (one->changed.tv_nsec != other->changed.tv_nsec)
		return one->changed.tv_nsec < other->changed.tv_nsec ? -1 : 1;
	return (int)other->number - (int)one->number;
}

static void remove_segment(const struct closed_segment *segment)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof path, "%s.%u", segment->log->path, segment->number);
	unlink(path);
	snprintf(path, sizeof path, "%s.%u.idx", segment->log->path, segment->number);
	unlink(path);
}

static void tell(struct engine *engine, size_t count, uint64_t freed)
{
	char cap[UNITS_TEXT_SIZE], size[UNITS_TEXT_SIZE];
	uint64_t now_us = clock_monotonic_us();

	if (engine->cap_told_us && now_us - engine->cap_told_us < TELL_AGAIN_US)
		return;
	engine->cap_told_us = now_us;
	units_format_size(cap, engine->project.spec->log_cap);
	units_format_size(size, freed);
	engine_tell(engine, "logs are over log.disk_cap (%s): the oldest %zu closed segments, %s, were removed", cap,
		count, size);
}

void disk_cap_apply(struct engine *engine)
{
	struct pile pile = { 0 };
	uint64_t cap = engine->project.spec->log_cap, before;
	size_t removed = 0;

	if (!cap)
		return;
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		for (enum stream i = 0; engine->members[seat] && i < STREAM_COUNT; i++)
			add_log(&pile, &engine->members[seat]->logs[i]);
	qsort(pile.segments, pile.count, sizeof *pile.segments, compare_age);
	before = pile.size;
	while (pile.size > cap && removed < pile.count) {
		remove_segment(&pile.segments[removed]);
		pile.size -= pile.segments[removed++].size;
	}
	if (removed)
		tell(engine, removed, before - pile.size);
	free(pile.segments);
}
