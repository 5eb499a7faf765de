#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "inspect/inspector.h"
#include "model/sample.h"
#include "procfs/stat.h"

/* What a program with libuv says of itself, against what is seen of it from outside. */
struct truth {
	_Atomic uint64_t submitted, started, done;
	_Atomic uint64_t blocked_ns; /* since when its loop is blocked; 0: it is not */
	unsigned work_us, tick_ms, burst;
};

enum { SAMPLES = 400,
	OUTSTANDING_MOST = 2000,
	WORKERS = 4,
	BLOCK_MS = 400,
	PATIENCE_S = 60 };

static struct truth *truth;
static pid_t child;
static struct inspector *inspector;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void spin(uint64_t us)
{
	uint64_t end = now_ns() + us * 1000;

	while (now_ns() < end)
		;
}

static void on_work(uv_work_t *work)
{
	(void)work;
	atomic_fetch_add(&truth->started, 1);
	spin(truth->work_us);
}

static void on_worked(uv_work_t *work, int status)
{
	(void)status;
	atomic_fetch_add(&truth->done, 1);
	free(work);
}

static void on_tick(uv_timer_t *timer)
{
	unsigned count = (unsigned)rand() % truth->burst;

	for (unsigned i = 0; i < count && truth->submitted - truth->done < OUTSTANDING_MOST; i++) {
		atomic_fetch_add(&truth->submitted, 1);
		/* of many sizes, so that nodes are used again */
		uv_queue_work(timer->loop, malloc(sizeof(uv_work_t) + (size_t)rand() % 500), on_work, on_worked);
	}
}

/* Since when, as the loop has it: it may have come late to this call. */
static void on_block(uv_timer_t *timer)
{
	atomic_store(&truth->blocked_ns, uv_now(timer->loop) * 1000000);
	usleep(BLOCK_MS * 1000);
	atomic_store(&truth->blocked_ns, 0);
}

static void run_child(uv_timer_cb on_timer)
{
	uv_timer_t timer;
	uv_loop_t *loop = uv_default_loop();

	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, on_timer, 0, truth->tick_ms);
	uv_run(loop, UV_RUN_DEFAULT);
}

static void start(uv_timer_cb on_timer, struct truth settings)
{
	*truth = settings;
	child = fork();
	if (child == 0) {
		run_child(on_timer);
		_exit(0);
	}
	ck_assert_int_gt(child, 0);
}

static void look(struct inside *inside)
{
	struct proc_stat stat;

	ck_assert(proc_stat_read(child, &stat));
	inspector_sum(inspector, child, stat.starttime, stat.threads, inside);
}

static void setup(void)
{
	truth = mmap(NULL, sizeof *truth, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(truth != MAP_FAILED);
	inspector = inspector_create();
}

static void teardown(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	inspector_destroy(inspector);
	munmap(truth, sizeof *truth);
}

/* Its pool is there once it has begun to work. */
static void await_pool(void)
{
	struct inside inside = INSIDE_UNKNOWN;

	for (uint64_t until_ns = now_ns() + PATIENCE_S * 1000000000ull; inside.size != WORKERS && now_ns() < until_ns;) {
		usleep(1000);
		look(&inside);
	}
	ck_assert_uint_eq(inside.size, WORKERS);
}

static void compare(struct truth settings)
{
	unsigned right = 0, known = 0;

	start(on_tick, settings);
	await_pool();
	for (int i = 0; i < SAMPLES; i++) {
		struct inside inside;
		uint64_t started = truth->started, submitted = truth->submitted;
		look(&inside);
		/* a worker takes its task before it counts it */
		uint64_t least = submitted - truth->started, most = truth->submitted - started;
		if ((int64_t)least < 0)
			least = 0;
		known += inside.queue != SAMPLE_UNKNOWN;
		right += inside.queue != SAMPLE_UNKNOWN && inside.queue + WORKERS + 1 >= least &&
			 inside.queue <= most + WORKERS + 1;
		usleep(1000);
	}
	ck_assert_uint_ge(known * 100, 99 * SAMPLES);
	ck_assert_uint_ge(right * 100, 99 * known);
}

START_TEST(a_light_queue_is_seen_as_it_is)
{
	compare((struct truth){ .work_us = 20, .tick_ms = 5, .burst = 100 });
}
END_TEST

START_TEST(a_queue_that_churns_is_seen_as_it_is)
{
	compare((struct truth){ .work_us = 3, .tick_ms = 1, .burst = 400 });
}
END_TEST

START_TEST(a_saturated_queue_is_seen_as_it_is)
{
	compare((struct truth){ .work_us = 500, .tick_ms = 2, .burst = 400 });
}
END_TEST

/* Seen in the middle of a block: how long it has lasted. */
START_TEST(a_blocked_loop_is_seen_to_be)
{
	unsigned compared = 0;

	start(on_block, (struct truth){ .tick_ms = 50 });
	for (int i = 0; i < 2000 && compared < 20; i++) {
		struct inside inside;
		usleep(20000);
		uint64_t since = truth->blocked_ns, before = now_ns();
		look(&inside);
		uint64_t least_ms = (before - since) / 1000000, most_ms = (now_ns() - since) / 1000000;
		if (!since || truth->blocked_ns != since || least_ms < 60 || inside.lag_ms == SAMPLE_UNKNOWN)
			continue;
		ck_assert_uint_le(inside.lag_ms, most_ms + 50);
		ck_assert_uint_ge(inside.lag_ms + 50, least_ms);
		compared++;
	}
	ck_assert_uint_eq(compared, 20);
}
END_TEST

static void await_program(const char *name)
{
	struct study study = { 0 };
	struct error err;

	do {
		study_finish(&study);
		ck_assert(inspector_study(inspector, child, &study, &err));
	} while (strcmp(study.process, name) != 0);
	study_finish(&study);
}

START_TEST(a_process_without_a_pool_has_none)
{
	struct inside inside;

	child = fork();
	if (child == 0) {
		execlp("sleep", "sleep", "1000", (char *)NULL);
		_exit(127);
	}
	await_program("sleep");
	look(&inside);
	ck_assert(inside.queue == SAMPLE_UNKNOWN && inside.size == SAMPLE_UNKNOWN && inside.utilisation < 0);
}
END_TEST

START_TEST(who_is_gone_is_refused)
{
	struct study study;
	struct error err;

	child = fork();
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	ck_assert(!inspector_study(inspector, child, &study, &err));
	study_finish(&study);
}
END_TEST

Suite *truth_suite(void);

Suite *truth_suite(void)
{
	Suite *suite = suite_create("truth");
	TCase *tcase = tcase_create("truth");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_light_queue_is_seen_as_it_is);
	tcase_add_test(tcase, a_queue_that_churns_is_seen_as_it_is);
	tcase_add_test(tcase, a_saturated_queue_is_seen_as_it_is);
	tcase_add_test(tcase, a_blocked_loop_is_seen_to_be);
	tcase_add_test(tcase, a_process_without_a_pool_has_none);
	tcase_add_test(tcase, who_is_gone_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
