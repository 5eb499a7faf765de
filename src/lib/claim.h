/*
 * What a thread has claimed of a queue and not begun yet: a few places, in one word, for anybody to take of.
 *
 * Threads that take one short task each from the same queue spend most of their time on waiting for the other's line of
 * the cache. So where many wait, and tasks are short, a thread claims some at once. None is stuck behind one that turns out to
 * be long: threads that find no other work take of what others have claimed, and so does now and then whoever finds that a
 * claim has not moved.
 */
#ifndef LIB_CLAIM_H
#define LIB_CLAIM_H

#include "lib/stats.h"

/* A power of two, below 64. A test that goes through all orders of events has fewer. */
#ifndef CLAIM_MOST
#define CLAIM_MOST 16U
#endif

enum {
	CLAIMERS_MOST = 64 /* threads of a pool, its first ones: not too many to look through */
};

/* Whether several may be claimed at once, of a queue of which no more than that may wait: these few do not matter then. */
static inline _Bool claim_is_allowed(uint64_t most, uint64_t reach)
{
	return reach <= most / 4;
}

/* Takes so many of the first places; false if the word was another one, which it is now. */
static inline _Bool claim_take(_Atomic uint64_t *claim, uint64_t *word, unsigned count)
{
	uint64_t rest = stats_claim(stats_claim_queue(*word), stats_claim_place(*word) + count, stats_claimed(*word) - count);

	return atomic_compare_exchange_weak_explicit(claim, word, rest, memory_order_seq_cst, memory_order_relaxed);
}

/* The first place of a claim on this queue; false if there is none. */
static inline _Bool claim_next(_Atomic uint64_t *claim, unsigned queue, uint64_t *place)
{
	uint64_t word = atomic_load_explicit(claim, memory_order_relaxed);

	while (stats_claimed(word) > 0 && stats_claim_queue(word) == queue)
		if (claim_take(claim, &word, 1)) {
			*place = stats_claim_place(word);
			return 1;
		}
	return 0;
}

/* For another thread: the older half, or all; a claim, 0 if there was nothing. */
static inline uint64_t claim_steal(_Atomic uint64_t *claim, _Bool is_all)
{
	uint64_t word = atomic_load_explicit(claim, memory_order_seq_cst);
	unsigned count;

	while ((count = stats_claimed(word)) > 0) {
		count = is_all ? count : (count + 1) / 2;
		if (claim_take(claim, &word, count))
			return stats_claim(stats_claim_queue(word), stats_claim_place(word), count);
	}
	return 0;
}

#endif
