/*
 * The loop's waiting awake for answers that come at once (lib/patience.h). Whoever else wants the processor gets it between two
 * looks. Loop thread only.
 */
#ifndef ENGINE_EAGER_H
#define ENGINE_EAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lib/patience.h"

struct eager {
	uv_idle_t idle;    /* while it runs, the loop does not sleep */
	uint64_t until_us; /* monotonic */
	bool has_come;     /* something has, in this turn */
	struct patience patience;
};

void eager_init(struct eager *eager, uv_loop_t *loop);
/* Something was sent that is answered: perhaps at once. */
void eager_expect(struct eager *eager, uint64_t now_us);
/* An answer came. */
void eager_answered(struct eager *eager, uint64_t now_us);

#endif
