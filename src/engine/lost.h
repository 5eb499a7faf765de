/*
 * Connections that wait for another worker: a queue in the kernel, of which the keeper holds both ends, so that they
 * outlive the engine. Loop thread only.
 */
#ifndef ENGINE_LOST_H
#define ENGINE_LOST_H

#include <stdbool.h>

struct lost {
	int ends[2]; /* they are read from the first and written to the second; -1: there are none yet */
	unsigned count;
};

/* False: errno says why. */
bool lost_make(struct lost *lost);
/* Those that a former engine had; -1: none. */
void lost_restore(struct lost *lost, int from, int to);
void lost_close(struct lost *lost);

/* Taken over; what has no room any more is closed. */
void lost_add(struct lost *lost, int connection);
/* The oldest; -1: none. */
int lost_take(struct lost *lost);

#endif
