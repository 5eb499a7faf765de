/* What goes on inside a process, as it is said on the control socket and printed by `thrum inspect --json`. */
#ifndef PROTOCOL_INSIDE_H
#define PROTOCOL_INSIDE_H

#include <jansson.h>

#include "base/text.h"
#include "model/inside.h"

/* "queue","busy","size" and "loop":{"utilisation","lag_ms","worst_ms"} into a row or sample, and out of it. */
void inside_put(json_t *object, const struct inside *inside);
void inside_get(struct inside *inside, const json_t *object);

/* {"pid","process","queue","busy","size","loop","threads":[…],"loops":[…],"pools":[…],"peers":[…],"growth":[…],"findings":[…]} */
json_t *study_to_json(const struct study *study);

/* One of "peers". */
json_t *peer_to_json(const void *peer);
void peer_from_json(void *peer, const json_t *json);

/* The other way round; what is missing or wrong is left out. */
void study_from_json(struct study *study, const json_t *json);

/* A conversation, or a place where somebody listens, in the map of a project: a peer, with names of both sides. */
struct map_edge {
	char from[INSIDE_NAME_SIZE * 2], to[INSIDE_NAME_SIZE * 2]; /* "web/0", or "postgres (77)", or an address; to "": it listens */
	bool is_inside;                                            /* `to` is of the project, too */
	struct peer_report peer;
};
json_t *map_edge_to_json(const struct map_edge *edge);
void map_edge_from_json(struct map_edge *edge, const json_t *json);
/* One line, without its end, safe to show: "web/0 <-> db/0  tcp 127.0.0.1:5432, received 2K". */
void map_edge_describe(struct text *out, const struct map_edge *edge);

/* As `pool` has it in its thread_pools, but for whose it is. */
json_t *thread_pool_to_json(const struct thread_pool *pool);

#endif
