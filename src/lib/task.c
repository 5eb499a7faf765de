/* A task after its submission: answered, waited for, cancelled. */
#include <errno.h>
#include <pthread.h>
#include "lib/pool.h"

/* A thread that waits looks so often before it sleeps: some microseconds, as long as it takes to wake it. */
enum {
	LOOKS = PARK_LOOKS(500)
};

struct ring *thrum__pool_ring(struct thrum_pool *pool, enum thrum_priority priority)
{
	static const unsigned char urgency[] = { [THRUM_HIGH] = 0, [THRUM_NORMAL] = 1, [THRUM_LOW] = 2 };

	return &pool->rings[urgency[priority]];
}

static void wake_waiters(struct thrum_task *task)
{
	/* Whoever waits may have freed it by now: then this wakes nobody, or somebody who looks again. */
	thrum__futex_wake((const _Atomic uint32_t *)&task->state, INT_MAX, FUTEX_PRIVATE_FLAG);
}

void thrum__task_answer(struct thrum_task *task, int result)
{
	thrum_task_done *done = task->done;

	task->result = result;
	if (done) {
		__atomic_store_n(&task->state, TASK_IDLE, __ATOMIC_RELEASE);
		done(task);
	} else if (__atomic_exchange_n(&task->state, TASK_IDLE, __ATOMIC_ACQ_REL) == TASK_AWAITED) {
		wake_waiters(task);
	}
}

void thrum__task_drop(struct thrum_pool *pool, struct thrum_task *task, int result)
{
	atomic_fetch_add_explicit(&pool->figures->cancelled, 1, memory_order_relaxed);
	thrum__task_answer(task, result);
}

static void count_guest(struct thrum_pool *pool, int result)
{
	if (result)
		atomic_fetch_add_explicit(&pool->figures->guests_failed, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&pool->figures->guests_completed, 1, memory_order_relaxed);
}

/* The caller's thread ends in the midst of its task. */
static void on_guest_end(void *data)
{
	struct thrum_task *task = data;

	count_guest(task->pool, -EOWNERDEAD);
	thrum__task_answer(task, -EOWNERDEAD);
}

void thrum__task_run_here(struct thrum_pool *pool, struct thrum_task *task)
{
	int result;

	atomic_fetch_add_explicit(&pool->figures->guests_started, 1, memory_order_relaxed);
	pthread_cleanup_push(on_guest_end, task);
	result = task->work(task->argument);
	pthread_cleanup_pop(0);
	count_guest(pool, result);
	thrum__task_answer(task, result);
}

int thrum_task_is_done(const struct thrum_task *task)
{
	return __atomic_load_n(&task->state, __ATOMIC_ACQUIRE) == TASK_IDLE;
}

/* True if nobody has begun it: it is the caller's then. */
static bool take_back(struct thrum_task *task)
{
	struct thrum_pool *pool = task->pool;

	if (!ring_remove(thrum__pool_ring(pool, task->priority), task->place, task))
		return false;
	atomic_fetch_add_explicit(&pool->figures->removed, 1, memory_order_relaxed);
	return true;
}

static int wait_for_answer(struct thrum_task *task, uint64_t deadline_ns)
{
	uint32_t state = TASK_SUBMITTED;

	if (!__atomic_compare_exchange_n(&task->state, &state, TASK_AWAITED, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
		state == TASK_IDLE)
		return 0;
	while (!thrum_task_is_done(task))
		if (thrum__futex_wait((const _Atomic uint32_t *)&task->state, TASK_AWAITED, deadline_ns, FUTEX_PRIVATE_FLAG) < 0)
			return thrum_task_is_done(task) ? 0 : -ETIMEDOUT;
	return 0;
}

int thrum_task_wait(struct thrum_task *task, int timeout_ms)
{
	struct worker *worker = thrum__worker_current();

	if (task->done)
		return -EINVAL;
	if (thrum_task_is_done(task))
		return 0;
	if (worker && worker->pool == task->pool && take_back(task)) {
		thrum__worker_run(worker, task);
		return 0;
	}
	if (timeout_ms == 0)
		return -ETIMEDOUT;
	for (unsigned i = 0; i < LOOKS; i++) {
		if (thrum_task_is_done(task))
			return 0;
		thrum__relax();
	}
	return wait_for_answer(task, thrum__deadline_ns(timeout_ms));
}

int thrum_task_cancel(struct thrum_task *task)
{
	if (thrum_task_is_done(task))
		return -EALREADY;
	if (!take_back(task))
		return -EBUSY;
	thrum__task_drop(task->pool, task, -ECANCELED);
	return 0;
}
