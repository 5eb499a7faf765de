#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <thrum.h>
#include <unistd.h>
#include "tests/lib/scarce.h"
#include "tests/runner.h"

enum {
	PATIENCE_MS = 20000
};

static atomic_int ran, finished;
static sem_t gate, arrived;

static void begin_case(void)
{
	sem_init(&gate, 0, 0);
	sem_init(&arrived, 0, 0);
}

static int count_up(void *argument)
{
	(void)argument;
	atomic_fetch_add(&ran, 1);
	return 0;
}

static int pass_gate(void *argument)
{
	(void)argument;
	sem_post(&arrived);
	while (sem_wait(&gate) < 0)
		continue;
	return 0;
}

static int return_argument(void *argument)
{
	return (int)(intptr_t)argument;
}

static int end_thread(void *argument)
{
	(void)argument;
	pthread_exit(NULL);
}

static int be_cancelled(void *argument)
{
	(void)argument;
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return 0;
}

static void on_done(struct thrum_task *task)
{
	(void)task;
	atomic_fetch_add(&finished, 1);
}

static struct thrum_pool *pool_of(unsigned threads, unsigned queue_max, enum thrum_pool_full when_full)
{
	struct thrum_pool_options options = { .name = "test", .threads = threads, .queue_max = queue_max, .when_full = when_full };
	struct thrum_pool *pool = thrum_pool_create(&options);

	ck_assert_ptr_nonnull(pool);
	return pool;
}

/* A pool of one thread, which is at a task that ends when the gate is opened. */
static struct thrum_pool *busy_pool(struct thrum_task *task, unsigned queue_max, enum thrum_pool_full when_full)
{
	struct thrum_pool *pool = pool_of(1, queue_max, when_full);

	*task = (struct thrum_task){ .work = pass_gate };
	ck_assert_int_eq(thrum_pool_submit(pool, task), 0);
	sem_wait(&arrived);
	return pool;
}

static void finish(struct thrum_task *task)
{
	ck_assert_int_eq(thrum_task_wait(task, PATIENCE_MS), 0);
}

START_TEST(a_task_is_run_and_its_result_is_kept)
{
	struct thrum_pool *pool = thrum_pool_create(NULL);
	struct thrum_task task = { .work = return_argument, .argument = (void *)(intptr_t)7 };

	ck_assert_ptr_nonnull(pool);
	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	finish(&task);
	ck_assert_int_eq(task.result, 7);
	ck_assert_int_eq(thrum_pool_destroy(pool), 0);
}
END_TEST

START_TEST(a_pool_has_as_many_threads_as_cores_when_nothing_is_said)
{
	struct thrum_pool *pool = thrum_pool_create(NULL);
	struct thrum_pool_stats stats;

	thrum_pool_stats(pool, &stats);
	ck_assert_uint_ge(stats.threads, 1);
	ck_assert_uint_le(stats.threads, (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
	ck_assert_str_eq(stats.name, "pool");
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(what_is_no_choice_is_refused)
{
	struct thrum_pool_options too_many = { .threads = 4097 }, reserved = { .reserved = { 0, 1 } };
	struct thrum_task nothing = { 0 };
	struct thrum_pool *pool = thrum_pool_create(NULL);

	ck_assert_ptr_null(thrum_pool_create(&too_many));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(thrum_pool_create(&reserved));
	ck_assert_int_eq(thrum_pool_submit(pool, &nothing), -EINVAL);
	ck_assert_int_eq(thrum_pool_resize(pool, 4097), -EINVAL);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(a_callback_is_called_for_each_of_many)
{
	enum { COUNT = 10000 };
	static struct thrum_task tasks[COUNT];
	static struct thrum_task *all[COUNT];
	struct thrum_pool *pool = pool_of(4, 64, THRUM_BLOCK);

	for (int i = 0; i < COUNT; i++) {
		tasks[i] = (struct thrum_task){ .work = count_up, .done = on_done, .priority = (enum thrum_priority)(i % 3) };
		all[i] = &tasks[i];
	}
	for (int i = 0; i < COUNT / 2; i++)
		ck_assert_int_eq(thrum_pool_submit(pool, &tasks[i]), 0);
	ck_assert_int_eq(thrum_pool_submit_many(pool, all + COUNT / 2, COUNT / 2), COUNT / 2);
	ck_assert_int_eq(thrum_pool_shutdown(pool, THRUM_DRAIN), 0);
	ck_assert_int_eq(atomic_load(&ran), COUNT);
	ck_assert_int_eq(atomic_load(&finished), COUNT);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(a_full_queue_refuses)
{
	struct thrum_task first, tasks[3] = { { .work = count_up }, { .work = count_up }, { .work = count_up } };
	struct thrum_task *all[3] = { &tasks[0], &tasks[1], &tasks[2] };
	struct thrum_pool *pool = busy_pool(&first, 2, THRUM_REFUSE);

	ck_assert_int_eq(thrum_pool_submit_many(pool, all, 3), 2);
	ck_assert_int_eq(thrum_pool_submit(pool, &tasks[2]), -EAGAIN);
	ck_assert_int_eq(thrum_pool_submit(pool, &tasks[0]), -EBUSY);
	ck_assert_int_eq(thrum_pool_submit_within(pool, &tasks[2], 10), -ETIMEDOUT);
	sem_post(&gate);
	ck_assert_int_eq(thrum_pool_submit_within(pool, &tasks[2], PATIENCE_MS), 0);
	finish(&tasks[2]);
	finish(&tasks[1]);
	ck_assert_int_eq(atomic_load(&ran), 3);
	thrum_pool_destroy(pool);
}
END_TEST

static int note_thread(void *argument)
{
	*(pthread_t *)argument = pthread_self();
	return 0;
}

START_TEST(a_full_queue_has_the_caller_run_it)
{
	pthread_t runner;
	struct thrum_task first, waits = { .work = count_up }, mine = { .work = note_thread, .argument = &runner };
	struct thrum_pool *pool = busy_pool(&first, 1, THRUM_RUN);

	ck_assert_int_eq(thrum_pool_submit(pool, &waits), 0);
	ck_assert_int_eq(thrum_pool_submit(pool, &mine), 0);
	ck_assert_int_eq(thrum_task_is_done(&mine), 1);
	ck_assert(pthread_equal(runner, pthread_self()));
	ck_assert_int_eq(thrum_task_is_done(&waits), 0);
	sem_post(&gate);
	finish(&waits);
	thrum_pool_destroy(pool);
}
END_TEST

struct submission {
	struct thrum_pool *pool;
	struct thrum_task task;
	int status;
	atomic_int thread; /* 0: not begun */
};

static void *submit_one(void *data)
{
	struct submission *submission = data;

	atomic_store(&submission->thread, (int)syscall(SYS_gettid));
	submission->status = thrum_pool_submit(submission->pool, &submission->task);
	return NULL;
}

static void ignore(int number)
{
	(void)number;
}

/* Until the thread sleeps in the submission: nothing else of its waits for a futex. */
static void wait_until_asleep(struct submission *submission)
{
	char path[64], now[32] = "", futex[32];
	int thread, file;

	while ((thread = atomic_load(&submission->thread)) == 0)
		sched_yield();
	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", thread);
	snprintf(futex, sizeof futex, "%d ", (int)SYS_futex);
	while (strncmp(now, futex, strlen(futex)) != 0) {
		file = open(path, O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(file, 0);
		ck_assert_int_gt(read(file, now, sizeof now - 1), 0);
		close(file);
	}
}

START_TEST(a_full_queue_blocks_until_there_is_room_whatever_signals_come)
{
	struct thrum_task first, waits = { .work = count_up };
	struct thrum_pool *pool = busy_pool(&first, 1, THRUM_BLOCK);
	struct submission submission = { .pool = pool, .task = { .work = count_up }, .status = 1 };
	struct sigaction action = { .sa_handler = ignore };
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(thrum_pool_submit(pool, &waits), 0);
	pthread_create(&thread, NULL, submit_one, &submission);
	for (int i = 0; i < 20; i++) {
		wait_until_asleep(&submission);
		pthread_kill(thread, SIGUSR1);
	}
	ck_assert_int_eq(atomic_load(&ran), 0);
	sem_post(&gate);
	pthread_join(thread, NULL);
	ck_assert_int_eq(submission.status, 0);
	finish(&submission.task);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(who_waits_for_room_is_told_of_the_end)
{
	struct thrum_task first, waits = { .work = count_up };
	struct thrum_pool *pool = busy_pool(&first, 1, THRUM_BLOCK);
	struct submission submission = { .pool = pool, .task = { .work = count_up }, .status = 1 };
	pthread_t thread;

	ck_assert_int_eq(thrum_pool_submit(pool, &waits), 0);
	pthread_create(&thread, NULL, submit_one, &submission);
	wait_until_asleep(&submission);
	sem_post(&gate);
	ck_assert_int_eq(thrum_pool_destroy(pool), 0);
	pthread_join(thread, NULL);
	ck_assert(submission.status == -ESHUTDOWN || submission.status == 0);
}
END_TEST

static int append(void *argument)
{
	static atomic_int count;

	*(int *)argument = atomic_fetch_add(&count, 1);
	return 0;
}

START_TEST(the_urgent_ones_come_first_and_each_kind_in_its_order)
{
	static const enum thrum_priority priorities[] = { THRUM_LOW, THRUM_NORMAL, THRUM_HIGH, THRUM_NORMAL, THRUM_HIGH, THRUM_LOW };
	static const int expected[] = { 4, 2, 0, 3, 1, 5 };
	struct thrum_task first, tasks[6];
	struct thrum_pool *pool = busy_pool(&first, 0, THRUM_REFUSE);
	int order[6];

	for (int i = 0; i < 6; i++) {
		tasks[i] = (struct thrum_task){ .work = append, .argument = &order[i], .priority = priorities[i] };
		ck_assert_int_eq(thrum_pool_submit(pool, &tasks[i]), 0);
	}
	sem_post(&gate);
	for (int i = 0; i < 6; i++) {
		finish(&tasks[i]);
		ck_assert_int_eq(order[i], expected[i]);
	}
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(a_task_that_waits_can_be_cancelled)
{
	struct thrum_task first, tasks[3] = { { .work = count_up }, { .work = count_up, .done = on_done }, { .work = count_up } };
	struct thrum_pool *pool = busy_pool(&first, 0, THRUM_REFUSE);
	struct thrum_pool_stats stats;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(thrum_pool_submit(pool, &tasks[i]), 0);
	ck_assert_int_eq(thrum_task_cancel(&tasks[0]), 0);
	ck_assert_int_eq(tasks[0].result, -ECANCELED);
	ck_assert_int_eq(thrum_task_cancel(&tasks[0]), -EALREADY);
	ck_assert_int_eq(thrum_task_cancel(&tasks[1]), 0);
	ck_assert_int_eq(atomic_load(&finished), 1);
	ck_assert_int_eq(thrum_task_cancel(&first), -EBUSY);
	thrum_pool_stats(pool, &stats);
	ck_assert_uint_eq(stats.queued, 1);
	ck_assert_uint_eq(stats.cancelled, 2);
	/* It can be submitted again at once */
	ck_assert_int_eq(thrum_pool_submit(pool, &tasks[0]), 0);
	sem_post(&gate);
	finish(&tasks[0]);
	ck_assert_int_eq(atomic_load(&ran), 2);
	thrum_pool_stats(pool, &stats);
	ck_assert_uint_eq(stats.queued, 0);
	ck_assert_uint_eq(stats.submitted, 5);
	ck_assert_uint_eq(stats.completed, 3);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(a_task_that_waited_for_too_long_is_not_run)
{
	struct thrum_task first, late = { .work = count_up, .start_within_ms = 1 }, early = { .work = count_up, .start_within_ms = 60000 };
	struct thrum_pool *pool = busy_pool(&first, 0, THRUM_REFUSE);

	ck_assert_int_eq(thrum_pool_submit(pool, &late), 0);
	ck_assert_int_eq(thrum_pool_submit(pool, &early), 0);
	ck_assert_int_eq(thrum_task_wait(&late, 5), -ETIMEDOUT);
	sem_post(&gate);
	finish(&late);
	finish(&early);
	ck_assert_int_eq(late.result, -ETIMEDOUT);
	ck_assert_int_eq(early.result, 0);
	ck_assert_int_eq(atomic_load(&ran), 1);
	thrum_pool_destroy(pool);
}
END_TEST

struct nest {
	struct thrum_pool *pool;
	int depth;
};

/* Each waits for one more, in a pool that has not so many threads. */
static int nest(void *argument)
{
	struct nest *outer = argument, inner = { outer->pool, outer->depth - 1 };
	struct thrum_task task = { .work = nest, .argument = &inner };

	if (outer->depth == 0)
		return 0;
	if (thrum_pool_submit(outer->pool, &task) < 0 || thrum_task_wait(&task, -1) < 0)
		return -1;
	return task.result + 1;
}

START_TEST(tasks_wait_for_tasks_of_a_pool_with_one_thread)
{
	struct thrum_pool *pool = pool_of(1, 2, THRUM_BLOCK);
	struct nest outermost = { pool, 100 };
	struct thrum_task task = { .work = nest, .argument = &outermost };

	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	finish(&task);
	ck_assert_int_eq(task.result, 100);
	thrum_pool_destroy(pool);
}
END_TEST

static struct thrum_task spawned[100];

static int spawn_many(void *argument)
{
	for (int i = 0; i < 100; i++) {
		spawned[i] = (struct thrum_task){ .work = count_up };
		if (thrum_pool_submit(argument, &spawned[i]) < 0)
			return -1;
	}
	return 0;
}

START_TEST(a_task_that_finds_its_own_queue_full_runs_what_it_submits)
{
	struct thrum_pool *pool = pool_of(1, 4, THRUM_BLOCK);
	struct thrum_task task = { .work = spawn_many, .argument = pool };

	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	finish(&task);
	ck_assert_int_eq(task.result, 0);
	thrum_pool_shutdown(pool, THRUM_DRAIN);
	ck_assert_int_eq(atomic_load(&ran), 100);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(a_task_that_ends_its_thread_is_answered_and_the_thread_replaced)
{
	struct thrum_pool *pool = pool_of(2, 0, THRUM_BLOCK);
	struct thrum_pool_stats stats;
	struct thrum_task tasks[20];

	for (int i = 0; i < 20; i++) {
		tasks[i] = (struct thrum_task){ .work = i % 3 == 0 ? end_thread : i % 3 == 1 ? be_cancelled
											     : count_up };
		ck_assert_int_eq(thrum_pool_submit(pool, &tasks[i]), 0);
	}
	for (int i = 0; i < 20; i++) {
		finish(&tasks[i]);
		ck_assert_int_eq(tasks[i].result, i % 3 == 2 ? 0 : -EOWNERDEAD);
	}
	thrum_pool_shutdown(pool, THRUM_DRAIN);
	thrum_pool_stats(pool, &stats);
	ck_assert_uint_eq(stats.replaced, 14);
	ck_assert_uint_eq(stats.failed, 14);
	ck_assert_uint_eq(stats.completed, 20);
	ck_assert_uint_eq(stats.busy, 0);
	thrum_pool_destroy(pool);
}
END_TEST

static int submit_and_end(void *argument)
{
	static struct thrum_task inner = { .work = end_thread };

	if (thrum_pool_submit(argument, &inner) == 0)
		thrum_task_wait(&inner, -1);
	return 0;
}

START_TEST(a_task_within_a_task_that_ends_the_thread_ends_both)
{
	struct thrum_pool *pool = pool_of(1, 0, THRUM_BLOCK);
	struct thrum_task outer = { .work = submit_and_end, .argument = pool }, after = { .work = count_up };

	ck_assert_int_eq(thrum_pool_submit(pool, &outer), 0);
	finish(&outer);
	ck_assert_int_eq(outer.result, -EOWNERDEAD);
	ck_assert_int_eq(thrum_pool_submit(pool, &after), 0);
	finish(&after);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(a_thread_that_cannot_be_replaced_is_tried_again)
{
	struct thrum_pool *pool = pool_of(1, 0, THRUM_BLOCK);
	struct thrum_task end = { .work = end_thread }, after = { .work = count_up };

	scarce_after(0);
	ck_assert_int_eq(thrum_pool_submit(pool, &end), 0);
	finish(&end);
	ck_assert_int_eq(thrum_pool_submit(pool, &after), 0);
	finish(&after);
	ck_assert_int_eq(thrum_pool_destroy(pool), 0);
}
END_TEST

START_TEST(a_pool_of_no_threads_pauses)
{
	struct thrum_pool *pool = pool_of(2, 0, THRUM_BLOCK);
	struct thrum_task task = { .work = count_up };

	ck_assert_int_eq(thrum_pool_resize(pool, 0), 0);
	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	ck_assert_int_eq(thrum_task_wait(&task, 50), -ETIMEDOUT);
	ck_assert_int_eq(thrum_pool_resize(pool, 1), 0);
	finish(&task);
	ck_assert_int_eq(thrum_pool_resize(pool, 0), 0);
	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	ck_assert_int_eq(thrum_pool_shutdown(pool, THRUM_DRAIN), 0);
	ck_assert_int_eq(task.result, 0);
	ck_assert_int_eq(atomic_load(&ran), 2);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(a_pool_can_have_four_thousand_threads)
{
	struct thrum_pool_options options = { .threads = 1, .stack_size = 65536 };
	struct thrum_pool *pool = thrum_pool_create(&options);
	struct thrum_pool_stats stats;
	struct thrum_task task = { .work = count_up };
	int status = thrum_pool_resize(pool, 4096);

	/* The system may have fewer */
	ck_assert(status == 0 || status == -EAGAIN);
	thrum_pool_stats(pool, &stats);
	ck_assert_uint_eq(stats.target, 4096);
	if (status == 0)
		ck_assert_uint_eq(stats.threads, 4096);
	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	finish(&task);
	ck_assert_int_eq(thrum_pool_resize(pool, 1), 0);
	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	finish(&task);
	ck_assert_int_eq(thrum_pool_destroy(pool), 0);
}
END_TEST

START_TEST(after_shutdown_nothing_is_taken)
{
	struct thrum_pool *pool = pool_of(1, 0, THRUM_BLOCK);
	struct thrum_task task = { .work = count_up };
	struct thrum_task *all[] = { &task };

	ck_assert_int_eq(thrum_pool_shutdown(pool, THRUM_DRAIN), 0);
	ck_assert_int_eq(thrum_pool_submit(pool, &task), -ESHUTDOWN);
	ck_assert_int_eq(thrum_pool_submit_within(pool, &task, -1), -ESHUTDOWN);
	ck_assert_int_eq(thrum_pool_submit_many(pool, all, 1), -ESHUTDOWN);
	ck_assert_int_eq(thrum_pool_resize(pool, 3), -ESHUTDOWN);
	ck_assert_int_eq(thrum_pool_shutdown(pool, THRUM_REJECT), 0);
	thrum_pool_destroy(pool);
}
END_TEST

struct reject {
	struct thrum_pool *pool;
	int status;
};

static void *destroy(void *data)
{
	struct reject *reject = data;

	reject->status = thrum_pool_destroy(reject->pool);
	return NULL;
}

START_TEST(who_waits_for_a_task_comes_back_when_the_pool_is_destroyed)
{
	struct thrum_task first, waiting = { .work = count_up };
	struct reject reject = { busy_pool(&first, 0, THRUM_BLOCK), 1 };
	pthread_t thread;

	ck_assert_int_eq(thrum_pool_submit(reject.pool, &waiting), 0);
	pthread_create(&thread, NULL, destroy, &reject);
	finish(&waiting);
	ck_assert_int_eq(waiting.result, -ECANCELED);
	sem_post(&gate);
	pthread_join(thread, NULL);
	ck_assert_int_eq(reject.status, 0);
	ck_assert_int_eq(first.result, 0);
}
END_TEST

static int shut_down_own(void *argument)
{
	return thrum_pool_shutdown(argument, THRUM_DRAIN) == -EDEADLK && thrum_pool_destroy(argument) == -EDEADLK ? 0 : 1;
}

START_TEST(a_task_cannot_end_its_own_pool)
{
	struct thrum_pool *pool = pool_of(1, 0, THRUM_BLOCK);
	struct thrum_task task = { .work = shut_down_own, .argument = pool };

	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	finish(&task);
	ck_assert_int_eq(task.result, 0);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(several_pools_are_there_at_once)
{
	struct thrum_pool *pools[32];

	for (int i = 0; i < 32; i++)
		pools[i] = pool_of(1, 16, THRUM_BLOCK);
	ck_assert_ptr_null(thrum_pool_create(NULL));
	ck_assert_int_eq(errno, EAGAIN);
	for (int i = 0; i < 32; i++)
		ck_assert_int_eq(thrum_pool_destroy(pools[i]), 0);
}
END_TEST

/* -- Claims: threads take several short tasks at once -- */

enum {
	CROWD = 200
};

static struct thrum_task crowd[CROWD];

static void *shut_down(void *pool)
{
	thrum_pool_shutdown(pool, THRUM_REJECT);
	return NULL;
}

static void wait_until_finished(int count)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(&finished) < count; i++)
		usleep(1000);
	ck_assert_int_eq(atomic_load(&finished), count);
}

/* So many threads; tasks are known to be short, and of those that wait then the first one, which is at the gate now, was not. */
static struct thrum_pool *pool_with_claim(unsigned threads)
{
	struct thrum_pool *pool = pool_of(threads, 0, THRUM_BLOCK);
	struct thrum_task first = { .work = count_up };

	atomic_store(&finished, 0);
	ck_assert_int_eq(thrum_pool_submit(pool, &first), 0);
	finish(&first);
	ck_assert_int_eq(thrum_pool_resize(pool, 0), 0);
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = (struct thrum_task){ .work = i ? count_up : pass_gate, .done = on_done };
		ck_assert_int_eq(thrum_pool_submit(pool, &crowd[i]), 0);
	}
	ck_assert_int_eq(thrum_pool_resize(pool, threads), 0);
	sem_wait(&arrived);
	return pool;
}

START_TEST(none_waits_behind_a_long_one_while_a_thread_is_idle)
{
	struct thrum_pool *pool = pool_with_claim(2);

	wait_until_finished(CROWD - 1);
	sem_post(&gate);
	thrum_pool_destroy(pool);
	ck_assert_int_eq(atomic_load(&finished), CROWD);
}
END_TEST

static struct thrum_pool *busy;
static atomic_bool busy_over;

static void submit_again(struct thrum_task *task)
{
	if (!atomic_load(&busy_over))
		thrum_pool_submit(busy, task);
}

START_TEST(none_waits_behind_a_long_one_for_ever_when_others_are_never_idle)
{
	static struct thrum_task others[64];

	busy = pool_with_claim(2);
	for (int i = 0; i < 64; i++) {
		others[i] = (struct thrum_task){ .work = count_up, .done = submit_again };
		ck_assert_int_eq(thrum_pool_submit(busy, &others[i]), 0);
	}
	wait_until_finished(CROWD - 1);
	atomic_store(&busy_over, true);
	sem_post(&gate);
	thrum_pool_shutdown(busy, THRUM_DRAIN);
	thrum_pool_destroy(busy);
}
END_TEST

START_TEST(what_a_thread_has_taken_and_not_begun_waits)
{
	struct thrum_pool *pool = pool_with_claim(1);
	struct thrum_pool_stats stats;

	thrum_pool_stats(pool, &stats);
	ck_assert_uint_eq(stats.busy, 1);
	ck_assert_uint_eq(stats.queued, CROWD - 1);
	ck_assert_uint_eq(stats.submitted, CROWD + 1);
	ck_assert_int_eq(thrum_task_cancel(&crowd[1]), 0);
	ck_assert_int_eq(crowd[1].result, -ECANCELED);
	thrum_pool_stats(pool, &stats);
	ck_assert_uint_eq(stats.queued, CROWD - 2);
	ck_assert_int_eq(thrum_pool_resize(pool, 0), 0);
	sem_post(&gate);
	wait_until_finished(2);
	ck_assert_int_eq(thrum_pool_resize(pool, 1), 0);
	wait_until_finished(CROWD);
	thrum_pool_stats(pool, &stats);
	ck_assert_uint_eq(stats.queued, 0);
	thrum_pool_destroy(pool);
}
END_TEST

START_TEST(what_a_thread_has_taken_and_not_begun_is_rejected)
{
	struct thrum_pool *pool = pool_with_claim(1);
	pthread_t thread;

	pthread_create(&thread, NULL, shut_down, pool);
	wait_until_finished(CROWD - 1);
	for (int i = 1; i < CROWD; i++)
		ck_assert_int_eq(crowd[i].result, -ECANCELED);
	sem_post(&gate);
	pthread_join(thread, NULL);
	ck_assert_int_eq(crowd[0].result, 0);
	thrum_pool_destroy(pool);
}
END_TEST

/* -- Stress -- */

enum {
	SUBMITTERS = 3,
	BATCH = 64,
	ROUNDS = 4000
};

static int touch(void *argument)
{
	(*(int *)argument)++;
	return 0;
}

struct storm {
	struct thrum_pool *pool;
	unsigned seed;
	long submitted, cancelled;
};

static void storm_round(struct storm *storm, struct thrum_task *tasks)
{
	for (int i = 0; i < BATCH; i++) {
		tasks[i].priority = (enum thrum_priority)(rand_r(&storm->seed) % 3);
		while (thrum_pool_submit(storm->pool, &tasks[i]) == -EAGAIN)
			continue;
	}
	storm->submitted += BATCH;
	for (int i = 0; i < BATCH; i++) {
		if (rand_r(&storm->seed) % 4 == 0)
			thrum_task_cancel(&tasks[i]);
		ck_assert_int_eq(thrum_task_wait(&tasks[i], PATIENCE_MS), 0);
		if (tasks[i].result == -ECANCELED)
			storm->cancelled++;
	}
}

static void *storm(void *data)
{
	struct storm *storm = data;
	struct thrum_task tasks[BATCH] = { 0 };
	int counts[BATCH] = { 0 };
	long sum = 0;

	for (int i = 0; i < BATCH; i++)
		tasks[i] = (struct thrum_task){ .work = touch, .argument = &counts[i] };
	for (int i = 0; i < ROUNDS; i++)
		storm_round(storm, tasks);
	for (int i = 0; i < BATCH; i++)
		sum += counts[i];
	ck_assert_int_eq(sum, storm->submitted - storm->cancelled);
	return NULL;
}

static atomic_bool storms_over;

static void *resize_all_the_time(void *data)
{
	unsigned seed = 5;

	while (!atomic_load(&storms_over)) {
		thrum_pool_resize(data, 1 + (unsigned)rand_r(&seed) % 6);
		usleep(500);
	}
	return NULL;
}

static void storm_pool(enum thrum_pool_full when_full, unsigned queue_max)
{
	struct thrum_pool *pool = pool_of(3, queue_max, when_full);
	struct storm storms[SUBMITTERS];
	pthread_t threads[SUBMITTERS], resizer;
	struct thrum_pool_stats stats;
	long submitted = 0, cancelled = 0;

	pthread_create(&resizer, NULL, resize_all_the_time, pool);
	for (int i = 0; i < SUBMITTERS; i++) {
		storms[i] = (struct storm){ .pool = pool, .seed = (unsigned)i };
		pthread_create(&threads[i], NULL, storm, &storms[i]);
	}
	for (int i = 0; i < SUBMITTERS; i++) {
		pthread_join(threads[i], NULL);
		submitted += storms[i].submitted;
		cancelled += storms[i].cancelled;
	}
	atomic_store(&storms_over, true);
	pthread_join(resizer, NULL);
	ck_assert_int_eq(thrum_pool_shutdown(pool, THRUM_DRAIN), 0);
	thrum_pool_stats(pool, &stats);
	ck_assert_int_eq((long)stats.completed, submitted - cancelled);
	ck_assert_int_eq((long)stats.cancelled, cancelled);
	ck_assert_uint_eq(stats.queued, 0);
	ck_assert_uint_eq(stats.busy, 0);
	thrum_pool_destroy(pool);
}

START_TEST(millions_of_tasks_are_each_run_once_or_cancelled)
{
	storm_pool(THRUM_BLOCK, 100);
}
END_TEST

START_TEST(the_same_when_the_queue_is_so_long_that_several_are_taken_at_once)
{
	storm_pool(THRUM_BLOCK, 0);
}
END_TEST

START_TEST(the_same_when_submitters_are_refused)
{
	storm_pool(THRUM_REFUSE, 3);
}
END_TEST

START_TEST(the_same_when_submitters_run_what_does_not_fit)
{
	storm_pool(THRUM_RUN, 8);
}
END_TEST

static void add_life(Suite *suite)
{
	TCase *test_case = tcase_create("life");

	tcase_add_checked_fixture(test_case, begin_case, NULL);
	tcase_set_timeout(test_case, 30);
	tcase_add_test(test_case, a_pool_has_as_many_threads_as_cores_when_nothing_is_said);
	tcase_add_test(test_case, what_is_no_choice_is_refused);
	tcase_add_test(test_case, a_pool_of_no_threads_pauses);
	tcase_add_test(test_case, a_pool_can_have_four_thousand_threads);
	tcase_add_test(test_case, after_shutdown_nothing_is_taken);
	tcase_add_test(test_case, who_waits_for_a_task_comes_back_when_the_pool_is_destroyed);
	tcase_add_test(test_case, who_waits_for_room_is_told_of_the_end);
	tcase_add_test(test_case, a_task_cannot_end_its_own_pool);
	tcase_add_test(test_case, several_pools_are_there_at_once);
	tcase_add_test(test_case, a_task_that_ends_its_thread_is_answered_and_the_thread_replaced);
	tcase_add_test(test_case, a_task_within_a_task_that_ends_the_thread_ends_both);
	tcase_add_test(test_case, a_thread_that_cannot_be_replaced_is_tried_again);
	suite_add_tcase(suite, test_case);
}

static void add_tasks(Suite *suite)
{
	TCase *test_case = tcase_create("tasks");

	tcase_add_checked_fixture(test_case, begin_case, NULL);
	tcase_set_timeout(test_case, 30);
	tcase_add_test(test_case, a_task_is_run_and_its_result_is_kept);
	tcase_add_test(test_case, a_callback_is_called_for_each_of_many);
	tcase_add_test(test_case, a_full_queue_refuses);
	tcase_add_test(test_case, a_full_queue_has_the_caller_run_it);
	tcase_add_test(test_case, a_full_queue_blocks_until_there_is_room_whatever_signals_come);
	tcase_add_test(test_case, the_urgent_ones_come_first_and_each_kind_in_its_order);
	tcase_add_test(test_case, a_task_that_waits_can_be_cancelled);
	tcase_add_test(test_case, a_task_that_waited_for_too_long_is_not_run);
	tcase_add_test(test_case, tasks_wait_for_tasks_of_a_pool_with_one_thread);
	tcase_add_test(test_case, a_task_that_finds_its_own_queue_full_runs_what_it_submits);
	suite_add_tcase(suite, test_case);
}

static void add_claims(Suite *suite)
{
	TCase *test_case = tcase_create("claims");

	tcase_add_checked_fixture(test_case, begin_case, NULL);
	tcase_set_timeout(test_case, 30);
	tcase_add_test(test_case, none_waits_behind_a_long_one_while_a_thread_is_idle);
	tcase_add_test(test_case, none_waits_behind_a_long_one_for_ever_when_others_are_never_idle);
	tcase_add_test(test_case, what_a_thread_has_taken_and_not_begun_waits);
	tcase_add_test(test_case, what_a_thread_has_taken_and_not_begun_is_rejected);
	suite_add_tcase(suite, test_case);
}

static void add_storms(Suite *suite)
{
	TCase *test_case = tcase_create("storms");

	tcase_set_timeout(test_case, 120);
	tcase_add_test(test_case, millions_of_tasks_are_each_run_once_or_cancelled);
	tcase_add_test(test_case, the_same_when_the_queue_is_so_long_that_several_are_taken_at_once);
	tcase_add_test(test_case, the_same_when_submitters_are_refused);
	tcase_add_test(test_case, the_same_when_submitters_run_what_does_not_fit);
	suite_add_tcase(suite, test_case);
}

Suite *pool_suite(void)
{
	Suite *suite = suite_create("pool");

	add_tasks(suite);
	add_life(suite);
	add_claims(suite);
	add_storms(suite);
	return suite;
}
