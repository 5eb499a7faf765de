/* What goes on inside a process, as it is said on the control socket and printed by `thrum inspect --json`. */
#ifndef PROTOCOL_INSIDE_H
#define PROTOCOL_INSIDE_H

#include <jansson.h>

#include "model/inside.h"

/* "queue","busy","size" and "loop":{"utilisation","lag_ms","worst_ms"} into a row or sample, and out of it. */
void inside_put(json_t *object, const struct inside *inside);
void inside_get(struct inside *inside, const json_t *object);

/* {"pid","process","queue","busy","size","loop","threads":[…],"loops":[…],"pools":[…],"peers":[…],"growth":[…],"findings":[…]} */
json_t *study_to_json(const struct study *study);

/* The other way round; what is missing or wrong is left out. */
void study_from_json(struct study *study, const json_t *json);

/* As `pool` has it in its thread_pools, but for whose it is. */
json_t *thread_pool_to_json(const struct thread_pool *pool);

#endif
