/*
 * A client's copy of what the engine knows, kept up to date by its notifications.
 * Rows are sorted by service (in the file's order), then instance.
 */
#ifndef CLIENT_REPLICA_H
#define CLIENT_REPLICA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "client/link.h"
#include "protocol/row.h"

enum {
	REPLICA_HISTORY = 60,  /* samples kept per row for the sparkline */
	REPLICA_NOTICES = 256, /* newest kept */
};

struct replica_row {
	struct row row;
	double rank;                /* what a screen sorts it by; of no meaning here */
	float cpu[REPLICA_HISTORY]; /* ring of CPU % */
	unsigned
		cpu_count; /* of samples ever taken; the newest is cpu[(cpu_count - 1) % REPLICA_HISTORY] */
};

struct replica {
	char project[64];
	char dir[256];
	char version[32];
	int32_t engine_pid, keeper_pid;
	uint64_t engine_started_us;  /* of this engine process, wall clock */
	uint64_t project_started_us; /* of the project: when its keeper was started */
	struct replica_row *rows;    /* owned */
	size_t row_count, row_room;
	size_t sought; /* where the last was that was looked for: the next is often behind it */
	struct machine_sample machine;
	struct notice notices[REPLICA_NOTICES]; /* ring */
	uint64_t
		notice_count; /* ever taken; the newest is notices[(notice_count - 1) % REPLICA_NOTICES] */
	uint64_t last_seq;
	bool is_connected;
	bool is_over;             /* the engine said goodbye */
	uint64_t version_counter; /* moves with every change: a screen compares it */
};

void replica_init(struct replica *replica);
void replica_finish(struct replica *replica);
/* `to` is as after replica_init, or replica_finish. */
void replica_copy(struct replica *to, const struct replica *from);

/* The result of `subscribe`: replaces everything, keeping the sparklines of rows that are still there. */
bool replica_load(struct replica *replica, const json_t *snapshot, struct error *err);

/* Ask for that, and load it; params, which are stolen, may want it in pieces. False: no answer, or none that is one. */
bool replica_subscribe(struct replica *replica, struct link *link, json_t *params, int timeout_ms, struct error *err);

/* One notification; those it does not know are ignored. True when something changed. */
bool replica_apply(struct replica *replica, const json_t *message);

/*
 * As it was at `at_us`, by the reply to `past`: the instances that are remembered, and the events it tells, or else
 * those of `live` that had happened. All else is as in `live`.
 */
void replica_recall(struct replica *replica, const struct replica *live, uint64_t at_us, const json_t *reply);

/* How many instances a service has. */
unsigned replica_count(const struct replica *replica, const char *service);

/* NULL when there is none. */
struct replica_row *replica_find(struct replica *replica, const char *service, unsigned instance);

#endif
