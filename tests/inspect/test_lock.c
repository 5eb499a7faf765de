#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspect/inspector.h"

static pthread_mutex_t first, second;
static pthread_barrier_t both;
static int ends[2];

static void *hold_and_sleep(void *unused)
{
	pthread_mutex_lock(&first);
	pthread_barrier_wait(&both);
	for (;;)
		pause();
	return unused;
}

static void wait_for_one_that_sleeps(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, hold_and_sleep, NULL);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&first);
}

static void *hold_and_want(void *unused)
{
	pthread_mutex_lock(&first);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&second);
	return unused;
}

static void wait_for_each_other(void)
{
	pthread_t thread;

	pthread_mutex_lock(&second);
	pthread_create(&thread, NULL, hold_and_want, NULL);
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&first);
}

static void read_from_us(void)
{
	char byte;

	close(ends[1]);
	(void)!read(ends[0], &byte, 1);
}

static void wait_for_nobody(void)
{
	(void)!wait(NULL);
	if (fork() == 0)
		for (;;)
			pause();
	(void)!wait(NULL);
}

static pid_t start(void (*run)(void), int protocol)
{
	pthread_mutexattr_t kind;

	ck_assert_int_eq(pipe(ends), 0);
	pid_t child = fork();
	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_mutexattr_init(&kind);
	pthread_mutexattr_setprotocol(&kind, protocol);
	pthread_mutex_init(&first, &kind);
	pthread_mutex_init(&second, &kind);
	pthread_barrier_init(&both, NULL, 2);
	run();
	_exit(0);
}

/* Until one look finds that: it takes them a moment to get there. */
static void finds(pid_t child, const char *what)
{
	struct inspector *inspector = inspector_create();
	struct study study;
	struct error err;
	bool is_found = false;

	while (!is_found) {
		ck_assert_msg(inspector_study(inspector, child, &study, &err), "%s", err.text);
		for (size_t i = 0; i < study.finding_count; i++)
			is_found = is_found || strstr(study.findings[i], what);
		study_finish(&study);
	}
	inspector_destroy(inspector);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ends[0]);
	close(ends[1]);
}

START_TEST(who_has_the_lock_is_named)
{
	finds(start(wait_for_one_that_sleeps, _i ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE),
		"1 thread waits for a lock that thread");
}
END_TEST

START_TEST(a_deadlock_is_told)
{
	finds(start(wait_for_each_other, PTHREAD_PRIO_NONE), "deadlock: thread"); /* with inheritance the kernel refuses */
}
END_TEST

START_TEST(who_is_to_write_is_named)
{
	char expected[64];

	snprintf(expected, sizeof expected, "(%d) to write something (descriptor", (int)getpid());
	finds(start(read_from_us, PTHREAD_PRIO_NONE), expected);
}
END_TEST

START_TEST(a_child_is_waited_for)
{
	finds(start(wait_for_nobody, PTHREAD_PRIO_NONE), "waits for a child to end");
}
END_TEST

Suite *lock_suite(void)
{
	Suite *suite = suite_create("lock");
	TCase *tcase = tcase_create("waiting");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, who_has_the_lock_is_named, 0, 2);
	tcase_add_test(tcase, a_deadlock_is_told);
	tcase_add_test(tcase, who_is_to_write_is_named);
	tcase_add_test(tcase, a_child_is_waited_for);
	suite_add_tcase(suite, tcase);
	return suite;
}
