#include <check.h>
#include <string.h>

#include "base/memory.h"
#include "model/task_pool.h"

enum { WORKERS = 4,
	TASKS = 3000 };

static struct task_pool pool;
static unsigned given_up[TASKS + 1], ended[TASKS + 1];

static void begin(unsigned concurrency, unsigned retries)
{
	const struct pool_spec limits = { .queue_most = TASKS, .bytes_most = 1 << 20, .retries = retries, .concurrency = concurrency };

	task_pool_init(&pool, &limits);
	memset(given_up, 0, sizeof given_up);
	memset(ended, 0, sizeof ended);
}

static void add(uint64_t id, unsigned priority)
{
	struct task *task = task_create("{}", 2);

	task->id = id;
	task->priority = (uint8_t)priority;
	task_pool_add(&pool, task);
}

static void on_given_up(void *context, struct task *task)
{
	(void)context;
	given_up[task->id]++;
	task_destroy(task);
}

static void expect_next(uint64_t id, uint32_t seat)
{
	struct task *task = task_pool_next(&pool, 0);

	ck_assert_ptr_nonnull(task);
	ck_assert_uint_eq(task->id, id);
	ck_assert_uint_eq(task->worker, seat);
}

static void end(uint32_t seat, uint64_t id)
{
	struct task *task = task_pool_end(&pool, seat, id, true, 5);

	ck_assert_ptr_nonnull(task);
	task_destroy(task);
}

START_TEST(first_come_first_served)
{
	begin(1, 0);
	for (uint64_t id = 1; id <= 3; id++)
		add(id, TASK_PRIORITY);
	ck_assert_ptr_null(task_pool_next(&pool, 0));
	task_pool_open_worker(&pool, 7);
	task_pool_open_worker(&pool, 2);
	expect_next(1, 7);
	expect_next(2, 2);
	ck_assert_ptr_null(task_pool_next(&pool, 0));
	end(2, 2);
	expect_next(3, 2);
	ck_assert_uint_eq(pool.queued, 0);
	ck_assert_uint_eq(pool.running, 2);
	task_pool_finish(&pool);
}
END_TEST

START_TEST(who_has_priority_goes_first)
{
	begin(1, 0);
	task_pool_open_worker(&pool, 0);
	add(1, 0);
	add(2, 5);
	add(3, 9);
	add(4, 9);
	for (uint64_t id = 3; id != 0; id = id == 3 ? 4 : id == 4 ? 2
						  : id == 2       ? 1
								  : 0) {
		expect_next(id, 0);
		end(0, id);
	}
	task_pool_finish(&pool);
}
END_TEST

START_TEST(tasks_are_spread_over_workers_with_room)
{
	begin(2, 0);
	task_pool_open_worker(&pool, 0);
	task_pool_open_worker(&pool, 1);
	for (uint64_t id = 1; id <= 5; id++)
		add(id, TASK_PRIORITY);
	expect_next(1, 0);
	expect_next(2, 1);
	expect_next(3, 0);
	expect_next(4, 1);
	ck_assert_ptr_null(task_pool_next(&pool, 0));
	task_pool_finish(&pool);
}
END_TEST

START_TEST(a_dead_workers_tasks_are_tried_again_in_their_order)
{
	begin(3, 1);
	task_pool_open_worker(&pool, 0);
	for (uint64_t id = 1; id <= 4; id++)
		add(id, TASK_PRIORITY);
	for (uint64_t id = 1; id <= 3; id++)
		expect_next(id, 0);
	task_pool_close_worker(&pool, 0, true, on_given_up, NULL);
	ck_assert_uint_eq(pool.queued, 4);
	task_pool_open_worker(&pool, 1);
	for (uint64_t id = 1; id <= 3; id++)
		expect_next(id, 1);
	task_pool_close_worker(&pool, 1, true, on_given_up, NULL);
	ck_assert(given_up[1] == 1 && given_up[2] == 1 && given_up[3] == 1 && given_up[4] == 0);
	ck_assert_uint_eq(pool.queued, 1);
	task_pool_finish(&pool);
}
END_TEST

START_TEST(an_answer_of_another_counts_for_nothing)
{
	begin(1, 0);
	task_pool_open_worker(&pool, 0);
	task_pool_open_worker(&pool, 1);
	add(1, TASK_PRIORITY);
	expect_next(1, 0);
	ck_assert_ptr_null(task_pool_end(&pool, 1, 1, true, 0));
	ck_assert_ptr_null(task_pool_end(&pool, 0, 2, true, 0));
	ck_assert_ptr_null(task_pool_end(&pool, 99, 1, true, 0));
	end(0, 1);
	ck_assert_ptr_null(task_pool_end(&pool, 0, 1, true, 0));
	task_pool_finish(&pool);
}
END_TEST

START_TEST(time_is_up_for_the_one_that_runs_too_long)
{
	uint64_t next;

	begin(2, 0);
	task_pool_open_worker(&pool, 0);
	add(1, TASK_PRIORITY);
	add(2, TASK_PRIORITY);
	task_pool_next(&pool, 1000)->timeout_ms = 10;
	task_pool_next(&pool, 2000);
	ck_assert_ptr_null(task_pool_overdue(&pool, 10999, &next));
	ck_assert_uint_eq(next, 11000);
	ck_assert_uint_eq(task_pool_overdue(&pool, 11000, &next)->id, 1);
	task_pool_finish(&pool);
}
END_TEST

static unsigned cancel(uint32_t submission, uint64_t id, uint64_t *running)
{
	unsigned count = 0;

	for (struct task *task = task_pool_cancel(&pool, &(struct task_filter){ submission, id }, running), *next; task; task = next) {
		next = task->next;
		task_destroy(task);
		count++;
	}
	return count;
}

START_TEST(what_waits_is_cancelled_and_what_runs_is_not)
{
	uint64_t running;

	begin(1, 0);
	for (uint64_t id = 1; id <= 9; id++) {
		add(id, id % 3);
		pool.queues[id % 3].last->submission = id < 6 ? 1 : 2;
	}
	task_pool_open_worker(&pool, 0);
	expect_next(2, 0);
	ck_assert_uint_eq(cancel(0, 2, &running), 0);
	ck_assert_uint_eq(running, 1);
	ck_assert_uint_eq(cancel(0, 5, &running), 1);
	ck_assert_uint_eq(running, 0);
	ck_assert_uint_eq(cancel(2, 1, &running), 0);
	ck_assert_uint_eq(cancel(1, 0, &running), 3);
	ck_assert_uint_eq(running, 1);
	ck_assert_uint_eq(pool.queued, 4);
	ck_assert_uint_eq(cancel(0, 0, &running), 4);
	ck_assert_uint_eq(pool.queued + pool.queued_bytes, 0);
	end(0, 2);
	ck_assert_ptr_null(task_pool_next(&pool, 0));
	task_pool_finish(&pool);
}
END_TEST

START_TEST(quantiles_are_within_a_quarter)
{
	struct histogram histogram = { 0 };

	for (uint64_t us = 1; us <= 100000; us++)
		histogram_add(&histogram, us);
	uint64_t half = histogram_quantile(&histogram, 0.5), most = histogram_quantile(&histogram, 0.99);
	ck_assert(half >= 50000 && half <= 62500);
	ck_assert(most >= 99000 && most <= 123750);
	ck_assert_uint_eq(histogram_quantile(&(struct histogram){ 0 }, 0.5), 0);
}
END_TEST

/* Whatever happens in whatever order: each task ends once, or is given up once, and the counts agree. */
START_TEST(none_is_lost_and_none_ends_twice)
{
	unsigned seed = 12345 + (unsigned)_i;
	uint64_t added = 0, done = 0;

	begin(1 + (unsigned)_i % 4, 2);
	while (done < TASKS) {
		seed = seed * 1664525 + 1013904223;
		uint32_t seat = seed >> 8 & (WORKERS - 1);
		unsigned deed = seed >> 16 & 7;
		struct task *task = seat < pool.seat_count ? pool.workers[seat].tasks.first : NULL;
		if (deed < 3 && added < TASKS)
			add(++added, deed * 3);
		else if (deed < 4)
			task_pool_open_worker(&pool, seat);
		else if (deed < 5)
			while (task_pool_next(&pool, 0))
				;
		else if (deed < 7 && task) {
			uint64_t id = task->id;
			end(seat, id);
			ended[id]++;
		} else if (deed == 7 && (seed >> 24 & 7) == 0)
			task_pool_close_worker(&pool, seat, true, on_given_up, NULL);
		done = 0;
		for (unsigned i = 1; i <= TASKS; i++)
			done += ended[i] + given_up[i];
		ck_assert_uint_eq(done + pool.queued + pool.running, added);
		ck_assert_uint_eq(pool.completed + pool.failed, done);
	}
	for (unsigned i = 1; i <= TASKS; i++)
		ck_assert_uint_eq(ended[i] + given_up[i], 1);
	task_pool_finish(&pool);
}
END_TEST

Suite *task_pool_suite(void)
{
	Suite *suite = suite_create("task_pool");
	TCase *tasks = tcase_create("tasks");

	tcase_add_test(tasks, first_come_first_served);
	tcase_add_test(tasks, who_has_priority_goes_first);
	tcase_add_test(tasks, tasks_are_spread_over_workers_with_room);
	tcase_add_test(tasks, a_dead_workers_tasks_are_tried_again_in_their_order);
	tcase_add_test(tasks, an_answer_of_another_counts_for_nothing);
	tcase_add_test(tasks, time_is_up_for_the_one_that_runs_too_long);
	tcase_add_test(tasks, what_waits_is_cancelled_and_what_runs_is_not);
	tcase_add_test(tasks, quantiles_are_within_a_quarter);
	tcase_add_loop_test(tasks, none_is_lost_and_none_ends_twice, 0, 8);
	suite_add_tcase(suite, tasks);
	return suite;
}
