#include <thrum.h>
#include "lib/pool.h"
#include "lib/page.h"
#include "tests/explore/scenario.h"

enum {
	TASKS = 5 /* at most */
};

static unsigned runs[TASKS], answers[TASKS];

static int count_run(void *argument)
{
	runs[(uintptr_t)argument]++;
	return 0;
}

static struct thrum_task task_of(unsigned i)
{
	return (struct thrum_task){ .work = count_run, .argument = (void *)(uintptr_t)i };
}

static struct thrum_pool *pool_of(unsigned threads, unsigned queue_max, enum thrum_pool_full when_full)
{
	struct thrum_pool_options options = { .threads = threads, .queue_max = queue_max, .when_full = when_full };
	struct thrum_pool *pool;

	memset(runs, 0, sizeof runs);
	memset(answers, 0, sizeof answers);
	pool = thrum_pool_create(&options);
	explore_claim(pool);
	explore_look(true);
	return pool;
}

static void end(struct thrum_pool *pool)
{
	explore_look(false);
	explore_claim(thrum_pool_destroy(pool) == 0);
}

static void claim_ran(const struct thrum_task *task, unsigned i)
{
	explore_claim(thrum_task_is_done(task));
	explore_claim(task->result == 0 && runs[i] == 1);
}

/* Two threads, one of which is the searcher. */
void two_tasks_are_waited_for(void)
{
	struct thrum_pool *pool = pool_of(2, 2, THRUM_REFUSE);
	struct thrum_task tasks[2] = { task_of(0), task_of(1) };

	for (unsigned i = 0; i < 2; i++)
		explore_claim(thrum_pool_submit(pool, &tasks[i]) == 0);
	for (unsigned i = 0; i < 2; i++) {
		explore_claim(thrum_task_wait(&tasks[i], -1) == 0);
		claim_ran(&tasks[i], i);
	}
	end(pool);
}

/* One that comes while its only thread is about to sleep, or sleeps. */
void a_task_wakes_who_sleeps(void)
{
	struct thrum_pool *pool = pool_of(1, 2, THRUM_REFUSE);
	struct thrum_task task = task_of(0);

	for (unsigned i = 1; i <= 2; i++) {
		explore_claim(thrum_pool_submit(pool, &task) == 0);
		explore_claim(thrum_task_wait(&task, -1) == 0);
		explore_claim(runs[0] == i);
	}
	end(pool);
}

static void *submit(void *pool)
{
	static struct thrum_task task;

	task = task_of(1);
	explore_claim(thrum_pool_submit(pool, &task) == 0);
	explore_claim(thrum_task_wait(&task, -1) == 0);
	claim_ran(&task, 1);
	return NULL;
}

/* Whoever waits for room is let in. */
void two_submit_where_one_has_room(void)
{
	struct thrum_pool *pool = pool_of(1, 1, THRUM_BLOCK);
	struct thrum_task tasks[2] = { task_of(0), task_of(2) };
	unsigned other = explore_start(submit, pool);

	for (unsigned i = 0; i < 2; i++)
		explore_claim(thrum_pool_submit(pool, &tasks[i]) == 0);
	explore_join(other);
	explore_claim(thrum_pool_shutdown(pool, THRUM_DRAIN) == 0);
	claim_ran(&tasks[0], 0);
	claim_ran(&tasks[1], 2);
	end(pool);
}

static void *cancel(void *task)
{
	int status = thrum_task_cancel(task);

	explore_claim(status == 0 || status == -EBUSY || status == -EALREADY);
	if (status == 0)
		explore_claim(((struct thrum_task *)task)->result == -ECANCELED);
	return (void *)(intptr_t)status;
}

void a_task_is_cancelled_or_run(void)
{
	struct thrum_pool *pool = pool_of(1, 2, THRUM_REFUSE);
	struct thrum_task tasks[2] = { task_of(0), task_of(1) };
	struct thrum_pool_stats stats;
	unsigned other;

	explore_claim(thrum_pool_submit(pool, &tasks[0]) == 0);
	explore_claim(thrum_pool_submit(pool, &tasks[1]) == 0);
	other = explore_start(cancel, &tasks[0]);
	explore_claim(thrum_task_wait(&tasks[0], -1) == 0);
	explore_claim(thrum_task_wait(&tasks[1], -1) == 0);
	explore_join(other);
	explore_claim(runs[0] == (tasks[0].result == 0) && runs[1] == 1);
	explore_claim(thrum_pool_shutdown(pool, THRUM_DRAIN) == 0);
	thrum_pool_stats(pool, &stats);
	explore_claim(stats.completed == runs[0] + runs[1] && stats.cancelled == 1 - runs[0]);
	explore_claim(stats.queued == 0 && stats.busy == 0);
	end(pool);
}

static struct thrum_task late;
static int late_status;

static void *submit_late(void *pool)
{
	late = task_of(1);
	late_status = thrum_pool_submit(pool, &late);
	return NULL;
}

void a_shutdown_answers_all_or_takes_none(void)
{
	struct thrum_pool *pool = pool_of(1, 2, THRUM_REFUSE);
	struct thrum_task task = task_of(0);
	unsigned other = explore_start(submit_late, pool);

	explore_claim(thrum_pool_submit(pool, &task) == 0);
	explore_claim(thrum_pool_shutdown(pool, THRUM_DRAIN) == 0);
	claim_ran(&task, 0);
	explore_join(other);
	explore_claim(late_status == 0 || late_status == -ESHUTDOWN);
	explore_claim(runs[1] == (late_status == 0));
	end(pool);
}

static void *resize(void *pool)
{
	explore_claim(thrum_pool_resize(pool, 0) == 0);
	explore_claim(thrum_pool_resize(pool, 1) == 0);
	return NULL;
}

void threads_come_and_go(void)
{
	struct thrum_pool *pool = pool_of(1, 2, THRUM_REFUSE);
	struct thrum_task task = task_of(0);
	unsigned other = explore_start(resize, pool);

	explore_claim(thrum_pool_submit(pool, &task) == 0);
	explore_claim(thrum_task_wait(&task, -1) == 0);
	claim_ran(&task, 0);
	explore_join(other);
	end(pool);
}

static int end_thread(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

void a_torn_thread_is_replaced(void)
{
	struct thrum_pool *pool = pool_of(1, 2, THRUM_REFUSE);
	struct thrum_task torn = { .work = end_thread }, task = task_of(0);

	explore_claim(thrum_pool_submit(pool, &torn) == 0);
	explore_claim(thrum_pool_submit(pool, &task) == 0);
	explore_claim(thrum_task_wait(&torn, -1) == 0);
	explore_claim(torn.result == -EOWNERDEAD);
	explore_claim(thrum_task_wait(&task, -1) == 0);
	claim_ran(&task, 0);
	end(pool);
}

static int submit_within(void *pool)
{
	struct thrum_task inner = task_of(1);

	explore_claim(thrum_pool_submit(pool, &inner) == 0);
	explore_claim(thrum_task_wait(&inner, -1) == 0);
	claim_ran(&inner, 1);
	return 0;
}

/* In a pool of two threads: the other one may have begun it. */
void a_task_waits_for_a_task(void)
{
	struct thrum_pool *pool = pool_of(2, 2, THRUM_BLOCK);
	struct thrum_task outer = { .work = submit_within, .argument = pool };

	explore_claim(thrum_pool_submit(pool, &outer) == 0);
	explore_claim(thrum_task_wait(&outer, -1) == 0);
	explore_claim(outer.result == 0);
	end(pool);
}

static void on_done(struct thrum_task *task)
{
	answers[(uintptr_t)task->argument]++;
}

static void *submit_and_cancel(void *pool)
{
	static struct thrum_task tasks[2];

	for (unsigned i = 0; i < 2; i++) {
		tasks[i] = task_of(i);
		tasks[i].done = on_done;
		explore_claim(thrum_pool_submit(pool, &tasks[i]) == 0);
	}
	thrum_task_cancel(&tasks[1]);
	return NULL;
}

/* Whoever reads while others count finds no more that was taken than was put, and nobody busy who is not there. */
void figures_are_true_at_any_time(void)
{
	struct thrum_pool *pool = pool_of(1, 2, THRUM_REFUSE);
	unsigned other = explore_start(submit_and_cancel, pool);
	struct thrum_pool_stats stats;

	for (unsigned i = 0; i < 2; i++) {
		thrum_pool_stats(pool, &stats);
		explore_claim(stats.submitted <= 2 && stats.queued <= stats.submitted && stats.busy <= 2);
		explore_claim(stats.completed <= stats.started && stats.started + stats.cancelled <= stats.submitted);
	}
	explore_join(other);
	explore_claim(thrum_pool_shutdown(pool, THRUM_DRAIN) == 0);
	thrum_pool_stats(pool, &stats);
	explore_claim(stats.submitted == 2 && stats.queued == 0 && stats.busy == 0 && stats.completed + stats.cancelled == 2);
	explore_claim(answers[0] == 1 && answers[1] == 1);
	end(pool);
}

static bool gate;

static bool is_open(void *unused)
{
	(void)unused;
	return gate;
}

static int pass_gate(void *unused)
{
	explore_until(is_open, unused);
	return 0;
}

/* Nobody touches a pool that is destroyed while they wait for room in it; what they put there first is answered. */
void who_waits_for_room_hears_of_the_end(void)
{
	struct thrum_pool *pool = pool_of(1, 1, THRUM_BLOCK);
	struct thrum_task first = { .work = pass_gate }, task = task_of(0);
	unsigned other;

	gate = false;
	explore_claim(thrum_pool_submit(pool, &first) == 0);
	explore_look(true);
	explore_claim(thrum_pool_submit(pool, &task) == 0);
	other = explore_start(submit_late, pool);
	explore_look(true);
	gate = true;
	explore_claim(thrum_pool_destroy(pool) == 0);
	explore_look(false);
	explore_join(other);
	explore_claim(first.result == 0);
	explore_claim(late_status == -ESHUTDOWN || late_status == 0);
	explore_claim(late_status || late.result == (runs[1] ? 0 : -ECANCELED));
	explore_claim(task.result == (runs[0] ? 0 : -ECANCELED));
}

static unsigned cancelled;

static bool others_ended(void *unused)
{
	unsigned ended = cancelled;

	(void)unused;
	for (unsigned i = 1; i < TASKS; i++)
		ended += runs[i];
	return ended == TASKS - 1;
}

static int wait_for_others(void *argument)
{
	explore_until(others_ended, NULL);
	return count_run(argument);
}

/* So many tasks, that the first thread claims two at once. */
static void submit_crowd(struct thrum_pool *pool, struct thrum_task *tasks)
{
	struct thrum_task *all[TASKS];

	cancelled = 0;
	atomic_store(&pool->timing, SHORT_TIMING);
	for (unsigned i = 0; i < TASKS; i++) {
		tasks[i] = task_of(i);
		all[i] = &tasks[i];
	}
	tasks[0].work = wait_for_others;
	explore_claim(thrum_pool_submit_many(pool, all, TASKS) == TASKS);
}

/* The first one ends when all others were run. */
void none_is_stuck_behind_another(void)
{
	struct thrum_pool *pool = pool_of(2, 16, THRUM_REFUSE);
	struct thrum_task tasks[TASKS];

	submit_crowd(pool, tasks);
	for (unsigned i = 0; i < TASKS; i++) {
		explore_claim(thrum_task_wait(&tasks[i], -1) == 0);
		claim_ran(&tasks[i], i);
	}
	end(pool);
}

void what_is_claimed_can_be_cancelled(void)
{
	struct thrum_pool *pool = pool_of(2, 16, THRUM_REFUSE);
	struct thrum_task tasks[TASKS];
	struct thrum_pool_stats stats;

	submit_crowd(pool, tasks);
	if (thrum_task_cancel(&tasks[1]) == 0)
		cancelled++;
	for (unsigned i = 0; i < TASKS; i++)
		explore_claim(thrum_task_wait(&tasks[i], -1) == 0);
	for (unsigned i = 0; i < TASKS; i++)
		explore_claim(runs[i] == (tasks[i].result == 0));
	explore_claim(thrum_pool_shutdown(pool, THRUM_DRAIN) == 0);
	thrum_pool_stats(pool, &stats);
	explore_claim(stats.queued == 0 && stats.busy == 0 && stats.completed + stats.cancelled == TASKS);
	end(pool);
}

/* By the page, as thrum does it. */
void a_monitor_drains(void)
{
	struct thrum_pool *pool = pool_of(1, 2, THRUM_REFUSE);
	struct thrum_task task = task_of(0);
	int status;

	atomic_store(&pool->figures->wish, STATS_WISH_DRAIN);
	thrum__page_ring();
	status = thrum_pool_submit(pool, &task);
	explore_claim(status == 0 || status == -ESHUTDOWN);
	if (status == 0) {
		explore_claim(thrum_task_wait(&task, -1) == 0);
		claim_ran(&task, 0);
	}
	end(pool);
}
