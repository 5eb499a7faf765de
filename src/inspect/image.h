/*
 * What a file of machine code says of the libuv in it: where its symbols are. Files are somebody else's,
 * and may be cut, damaged or made to mislead: they are read piece by piece, within bounds, and never mapped.
 */
#ifndef INSPECT_IMAGE_H
#define INSPECT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/inside.h"

enum image_symbol {
	IMAGE_SLOW_QUEUE,
	IMAGE_SLOW_MESSAGE,
	IMAGE_QUEUE,
	IMAGE_EXIT_MESSAGE,
	IMAGE_THREADS,
	IMAGE_THREAD_COUNT,
	IMAGE_IDLE,
	IMAGE_POOL_COUNT,              /* all before it make a pool */
	IMAGE_LOOP = IMAGE_POOL_COUNT, /* uv_default_loop's */
	IMAGE_WORK_FS,                 /* functions, by which queued work is told apart */
	IMAGE_WORK_ADDRESS,
	IMAGE_WORK_NAME,
	IMAGE_WORK_RANDOM,
	IMAGE_WORK_QUEUE,
	IMAGE_SYMBOL_COUNT
};

struct image {
	bool is_libuv;                        /* it has one: whether its symbols are there or not */
	bool has_pool;                        /* all symbols of the pool */
	bool is_fixed;                        /* its addresses are those of the file */
	uint64_t base;                        /* lowest address that it is linked for */
	uint64_t symbols[IMAGE_SYMBOL_COUNT]; /* as linked; 0: not there */
};

/* Any file at all; what is no x86-64 program has no libuv. */
void image_read(struct image *image, int fd);

#endif
