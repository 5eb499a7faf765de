/*
 * Keeps a storm of crashes from becoming a storm of starts: a bucket that holds as many restarts as
 * may come at once, and is refilled steadily. Pure: it is told the time.
 */
#ifndef MODEL_CROWD_H
#define MODEL_CROWD_H

#include <stdint.h>

enum { CROWD_AT_ONCE = 40,
	CROWD_SPACING_MS = 50 /* 20 a second after that */ };

/* Zeroed is an empty crowd. */
struct crowd {
	uint64_t free_ms; /* when the next place would be free if they had all come evenly; monotonic */
};

/* One more has ended by itself: how long its restart is to wait. */
uint32_t crowd_join(struct crowd *crowd, uint64_t now_ms);

#endif
