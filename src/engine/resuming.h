/*
 * What outlives an engine: the configuration, which it gives to the keeper, and all that the next one takes up again, in
 * the order of these functions. Loop thread only.
 */
#ifndef ENGINE_RESUMING_H
#define ENGINE_RESUMING_H

#include <stdbool.h>

#include "engine/engine.h"

/* False, with errno: the keeper is gone. */
bool resuming_keep_spec(struct engine *engine);
bool resuming_load_spec(struct engine *engine, struct error *err);

/* Everybody whom the store knows, then whom the configuration has beyond that. */
bool resuming_seat_all(struct engine *engine, struct error *err);

/* Processes with their output, terminal and channel; a clone that never happened is forgotten. */
void resuming_restore_lives(struct engine *engine);

/* What was under way when the former engine died: put into the queue, which is not seen through. */
void resuming_go_on(struct engine *engine);

#endif
