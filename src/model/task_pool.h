/*
 * A process pool: tasks that wait, workers that have room, and who has what. Pure: told the time, it sends
 * nothing. A task waits in the queue of its priority, first come, first served; a worker has one at a time, or as
 * many as `concurrency` says. Adding, handing out and ending a task cost the same however many there are.
 */
#ifndef MODEL_TASK_POOL_H
#define MODEL_TASK_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/spec.h"

enum {
	TASK_PRIORITIES = 10, /* 9 goes first */
	TASK_PRIORITY = 5,    /* unless it is said otherwise */
	TASK_BUCKETS = 128,   /* of a histogram: four for each doubling, from 1 us on */
};

struct task {
	struct task *next, *previous; /* in its queue, or of its worker */
	uint64_t id;                  /* unlike any other of the pool's */
	uint32_t submission;          /* whose, and … */
	uint64_t index;               /* … its number there */
	uint8_t priority;
	uint16_t attempts; /* times it was handed to a worker that did not end it */
	bool is_running;
	uint32_t worker;     /* seat, when it is running */
	uint32_t timeout_ms; /* of one run; 0: none */
	uint64_t added_us;   /* wall clock */
	uint64_t started_us; /* the last time; monotonic */
	uint64_t wait_us;    /* before that */
	size_t payload_size;
	char payload[]; /* JSON, and a NUL */
};

struct task_list {
	struct task *first, *last;
};

struct task_worker {
	uint32_t next, previous; /* seats of the ring of those with room */
	bool is_known, is_listed;
	unsigned running;
	struct task_list tasks;
	uint64_t completed, failed;
};

/* How long things took. */
struct histogram {
	uint64_t buckets[TASK_BUCKETS];
	uint64_t count;
};
void histogram_add(struct histogram *histogram, uint64_t us);
/* The upper edge of the bucket where this part (0 to 1) of all is reached, us. */
uint64_t histogram_quantile(const struct histogram *histogram, double part);

struct task_pool {
	struct pool_spec limits;
	struct task_list queues[TASK_PRIORITIES];
	struct task_worker *workers; /* owned; by seat */
	uint32_t seat_count;
	uint32_t free; /* first of the ring of workers with room; UINT32_MAX: none */
	uint64_t queued, running, submitted, started, completed, failed, retried;
	uint64_t queued_bytes;
	unsigned worker_count;
	struct histogram waits, runs;
	bool is_draining; /* nothing more is taken */
};

void task_pool_init(struct task_pool *pool, const struct pool_spec *limits);
void task_pool_finish(struct task_pool *pool);

/* Is there room for another one? */
bool task_pool_has_room(const struct task_pool *pool);
/* Queue it, whatever room there is; it is the pool's from now on. */
void task_pool_add(struct task_pool *pool, struct task *task);
/* It is this worker's already. */
void task_pool_adopt(struct task_pool *pool, struct task *task, uint32_t seat, uint64_t now_us);

void task_pool_open_worker(struct task_pool *pool, uint32_t seat);
/*
 * The worker takes no more. What it had is queued again, in front, or, when it has been tried too often, handed to
 * on_given_up, which owns it then. is_charged: that was an attempt.
 */
void task_pool_close_worker(struct task_pool *pool, uint32_t seat, bool is_charged,
	void (*on_given_up)(void *context, struct task *task), void *context);

/* The next task, for the worker whose turn it is. NULL: nothing waits, or nobody has room. */
struct task *task_pool_next(struct task_pool *pool, uint64_t now_us);

/* A worker has ended a task: it is the caller's now. NULL: it does not have it, and never had or no more. */
struct task *task_pool_end(struct task_pool *pool, uint32_t seat, uint64_t id, bool is_success, uint64_t now_us);

/* One whose time is up; NULL: none. next_us: when to ask again; 0: never. */
struct task *task_pool_overdue(const struct task_pool *pool, uint64_t now_us, uint64_t *next_us);

/* Which tasks: of a submission, or the one with that id; 0: any. */
struct task_filter {
	uint32_t submission;
	uint64_t id;
};
/* Take out what waits of them: the caller's, linked by next. running: how many a worker has, which stay there. */
struct task *task_pool_cancel(struct task_pool *pool, const struct task_filter *filter, uint64_t *running);

/* All but its payload is 0. */
struct task *task_create(const char *payload, size_t size);
void task_destroy(struct task *task); /* accepts NULL */

#endif
