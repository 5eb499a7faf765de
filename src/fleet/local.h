/*
 * The pool of this machine's engine, as one client of it: one long submission that survives the engine. Its answers
 * become those of the tasks.
 */
#ifndef FLEET_LOCAL_H
#define FLEET_LOCAL_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "client/link.h"
#include "fleet/settings.h"
#include "fleet/task.h"

struct local {
	const struct settings *settings; /* borrowed */
	const char *pool;                /* borrowed */
	struct tasks *tasks;             /* borrowed */
	struct link *link;               /* owned; NULL: the engine does not answer */
	char submission[64];
	struct text unsent;
	uint64_t next_index, tried_ms;
	unsigned number;  /* of the submission, among ours */
	bool is_refused;  /* the submission takes no more: what it has is waited for */
	bool is_open;     /* the pool takes tasks, when it was asked last */
	unsigned strange; /* how often in a row the pool knew of no task although we wait for some */
	uint64_t slots, target, foreign;
};

void local_init(struct local *local, const struct settings *settings, const char *pool, struct tasks *tasks);
void local_finish(struct local *local);

/* Connects when that is due, takes answers, and hands out what is held. */
void local_turn(struct local *local);
struct pollfd local_poll(const struct local *local);

/* What the request `pool` said; NULL: nothing. */
void local_measure(struct local *local, const json_t *pool);
/* How many more tasks it has room for. */
uint64_t local_room(const struct local *local, uint64_t coming);

#endif
