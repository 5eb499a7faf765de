/* The threads of a pool. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include "lib/memory.h"
#include "lib/page.h"
#include "lib/pool.h"

enum {
	LOOKS = PARK_LOOKS(600), /* of a searcher before it sleeps: some microseconds, as long as it takes to wake it */
	FROM_BELOW = 64,         /* each so many picks, the least urgent comes first */
	LOOK_AFTER = 16,         /* each so many times that it takes of a queue, a thread looks whether another one is stuck */
	LONG_NS = 10000,         /* a task that takes longer is long */
	FRAMES_SIZE = 65536
};

static _Thread_local struct worker *current;

struct worker *thrum__worker_current(void)
{
	return current;
}

/* Whoever waits for room is let in when half of it is free, so that they are not woken for each task. */
static void make_room(struct ring *ring)
{
	uint64_t tail;

	if (atomic_load_explicit(&ring->blocked, memory_order_seq_cst) == 0)
		return;
	tail = atomic_load_explicit(&ring->ends->tail, memory_order_relaxed) & ~STATS_CLOSED;
	if (tail - atomic_load_explicit(&ring->ends->head, memory_order_relaxed) > ring->most / 2)
		return;
	atomic_fetch_add_explicit(&ring->room, 1, memory_order_release);
	thrum__futex_wake(&ring->room, INT_MAX, FUTEX_PRIVATE_FLAG);
}

/* -- Taking -- */

static struct thrum_task *empty(struct ring *ring, uint64_t place)
{
	struct thrum_task *task = ring_empty(ring, place);

	make_room(ring);
	return task;
}

/* Those that may have claimed some, counted from the first on. */
static unsigned claimers(const struct thrum_pool *pool)
{
	unsigned count = atomic_load_explicit(&pool->worker_count, memory_order_acquire);

	if (!claim_is_allowed(pool->rings[0].most, CLAIM_MOST))
		return 0;
	return count < CLAIMERS_MOST ? count : CLAIMERS_MOST;
}

static bool has_claim(const struct worker *worker)
{
	return stats_claimed(atomic_load_explicit(&worker->figures->claim, memory_order_seq_cst)) > 0;
}

static bool may_claim(const struct worker *worker)
{
	return worker && worker->index < claimers(worker->pool) && !has_claim(worker);
}

/* They are written to soon, by this thread. */
static void fetch(const struct ring *ring, uint64_t place, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		__builtin_prefetch(atomic_load_explicit(&ring_cell(ring, place + i)->task, memory_order_relaxed), 1);
}

/* The first one for now; the others are the worker's to begin, but whoever falls asleep now sees them, or is seen. */
static struct thrum_task *begin_claim(struct worker *worker, unsigned queue, uint64_t place, unsigned count)
{
	struct thrum_pool *pool = worker->pool;

	if (count > 1) {
		atomic_store_explicit(&worker->figures->claim, stats_claim(queue, place + 1, count - 1), memory_order_seq_cst);
		crew_wake(&pool->crew);
		fetch(&pool->rings[queue], place, count);
	}
	return empty(&pool->rings[queue], place);
}

/* How many may be claimed at once: several only of short ones, and where queues are so long that these few do not matter. */
static unsigned claim_most(const struct thrum_pool *pool, const struct ring *ring, const struct worker *worker, uint64_t *reach)
{
	*reach = (uint64_t)CLAIM_MOST * atomic_load_explicit(&pool->target, memory_order_relaxed);
	return may_claim(worker) && claim_is_allowed(ring->most, *reach) &&
			       atomic_load_explicit(&pool->timing, memory_order_relaxed) == SHORT_TIMING
		       ? CLAIM_MOST
		       : 1;
}

static bool take_of_queue(struct thrum_pool *pool, struct worker *worker, unsigned queue, struct thrum_task **task)
{
	struct ring *ring = &pool->rings[queue];
	uint64_t place, reach;
	unsigned most, count;

	if (worker && claim_next(&worker->figures->claim, queue, &place)) {
		*task = empty(ring, place);
		return true;
	}
	most = claim_most(pool, ring, worker, &reach);
	count = ring_claim(ring, most, reach, &place);
	if (count == 0)
		return false;
	*task = most > 1 ? begin_claim(worker, queue, place, count) : empty(ring, place);
	return true;
}

/* Of what another one has claimed; who may not claim takes one. */
static bool take_of_claim(struct thrum_pool *pool, struct worker *worker, struct worker *other, bool is_all, struct thrum_task **task)
{
	_Atomic uint64_t *theirs = &other->figures->claim;
	uint64_t place, claim;

	if (may_claim(worker)) {
		claim = claim_steal(theirs, is_all);
		if (claim)
			*task = begin_claim(worker, stats_claim_queue(claim), stats_claim_place(claim), stats_claimed(claim));
		return claim;
	}
	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		if (claim_next(theirs, i, &place)) {
			*task = empty(&pool->rings[i], place);
			return true;
		}
	return false;
}

static bool take_of_others(struct thrum_pool *pool, struct worker *worker, struct thrum_task **task)
{
	for (unsigned i = 0, count = claimers(pool); i < count; i++)
		if (pool->workers[i] != worker && take_of_claim(pool, worker, pool->workers[i], false, task))
			return true;
	return false;
}

/* What is claimed by a thread that is at a long task: it is seen twice, with many other tasks between. */
static bool take_of_stuck(struct thrum_pool *pool, struct worker *worker, struct thrum_task **task)
{
	struct worker *other;
	uint64_t claim;

	if (!may_claim(worker) || worker->looks++ % LOOK_AFTER)
		return false;
	other = pool->workers[worker->looks / LOOK_AFTER / 2 % claimers(pool)];
	claim = atomic_load_explicit(&other->figures->claim, memory_order_relaxed);
	if (stats_claimed(claim) > 0 && claim == worker->suspect)
		return take_of_claim(pool, worker, other, true, task);
	worker->suspect = claim;
	return false;
}

bool thrum__pool_take(struct thrum_pool *pool, struct worker *worker, struct thrum_task **task)
{
	bool from_below = worker && worker->picks++ % FROM_BELOW == FROM_BELOW - 1;

	if (take_of_stuck(pool, worker, task))
		return true;
	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		if (take_of_queue(pool, worker, from_below ? STATS_PRIORITIES - 1 - i : i, task))
			return true;
	return take_of_others(pool, worker, task);
}

static bool queues_have_work(const struct thrum_pool *pool)
{
	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		if (ring_has(&pool->rings[i]))
			return true;
	return false;
}

static bool are_claimed(const struct thrum_pool *pool)
{
	for (unsigned i = 0, count = claimers(pool); i < count; i++)
		if (has_claim(pool->workers[i]))
			return true;
	return false;
}

static bool has_work(const struct thrum_pool *pool)
{
	return queues_have_work(pool) || are_claimed(pool);
}

bool thrum__pool_is_over(const struct thrum_pool *pool)
{
	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		if (!ring_is_over(&pool->rings[i]))
			return false;
	return !are_claimed(pool);
}

/* -- Running -- */

/* Of short tasks a sixteenth is timed, which then counts for all of them. Apart, for those that are not: what it needs is not theirs. */
static __attribute__((noinline)) int run_timed(struct worker *worker, struct thrum_task *task)
{
	uint32_t weight = task->weight, timing;
	uint64_t began_ns = thrum__now_ns(), run_ns;
	int result;

	stats_add(&worker->figures->wait[stats_bucket(began_ns - task->submitted_ns)], weight);
	result = task->work(task->argument);
	run_ns = thrum__now_ns() - began_ns;
	timing = run_ns > LONG_NS ? 1 : SHORT_TIMING;
	stats_add(&worker->figures->run[stats_bucket(run_ns)], weight);
	if (atomic_load_explicit(&worker->pool->timing, memory_order_relaxed) != timing)
		atomic_store_explicit(&worker->pool->timing, timing, memory_order_relaxed);
	return result;
}

static void end_task(struct worker *worker, struct thrum_task *task, int result)
{
	worker->task = task->outer;
	if (result)
		stats_add(&worker->figures->failed, 1);
	stats_add(&worker->figures->completed, 1);
	thrum__task_answer(task, result);
}

void thrum__worker_run(struct worker *worker, struct thrum_task *task)
{
	stats_add(&worker->figures->started, 1);
	task->outer = worker->task;
	worker->task = task;
	end_task(worker, task, task->weight ? run_timed(worker, task) : task->work(task->argument));
}

static bool came_too_late(const struct thrum_task *task)
{
	return task->start_within_ms > 0 && thrum__now_ns() - task->submitted_ns > (uint64_t)task->start_within_ms * 1000000;
}

static void handle(struct worker *worker, struct thrum_task *task)
{
	if (!task) {
		stats_add(&worker->figures->passed, 1);
	} else if (came_too_late(task)) {
		stats_add(&worker->figures->expired, 1);
		thrum__task_answer(task, -ETIMEDOUT);
	} else {
		thrum__worker_run(worker, task);
	}
}

/* -- Searching and sleeping -- */

static bool is_to_leave(const struct worker *worker)
{
	return worker->index >= atomic_load_explicit(&worker->pool->target, memory_order_seq_cst) ||
	       thrum__pool_is_over(worker->pool);
}

/* Not to be overlooked: whoever came while this one searched has relied on it. */
static void stop_searching(struct worker *worker)
{
	struct crew *crew = &worker->pool->crew;

	worker->searching = false;
	if (CREW_SLEEPERS(crew_change(crew, -CREW_SEARCHER)) > 0 && has_work(worker->pool))
		crew_wake(crew);
}

static bool look_on(const struct worker *worker)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		if (queues_have_work(worker->pool))
			return true;
		thrum__relax();
	}
	return false;
}

/* Until there may be something to do; it searches then, or somebody else does. */
static void rest(struct worker *worker)
{
	struct crew *crew = &worker->pool->crew;

	if (!worker->searching)
		worker->searching = crew_search(crew);
	if (worker->searching) {
		if (look_on(worker))
			return;
		worker->searching = false;
		crew_change(crew, CREW_SLEEPER - CREW_SEARCHER);
	}
	if (!(has_work(worker->pool) || is_to_leave(worker)) || !crew_rouse(crew, UINT16_MAX))
		crew_sleep(crew);
	worker->searching = true;
}

/* -- Coming and going -- */

/*
 * The mutex is held. Whoever waits until all have gone joins this thread then; those who sleep are to see that all is over, or what
 * it has left.
 */
static void depart(struct worker *worker)
{
	worker->former = worker->thread;
	worker->has_former = true;
	atomic_store(&worker->present, false);
	atomic_store_explicit(&worker->figures->tid, 0, memory_order_relaxed);
	atomic_store_explicit(&worker->pool->figures->threads, atomic_fetch_sub(&worker->pool->present, 1) - 1, memory_order_relaxed);
	thrum__futex_wake(&worker->pool->present, INT_MAX, FUTEX_PRIVATE_FLAG);
	if (thrum__pool_is_over(worker->pool))
		crew_wake_all(&worker->pool->crew);
	else if (has_claim(worker))
		crew_wake(&worker->pool->crew);
}

/* False if it is wanted again. */
static bool leave(struct worker *worker)
{
	bool leaves;

	if (worker->searching)
		stop_searching(worker);
	pthread_mutex_lock(&worker->pool->mutex);
	leaves = is_to_leave(worker);
	if (leaves)
		depart(worker);
	pthread_mutex_unlock(&worker->pool->mutex);
	return leaves;
}

/* Frames that were cut off could not tell AddressSanitizer that they are gone: it would take what comes after for an overflow. */
static void forget_frames(void)
{
#ifdef __SANITIZE_ADDRESS__
	void __asan_unpoison_memory_region(const volatile void *begin, size_t size);
	const char *here = __builtin_frame_address(0);

	__asan_unpoison_memory_region(here - FRAMES_SIZE, FRAMES_SIZE);
#endif
}

/* A task has ended the thread, which is on its way out: those that it was at are answered, and another takes its place. */
static void on_torn(void *data)
{
	struct worker *worker = data;
	struct thrum_pool *pool = worker->pool;

	forget_frames();
	while (worker->task)
		end_task(worker, worker->task, -EOWNERDEAD);
	pthread_mutex_lock(&pool->mutex);
	atomic_fetch_add_explicit(&pool->figures->replaced, 1, memory_order_relaxed);
	depart(worker);
	if (!is_to_leave(worker) && thrum__worker_start(worker) < 0) {
		pool->missing = true;
		thrum__page_ring();
	}
	pthread_mutex_unlock(&pool->mutex);
}

static void work(struct worker *worker)
{
	struct thrum_pool *pool = worker->pool;
	struct thrum_task *task;

	do {
		while (worker->index < atomic_load_explicit(&pool->target, memory_order_relaxed)) {
			if (thrum__pool_take(pool, worker, &task)) {
				if (worker->searching)
					stop_searching(worker);
				handle(worker, task);
			} else if (thrum__pool_is_over(pool)) {
				break;
			} else {
				rest(worker);
			}
		}
	} while (!leave(worker));
}

static void introduce(struct worker *worker)
{
	char name[16];

	current = worker;
	snprintf(name, sizeof name, "%.10s-%u", worker->pool->name, worker->index);
	pthread_setname_np(pthread_self(), name);
	atomic_store_explicit(&worker->figures->tid, (uint32_t)syscall(SYS_gettid), memory_order_relaxed);
}

static void *on_thread(void *data)
{
	struct worker *worker = data;

	if (worker->has_former)
		pthread_join(worker->former, NULL);
	worker->has_former = false;
	introduce(worker);
	pthread_cleanup_push(on_torn, worker);
	work(worker);
	pthread_cleanup_pop(0);
	return NULL;
}

/* Signals of the process go to its other threads. */
static int create_thread(struct worker *worker, const pthread_attr_t *attributes)
{
	sigset_t all, former;
	int reason;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	reason = pthread_create(&worker->thread, attributes, on_thread, worker);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return -reason;
}

int thrum__worker_start(struct worker *worker)
{
	struct thrum_pool *pool = worker->pool;
	pthread_attr_t attributes;
	int status;

	pthread_attr_init(&attributes);
	status = pool->stack_size ? -pthread_attr_setstacksize(&attributes, pool->stack_size) : 0;
	if (status == 0)
		status = create_thread(worker, &attributes);
	pthread_attr_destroy(&attributes);
	if (status < 0)
		return status;
	atomic_store(&worker->present, true);
	atomic_store_explicit(&pool->figures->threads, atomic_fetch_add(&pool->present, 1) + 1, memory_order_relaxed);
	return 0;
}
