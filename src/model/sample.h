/* What was measured of one process and of its whole tree. Fields that are not known are SAMPLE_UNKNOWN. */
#ifndef MODEL_SAMPLE_H
#define MODEL_SAMPLE_H

#include <stdint.h>

#include "model/inside.h"

#define SAMPLE_UNKNOWN UINT64_MAX

struct sample {
	int32_t pid;        /* 0: no sample */
	uint64_t starttime; /* of that pid, in ticks since boot: tells a reused pid */
	uint64_t taken_us;  /* monotonic */
	double cpu_pct;     /* of one core, since the sample before (since its start, for the first) */
	uint64_t rss;       /* bytes */
	uint64_t threads;
	uint64_t fds;
	double tree_cpu_pct; /* with all descendants */
	uint64_t tree_rss;
	uint64_t tree_processes;
	uint64_t tree_threads;
	uint64_t tree_fds; /* only when they are asked for, as the next: they cost more */
	uint64_t tree_pss; /* bytes */
	struct inside inside;
};

/* The machine. */
struct machine_sample {
	unsigned cpus;
	double cpu_pct;                          /* of cpus * 100 */
	uint64_t memory_total, memory_available; /* bytes */
};

#endif
