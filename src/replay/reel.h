/* The lines of a large file, from any place on, a piece of it in memory at a time. */
#ifndef REPLAY_REEL_H
#define REPLAY_REEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REEL_LINE_MOST = 1024 * 1024, /* of a longer line nothing is told, but that it is there */
	REEL_ROOM = 2 * REEL_LINE_MOST };

struct reel {
	int fd;
	char *room;    /* owned; REEL_ROOM */
	uint64_t from; /* where in the file it begins */
	size_t at, size;
};

/* What lies between two line ends. */
struct reel_line {
	uint64_t offset;
	const char *text; /* without its end; NULL: it is too long. Borrowed until the next call */
	size_t size;
	bool is_cut; /* the file ends before the line does */
};

void reel_init(struct reel *reel, int fd);
void reel_finish(struct reel *reel);
void reel_seek(struct reel *reel, uint64_t offset);

/* False: there is nothing more, or it cannot be read. */
bool reel_next(struct reel *reel, struct reel_line *line);

#endif
