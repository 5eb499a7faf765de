#include "model/task_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NOBODY = UINT32_MAX,
	STEPS = 4 /* buckets for each doubling */ };

/* ---- histograms ---- */

static unsigned bucket_of(uint64_t us)
{
	unsigned doubling, step;

	if (us < STEPS)
		return (unsigned)us;
	doubling = 63 - (unsigned)__builtin_clzll(us);
	step = (unsigned)(us >> (doubling - 2)) & (STEPS - 1);
	unsigned bucket = (doubling - 1) * STEPS + step;
	return bucket < TASK_BUCKETS ? bucket : TASK_BUCKETS - 1;
}

static uint64_t edge_of(unsigned bucket)
{
	if (bucket < STEPS)
		return bucket;
	unsigned doubling = bucket / STEPS + 1;
	return ((uint64_t)STEPS + bucket % STEPS + 1) << (doubling - 2);
}

void histogram_add(struct histogram *histogram, uint64_t us)
{
	histogram->buckets[bucket_of(us)]++;
	histogram->count++;
}

uint64_t histogram_quantile(const struct histogram *histogram, double part)
{
	uint64_t wanted = (uint64_t)((double)histogram->count * part), seen = 0;

	for (unsigned i = 0; i < TASK_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen > wanted || (seen && seen == histogram->count))
			return edge_of(i);
	}
	return 0;
}

/* ---- lists ---- */

static void append(struct task_list *list, struct task *task)
{
	task->next = NULL;
	task->previous = list->last;
	*(list->last ? &list->last->next : &list->first) = task;
	list->last = task;
}

static void prepend(struct task_list *list, struct task *task)
{
	task->previous = NULL;
	task->next = list->first;
	*(list->first ? &list->first->previous : &list->last) = task;
	list->first = task;
}

static void take_out(struct task_list *list, struct task *task)
{
	*(task->previous ? &task->previous->next : &list->first) = task->next;
	*(task->next ? &task->next->previous : &list->last) = task->previous;
}

struct task *task_create(const char *payload, size_t size)
{
	struct task *task = memory_resize(NULL, 1, sizeof *task + size + 1);

	*task = (struct task){ .payload_size = size };
	memcpy(task->payload, payload, size);
	task->payload[size] = '\0';
	return task;
}

void task_destroy(struct task *task)
{
	free(task);
}

static void destroy_all(struct task_list *list)
{
	for (struct task *task = list->first, *next; task; task = next) {
		next = task->next;
		task_destroy(task);
	}
}

void task_pool_init(struct task_pool *pool, const struct pool_spec *limits)
{
	*pool = (struct task_pool){ .limits = *limits, .free = NOBODY };
}

void task_pool_finish(struct task_pool *pool)
{
	for (int i = 0; i < TASK_PRIORITIES; i++)
		destroy_all(&pool->queues[i]);
	for (uint32_t i = 0; i < pool->seat_count; i++)
		destroy_all(&pool->workers[i].tasks);
	free(pool->workers);
}

/* ---- workers with room, in a ring ---- */

static void enlist(struct task_pool *pool, uint32_t seat)
{
	struct task_worker *worker = &pool->workers[seat];

	if (worker->is_listed || !worker->is_known || worker->running >= pool->limits.concurrency)
		return;
	worker->is_listed = true;
	if (pool->free == NOBODY) {
		worker->next = worker->previous = pool->free = seat;
		return;
	}
	struct task_worker *first = &pool->workers[pool->free];
	worker->next = pool->free;
	worker->previous = first->previous;
	pool->workers[first->previous].next = seat;
	first->previous = seat;
}

static void delist(struct task_pool *pool, uint32_t seat)
{
	struct task_worker *worker = &pool->workers[seat];

	if (!worker->is_listed)
		return;
	worker->is_listed = false;
	pool->workers[worker->previous].next = worker->next;
	pool->workers[worker->next].previous = worker->previous;
	if (pool->free == seat)
		pool->free = worker->next == seat ? NOBODY : worker->next;
}

static struct task_worker *worker_at(struct task_pool *pool, uint32_t seat)
{
	if (seat >= pool->seat_count) {
		pool->workers = memory_resize(pool->workers, seat + 1, sizeof *pool->workers);
		memset(&pool->workers[pool->seat_count], 0, (seat + 1 - pool->seat_count) * sizeof *pool->workers);
		pool->seat_count = seat + 1;
	}
	return &pool->workers[seat];
}

void task_pool_open_worker(struct task_pool *pool, uint32_t seat)
{
	struct task_worker *worker = worker_at(pool, seat);

	if (!worker->is_known)
		pool->worker_count++;
	worker->is_known = true;
	enlist(pool, seat);
}

/* ---- tasks ---- */

bool task_pool_has_room(const struct task_pool *pool)
{
	return pool->queued < pool->limits.queue_most && pool->queued_bytes < pool->limits.bytes_most;
}

static void count_in(struct task_pool *pool, const struct task *task)
{
	pool->queued++;
	pool->queued_bytes += task->payload_size;
}

static void count_out(struct task_pool *pool, const struct task *task)
{
	pool->queued--;
	pool->queued_bytes -= task->payload_size;
}

void task_pool_add(struct task_pool *pool, struct task *task)
{
	pool->submitted++;
	count_in(pool, task);
	append(&pool->queues[task->priority], task);
}

static void give(struct task_pool *pool, struct task *task, uint32_t seat, uint64_t now_us)
{
	struct task_worker *worker = worker_at(pool, seat);

	task->is_running = true;
	task->worker = seat;
	task->started_us = now_us;
	append(&worker->tasks, task);
	pool->running++;
	if (++worker->running >= pool->limits.concurrency)
		delist(pool, seat);
	else if (worker->is_listed)
		pool->free = worker->next;
}

void task_pool_adopt(struct task_pool *pool, struct task *task, uint32_t seat, uint64_t now_us)
{
	pool->submitted++;
	give(pool, task, seat, now_us);
}

struct task *task_pool_next(struct task_pool *pool, uint64_t now_us)
{
	struct task *task = NULL;

	if (pool->free == NOBODY || !pool->queued)
		return NULL;
	for (int i = TASK_PRIORITIES - 1; i >= 0 && !task; i--)
		task = pool->queues[i].first;
	take_out(&pool->queues[task->priority], task);
	count_out(pool, task);
	pool->started++;
	give(pool, task, pool->free, now_us);
	return task;
}

static void take_back(struct task_pool *pool, struct task *task)
{
	struct task_worker *worker = &pool->workers[task->worker];

	take_out(&worker->tasks, task);
	task->is_running = false;
	worker->running--;
	pool->running--;
}

struct task *task_pool_end(struct task_pool *pool, uint32_t seat, uint64_t id, bool is_success, uint64_t now_us)
{
	struct task *task = seat < pool->seat_count ? pool->workers[seat].tasks.first : NULL;

	while (task && task->id != id)
		task = task->next;
	if (!task)
		return NULL;
	take_back(pool, task);
	enlist(pool, seat);
	histogram_add(&pool->runs, now_us - task->started_us);
	histogram_add(&pool->waits, task->wait_us);
	*(is_success ? &pool->completed : &pool->failed) += 1;
	*(is_success ? &pool->workers[seat].completed : &pool->workers[seat].failed) += 1;
	return task;
}

void task_pool_close_worker(struct task_pool *pool, uint32_t seat, bool is_charged,
	void (*on_given_up)(void *context, struct task *task), void *context)
{
	struct task *task;

	if (seat >= pool->seat_count || !pool->workers[seat].is_known)
		return;
	delist(pool, seat);
	pool->workers[seat].is_known = false;
	pool->worker_count--;
	/* from the last on, so that they are in front in their order again */
	while ((task = pool->workers[seat].tasks.last)) {
		take_back(pool, task);
		task->attempts = (uint16_t)(task->attempts + is_charged);
		if (task->attempts > pool->limits.retries) {
			pool->failed++;
			on_given_up(context, task);
			continue;
		}
		pool->retried++;
		count_in(pool, task);
		prepend(&pool->queues[task->priority], task);
	}
}

struct task *task_pool_overdue(const struct task_pool *pool, uint64_t now_us, uint64_t *next_us)
{
	*next_us = 0;
	for (uint32_t i = 0; i < pool->seat_count; i++)
		for (struct task *task = pool->workers[i].tasks.first; task; task = task->next) {
			uint64_t due_us = task->started_us + task->timeout_ms * 1000ull;
			if (!task->timeout_ms)
				continue;
			if (due_us <= now_us)
				return task;
			if (!*next_us || due_us < *next_us)
				*next_us = due_us;
		}
	return NULL;
}

static bool is_meant(const struct task_filter *filter, const struct task *task)
{
	return (!filter->submission || task->submission == filter->submission) && (!filter->id || task->id == filter->id);
}

static uint64_t count_running(const struct task_pool *pool, const struct task_filter *filter)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < pool->seat_count; i++)
		for (const struct task *task = pool->workers[i].tasks.first; task; task = task->next)
			count += is_meant(filter, task);
	return count;
}

struct task *task_pool_cancel(struct task_pool *pool, const struct task_filter *filter, uint64_t *running)
{
	struct task *taken = NULL;

	*running = count_running(pool, filter);
	for (int i = 0; i < TASK_PRIORITIES; i++)
		for (struct task *task = pool->queues[i].first, *next; task; task = next) {
			next = task->next;
			if (!is_meant(filter, task))
				continue;
			take_out(&pool->queues[i], task);
			count_out(pool, task);
			task->next = taken;
			taken = task;
		}
	return taken;
}
