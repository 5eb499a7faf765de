/* What a gateway knows of its engine: a link that comes back, and a replica that is kept. */
#ifndef GATEWAY_DOOR_H
#define GATEWAY_DOOR_H

#include <stdint.h>

#include "client/link.h"
#include "client/replica.h"

struct door {
	const char *project; /* borrowed */
	const char *client;  /* what it calls itself; borrowed */
	struct link *link;   /* owned; NULL: the engine does not answer */
	struct replica replica;
	uint64_t tried_ms; /* to connect */
};

void door_init(struct door *door, const char *project, const char *client);
void door_finish(struct door *door);

/* Connects if that is due, and takes what has come in. */
void door_turn(struct door *door);

/* For poll(); -1: none. */
int door_fd(const struct door *door);
/* At the most this long until the next turn; -1: as long as one likes. */
int door_wait_ms(const struct door *door);

/* A request, by somebody who waits; params is stolen. NULL with err set. */
json_t *door_call(struct door *door, const char *method, json_t *params, struct error *err);

#endif
