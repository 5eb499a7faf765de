#include "inspect/loop.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/sample.h"

enum {
	/* of uv_loop_t */
	HANDLES = 8,
	HANDLE_QUEUE = 16,
	REQUESTS = 32,
	INTERNAL = 40,
	EPOLL_FD = 64,
	WATCHERS = 112,
	DONE_QUEUE = 120,
	TIME_MS = 544,
	LOOP_SIZE = 552,
	/* of what internal_fields points to, since 1.45 */
	FLAGS = 0,
	ROUNDS = 8,
	ENTRY = 136,
	IDLE = 144,
	/* the same in 1.39 to 1.44, which counted no rounds */
	OLD_ENTRY = 8,
	OLD_IDLE = 16,
	INTERNAL_SIZE = 152,

	KEEPS_IDLE_TIME = 1, /* flag: Node sets it */
	WATCHERS_MOST = 1000000,
	STACK_MOST = 256 * 1024,
	PROBES_MOST = 4096,
	SPAN_LEAST_NS = 100 * 1000 * 1000,
};
#define LEAST_ADDRESS 0x10000ull
#define MOST_ADDRESS 0x7fffffffffffull
#define OLD_CLOCK_LEAST 100000000000ull /* ns: fewer would be a count of rounds */

static bool looks_right(const unsigned char *bytes, uint64_t address)
{
	uint64_t next = memory_u64(bytes, DONE_QUEUE), prev = memory_u64(bytes, DONE_QUEUE + 8), head = address + DONE_QUEUE;

	return next && prev && (next == head) == (prev == head) && memory_u32(bytes, WATCHERS) <= WATCHERS_MOST &&
	       (int32_t)memory_u32(bytes, EPOLL_FD) >= 0;
}

bool loop_is_one(struct memory *memory, uint64_t address)
{
	unsigned char bytes[LOOP_SIZE];

	return address && address % 8 == 0 && memory_get_now(memory, address, bytes, sizeof bytes) &&
	       looks_right(bytes, address);
}

int loop_epoll_fd(struct memory *memory, uint64_t address)
{
	int32_t fd;

	return memory_get(memory, address + EPOLL_FD, &fd, sizeof fd) ? fd : -1;
}

/* A ring that only its own thread changes, which waits now: it must close. */
static bool has_handles(struct memory *memory, const unsigned char *bytes, uint64_t address)
{
	uint64_t next = memory_u64(bytes, HANDLE_QUEUE), prev = memory_u64(bytes, HANDLE_QUEUE + 8), back, forth;
	uint64_t head = address + HANDLE_QUEUE;

	return next % 8 == 0 && prev % 8 == 0 && next && prev && memory_get_now(memory, next + 8, &back, sizeof back) &&
	       memory_get_now(memory, prev, &forth, sizeof forth) && back == head && forth == head;
}

static bool is_loop_of(struct memory *memory, uint64_t address, int epoll_fd)
{
	unsigned char bytes[LOOP_SIZE];

	if (address < LEAST_ADDRESS || address > MOST_ADDRESS || address % 8)
		return false;
	return loop_epoll_fd(memory, address) == epoll_fd && memory_get_now(memory, address, bytes, sizeof bytes) &&
	       (int32_t)memory_u32(bytes, EPOLL_FD) == epoll_fd && looks_right(bytes, address) &&
	       has_handles(memory, bytes, address);
}

/* The pointer to it is somewhere in the frames of those who called epoll_wait. */
uint64_t loop_find(struct memory *memory, uint64_t sp, int epoll_fd)
{
	uint64_t words[MEMORY_PAGE / 8];
	uint64_t most = memory->reads + PROBES_MOST;

	sp -= sp % 8;
	for (uint64_t at = sp; at < sp + STACK_MOST; at += sizeof words) {
		if (!memory_get_now(memory, at, words, sizeof words)) {
			uint64_t left = MEMORY_PAGE - at % MEMORY_PAGE;
			memset(words, 0, sizeof words);
			if (!memory_get_now(memory, at, words, left))
				return 0;
		}
		for (size_t i = 0; i < sizeof words / 8 && memory->reads < most; i++)
			if (is_loop_of(memory, words[i], epoll_fd))
				return words[i];
	}
	return 0;
}

static bool is_old(const unsigned char *internal, uint64_t now_ns)
{
	uint64_t first = memory_u64(internal, OLD_ENTRY);

	return memory_u32(internal, FLAGS) & KEEPS_IDLE_TIME && (!first || (first > OLD_CLOCK_LEAST && first <= now_ns));
}

/* What the loop itself counts. */
static void read_internal(struct loop_reading *reading, const unsigned char *internal)
{
	bool old = is_old(internal, reading->taken_ns);
	uint64_t entry = memory_u64(internal, old ? OLD_ENTRY : ENTRY), idle = memory_u64(internal, old ? OLD_IDLE : IDLE);

	reading->rounds = old ? SAMPLE_UNKNOWN : memory_u64(internal, ROUNDS);
	if (!(memory_u32(internal, FLAGS) & KEEPS_IDLE_TIME))
		return;
	reading->is_waiting = entry;
	reading->idle_ns = idle + (entry && entry < reading->taken_ns ? reading->taken_ns - entry : 0);
}

bool loop_read(struct loop_reading *reading, struct memory *memory, const struct loop *loop, uint64_t now_ns)
{
	unsigned char bytes[LOOP_SIZE], internal[INTERNAL_SIZE];

	if (!memory_get_now(memory, loop->address, bytes, sizeof bytes) || !looks_right(bytes, loop->address))
		return false;
	*reading = (struct loop_reading){
		.taken_ns = now_ns,
		.time_ms = memory_u64(bytes, TIME_MS),
		.rounds = SAMPLE_UNKNOWN,
		.idle_ns = SAMPLE_UNKNOWN,
		.handles = memory_u32(bytes, HANDLES),
		.requests = memory_u32(bytes, REQUESTS),
	};
	if (memory_u64(bytes, INTERNAL) && memory_get_now(memory, memory_u64(bytes, INTERNAL), internal, sizeof internal))
		read_internal(reading, internal);
	return true;
}

/*
 * Its clock says when it went round last; but programs may set that clock while they block it,
 * so that a count of rounds that stands still counts as well.
 */
static uint64_t lag_of(struct loop *loop, const struct loop_reading *reading)
{
	uint64_t now_ms = reading->taken_ns / 1000000;
	bool has_moved = !loop->last.taken_ns || reading->rounds != loop->last.rounds ||
			 reading->rounds == SAMPLE_UNKNOWN || loop->is_waiting;

	if (has_moved || reading->is_waiting)
		loop->round_ns = reading->taken_ns;
	if (reading->is_waiting)
		return 0;
	uint64_t by_clock = reading->time_ms < now_ms ? now_ms - reading->time_ms : 0;
	uint64_t by_rounds = (reading->taken_ns - loop->round_ns) / 1000000;
	return by_clock > by_rounds ? by_clock : by_rounds;
}

static uint64_t keep_worst(struct loop *loop, uint64_t lag_ms, uint64_t now_ns)
{
	uint64_t slot = now_ns / 1000000 / LOOP_WORST_SLOT_MS, worst = 0;

	while (loop->worst_slot < slot) {
		if (slot - loop->worst_slot > LOOP_WORST_SLOTS)
			loop->worst_slot = slot - LOOP_WORST_SLOTS;
		loop->worst_ms[++loop->worst_slot % LOOP_WORST_SLOTS] = 0;
	}
	if (lag_ms > loop->worst_ms[slot % LOOP_WORST_SLOTS])
		loop->worst_ms[slot % LOOP_WORST_SLOTS] = lag_ms;
	for (size_t i = 0; i < LOOP_WORST_SLOTS; i++)
		if (loop->worst_ms[i] > worst)
			worst = loop->worst_ms[i];
	return worst;
}

static double utilisation(const struct loop_reading *now, const struct loop_reading *last)
{
	if (!last->taken_ns || now->taken_ns <= last->taken_ns || now->idle_ns == SAMPLE_UNKNOWN ||
		last->idle_ns == SAMPLE_UNKNOWN)
		return -1;
	uint64_t idle = now->idle_ns > last->idle_ns ? now->idle_ns - last->idle_ns : 0;
	double busy = 1 - (double)idle / (double)(now->taken_ns - last->taken_ns);
	return busy < 0 ? 0 : busy;
}

static double rounds_a_second(const struct loop_reading *now, const struct loop_reading *last)
{
	if (!last->taken_ns || now->taken_ns <= last->taken_ns || now->rounds == SAMPLE_UNKNOWN ||
		now->rounds < last->rounds)
		return -1;
	return (double)(now->rounds - last->rounds) * 1e9 / (double)(now->taken_ns - last->taken_ns);
}

void loop_report(struct loop_report *report, struct loop *loop, const struct loop_reading *reading)
{
	bool is_soon = loop->last.taken_ns && reading->taken_ns - loop->last.taken_ns < SPAN_LEAST_NS;

	if (!is_soon)
		loop->base = loop->last;
	*report = (struct loop_report){
		.tid = loop->tid,
		.utilisation = utilisation(reading, &loop->base),
		.iterations = rounds_a_second(reading, &loop->base),
		.lag_ms = lag_of(loop, reading),
		.handles = reading->handles,
		.requests = reading->requests,
		.undelivered = SAMPLE_UNKNOWN,
	};
	report->worst_ms = keep_worst(loop, report->lag_ms, reading->taken_ns);
	loop->is_waiting = reading->is_waiting;
	if (!is_soon)
		loop->last = *reading;
}

uint64_t loop_undelivered(struct memory *memory, const struct loop *loop, struct walk *walk)
{
	return walk_list(walk, memory, loop->address + DONE_QUEUE) ? walk->end - walk->first : SAMPLE_UNKNOWN;
}
