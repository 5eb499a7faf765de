/* The last day of an instance in one row of cells. Pure. */
#ifndef TUI_STRIP_H
#define TUI_STRIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum strip_cell {
	STRIP_UNKNOWN, /* before the first life that is known */
	STRIP_UP,
	STRIP_RESTART, /* another life began */
	STRIP_CRASH,
	STRIP_DOWN,
	STRIP_KINDS
};

/* One process, from its start to its end. */
struct strip_life {
	uint64_t started_us, ended_us; /* wall clock; UINT64_MAX: it is still there */
	bool is_crash;
};

enum { STRIP_CELLS_MOST = 96 };

/* As many cells as fit into this width; 0: no day fits. *span_us is the time of one. */
int strip_fit(int width, uint64_t *span_us);

/*
 * The newest cell is the one with now_us in it. Cells begin at round times, so that nothing moves between two
 * of them. Lives are in their order.
 */
void strip_fill(enum strip_cell *cells, int count, uint64_t span_us, uint64_t now_us,
	const struct strip_life *lives, size_t life_count);

#endif
