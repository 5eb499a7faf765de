/* A way through several logs at once, line by line in the order of their times, in one of the two directions. Pure. */
#ifndef TUI_LOG_WALK_H
#define TUI_LOG_WALK_H

#include "tui/log_source.h"

enum { LOG_SOURCES = 128 };

/* The logs that are read together. */
struct log_sources {
	struct log_source *items; /* owned */
	unsigned count;           /* LOG_SOURCES at the most */
	struct text spare;
};

struct log_walk {
	int direction;                        /* 1: to newer lines, -1: to older ones */
	uint64_t at[LOG_SOURCES];             /* in each log, how far it went */
	bool is_known[LOG_SOURCES];           /* the line that is next there */
	struct log_place places[LOG_SOURCES]; /* … is here */
};

/* A line that was walked over. */
struct log_met {
	unsigned source;
	struct log_place place;
	const char *text; /* borrowed until the next call; any bytes */
	size_t size;
};

void log_sources_finish(struct log_sources *sources);

/* In one log it goes on from here. */
void log_walk_put(struct log_walk *walk, unsigned source, uint64_t at);
/* As the other one, in this direction. */
void log_walk_from(struct log_walk *walk, const struct log_walk *other, int direction);

/* Over the next line. Nothing moves unless one is found. */
enum log_step log_walk_next(struct log_walk *walk, struct log_sources *sources, struct log_met *met);

/* Bytes that lie before it, in its direction. */
uint64_t log_walk_left(const struct log_walk *walk, const struct log_sources *sources);

#endif
