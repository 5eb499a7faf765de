/* What a process leaks, as its trace tells: memory, descriptors, threads; and when it has no more of it. Pure. */
#ifndef MODEL_GROWTH_H
#define MODEL_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/slope.h"

struct trace;

enum growth_figure { GROWTH_RSS,
	GROWTH_FDS,
	GROWTH_THREADS,
	GROWTH_FIGURES };
const char *growth_figure_name(enum growth_figure figure); /* "rss" … */

/* How much of a figure there may be, and who says so. */
struct ceiling {
	uint64_t most; /* SAMPLE_UNKNOWN: no end is known */
	char of[48];
};

/* The lower of both stays. */
void ceiling_lower(struct ceiling *ceiling, uint64_t most, const char *of);

struct growth {
	enum growth_figure figure;
	struct slope slope;
	uint64_t now;
	struct ceiling ceiling;
	uint64_t left_ms; /* until it is reached; SAMPLE_UNKNOWN */
};

/*
 * Those figures of the process that is the trace's newest which grow for sure, and by so much that it is worth a
 * word; how many. ceilings: by figure.
 */
size_t growth_find(struct growth growths[GROWTH_FIGURES], const struct trace *trace, const struct ceiling *ceilings);

/* The sentence. */
void growth_describe(char *out, size_t size, const struct growth *growth);

#endif
