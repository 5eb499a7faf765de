/* A page is read at each instruction of whoever writes it: where that may have been killed, its figures make sense. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <thrum.h>
#include <unistd.h>
#include "inspect/page.h"
#include "lib/stats.h"
#include "tests/runner.h"

enum {
	STEPS = 20000,
	QUEUE = 4,
	TASKS = 3
};

static int do_nothing(void *unused)
{
	(void)unused;
	return 0;
}

/* For ever: tasks are put, cancelled, run and waited for. */
static void keep_busy(void)
{
	struct thrum_pool_options options = { .name = "stepped", .threads = 1, .queue_max = QUEUE };
	struct thrum_pool *pool = thrum_pool_create(&options);
	struct thrum_task tasks[TASKS] = { { .work = do_nothing }, { .work = do_nothing }, { .work = do_nothing } };

	while (pool) {
		for (unsigned i = 0; i < TASKS; i++)
			thrum_pool_submit(pool, &tasks[i]);
		thrum_task_cancel(&tasks[TASKS - 1]);
		for (unsigned i = 0; i < TASKS; i++)
			thrum_task_wait(&tasks[i], -1);
	}
	_exit(1);
}

static int32_t worker_of(int fd)
{
	struct stats_worker worker;
	off_t at = sizeof(struct stats_header) + STATS_POOLS * sizeof(struct stats_pool);

	return pread(fd, &worker, sizeof worker, at) == sizeof worker ? (int32_t)worker.tid : 0;
}

/* How many tasks are done; the page is there, and what it says can be. */
static uint64_t look(int fd)
{
	struct thread_pool pool;

	ck_assert_uint_eq(page_study_file(fd, &pool, 1), 1);
	ck_assert_str_eq(pool.name, "stepped");
	ck_assert_uint_eq(pool.threads, 1);
	ck_assert_uint_le(pool.queued, QUEUE);
	ck_assert_uint_le(pool.busy, 1);
	return pool.completed;
}

static int open_when_busy(pid_t child)
{
	struct thread_pool pool = { 0 };
	int fd = -1;

	while (pool.completed < 1000) {
		sched_yield();
		if (fd < 0)
			fd = page_open(child, O_RDONLY);
		else
			page_study_file(fd, &pool, 1);
	}
	return fd;
}

/* False if that is not permitted here. */
static bool step(pid_t thread, int fd)
{
	uint64_t done = 0, now;
	int status;

	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) < 0)
		return false;
	ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
	for (unsigned i = 0; i < STEPS; i++) {
		ck_assert_int_eq(waitpid(thread, &status, __WALL), thread);
		ck_assert(WIFSTOPPED(status));
		now = look(fd);
		ck_assert_uint_ge(now, done);
		done = now;
		ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, thread, NULL, NULL), 0);
	}
	return true;
}

/* 0: the thread that submits, 1: the one that works. */
START_TEST(a_page_makes_sense_at_each_instruction)
{
	pid_t child = fork();
	int fd, status;

	if (child == 0)
		keep_busy();
	fd = open_when_busy(child);
	step(_i == 0 ? child : worker_of(fd), fd);
	kill(child, SIGKILL);
	/* The thread too, which is waited for like a child as it is traced */
	while (waitpid(-1, &status, __WALL) > 0)
		continue;
	look(fd);
	close(fd);
}
END_TEST

Suite *stepped_suite(void)
{
	Suite *suite = suite_create("stepped");
	TCase *test_case = tcase_create("stepped");

	tcase_set_timeout(test_case, 60);
	tcase_add_loop_test(test_case, a_page_makes_sense_at_each_instruction, 0, 2);
	suite_add_tcase(suite, test_case);
	return suite;
}
