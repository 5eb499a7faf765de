/*
 * The tasks of one pool: from the stream PREFIX:pool:NAME, by the consumer group `thrum`, into the pool of this
 * machine, and their answers back. As many are read as the pool has room for; those of consumers that have been silent
 * are taken over; what was delivered too often goes to the dead letters, with an answer that says so.
 */
#ifndef FLEET_FEED_H
#define FLEET_FEED_H

#include "fleet/local.h"
#include "fleet/redis.h"

struct feed {
	const struct settings *settings; /* borrowed */
	const char *pool;                /* borrowed */
	char *stream, *results, *dead;   /* owned */
	struct redis *redis;             /* borrowed */
	struct redis *reader;            /* owned: reading keeps a connection waiting */
	struct tasks tasks;
	struct local local;
	unsigned era;
	bool has_group, has_recovered;            /* in this era of the connection */
	bool is_grouping, is_looking, is_reading; /* is being asked for */
	size_t claiming;                          /* entries whose claim is under way */
	uint64_t reading;                         /* the most that may come of what is being read */
	uint64_t looked_ms, renewed_ms, failed_ms;
	uint64_t finished, buried, taken_over;
};

void feed_init(struct feed *feed, const struct settings *settings, const char *pool, struct redis *redis);
void feed_finish(struct feed *feed);
void feed_turn(struct feed *feed);
/* Whatever was not answered may be taken by others at once. */
void feed_release(struct feed *feed);

#endif
