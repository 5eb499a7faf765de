/*
 * Waiting awake for answers that come at once. Falling asleep and being woken costs tens of microseconds, most of all
 * where processors are virtual: more than short tasks take. So the loop goes on looking for as long as that costs, and never
 * waits more than twice as dearly as if it had known (Karlin and others, Empirical Studies of Competitive Spinning, SOSP 1991).
 * Whoever else wants the processor gets it between two looks. Where no answer came in that time, the next times are left out:
 * a pool whose tasks take long has it tried once in a thousand. Loop thread only.
 */
#ifndef ENGINE_EAGER_H
#define ENGINE_EAGER_H

#include <stdint.h>
#include <uv.h>

struct eager {
	uv_idle_t idle;    /* while it runs, the loop does not sleep */
	uint64_t until_us; /* monotonic */
	unsigned doubt;    /* that it pays */
	unsigned left_out; /* so many of the next times: two to the power of it */
};

void eager_init(struct eager *eager, uv_loop_t *loop);
/* Something was sent that is answered: perhaps at once. */
void eager_expect(struct eager *eager, uint64_t now_us);
/* An answer came. */
void eager_answered(struct eager *eager, uint64_t now_us);

#endif
