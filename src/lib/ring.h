/*
 * A bounded queue of tasks, for any number of threads at either end; nobody waits for a lock.
 *
 * Its two ends are in the stats page. Each cell says whose turn it is: 2n before the n-th task in it was put there, 2n+1 after,
 * so that memory which is all zero is an empty queue. A task can be taken out of the midst, by its place: the cell
 * holds it until somebody exchanges it for NULL, and only whoever got it may touch it. So several places can be claimed at
 * once, and their tasks are still where they were until each is begun: claim.h.
 */
#ifndef LIB_RING_H
#define LIB_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include "lib/stats.h"

struct thrum_task;

struct ring_cell {
	_Atomic uint64_t turn;
	struct thrum_task *_Atomic task;
};

struct ring {
	struct ring_cell *cells;  /* owned */
	struct stats_queue *ends; /* borrowed */
	uint64_t mask;
	uint64_t most; /* that may wait */
	unsigned bits;
	_Atomic uint32_t room;    /* changes when there is room again */
	_Atomic uint32_t blocked; /* threads that wait for it */
};

static inline struct ring_cell *ring_cell(const struct ring *ring, uint64_t place)
{
	return &ring->cells[place & ring->mask];
}

/* What a cell's turn is while it is empty before the task of this place. */
static inline uint64_t ring_turn(const struct ring *ring, uint64_t place)
{
	return place >> ring->bits << 1;
}

/* How many more may wait. Head is looked at only when what was seen of it last would not do: it is on others' line. */
static inline uint64_t ring_room(struct ring *ring, uint64_t tail, uint64_t wanted)
{
	uint64_t waiting = tail - atomic_load_explicit(&ring->ends->head_seen, memory_order_relaxed);
	uint64_t head;

	if (waiting + wanted > ring->most) {
		head = atomic_load_explicit(&ring->ends->head, memory_order_seq_cst);
		atomic_store_explicit(&ring->ends->head_seen, head, memory_order_relaxed);
		waiting = tail - head;
	}
	return (int64_t)waiting < 0 ? ring->most : waiting >= ring->most ? 0
									 : ring->most - waiting;
}

/* How many of these cells, from place on, are empty. */
static inline uint64_t ring_empty_cells(const struct ring *ring, uint64_t place, uint64_t count)
{
	uint64_t i = 0;

	while (i < count &&
		atomic_load_explicit(&ring_cell(ring, place + i)->turn, memory_order_acquire) == ring_turn(ring, place + i))
		i++;
	return i;
}

/*
 * Reserves places for up to count tasks: how many it did, the first one in *place; or -EAGAIN when it is full,
 * -ESHUTDOWN when it was closed.
 */
static inline int ring_reserve(struct ring *ring, unsigned count, uint64_t *place)
{
	uint64_t tail = atomic_load_explicit(&ring->ends->tail, memory_order_relaxed);
	uint64_t some, now;

	for (;;) {
		if (tail & STATS_CLOSED)
			return -ESHUTDOWN;
		some = ring_room(ring, tail, count);
		some = ring_empty_cells(ring, tail, some < count ? some : count);
		if (some == 0) {
			now = atomic_load_explicit(&ring->ends->tail, memory_order_relaxed);
			if (now == tail)
				return -EAGAIN;
			tail = now;
		} else if (atomic_compare_exchange_weak_explicit(&ring->ends->tail, &tail, tail + some, memory_order_seq_cst,
				   memory_order_relaxed)) {
			*place = tail;
			return (int)some;
		}
	}
}

/* The task is visible to whoever looks after this, and to whoever slept before: see crew.h. */
static inline void ring_put(struct ring *ring, uint64_t place, struct thrum_task *task)
{
	struct ring_cell *cell = ring_cell(ring, place);

	atomic_store_explicit(&cell->task, task, memory_order_relaxed);
	atomic_store_explicit(&cell->turn, ring_turn(ring, place) + 1, memory_order_seq_cst);
}

/* How many of these cells, from place on, are filled. */
static inline unsigned ring_filled_cells(const struct ring *ring, uint64_t place, unsigned count)
{
	unsigned i = 0;

	while (i < count &&
		atomic_load_explicit(&ring_cell(ring, place + i)->turn, memory_order_acquire) == ring_turn(ring, place + i) + 1)
		i++;
	return i;
}

/*
 * Claims the oldest places: how many, the first one in *place; 0 if nothing waits. Whoever claimed one empties it, by ring_empty. Up to
 * most of them (a power of two) are claimed at once where so many wait that there are as many left for others, which
 * is to say, that the cell at reach is filled; and so that the next claim begins with a line of the cache.
 */
static inline unsigned ring_claim(struct ring *ring, unsigned most, uint64_t reach, uint64_t *place)
{
	uint64_t head = atomic_load_explicit(&ring->ends->head, memory_order_relaxed);
	uint64_t turn, due;
	unsigned some;

	for (;;) {
		due = ring_turn(ring, head) + 1;
		turn = atomic_load_explicit(&ring_cell(ring, head)->turn, memory_order_acquire);
		if (turn < due)
			return 0;
		if (turn > due) {
			head = atomic_load_explicit(&ring->ends->head, memory_order_relaxed);
			continue;
		}
		some = 1;
		if (most > 1 && ring_filled_cells(ring, head + reach, 1))
			some += ring_filled_cells(ring, head + 1, most - 1 - (unsigned)(head & (most - 1)));
		if (atomic_compare_exchange_weak_explicit(&ring->ends->head, &head, head + some, memory_order_seq_cst,
			    memory_order_relaxed)) {
			*place = head;
			return some;
		}
	}
}

/* The task at a place that was claimed, or NULL if it had been removed. */
static inline struct thrum_task *ring_empty(struct ring *ring, uint64_t place)
{
	struct ring_cell *cell = ring_cell(ring, place);
	struct thrum_task *task = atomic_exchange_explicit(&cell->task, NULL, memory_order_acq_rel);

	atomic_store_explicit(&cell->turn, ring_turn(ring, place) + 2, memory_order_release);
	return task;
}

/* Takes a task out of the midst; false if somebody has taken it already. */
static inline _Bool ring_remove(struct ring *ring, uint64_t place, struct thrum_task *task)
{
	struct thrum_task *expected = task;

	return atomic_compare_exchange_strong_explicit(&ring_cell(ring, place)->task, &expected, NULL, memory_order_acq_rel,
		memory_order_relaxed);
}

/* Whether there is something to take. */
static inline _Bool ring_has(const struct ring *ring)
{
	uint64_t head = atomic_load_explicit(&ring->ends->head, memory_order_seq_cst);

	return atomic_load_explicit(&ring_cell(ring, head)->turn, memory_order_seq_cst) > ring_turn(ring, head);
}

/* Whether it was closed, and all that had been submitted was taken. */
static inline _Bool ring_is_over(const struct ring *ring)
{
	uint64_t tail = atomic_load_explicit(&ring->ends->tail, memory_order_acquire);

	return tail & STATS_CLOSED && (tail & ~STATS_CLOSED) == atomic_load_explicit(&ring->ends->head, memory_order_acquire);
}

#endif
