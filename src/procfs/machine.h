/*
 * The machine as a whole: what its processors did since boot, and its memory. From libproc2;
 * under a root other than /proc (fixtures) by our own hand. One thread at a time.
 */
#ifndef PROCFS_MACHINE_H
#define PROCFS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What could not be read is SAMPLE_UNKNOWN. */
struct machine_reading {
	unsigned cpus;
	uint64_t busy, total;                    /* ticks since boot, of all processors */
	uint64_t memory_total, memory_available; /* bytes */
};

struct machine_reader; /* defined in machine.c */

/* root is an open descriptor, borrowed; is_proc: it is /proc itself. */
struct machine_reader *machine_reader_create(int root, bool is_proc, struct error *err);
void machine_reader_destroy(struct machine_reader *reader); /* accepts NULL */

void machine_read(struct machine_reader *reader, struct machine_reading *reading);

#endif
