/*
 * libuv's pool of worker threads in the memory of a process: found by its symbols, or else by the looks of
 * its variables (x86-64, glibc; the two orders in which compilers lay them out), and read.
 */
#ifndef INSPECT_POOL_H
#define INSPECT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/image.h"
#include "inspect/memory.h"
#include "inspect/walk.h"
#include "model/inside.h"

enum { POOL_THREADS_MOST = 1024 };

/* Where the symbols of an image are in a process; 0: not there. */
struct pool_place {
	uint64_t at[IMAGE_SYMBOL_COUNT];
};

/* Where the image's symbols are when its first byte is at `start`. */
void pool_place_image(struct pool_place *place, const struct image *image, uint64_t start);

/* Look for pools between start and end that have begun to work; returns how many, `most` at the most. */
size_t pool_scan(struct memory *memory, uint64_t start, uint64_t end, struct pool_place *places, size_t most);

/* False: it is gone. */
bool pool_read(struct pool_report *pool, struct memory *memory, const struct pool_place *place, struct walk *walk);

/* The ids of its threads, as glibc keeps them: for whoever checks that they are there. Returns how many. */
size_t pool_threads(struct memory *memory, const struct pool_place *place, int32_t *tids, size_t most);

#endif
