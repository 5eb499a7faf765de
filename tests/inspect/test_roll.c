#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspect/roll.h"

enum { THREADS = 5,
	MOST = 32 };

static struct roll *roll;
static struct roll_entry entries[MOST];
static struct error err;

static void begin(void)
{
	roll = roll_create(&err);
	if (!roll)
		fprintf(stderr, "there is no roll here: %s\n", err.text);
}

static void end(void)
{
	roll_destroy(roll);
}

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static pid_t start(void)
{
	int told[2];
	char byte;

	ck_assert_int_eq(pipe(told), 0);
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 1; i < THREADS; i++)
			pthread_create(&thread, NULL, sleep_for_ever, NULL);
		(void)!write(told[1], "s", 1);
		sleep_for_ever(NULL);
	}
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	close(told[0]);
	close(told[1]);
	return child;
}

static bool has_settled(pid_t child)
{
	for (int i = 0; i < THREADS; i++)
		if (!(entries[i].state & ROLL_SLEEPS))
			return false;
	return roll_call(roll, child, entries, MOST) == THREADS;
}

START_TEST(it_says_what_the_files_say)
{
	pid_t child = start();
	uint64_t run, wait, turns;
	char path[64];

	while (roll && (roll_call(roll, child, entries, MOST) != THREADS || !has_settled(child)))
		;
	for (int i = 0; roll && i < THREADS; i++) {
		snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)child, entries[i].tid);
		FILE *file = fopen(path, "re");
		ck_assert(file && fscanf(file, "%" SCNu64 " %" SCNu64 " %" SCNu64, &run, &wait, &turns) == 3);
		fclose(file);
		ck_assert_uint_eq(entries[i].run_ns, run);
		ck_assert_uint_eq(entries[i].wait_ns, wait);
		ck_assert_uint_eq(entries[i].turns, turns);
		ck_assert(i == 0 || entries[i].tid > entries[i - 1].tid);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_assert(!roll || roll_call(roll, child, entries, MOST) == 0);
}
END_TEST

START_TEST(no_more_come_than_there_is_room_for)
{
	pid_t child = start();

	ck_assert(!roll || roll_call(roll, child, entries, 2) == 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
END_TEST

/* It compares its own number with the one that the kernel tells. */
START_TEST(numbers_are_those_of_the_namespace_of_who_asks)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (unshare(CLONE_NEWPID) < 0)
			_exit(2);
		pid_t first = fork();
		if (first == 0)
			_exit(getpid() == 1 && roll_create(&err) ? 0 : 1);
		_exit(waitpid(first, &status, 0) == first && WIFEXITED(status) ? WEXITSTATUS(status) : 3);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert(!roll || WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
}
END_TEST

START_TEST(who_has_no_right_is_told_so)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(1);
		_exit(!roll_create(&err) && err.text[0] ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(status == 0 || geteuid() != 0);
}
END_TEST

Suite *roll_suite(void)
{
	Suite *suite = suite_create("roll");
	TCase *tcase = tcase_create("roll");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, it_says_what_the_files_say);
	tcase_add_test(tcase, no_more_come_than_there_is_room_for);
	tcase_add_test(tcase, numbers_are_those_of_the_namespace_of_who_asks);
	tcase_add_test(tcase, who_has_no_right_is_told_so);
	suite_add_tcase(suite, tcase);
	return suite;
}
