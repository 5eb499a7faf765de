#include "replay/reel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

void reel_init(struct reel *reel, int fd)
{
	*reel = (struct reel){ .fd = fd, .room = memory_zeroed(1, REEL_ROOM) };
}

void reel_finish(struct reel *reel)
{
	free(reel->room);
	reel->room = NULL;
}

void reel_seek(struct reel *reel, uint64_t offset)
{
	if (offset >= reel->from && offset <= reel->from + reel->size) {
		reel->at = (size_t)(offset - reel->from);
		return;
	}
	reel->from = offset;
	reel->at = reel->size = 0;
}

/* Make room before what was not handed out yet, and fill it. False: nothing came. */
static bool fill(struct reel *reel)
{
	ssize_t got;

	if (reel->at) {
		memmove(reel->room, reel->room + reel->at, reel->size - reel->at);
		reel->from += reel->at;
		reel->size -= reel->at;
		reel->at = 0;
	}
	do
		got = pread(reel->fd, reel->room + reel->size, REEL_ROOM - reel->size, (off_t)(reel->from + reel->size));
	while (got < 0 && errno == EINTR);
	if (got > 0)
		reel->size += (size_t)got;
	return got > 0;
}

/* What is left of a line that is too long is passed over. */
static void drop_line(struct reel *reel)
{
	for (;;) {
		const char *end = memchr(reel->room + reel->at, '\n', reel->size - reel->at);
		reel->at = end ? (size_t)(end - reel->room) + 1 : reel->size;
		if (end || !fill(reel))
			return;
	}
}

bool reel_next(struct reel *reel, struct reel_line *line)
{
	size_t looked = 0;

	for (;;) {
		char *from = reel->room + reel->at, *end = memchr(from + looked, '\n', reel->size - reel->at - looked);
		*line = (struct reel_line){ .offset = reel->from + reel->at, .text = from };
		if (end) {
			line->size = (size_t)(end - from);
			reel->at += line->size + 1;
			line->text = line->size > REEL_LINE_MOST ? NULL : from;
			return true;
		}
		looked = reel->size - reel->at;
		if (looked > REEL_LINE_MOST) {
			line->text = NULL;
			drop_line(reel);
			return true;
		}
		if (fill(reel))
			continue;
		line->text = reel->room + reel->at;
		line->size = looked;
		line->is_cut = true;
		reel->at = reel->size;
		return looked > 0;
	}
}
