/* Who talks to whom: the conversations of some processes with each other and with everybody else, each told once. */
#ifndef INSPECT_CHART_H
#define INSPECT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/inside.h"

/* One conversation, as `from` sees it, or one place where it listens. */
struct chart_edge {
	int32_t from, to; /* processes that it was drawn for; to 0: somebody else, who is in peer */
	struct peer_report peer;
};

enum { CHART_EDGES_MOST = 4096 };

/* Zeroed is empty. */
struct chart {
	struct chart_edge *edges; /* owned */
	size_t count, room;
};

/*
 * From the peers in these studies. Whoever descends from one of them is that one. A pipe to who is among `left_out` is no
 * conversation: the engine reads what everybody writes.
 */
void chart_draw(struct chart *chart, const struct study *studies, size_t count, const int32_t *left_out, size_t left_out_count);
void chart_finish(struct chart *chart);

#endif
