/* The file that the children of the benchmarks stamp: when each of them began and ended. */
#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdatomic.h>
#include <stdint.h>

enum { STAMPS_MOST = 100000 };

struct stamps {
	_Atomic uint32_t count;
	uint32_t reserved;
	struct {
		uint64_t first, last; /* ns, CLOCK_MONOTONIC */
	} lives[STAMPS_MOST];
};

#endif
