/*
 * One process that is looked into: what was found of libuv in it, and what the reading before said, for the
 * rates. Who has the pid now is checked by its start, and by what it executes.
 */
#ifndef INSPECT_SUBJECT_H
#define INSPECT_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/crew.h"
#include "inspect/image.h"
#include "inspect/loop.h"
#include "inspect/maps.h"
#include "inspect/memory.h"
#include "inspect/peers.h"
#include "inspect/pool.h"
#include "inspect/stream.h"
#include "inspect/walk.h"
#include "model/inside.h"

enum { SUBJECT_SPANS_MOST = 32 };

/* What all subjects share. */
struct workshop {
	struct memory memory;
	struct walk *walk; /* owned */
	/* What a file says, from a cache: the same file is read once. */
	const struct image *(*image_of)(void *context, const struct map_file *file, int32_t pid);
	void *context;
	struct crew_budget budget; /* for threads of all subjects */
};

struct subject {
	int32_t pid;
	uint64_t starttime;
	uint64_t exe_device, exe_inode;
	int fd;                          /* of its memory; it reads nothing any more once another program is executed. -1: closed */
	char reason[INSIDE_REASON_SIZE]; /* why its memory cannot be read; or "" */
	bool is_explored, is_libuv;
	struct pool_place pools[INSIDE_POOLS_MOST];
	size_t pool_count;
	struct map_span spans[SUBJECT_SPANS_MOST]; /* where pools without symbols may be */
	size_t span_count;
	struct loop loops[INSIDE_LOOPS_MOST];
	size_t loop_count;
	uint64_t threads;   /* when it was explored last */
	unsigned searches;  /* for loops of threads that are still to be made */
	uint64_t search_ns; /* of the last one */
	uint64_t cpu_ns;    /* at the last reading */
	bool is_quiet;      /* nothing can have changed while its CPU clock stands still */
	struct inside last;
	struct crew crew; /* of the last study, as the next */
	struct streams streams;
	uint64_t used; /* turn of the inspector */
};

void subject_open(struct subject *subject, int32_t pid, uint64_t starttime);
void subject_close(struct subject *subject);

/* Loops, pools and their sums into study. threads: how many it has. */
void subject_read(struct subject *subject, struct workshop *workshop, uint64_t threads, struct study *study);

/* Threads with their roles and rates into study; after subject_read. */
void subject_read_threads(struct subject *subject, struct workshop *workshop, struct study *study);

/* Whom it talks to, and how fast; directory may be NULL, as in peers.h. */
void subject_read_peers(struct subject *subject, const struct directory *directory, struct study *study);

#endif
