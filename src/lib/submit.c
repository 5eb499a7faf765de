/* How tasks get into a pool's queues, and what happens when one is full. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include "lib/pool.h"

enum {
	SOON_NS = 100000
};

static bool is_submitted(const struct thrum_task *task)
{
	return __atomic_load_n(&task->state, __ATOMIC_RELAXED) != TASK_IDLE;
}

static int refusal(const struct thrum_task *task)
{
	if (!task->work || (unsigned)task->priority > THRUM_LOW)
		return -EINVAL;
	return is_submitted(task) ? -EBUSY : 0;
}

static void claim(struct thrum_pool *pool, struct thrum_task *task)
{
	task->pool = pool;
	task->outer = NULL;
	task->weight = 0;
	__atomic_store_n(&task->state, TASK_SUBMITTED, __ATOMIC_RELAXED);
}

/* Some of the short ones are timed, all of the long ones; and those that may not wait for too long. */
static void put(struct thrum_pool *pool, struct ring *ring, uint64_t place, struct thrum_task *task)
{
	uint32_t timing = atomic_load_explicit(&pool->timing, memory_order_relaxed);

	claim(pool, task);
	task->place = place;
	if ((place & (timing - 1)) == 0)
		task->weight = timing;
	if (task->weight || task->start_within_ms)
		task->submitted_ns = thrum__now_ns();
	ring_put(ring, place, task);
}

static void put_all(struct thrum_pool *pool, struct ring *ring, uint64_t place, struct thrum_task *const *tasks, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		put(pool, ring, place + i, tasks[i]);
	crew_wake(&pool->crew);
}

static bool is_full(const struct ring *ring)
{
	uint64_t tail = atomic_load_explicit(&ring->ends->tail, memory_order_seq_cst);

	return !(tail & STATS_CLOSED) && tail - atomic_load_explicit(&ring->ends->head, memory_order_seq_cst) >= ring->most;
}

/*
 * One turn of waiting: the queue is full, or the next of its cells is not empty yet: it is just being emptied, or was claimed by a
 * thread that is at another task, which is for no long time.
 */
static int wait_for_room(struct ring *ring, uint64_t deadline_ns)
{
	uint32_t room = atomic_load_explicit(&ring->room, memory_order_acquire);
	uint64_t now;

	if (is_full(ring))
		return thrum__futex_wait(&ring->room, room, deadline_ns, FUTEX_PRIVATE_FLAG);
	now = thrum__now_ns();
	if (now >= deadline_ns)
		return -ETIMEDOUT;
	if (claim_is_allowed(ring->most, CLAIM_MOST))
		thrum__futex_wait(&ring->room, room, now + SOON_NS < deadline_ns ? now + SOON_NS : deadline_ns, FUTEX_PRIVATE_FLAG);
	else
		sched_yield();
	return 0;
}

static int reserve_or_wait(struct ring *ring, unsigned count, uint64_t *place, uint64_t deadline_ns)
{
	int got;

	atomic_fetch_add_explicit(&ring->blocked, 1, memory_order_seq_cst);
	while ((got = ring_reserve(ring, count, place)) == -EAGAIN)
		if (wait_for_room(ring, deadline_ns) < 0) {
			got = -ETIMEDOUT;
			break;
		}
	atomic_fetch_sub_explicit(&ring->blocked, 1, memory_order_relaxed);
	return got;
}

/* Whoever destroys the pool waits for this thread from when it has begun to wait until it touches the pool no more. */
static int submit_waiting(struct thrum_pool *pool, struct ring *ring, struct thrum_task *const *tasks, unsigned count, uint64_t deadline_ns)
{
	uint64_t place;
	int got;

	atomic_fetch_add(&pool->guests, 1);
	got = reserve_or_wait(ring, count, &place, deadline_ns);
	if (got > 0)
		put_all(pool, ring, place, tasks, (unsigned)got);
	if (atomic_fetch_sub(&pool->guests, 1) == 1)
		thrum__futex_wake(&pool->guests, INT_MAX, FUTEX_PRIVATE_FLAG);
	return got;
}

/* This thread's place in the pool, or NULL if it is none of the pool's. */
static struct worker *own_worker(const struct thrum_pool *pool)
{
	struct worker *worker = thrum__worker_current();

	return worker && worker->pool == pool ? worker : NULL;
}

static void run_instead(struct thrum_pool *pool, struct thrum_task *task)
{
	struct worker *worker = own_worker(pool);

	claim(pool, task);
	if (worker)
		thrum__worker_run(worker, task);
	else
		thrum__task_run_here(pool, task);
}

/* As the policy says: how many were taken, or why not. */
static int submit_when_full(struct thrum_pool *pool, struct ring *ring, struct thrum_task *const *tasks, unsigned count)
{
	if (pool->when_full == THRUM_REFUSE)
		return -EAGAIN;
	if (pool->when_full == THRUM_BLOCK && !own_worker(pool))
		return submit_waiting(pool, ring, tasks, count, FUTEX_EVER);
	run_instead(pool, tasks[0]);
	return 1;
}

int thrum_pool_submit(struct thrum_pool *pool, struct thrum_task *task)
{
	int got = refusal(task);
	struct ring *ring;
	uint64_t place;

	if (got < 0)
		return got;
	ring = thrum__pool_ring(pool, task->priority);
	got = ring_reserve(ring, 1, &place);
	if (got == -EAGAIN) {
		got = submit_when_full(pool, ring, &task, 1);
		return got < 0 ? got : 0;
	}
	if (got < 0)
		return got;
	put(pool, ring, place, task);
	crew_wake(&pool->crew);
	return 0;
}

int thrum_pool_submit_within(struct thrum_pool *pool, struct thrum_task *task, int timeout_ms)
{
	int got = refusal(task);
	struct ring *ring;
	uint64_t place;

	if (got < 0)
		return got;
	ring = thrum__pool_ring(pool, task->priority);
	got = ring_reserve(ring, 1, &place);
	if (got == -EAGAIN) {
		got = submit_waiting(pool, ring, &task, 1, thrum__deadline_ns(timeout_ms));
		return got < 0 ? got : 0;
	}
	if (got < 0)
		return got;
	put(pool, ring, place, task);
	crew_wake(&pool->crew);
	return 0;
}

/* How many from the first on have its priority, and can be taken. */
static unsigned alike(struct thrum_task *const *tasks, unsigned count)
{
	unsigned i = 1;

	while (i < count && tasks[i]->priority == tasks[0]->priority && !refusal(tasks[i]))
		i++;
	return i;
}

/* Some of them, at least one; how many, or why not. */
static int submit_some(struct thrum_pool *pool, struct thrum_task *const *tasks, unsigned count)
{
	int got = refusal(tasks[0]);
	struct ring *ring;
	uint64_t place;

	if (got < 0)
		return got;
	ring = thrum__pool_ring(pool, tasks[0]->priority);
	count = alike(tasks, count);
	got = ring_reserve(ring, count, &place);
	if (got == -EAGAIN)
		return submit_when_full(pool, ring, tasks, count);
	if (got > 0)
		put_all(pool, ring, place, tasks, (unsigned)got);
	return got;
}

int thrum_pool_submit_many(struct thrum_pool *pool, struct thrum_task *const *tasks, unsigned count)
{
	unsigned taken = 0;
	int got = 0;

	if (count > INT_MAX)
		return -EINVAL;
	while (taken < count && (got = submit_some(pool, tasks + taken, count - taken)) > 0)
		taken += (unsigned)got;
	return taken ? (int)taken : got;
}
