/* Processes that have ended, as the keeper recorded it. Loop thread only. */
#ifndef ENGINE_EXITS_H
#define ENGINE_EXITS_H

#include "engine/engine.h"

/* All that was recorded since: a process's last output first, then its end. The queue is not seen through. */
void exits_take(struct engine *engine);

/* The process of this instance is gone, and nobody wrote down how it ended. */
void exits_lose(struct engine *engine, struct member *member);

/* Of trees without their main process: one that has ended may have been the last. */
void exits_check_beheaded(struct engine *engine);

#endif
