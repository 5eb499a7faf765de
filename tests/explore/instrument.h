/*
 * Compiled before each file that explore.h is to run: atomic operations, futexes, locks and threads become its own. Variables
 * of a thread are put into a section, which is exchanged when another thread goes on.
 */
#ifndef EXPLORE_INSTRUMENT_H
#define EXPLORE_INSTRUMENT_H

#include <pthread.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lib/futex.h"
#include "tests/explore/explore.h"

#define EXPLORE_SITE(kind_)                                                                                             \
	({                                                                                                              \
		static struct explore_site explore_site_ = { .function = __func__, .kind = (kind_), .line = __LINE__ }; \
		&explore_site_;                                                                                         \
	})

/* A value of what is there, without its qualifiers. */
#define EXPLORE_OF(at, bits)                                                    \
	({                                                                      \
		uint64_t explore_bits_ = (bits);                                \
		__typeof__((void)0, *(at)) explore_value_;                      \
		memcpy(&explore_value_, &explore_bits_, sizeof explore_value_); \
		explore_value_;                                                 \
	})
#define EXPLORE_BITS(at, value)                                                    \
	({                                                                         \
		__typeof__((void)0, *(at)) explore_given_ = (value);               \
		uint64_t explore_as_bits_ = 0;                                     \
		memcpy(&explore_as_bits_, &explore_given_, sizeof explore_given_); \
		explore_as_bits_;                                                  \
	})

#define EXPLORE_LOADED(at) EXPLORE_OF(at, explore_load(EXPLORE_SITE(EXPLORE_LOAD), at, sizeof *(at)))
#define EXPLORE_STORED(at, value, order) \
	explore_store(EXPLORE_SITE(EXPLORE_STORE), at, sizeof *(at), EXPLORE_BITS(at, value), order)
#define EXPLORE_CHANGED(at, change, operand, order) \
	EXPLORE_OF(at, explore_change(EXPLORE_SITE(EXPLORE_CHANGE), at, sizeof *(at), change, (uint64_t)(operand), order))
#define EXPLORE_EXCHANGED(at, value, order) \
	EXPLORE_OF(at, explore_change(EXPLORE_SITE(EXPLORE_CHANGE), at, sizeof *(at), CHANGE_EXCHANGE, EXPLORE_BITS(at, value), order))
#define EXPLORE_COMPARED(at, expected, desired, order) \
	explore_compare(EXPLORE_SITE(EXPLORE_CHANGE), at, sizeof *(at), expected, EXPLORE_BITS(at, desired), order)

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_xor
#undef atomic_fetch_xor_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_thread_fence

#define atomic_load(at) EXPLORE_LOADED(at)
#define atomic_load_explicit(at, order) EXPLORE_LOADED(at)
#define atomic_store(at, value) EXPLORE_STORED(at, value, __ATOMIC_SEQ_CST)
#define atomic_store_explicit(at, value, order) EXPLORE_STORED(at, value, order)
#define atomic_exchange(at, value) EXPLORE_EXCHANGED(at, value, __ATOMIC_SEQ_CST)
#define atomic_exchange_explicit(at, value, order) EXPLORE_EXCHANGED(at, value, order)
#define atomic_fetch_add(at, operand) EXPLORE_CHANGED(at, CHANGE_ADD, operand, __ATOMIC_SEQ_CST)
#define atomic_fetch_add_explicit(at, operand, order) EXPLORE_CHANGED(at, CHANGE_ADD, operand, order)
#define atomic_fetch_sub(at, operand) EXPLORE_CHANGED(at, CHANGE_SUB, operand, __ATOMIC_SEQ_CST)
#define atomic_fetch_sub_explicit(at, operand, order) EXPLORE_CHANGED(at, CHANGE_SUB, operand, order)
#define atomic_fetch_and(at, operand) EXPLORE_CHANGED(at, CHANGE_AND, operand, __ATOMIC_SEQ_CST)
#define atomic_fetch_and_explicit(at, operand, order) EXPLORE_CHANGED(at, CHANGE_AND, operand, order)
#define atomic_fetch_or(at, operand) EXPLORE_CHANGED(at, CHANGE_OR, operand, __ATOMIC_SEQ_CST)
#define atomic_fetch_or_explicit(at, operand, order) EXPLORE_CHANGED(at, CHANGE_OR, operand, order)
#define atomic_fetch_xor(at, operand) EXPLORE_CHANGED(at, CHANGE_XOR, operand, __ATOMIC_SEQ_CST)
#define atomic_fetch_xor_explicit(at, operand, order) EXPLORE_CHANGED(at, CHANGE_XOR, operand, order)
#define atomic_compare_exchange_strong(at, expected, desired) EXPLORE_COMPARED(at, expected, desired, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_strong_explicit(at, expected, desired, order, failed) EXPLORE_COMPARED(at, expected, desired, order)
#define atomic_compare_exchange_weak(at, expected, desired) EXPLORE_COMPARED(at, expected, desired, __ATOMIC_SEQ_CST)
#define atomic_compare_exchange_weak_explicit(at, expected, desired, order, failed) EXPLORE_COMPARED(at, expected, desired, order)
#define atomic_thread_fence(order) explore_fence()

#define __atomic_load_n(at, order) EXPLORE_LOADED(at)
#define __atomic_store_n(at, value, order) EXPLORE_STORED(at, value, order)
#define __atomic_exchange_n(at, value, order) EXPLORE_EXCHANGED(at, value, order)
#define __atomic_fetch_add(at, operand, order) EXPLORE_CHANGED(at, CHANGE_ADD, operand, order)
#define __atomic_fetch_sub(at, operand, order) EXPLORE_CHANGED(at, CHANGE_SUB, operand, order)
#define __atomic_fetch_or(at, operand, order) EXPLORE_CHANGED(at, CHANGE_OR, operand, order)
#define __atomic_compare_exchange_n(at, expected, desired, weak, order, failed) EXPLORE_COMPARED(at, expected, desired, order)

#define thrum__futex_wait(word, value, deadline_ns, flags) explore_futex_wait(EXPLORE_SITE(EXPLORE_WAIT), word, value, deadline_ns)
#define thrum__futex_wake(word, count, flags) explore_futex_wake(EXPLORE_SITE(EXPLORE_WAKE), word, count)
#define thrum__relax() explore_relax()
#define thrum__now_ns() explore_now_ns()
#define thrum__deadline_ns(timeout_ms) \
	((timeout_ms) < 0 ? FUTEX_EVER : explore_now_ns() + (uint64_t)(timeout_ms)*1000000)
#define sched_yield() explore_relax()
#define free(block) explore_free(block)
#define PARK_LOOKS(count) 1
#define CLAIM_MOST 2U
#define clock_gettime(clock, to) explore_clock(to)

static inline int explore_clock(struct timespec *to)
{
	uint64_t now = explore_now_ns();

	*to = (struct timespec){ (time_t)(now / 1000000000), (long)(now % 1000000000) };
	return 0;
}

#define _Thread_local __attribute__((section("explore_local")))

#define pthread_mutex_lock(mutex) explore_lock(EXPLORE_SITE(EXPLORE_LOCK), mutex)
#define pthread_mutex_unlock(mutex) explore_unlock(mutex)
static inline int explore_mutex(pthread_mutex_t *mutex)
{
	memset(mutex, 0, sizeof *mutex);
	return 0;
}

#define pthread_mutex_init(mutex, attributes) explore_mutex(mutex)
#define pthread_mutex_destroy(mutex) ((void)(mutex))
#define pthread_cond_wait(condition, mutex) explore_condition_wait(EXPLORE_SITE(EXPLORE_WAIT), condition, mutex, FUTEX_EVER)
#define pthread_cond_timedwait(condition, mutex, until)                      \
	explore_condition_wait(EXPLORE_SITE(EXPLORE_WAIT), condition, mutex, \
		(uint64_t)(until)->tv_sec * 1000000000 + (uint64_t)(until)->tv_nsec)
#define pthread_cond_signal(condition) explore_condition_wake(EXPLORE_SITE(EXPLORE_WAKE), condition, 1)
#define pthread_cond_broadcast(condition) explore_condition_wake(EXPLORE_SITE(EXPLORE_WAKE), condition, INT_MAX)

static inline int explore_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *data)
{
	(void)attributes;
	*thread = explore_start(work, data);
	return 0;
}

#define pthread_create explore_thread
#define pthread_join(thread, result) explore_join((unsigned)(thread))
#define pthread_exit(result) explore_exit()
#define pthread_setname_np(thread, name) ((void)(name))
#define pthread_sigmask(how, set, former) ((void)(set))

#undef pthread_cleanup_push
#undef pthread_cleanup_pop
#define pthread_cleanup_push(work_, data_)                                                      \
	{                                                                                       \
		struct explore_cleanup explore_cleanup_ = { .work = (work_), .data = (data_) }; \
		explore_cleanup_push(&explore_cleanup_);
#define pthread_cleanup_pop(runs)  \
	explore_cleanup_pop(runs); \
	}

#endif
