/*
 * A list of libuv (two pointers, in a ring) in the memory of a process that goes on changing it meanwhile.
 * What is taken from its front while we walk is not counted; what we cannot make sense of, we walk again.
 */
#ifndef INSPECT_WALK_H
#define INSPECT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/memory.h"

enum { WALK_NODES_MOST = 8192,
	WALK_TRIES = 6,
	WALK_READS_MOST = 4096 };

struct walk {
	uint64_t nodes[WALK_NODES_MOST]; /* those of the list are nodes[first] … nodes[end - 1] */
	size_t first, end;
	bool is_capped; /* there are more */
};

/* False: it changes too fast, or is no list. */
bool walk_list(struct walk *walk, struct memory *memory, uint64_t head);

#endif
