/* One end of a channel: what its parts have in common. */
#ifndef LIB_CHANNEL_H
#define LIB_CHANNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/json.h"

struct thrum_channel;

/* A message that was received, ended with NUL. */
struct letter {
	char *text; /* owned */
	size_t size;
};

/* Who waits for the answer to what. */
struct request {
	struct request *next;
	const char *id; /* in quotes */
	struct letter reply;
	bool is_done;
};

/*
 * Reads until there is a letter, or the deadline: 0, -ETIMEDOUT, -ENOMEM, or why there will be none. The letter is the caller's.
 */
int thrum__channel_next(struct thrum_channel *channel, struct letter *letter, uint64_t deadline_ns);
/* The same for some microseconds, without sleeping, if that has paid lately. False: there is none so soon. */
bool thrum__channel_next_awake(struct thrum_channel *channel, struct letter *letter);
/* The same until the request has its answer; other letters are kept. */
int thrum__channel_await(struct thrum_channel *channel, struct request *request, uint64_t deadline_ns);
/* What was read already. */
bool thrum__channel_take(struct thrum_channel *channel, struct letter *letter);
/* Make the descriptor that is polled say whether something is kept. */
void thrum__channel_settle(struct thrum_channel *channel);
void thrum__channel_enlist(struct thrum_channel *channel, struct request *request);
void thrum__channel_delist(struct thrum_channel *channel, struct request *request);
/* Unlike that of any request before. */
uint64_t thrum__channel_number(struct thrum_channel *channel);
/* One line made of these. */
int thrum__channel_write(struct thrum_channel *channel, const struct piece *pieces, unsigned count, int timeout_ms);

#endif
