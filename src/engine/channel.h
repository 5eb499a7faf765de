/*
 * The channel between the engine and a process: one JSON value a line in either direction, on a socket that
 * the process has as THRUM_CHANNEL_FD and, the same one, as NODE_CHANNEL_FD: the wire of Node's
 * child_process.fork(). The keeper holds our end too. What a process sends is never trusted:
 * a line that is no JSON is counted and passed over, one that is too long ends the channel.
 * Loop thread only.
 */
#ifndef ENGINE_CHANNEL_H
#define ENGINE_CHANNEL_H

#include "engine/engine.h"

enum {
	CHANNEL_LINE_MOST = 16 * 1024 * 1024, /* bytes of one message */
	CHANNEL_QUEUE_MOST = 1024 * 1024,     /* bytes that wait for a process to read them; more are refused */
	CHANNEL_DEPTH_MOST = 64,              /* of maps and lists in each other */
	CHANNEL_FD = 3,                       /* its number in the process */
};

/* Since the process began. */
struct channel_counts {
	uint64_t in, out; /* messages; in: from the process */
	uint64_t in_bytes, out_bytes;
	uint64_t errors; /* lines that were no JSON, or too deep */
	uint64_t queued; /* bytes that it has not read yet */
};

struct channel; /* defined in channel.c */

/* Two ends of a socket, ours not blocking. False: errno says why. */
bool channel_make(int *ours, int *theirs);

/* The member's process has it; ours is taken over. */
void channel_open(struct member *member, int ours);
/* Its process has ended: what it sent before is still taken; then it is closed. */
void channel_end(struct member *member);
void channel_close(struct member *member);

/* Send one JSON value. False: there is no channel, or it is full. */
bool channel_send(struct member *member, const char *json, size_t size, struct error *err);

void channel_count(const struct member *member, struct channel_counts *counts);

#endif
