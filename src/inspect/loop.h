/*
 * An event loop of libuv in the memory of a process. uv_loop_t has kept its shape through all of 1.x
 * (x86-64, glibc); what lies behind its internal_fields came with 1.39 and moved with 1.45.
 */
#ifndef INSPECT_LOOP_H
#define INSPECT_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/memory.h"
#include "inspect/walk.h"
#include "model/inside.h"

enum { LOOP_WORST_SLOTS = 13,
	LOOP_WORST_SLOT_MS = 5000 };

/* What one reading found. */
struct loop_reading {
	uint64_t taken_ns; /* monotonic */
	uint64_t time_ms;  /* the loop's own clock, set when it goes round */
	uint64_t rounds;   /* of the loop; or SAMPLE_UNKNOWN */
	uint64_t idle_ns;  /* that it spent waiting, up to now; or SAMPLE_UNKNOWN */
	uint64_t handles, requests;
	bool is_waiting;
};

/* A loop that was found, and what is remembered of it. */
struct loop {
	int32_t tid;
	uint64_t address;
	bool is_waiting;          /* at the newest reading */
	struct loop_reading last; /* taken_ns 0: none yet */
	struct loop_reading base; /* the one before it: a reading soon after the last is compared with this */
	uint64_t round_ns;        /* when `rounds` was seen to have moved */
	uint64_t worst_ms[LOOP_WORST_SLOTS];
	uint64_t worst_slot; /* the number of the newest slot since boot */
};

/* The loop that a thread waits in, which is in epoll_wait on epoll_fd with its stack at sp; 0: none. */
uint64_t loop_find(struct memory *memory, uint64_t sp, int epoll_fd);

/* Does that look like a loop? */
bool loop_is_one(struct memory *memory, uint64_t address);

/* The descriptor it waits with, or -1. */
int loop_epoll_fd(struct memory *memory, uint64_t address);

/*
 * False: it is gone. A loop that keeps no account of its idle time (idle_ns is unknown) does not say
 * whether it waits: whoever knows sets is_waiting.
 */
bool loop_read(struct loop_reading *reading, struct memory *memory, const struct loop *loop, uint64_t now_ns);

/* The report of a reading, and the rates since the one before, or since an earlier one when that was just now. */
void loop_report(struct loop_report *report, struct loop *loop, const struct loop_reading *reading);

/* Of work that is done and whose callbacks are not yet called; SAMPLE_UNKNOWN: not known. */
uint64_t loop_undelivered(struct memory *memory, const struct loop *loop, struct walk *walk);

#endif
