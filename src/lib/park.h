/*
 * Where threads sleep until something has changed, and whoever changed it wakes one: no system call while nobody sleeps.
 *
 * Who is about to sleep says so (park_begin) and then looks once more; who has changed something, by a store that is
 * memory_order_seq_cst, looks then whether anybody has said so (park_wake). So at least one of them sees the other.
 */
#ifndef LIB_PARK_H
#define LIB_PARK_H

#include <limits.h>
#include <stdbool.h>
#include "lib/futex.h"

/* How often a thread looks before it sleeps. A test that goes through all orders of events looks once. */
#ifndef PARK_LOOKS
#define PARK_LOOKS(count) (count)
#endif

struct park {
	_Atomic uint32_t sleepers; /* that nobody has woken yet */
	_Atomic uint32_t tokens;   /* each lets one through that was woken */
};

static inline void park_begin(struct park *park)
{
	atomic_fetch_add_explicit(&park->sleepers, 1, memory_order_seq_cst);
}

/* One sleeper less; false if there was none. */
static inline bool park_remove(struct park *park)
{
	uint32_t sleepers = atomic_load_explicit(&park->sleepers, memory_order_seq_cst);

	while (sleepers > 0)
		if (atomic_compare_exchange_weak_explicit(&park->sleepers, &sleepers, sleepers - 1, memory_order_seq_cst,
			    memory_order_seq_cst))
			return true;
	return false;
}

/* After park_begin: until it is woken, 0, or -ETIMEDOUT. */
static inline int park_sleep(struct park *park, uint64_t deadline_ns)
{
	uint32_t tokens = atomic_load_explicit(&park->tokens, memory_order_relaxed);

	for (;;) {
		if (tokens > 0) {
			if (atomic_compare_exchange_weak_explicit(&park->tokens, &tokens, tokens - 1, memory_order_acquire,
				    memory_order_relaxed))
				return 0;
			continue;
		}
		if (thrum__futex_wait(&park->tokens, 0, deadline_ns, FUTEX_PRIVATE_FLAG) < 0) {
			if (park_remove(park))
				return -ETIMEDOUT;
			deadline_ns = FUTEX_EVER; /* it was woken just now: the token is under way */
		}
		tokens = atomic_load_explicit(&park->tokens, memory_order_relaxed);
	}
}

/* After park_begin: it does not sleep after all. */
static inline void park_end(struct park *park)
{
	if (!park_remove(park))
		park_sleep(park, FUTEX_EVER);
}

static inline void park_wake(struct park *park)
{
	if (!park_remove(park))
		return;
	atomic_fetch_add_explicit(&park->tokens, 1, memory_order_release);
	thrum__futex_wake(&park->tokens, 1, FUTEX_PRIVATE_FLAG);
}

static inline void park_wake_all(struct park *park)
{
	while (park_remove(park))
		atomic_fetch_add_explicit(&park->tokens, 1, memory_order_release);
	thrum__futex_wake(&park->tokens, INT_MAX, FUTEX_PRIVATE_FLAG);
}

#endif
