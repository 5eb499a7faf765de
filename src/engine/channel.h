/*
 * The channel between the engine and a process: one JSON value a line in either direction, on a socket that
 * the process has as THRUM_CHANNEL_FD and, the same one, as NODE_CHANNEL_FD: the wire of Node's
 * child_process.fork(). The keeper holds our end too, what came in (inbox) and what could not be sent (outbox), so that
 * no message is lost when the engine dies. What a process sends is never trusted: a line that is no JSON is counted
 * and passed over, one that is too long ends the channel. What the messages mean is mail.c's. Loop thread only.
 */
#ifndef ENGINE_CHANNEL_H
#define ENGINE_CHANNEL_H

#include "engine/engine.h"
#include "engine/inbox.h"

enum {
	CHANNEL_QUEUE_MOST = INBOX_LINE_MOST, /* bytes that wait for a process to read them; more are refused */
	CHANNEL_MUCH = 1024 * 1024,           /* bytes that wait: others had better wait too */
	CHANNEL_PARCELS_MOST = 64,            /* messages with a descriptor that may wait */
	CHANNEL_ROOM = 4 * 1024 * 1024,       /* wanted, for a process that sends and exits at once */
	CHANNEL_FD = 3,                       /* its number in the process */
};

struct channel; /* defined in channel.c */

/* What a new channel is made of; -1: there is none. */
struct channel_ends {
	int ours, theirs, inbox;
};
/* False: errno says why. */
bool channel_make(struct channel_ends *ends);
void channel_unmake(struct channel_ends *ends);

/* The member's process has it; ours and inbox are taken over. outbox: -1 for a new one. */
void channel_open(struct member *member, int ours, int inbox, int outbox);
/* After a start: act on what a former engine had taken in, send what it had not. */
void channel_resume(struct member *member);
/* Its process has ended: what it sent before is still taken; then it is closed. */
void channel_end(struct member *member);
void channel_close(struct member *member);

/* Send one JSON value, now. False: there is no channel, or it is full. */
bool channel_send(struct member *member, const char *json, size_t size, struct error *err);
/* The same, with what else is to be sent in this turn of the loop. An engine that dies before its end has not sent it. */
bool channel_post(struct member *member, const char *json, size_t size, struct error *err);
/* Much waits already: who has more should wait until the listener's on_room. */
bool channel_wants_pause(struct member *member);
/* All that was posted, to all. */
void channel_flush_all(struct engine *engine);

/* One message with a copy of a descriptor. */
enum parcel_fate {
	PARCEL_SENT,
	PARCEL_LATER, /* it does not read just now */
	PARCEL_NEVER, /* it has no channel any more */
};
enum parcel_fate channel_hand(struct member *member, const char *json, size_t size, int fd);
/* … that waits its turn if it must; the descriptor is copied then. */
bool channel_hand_later(struct member *member, const char *json, size_t size, int fd);

/* When the messages that are handed to the takers of mail just now were at hand; monotonic: one look at the clock for all of them. */
uint64_t channel_acted_us(const struct member *member);
/* What outlives the engine of a channel, or NULL without one. */
struct inbox_page *channel_page(const struct member *member);
void channel_count(const struct member *member, struct channel_counts *counts);
/* Called with each sample: how many messages a second came and went since the one before. */
void channel_measure(struct member *member, uint64_t now_us);
/* Left as they are when they are not known. */
void channel_rates(const struct member *member, double *in, double *out);

#endif
