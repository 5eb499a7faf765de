/* The life of a pool: made, resized, shut down. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include "lib/memory.h"
#include "lib/page.h"
#include "lib/pool.h"

enum {
	QUEUE_DEFAULT = 65536,
	QUEUE_MOST = 1 << 24,
	TIMING_FIRST = 1 /* until a task was seen to be short, each is timed */
};

static unsigned cores(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (unsigned)count : 1;
}

static bool ring_init(struct ring *ring, struct stats_queue *ends, unsigned most)
{
	while ((UINT64_C(1) << ring->bits) < most)
		ring->bits++;
	ring->mask = (UINT64_C(1) << ring->bits) - 1;
	ring->most = most;
	ring->ends = ends;
	ring->cells = thrum__allocate((size_t)1 << ring->bits, sizeof *ring->cells);
	return ring->cells;
}

static void pool_free(struct thrum_pool *pool)
{
	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		thrum__free(pool->rings[i].cells);
	for (unsigned i = 0; i < pool->worker_count; i++)
		thrum__free(pool->workers[i]);
	thrum__free(pool->workers);
	pthread_mutex_destroy(&pool->mutex);
	thrum__free(pool);
}

static bool fill(struct thrum_pool *pool, const struct thrum_pool_options *options)
{
	unsigned most = options->queue_max ? options->queue_max : QUEUE_DEFAULT;

	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		if (!ring_init(&pool->rings[i], &pool->figures->queues[i], most))
			return false;
	pool->workers = thrum__allocate(STATS_THREADS_MOST, sizeof *pool->workers);
	atomic_store(&pool->figures->queue_max, most);
	return pool->workers;
}

static struct thrum_pool *pool_new(const struct thrum_pool_options *options)
{
	struct thrum_pool *pool = thrum__allocate_aligned(alignof(struct thrum_pool), sizeof *pool);

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->mutex, NULL);
	atomic_store(&pool->timing, TIMING_FIRST);
	pool->when_full = options->when_full;
	pool->stack_size = options->stack_size;
	snprintf(pool->name, sizeof pool->name, "%s", options->name ? options->name : "pool");
	return pool;
}

static bool are_valid(const struct thrum_pool_options *options)
{
	uint64_t reserved = options->reserved[0] | options->reserved[1] | options->reserved[2] | options->reserved[3];

	return options->threads <= THRUM_POOL_MOST_THREADS && options->queue_max <= QUEUE_MOST &&
	       (unsigned)options->when_full <= THRUM_RUN && reserved == 0;
}

/* Undoes all, and keeps errno. */
static struct thrum_pool *give_up(struct thrum_pool *pool, int reason)
{
	thrum_pool_destroy(pool);
	errno = reason;
	return NULL;
}

struct thrum_pool *thrum_pool_create(const struct thrum_pool_options *options)
{
	static const struct thrum_pool_options defaults;
	struct thrum_pool *pool;
	int status;

	options = options ? options : &defaults;
	if (!are_valid(options)) {
		errno = EINVAL;
		return NULL;
	}
	pool = pool_new(options);
	if (!pool)
		return NULL;
	if (!thrum__page_enter(pool)) {
		status = errno;
		pool_free(pool);
		errno = status;
		return NULL;
	}
	if (!fill(pool, options))
		return give_up(pool, ENOMEM);
	status = thrum_pool_resize(pool, options->threads ? options->threads : cores());
	if (status < 0)
		return give_up(pool, -status);
	atomic_store(&pool->ready, true);
	return pool;
}

/* -- Size -- */

static int worker_add(struct thrum_pool *pool)
{
	struct worker *worker = thrum__allocate(1, sizeof *worker);

	if (!worker)
		return -ENOMEM;
	worker->figures = thrum__page_worker(pool);
	if (!worker->figures) {
		thrum__free(worker);
		return -EAGAIN;
	}
	worker->pool = pool;
	worker->index = pool->worker_count;
	pool->workers[worker->index] = worker;
	atomic_store_explicit(&pool->worker_count, worker->index + 1, memory_order_release);
	return 0;
}

/* Starts those that are wanted and not there. The mutex is held. */
static int fill_up(struct thrum_pool *pool)
{
	unsigned target = atomic_load(&pool->target);
	int status = 0;

	for (unsigned i = 0; i < target && status == 0; i++) {
		if (i == pool->worker_count)
			status = worker_add(pool);
		if (status == 0 && !atomic_load(&pool->workers[i]->present))
			status = thrum__worker_start(pool->workers[i]);
	}
	pool->missing = status < 0;
	return status;
}

int thrum_pool_resize(struct thrum_pool *pool, unsigned threads)
{
	int status = -ESHUTDOWN;

	if (threads > THRUM_POOL_MOST_THREADS)
		return -EINVAL;
	pthread_mutex_lock(&pool->mutex);
	if (!pool->closed) {
		atomic_store_explicit(&pool->target, threads, memory_order_seq_cst);
		atomic_store_explicit(&pool->figures->target, threads, memory_order_relaxed);
		status = fill_up(pool);
	}
	pthread_mutex_unlock(&pool->mutex);
	crew_wake_all(&pool->crew);
	if (status < 0 && status != -ESHUTDOWN)
		thrum__page_ring();
	return status == -ENOMEM ? -EAGAIN : status;
}

/* -- The end -- */

static void close_queues(struct thrum_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	pool->closed = true;
	pthread_mutex_unlock(&pool->mutex);
	for (unsigned i = 0; i < STATS_PRIORITIES; i++) {
		atomic_fetch_or(&pool->rings[i].ends->tail, STATS_CLOSED);
		atomic_fetch_add(&pool->rings[i].room, 1);
		thrum__futex_wake(&pool->rings[i].room, INT_MAX, FUTEX_PRIVATE_FLAG);
	}
	crew_wake_all(&pool->crew);
}

static void settle(struct thrum_pool *pool, struct thrum_task *task, enum thrum_shutdown how)
{
	if (!task)
		atomic_fetch_sub(&pool->figures->removed, 1);
	else if (how == THRUM_REJECT)
		thrum__task_drop(pool, task, -ECANCELED);
	else
		thrum__task_run_here(pool, task);
}

/* Of what waits, all; with those who may still be putting theirs there. */
static void settle_all(struct thrum_pool *pool, enum thrum_shutdown how)
{
	struct thrum_task *task;

	for (;;) {
		if (thrum__pool_take(pool, NULL, &task))
			settle(pool, task, how);
		else if (thrum__pool_is_over(pool))
			break;
		else
			sched_yield();
	}
	crew_wake_all(&pool->crew);
}

static void wait_for_none(_Atomic uint32_t *count)
{
	uint32_t value;

	while ((value = atomic_load(count)) > 0)
		thrum__futex_wait(count, value, FUTEX_EVER, FUTEX_PRIVATE_FLAG);
}

/* Under the mutex, for a thread that its task has ended is replaced within it. */
static void wait_for_threads(struct thrum_pool *pool)
{
	uint32_t value;

	for (;;) {
		pthread_mutex_lock(&pool->mutex);
		value = atomic_load(&pool->present);
		pthread_mutex_unlock(&pool->mutex);
		if (value == 0)
			return;
		thrum__futex_wait(&pool->present, value, FUTEX_EVER, FUTEX_PRIVATE_FLAG);
	}
}

/* Whoever looks after missing threads makes none any more, and those that it has just made are gone. */
static void end_threads(struct thrum_pool *pool)
{
	pthread_mutex_lock(&pool->mutex);
	atomic_store(&pool->target, 0);
	pool->missing = false;
	pthread_mutex_unlock(&pool->mutex);
	crew_wake_all(&pool->crew);
	wait_for_threads(pool);
}

static bool is_own_thread(const struct thrum_pool *pool)
{
	const struct worker *worker = thrum__worker_current();

	return worker && worker->pool == pool;
}

int thrum_pool_shutdown(struct thrum_pool *pool, enum thrum_shutdown how)
{
	if (is_own_thread(pool))
		return -EDEADLK;
	close_queues(pool);
	if (how == THRUM_REJECT)
		settle_all(pool, how);
	wait_for_threads(pool);
	/* What no thread was there for */
	settle_all(pool, how);
	return 0;
}

static void join_all(struct thrum_pool *pool)
{
	for (unsigned i = 0; i < pool->worker_count; i++)
		if (pool->workers[i]->has_former)
			pthread_join(pool->workers[i]->former, NULL);
}

int thrum_pool_destroy(struct thrum_pool *pool)
{
	if (!pool)
		return 0;
	if (is_own_thread(pool))
		return -EDEADLK;
	if (pool->rings[STATS_PRIORITIES - 1].cells) {
		thrum_pool_shutdown(pool, THRUM_REJECT);
		end_threads(pool);
	}
	wait_for_none(&pool->guests);
	join_all(pool);
	thrum__page_leave(pool);
	pool_free(pool);
	return 0;
}

/* -- What monitors wish, and see -- */

bool thrum__pool_attend(struct thrum_pool *pool)
{
	uint32_t wish;
	bool missing;

	if (!atomic_load(&pool->ready))
		return true;
	wish = atomic_exchange(&pool->figures->wish, STATS_WISH_NONE);
	if (wish == STATS_WISH_DRAIN) {
		if (atomic_load(&pool->target) == 0)
			thrum_pool_resize(pool, 1);
		close_queues(pool);
	} else if (wish >= STATS_WISH_SIZE) {
		thrum_pool_resize(pool, wish - STATS_WISH_SIZE);
	}
	pthread_mutex_lock(&pool->mutex);
	if (pool->missing)
		fill_up(pool);
	missing = pool->missing;
	pthread_mutex_unlock(&pool->mutex);
	return missing;
}

static uint64_t load(const _Atomic uint64_t *count)
{
	return atomic_load_explicit(count, memory_order_acquire);
}

/* What is taken is read before what is put, so that no difference is negative. */
static uint64_t count_queued(const struct thrum_pool *pool, uint64_t passed, uint64_t claimed, uint64_t *submitted)
{
	uint64_t taken = 0, removed = load(&pool->figures->removed), put = claimed;

	for (unsigned i = 0; i < STATS_PRIORITIES; i++) {
		taken += load(&pool->rings[i].ends->head);
		put += load(&pool->rings[i].ends->tail) & ~STATS_CLOSED;
	}
	*submitted += put - claimed;
	return put - taken > removed - passed ? put - taken - (removed - passed) : 0;
}

struct sums {
	uint64_t completed, started, failed, passed, expired, claimed;
	uint64_t wait[STATS_BUCKETS], run[STATS_BUCKETS];
};

static void sum_worker(struct sums *sums, const struct stats_worker *figures)
{
	sums->completed += load(&figures->completed);
	sums->started += load(&figures->started);
	sums->failed += load(&figures->failed);
	sums->passed += load(&figures->passed);
	sums->expired += load(&figures->expired);
	sums->claimed += stats_claimed(load(&figures->claim));
	for (unsigned i = 0; i < STATS_BUCKETS; i++) {
		sums->wait[i] += load(&figures->wait[i]);
		sums->run[i] += load(&figures->run[i]);
	}
}

static struct thrum_times quantiles(const uint64_t *buckets)
{
	return (struct thrum_times){ stats_quantile_ms(buckets, 0.5), stats_quantile_ms(buckets, 0.95), stats_quantile_ms(buckets, 0.99) };
}

void thrum_pool_stats(struct thrum_pool *pool, struct thrum_pool_stats *stats)
{
	const struct stats_pool *figures = pool->figures;
	struct sums sums = { 0 };

	sums.completed = load(&figures->guests_completed);
	sums.started = load(&figures->guests_started);
	sums.failed = load(&figures->guests_failed);
	pthread_mutex_lock(&pool->mutex);
	for (unsigned i = 0; i < pool->worker_count; i++)
		sum_worker(&sums, pool->workers[i]->figures);
	pthread_mutex_unlock(&pool->mutex);
	*stats = (struct thrum_pool_stats){
		.threads = atomic_load(&figures->threads),
		.target = atomic_load(&figures->target),
		.queue_max = atomic_load(&figures->queue_max),
		.busy = sums.started - sums.completed,
		.started = sums.started,
		.completed = sums.completed,
		.failed = sums.failed,
		.cancelled = load(&figures->cancelled) + sums.expired,
		.replaced = load(&figures->replaced),
		.wait = quantiles(sums.wait),
		.run = quantiles(sums.run),
	};
	stats->queued = count_queued(pool, sums.passed, sums.claimed, &stats->submitted);
	memcpy(stats->name, pool->name, sizeof stats->name);
}
