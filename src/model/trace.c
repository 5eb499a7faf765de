#include "model/trace.h"

#include <stdlib.h>

#include "base/memory.h"

enum { ROOM_FIRST = 2 }; /* nobody may ever look: then nothing but its start comes */

unsigned trace_size(const struct trace *trace)
{
	return trace->count - trace->first;
}

const struct trace_entry *trace_entry(const struct trace *trace, unsigned index)
{
	return &trace->entries[(trace->first + index) % trace->room];
}

/* Larger, with its oldest entry at its beginning. */
static void grow(struct trace *trace, unsigned room)
{
	struct trace_entry *entries = memory_resize(NULL, room, sizeof *entries);
	unsigned size = trace_size(trace);

	for (unsigned i = 0; i < size; i++)
		entries[i] = *trace_entry(trace, i);
	free(trace->entries);
	*trace = (struct trace){ .entries = entries, .room = room, .count = size };
}

static bool is_same_life(const struct trace_entry *a, const struct trace_entry *b)
{
	return a->state == b->state && a->pid == b->pid && a->life == b->life;
}

static bool is_news(const struct trace *trace, const struct trace_entry *entry)
{
	const struct trace_entry *newest = trace_size(trace) ? trace_entry(trace, trace_size(trace) - 1) : NULL;

	return !newest || !is_same_life(newest, entry) || entry->ts_us < newest->ts_us ||
	       entry->ts_us - newest->ts_us >= TRACE_STEP_MS * 1000ull;
}

/* The newest of those that are too old stays: it says how things were when the span began. */
static void forget_old(struct trace *trace, uint64_t now_us)
{
	uint64_t span_us = TRACE_SPAN_S * 1000000ull;

	while (trace_size(trace) > 1 && trace_entry(trace, 1)->ts_us + span_us < now_us)
		trace->first++;
}

void trace_add(struct trace *trace, const struct trace_entry *entry, unsigned most)
{
	if (!is_news(trace, entry))
		return;
	if (trace_size(trace) && entry->ts_us < trace_entry(trace, trace_size(trace) - 1)->ts_us)
		trace->first = trace->count; /* the clock was set back: there is no order in it any more */
	forget_old(trace, entry->ts_us);
	while (trace_size(trace) >= most)
		trace->first++;
	if (trace_size(trace) == trace->room)
		grow(trace, trace->room ? trace->room * 2 : ROOM_FIRST);
	trace->entries[trace->count++ % trace->room] = *entry;
}

void trace_finish(struct trace *trace)
{
	free(trace->entries);
	*trace = (struct trace){ 0 };
}

int trace_find(const struct trace *trace, uint64_t ts_us)
{
	int low = 0, high = (int)trace_size(trace); /* the first one after it is between them */

	while (low < high) {
		int middle = (low + high) / 2;
		if (trace_entry(trace, (unsigned)middle)->ts_us <= ts_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}
