/*
 * Is it worth waiting awake? Falling asleep and being woken costs tens of microseconds, most of all where processors are
 * virtual: more than a short task takes. Who goes on looking for as long as that costs never waits more than twice as dearly as
 * if it had known (Karlin and others, Empirical Studies of Competitive Spinning, SOSP 1991). Where nothing came in that time,
 * the next times are left out: more and more of them, until one in a thousand is tried.
 */
#ifndef LIB_PATIENCE_H
#define LIB_PATIENCE_H

#include <stdbool.h>

enum { PATIENCE_US = 100,   /* about what sleeping costs, where it costs most */
	PATIENCE_DOUBT = 2, /* one time in vain counts as much as so many that were not */
	PATIENCE_DOUBT_MOST = 13 };

/* Zeroed has no doubt. */
struct patience {
	unsigned doubt;    /* that it pays */
	unsigned left_out; /* so many of the next times: two to the power of it */
};

/* Before waiting: is it to be awake, this time? */
static inline bool patience_tries(struct patience *patience)
{
	if (!patience->left_out)
		return true;
	patience->left_out--;
	return false;
}

static inline void patience_paid(struct patience *patience)
{
	patience->doubt -= patience->doubt > 0;
}

static inline void patience_was_vain(struct patience *patience)
{
	unsigned doubt = patience->doubt + PATIENCE_DOUBT;

	patience->doubt = doubt < PATIENCE_DOUBT_MOST ? doubt : PATIENCE_DOUBT_MOST;
	patience->left_out = (1u << patience->doubt) / 8;
}

#endif
