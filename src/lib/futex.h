/* Waiting for a word of memory to change. None of it is a point of cancellation. */
#ifndef LIB_FUTEX_H
#define LIB_FUTEX_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_EVER UINT64_MAX

static inline uint64_t thrum__now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* When timeout_ms will be over; FUTEX_EVER for a negative one. */
static inline uint64_t thrum__deadline_ns(int timeout_ms)
{
	return timeout_ms < 0 ? FUTEX_EVER : thrum__now_ns() + (uint64_t)timeout_ms * 1000000;
}

/*
 * Sleep while *word is value, until the deadline: 0, or -ETIMEDOUT. It may also return 0 for no reason.
 * operation: FUTEX_WAIT_BITSET, for words in private memory with FUTEX_PRIVATE_FLAG.
 */
static inline int thrum__futex_wait(const _Atomic uint32_t *word, uint32_t value, uint64_t deadline_ns, int flags)
{
	struct timespec until = { (time_t)(deadline_ns / 1000000000), (long)(deadline_ns % 1000000000) };

	if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET | flags, value, deadline_ns == FUTEX_EVER ? NULL : &until, NULL,
		    FUTEX_BITSET_MATCH_ANY) < 0 &&
		errno == ETIMEDOUT)
		return -ETIMEDOUT;
	return 0;
}

/* How many it woke. */
static inline int thrum__futex_wake(const _Atomic uint32_t *word, int count, int flags)
{
	return (int)syscall(SYS_futex, word, FUTEX_WAKE | flags, count);
}

static inline void thrum__relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif
