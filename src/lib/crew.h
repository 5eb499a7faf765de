/*
 * Who of a pool's threads sleeps and who looks for work, and when one is to be woken.
 *
 * A thread that finds nothing becomes the searcher, of which one is enough, and looks on for some microseconds before it sleeps;
 * the others sleep at once. Whoever has put a task into a queue wakes a thread only if nobody searches: a searcher will find it,
 * and when it does and there is more, it wakes the next. So a burst wakes threads one after the other, and a task that
 * comes while somebody searches costs no system call.
 *
 * Why none is overlooked: tasks are put and the word is read, and the word is changed and the queues are read, in one order that
 * all threads see. Who stops to search looks once more after having said so.
 */
#ifndef LIB_CREW_H
#define LIB_CREW_H

#include <stdatomic.h>
#include <stdint.h>
#include "lib/futex.h"

#define CREW_SEARCHER UINT32_C(1)
#define CREW_SLEEPER UINT32_C(0x10000)
#define CREW_SEARCHERS(word) ((word)&0xffff)
#define CREW_SLEEPERS(word) ((word) >> 16)

struct crew {
	_Atomic uint32_t word;   /* searchers in the lower half, sleepers in the upper one */
	_Atomic uint32_t tokens; /* each lets a sleeper through; it is no sleeper any more, but a searcher */
};

/* Changes the word by add, which may be negative; what it is then. */
static inline uint32_t crew_change(struct crew *crew, uint32_t add)
{
	return atomic_fetch_add_explicit(&crew->word, add, memory_order_seq_cst) + add;
}

/* One sleeper less and one searcher more; false if there is no sleeper, or searchers are as many as may be. */
static inline _Bool crew_rouse(struct crew *crew, uint32_t searchers_most)
{
	uint32_t word = atomic_load_explicit(&crew->word, memory_order_seq_cst);

	while (CREW_SLEEPERS(word) > 0 && CREW_SEARCHERS(word) < searchers_most)
		if (atomic_compare_exchange_weak_explicit(&crew->word, &word, word - CREW_SLEEPER + CREW_SEARCHER,
			    memory_order_seq_cst, memory_order_seq_cst))
			return 1;
	return 0;
}

/* After a task was put: wakes one if nobody searches. */
static inline void crew_wake(struct crew *crew)
{
	if (!crew_rouse(crew, 1))
		return;
	atomic_fetch_add_explicit(&crew->tokens, 1, memory_order_release);
	thrum__futex_wake(&crew->tokens, 1, FUTEX_PRIVATE_FLAG);
}

static inline void crew_wake_all(struct crew *crew)
{
	while (crew_rouse(crew, UINT16_MAX))
		atomic_fetch_add_explicit(&crew->tokens, 1, memory_order_release);
	thrum__futex_wake(&crew->tokens, INT_MAX, FUTEX_PRIVATE_FLAG);
}

/* Until somebody lets this sleeper through. */
static inline void crew_sleep(struct crew *crew)
{
	uint32_t tokens = atomic_load_explicit(&crew->tokens, memory_order_relaxed);

	for (;;) {
		if (tokens == 0) {
			thrum__futex_wait(&crew->tokens, 0, FUTEX_EVER, FUTEX_PRIVATE_FLAG);
			tokens = atomic_load_explicit(&crew->tokens, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&crew->tokens, &tokens, tokens - 1, memory_order_acquire,
				   memory_order_relaxed)) {
			return;
		}
	}
}

/* For who found nothing: true if it is the searcher now, else it is a sleeper. */
static inline _Bool crew_search(struct crew *crew)
{
	uint32_t word = atomic_load_explicit(&crew->word, memory_order_relaxed);
	uint32_t add;

	do
		add = CREW_SEARCHERS(word) == 0 ? CREW_SEARCHER : CREW_SLEEPER;
	while (!atomic_compare_exchange_weak_explicit(&crew->word, &word, word + add, memory_order_seq_cst, memory_order_relaxed));
	return add == CREW_SEARCHER;
}

#endif
