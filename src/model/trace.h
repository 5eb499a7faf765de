/*
 * How an instance was, at every moment of the last minutes: a ring of what changed or was measured.
 * Bounded in time and in number; the oldest go first.
 */
#ifndef MODEL_TRACE_H
#define MODEL_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "model/instance.h"
#include "model/sample.h"
#include "model/state.h"

enum { TRACE_SPAN_S = 600, /* none is older */
	TRACE_MOST = 1200, /* of one instance: one a second, and as many changes */
	TRACE_STEP_MS = 900 /* measurements that follow sooner are left out */ };

struct trace_entry {
	uint64_t ts_us; /* wall clock, as the next ones */
	uint64_t since_us, started_us;
	uint64_t rss, tree_rss, queue, busy;
	float cpu_pct, tree_cpu_pct, in_rate, out_rate;
	struct restart_counts restarts;
	int32_t pid; /* 0: none */
	uint32_t life, threads, fds, leftovers;
	enum state state;
};

/* Zeroed is empty. */
struct trace {
	struct trace_entry *entries; /* owned; ring */
	unsigned room, count;        /* count: ever taken */
	unsigned first;              /* … of which those before are gone */
};

/* Take one; at the most `most` (1 … TRACE_MOST) are kept. One that says nothing new is left out. */
void trace_add(struct trace *trace, const struct trace_entry *entry, unsigned most);
void trace_finish(struct trace *trace);

unsigned trace_size(const struct trace *trace);
/* 0 is the oldest. */
const struct trace_entry *trace_entry(const struct trace *trace, unsigned index);
/* How it was then: the index of the newest one not after it; -1: it was not there yet, or that is forgotten. */
int trace_find(const struct trace *trace, uint64_t ts_us);

#endif
