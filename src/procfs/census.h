/*
 * Everybody on the machine: one row for each process, sorted by pid. Only those are read whose CPU clock
 * has moved since the pass before; under a root other than /proc (fixtures) everybody. One thread at a time.
 */
#ifndef PROCFS_CENSUS_H
#define PROCFS_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct census_row {
	int32_t pid, parent, session;
	int32_t owner;      /* for the caller; 0 */
	uint64_t starttime; /* ticks since boot */
	uint64_t cpu;       /* ticks so far, of all its threads */
	uint64_t rss;       /* bytes, or SAMPLE_UNKNOWN */
	uint64_t threads;
};

/* Zeroed is empty; what is dead and only waits to be reaped has no row. */
struct census {
	struct census_row *rows; /* owned */
	size_t count, room;
};

struct census_taker; /* defined in census.c */

/* root is an open descriptor, borrowed; is_proc: it is /proc itself. */
struct census_taker *census_taker_create(int root, bool is_proc, struct error *err);
void census_taker_destroy(struct census_taker *taker); /* accepts NULL */

/* Replaces what census holds. */
bool census_take(struct census_taker *taker, struct census *census, struct error *err);
void census_finish(struct census *census);

/* NULL when there is none. */
struct census_row *census_find(const struct census *census, int32_t pid);

#endif
