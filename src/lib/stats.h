/*
 * The stats page: what the pools of a process publish, and what a monitor asks of them.
 *
 * It is a memfd named STATS_NAME which a process that has pools keeps open; a monitor finds it in /proc/PID/fd, and believes
 * nothing of it: whoever can write there may have written anything. Each word has one writer, or is only ever added to.
 * The queues of a pool live here themselves: their ends are the counters of what was submitted and what was taken,
 * so that publishing costs nothing. Whoever can write to the page can ptrace the process as well.
 *
 * The file: struct stats_header, pools × struct stats_pool, workers × struct stats_worker.
 */
#ifndef LIB_STATS_H
#define LIB_STATS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
	STATS_ABI_MAJOR = 1,
	STATS_ABI_MINOR = 1,
	STATS_POOLS = 32,
	STATS_WORKERS = 8192,
	STATS_BUCKETS = 64,
	STATS_NAME_SIZE = 32,
	STATS_PRIORITIES = 3,
	STATS_LINE = 128, /* two lines of the cache: they are fetched in pairs */
	STATS_THREADS_MOST = 4096
};

#define STATS_NAME "thrum-stats"
#define STATS_MAGIC UINT64_C(0x3174617453726854) /* "ThrStat1" */

/* Nothing is taken any more that is submitted, after a queue's tail has this bit. */
#define STATS_CLOSED (UINT64_C(1) << 63)

struct stats_header {
	alignas(STATS_LINE) _Atomic uint64_t magic; /* written last */
	uint32_t abi_major, abi_minor;
	uint32_t header_size, pool_size, worker_size;
	uint32_t pools, workers;
	uint32_t pid;                  /* as its own namespace has it */
	_Atomic uint32_t workers_used; /* those from here on were never used */
	/* Monitors add one and wake its futex after they have left a wish in a pool. */
	_Atomic uint32_t bell;
};

/* What a monitor may leave in stats_pool.wish; the process puts STATS_WISH_NONE back when it has taken it. */
enum {
	STATS_WISH_NONE = 0,
	STATS_WISH_SIZE = 1,          /* and upwards: 1 + the number of threads */
	STATS_WISH_DRAIN = UINT32_MAX /* take nothing more, finish what waits */
};

struct stats_queue {
	alignas(STATS_LINE) _Atomic uint64_t tail; /* submitted so far */
	_Atomic uint64_t head_seen;                /* by those who submit: not beyond head */
	alignas(STATS_LINE) _Atomic uint64_t head; /* taken so far */
};

struct stats_pool {
	/* 0: free; else which of the process's pools this is, from 1 on */
	alignas(STATS_LINE) _Atomic uint32_t used;
	_Atomic uint32_t target;    /* threads that are wanted */
	_Atomic uint32_t threads;   /* threads that there are */
	_Atomic uint32_t queue_max; /* of each priority */
	char name[STATS_NAME_SIZE];
	_Atomic uint32_t wish; /* a monitor writes it */
	/* Seldom, by any thread. Removed: out of the midst of a queue, whose head passes over them later */
	alignas(STATS_LINE) _Atomic uint64_t removed;
	_Atomic uint64_t cancelled;                                       /* answered so without having run */
	_Atomic uint64_t guests_started, guests_completed, guests_failed; /* run by others' threads */
	_Atomic uint64_t replaced;                                        /* threads that a task ended */
	struct stats_queue queues[STATS_PRIORITIES];
};

/* Of one thread of a pool, which alone writes it. It stays the pool's when the thread is gone, for the next one. */
struct stats_worker {
	alignas(STATS_LINE) _Atomic uint32_t pool; /* 0: free; else the index of its pool + 1 */
	_Atomic uint32_t tid;                      /* 0: no thread now */
	_Atomic uint64_t started, completed, failed;
	_Atomic uint64_t passed;  /* places in a queue whose task had been removed */
	_Atomic uint64_t expired; /* answered without having run: they had waited for too long */
	_Atomic uint64_t claim;   /* what it has taken at once and not begun, how many: see stats_claimed; other threads may take of it */
	/* of tasks that were timed, weighted */
	alignas(STATS_LINE) _Atomic uint64_t wait[STATS_BUCKETS], run[STATS_BUCKETS];
};

#define STATS_SIZE \
	(sizeof(struct stats_header) + STATS_POOLS * sizeof(struct stats_pool) + STATS_WORKERS * sizeof(struct stats_worker))

/* The word has no other writer. A library that does not count is what the bench compares with. */
static inline void stats_add(_Atomic uint64_t *count, uint64_t more)
{
#ifndef STATS_UNCOUNTED
	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + more, memory_order_relaxed);
#else
	(void)count, (void)more;
#endif
}

/* Places of one queue that follow each other: how many (at most 63), of which queue, and the first one. 0: none. */
static inline uint64_t stats_claim(unsigned queue, uint64_t place, unsigned count)
{
	return place << 8 | (uint64_t)queue << 6 | count;
}

static inline unsigned stats_claimed(uint64_t claim)
{
	return claim & 63;
}

static inline unsigned stats_claim_queue(uint64_t claim)
{
	return claim >> 6 & 3;
}

static inline uint64_t stats_claim_place(uint64_t claim)
{
	return claim >> 8;
}

/* Two to each doubling, from 64 ns on; the last one is of all above four minutes. */
static inline unsigned stats_bucket(uint64_t ns)
{
	unsigned log, bucket;

	if (ns < 64)
		return 0;
	log = 63 - (unsigned)__builtin_clzll(ns);
	bucket = (log - 6) * 2 + (unsigned)(ns >> (log - 1) & 1);
	return bucket < STATS_BUCKETS ? bucket : STATS_BUCKETS - 1;
}

/* What is in that bucket is shorter than this. */
static inline uint64_t stats_bucket_end_ns(unsigned bucket)
{
	return (UINT64_C(2) + (bucket + 1) % 2) << (5 + (bucket + 1) / 2);
}

/* Below this many milliseconds are that part (0.5: half) of all that was counted; -1 if nothing was. */
static inline double stats_quantile_ms(const uint64_t buckets[STATS_BUCKETS], double part)
{
	double total = 0, sum = 0;
	unsigned bucket = 0;

	for (unsigned i = 0; i < STATS_BUCKETS; i++)
		total += (double)buckets[i];
	if (total == 0)
		return -1;
	while (bucket < STATS_BUCKETS - 1 && (sum += (double)buckets[bucket]) < total * part)
		bucket++;
	return (double)stats_bucket_end_ns(bucket) / 1e6;
}

#endif
