#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "inspect/crew.h"
#include "inspect/task.h"
#include "model/sample.h"

enum { THREADS = 8,
	MOST = 32 };

static struct thread_report reports[MOST];
static struct crew crew;
static struct crew_budget budget;
static int told[2], ordered[2];

static void *sleep_or_work(void *argument)
{
	volatile uint64_t sum = 0;
	char order;

	if (!argument)
		for (;;)
			pause();
	while (read(ordered[0], &order, 1) == 1 && order != 'q') {
		for (unsigned i = 0; i < 20000000; i++)
			sum += i;
		(void)!write(told[1], "d", 1);
	}
	return NULL;
}

/* One that works when it is told to, and others that sleep; the main one may run now and then. */
static pid_t start_ticking(bool ticks)
{
	ck_assert_int_eq(pipe(told), 0);
	ck_assert_int_eq(pipe(ordered), 0);
	pid_t child = fork();
	if (child == 0) {
		pthread_t thread;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < THREADS - 1; i++)
			pthread_create(&thread, NULL, sleep_or_work, i == 0 ? told : NULL);
		(void)!write(told[1], "s", 1);
		for (;;)
			ticks ? usleep(1000) : pause();
	}
	return child;
}

static pid_t start(void)
{
	return start_ticking(false);
}

/* By files, or by the roll: then few are kept open. False: there is none here. */
static bool begin(size_t most, bool by_roll)
{
	struct error err;

	budget = (struct crew_budget){ .most = most, .is_roll_tried = true };
	if (!by_roll || crew_budget_roll(&budget, &err))
		return true;
	fprintf(stderr, "not by the roll: %s\n", err.text);
	return false;
}

static void keeps_open(size_t count)
{
	ck_assert(budget.roll ? budget.used <= count : budget.used == count);
}

static void hear(void)
{
	char byte;

	ck_assert_int_eq(read(told[0], &byte, 1), 1);
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	crew_finish(&crew);
	crew_budget_finish(&budget);
	ck_assert_uint_eq(budget.used, 0);
	for (int i = 0; i < 2; i++) {
		close(told[i]);
		close(ordered[i]);
	}
}

static size_t take(pid_t child)
{
	return crew_take(&crew, &budget, child, clock_monotonic_us() * 1000, reports, MOST);
}

/* They sleep where they mean to: a thread that is only being made may wait for a lock of the library. */
static bool all_asleep(pid_t child)
{
	size_t count = take(child), asleep = 0;

	for (size_t i = 0; i < count; i++)
		asleep += reports[i].state == 'S' && reports[i].cpu_pct == 0 && reports[i].wchan[0] &&
			  strncmp(reports[i].wchan, "futex", 5) != 0;
	return asleep == THREADS;
}

/* Twice: who was just about to fall asleep at the first look is timed to the end by the second. */
static void settle(pid_t child)
{
	for (unsigned times = 0; times < 2;)
		times = all_asleep(child) ? times + 1 : 0;
}

static void is_as_a_fresh_look(pid_t child, size_t count)
{
	struct thread_report fresh;

	for (size_t i = 0; i < count; i++) {
		ck_assert(task_read(&fresh, child, reports[i].tid, NULL));
		ck_assert_int_eq(fresh.state, reports[i].state);
		ck_assert_uint_eq(fresh.cpu_ns, reports[i].cpu_ns);
		ck_assert_uint_eq(fresh.switches, reports[i].switches);
		ck_assert_str_eq(fresh.wchan, reports[i].wchan);
		ck_assert_str_eq(fresh.syscall, reports[i].syscall);
		ck_assert_str_eq(fresh.name, reports[i].name);
	}
}

START_TEST(who_has_run_is_seen_and_the_others_stand_still)
{
	pid_t child = start();

	if (!begin(MOST, _i)) {
		end(child);
		return;
	}
	hear();
	settle(child);
	keeps_open(THREADS);
	(void)!write(ordered[1], "w", 1);
	hear();
	ck_assert_uint_eq(take(child), THREADS);
	size_t worked = 0;
	for (size_t i = 0; i < THREADS; i++) {
		worked += reports[i].cpu_pct > 0;
		ck_assert(reports[i].cpu_pct >= 0 && reports[i].switch_rate >= 0);
	}
	ck_assert_uint_eq(worked, 1);
	settle(child);
	is_as_a_fresh_look(child, THREADS);
	end(child);
}
END_TEST

static size_t still_for_long(void)
{
	size_t count = 0;

	for (size_t i = 0; i < crew.count; i++)
		count += crew.members[i].still > 20;
	return count;
}

START_TEST(who_has_not_run_for_long_is_seen_when_he_does)
{
	pid_t child = start_ticking(true);
	double most = 0;

	if (!begin(MOST, _i)) {
		end(child);
		return;
	}
	hear();
	take(child);
	for (unsigned rounds = 0; rounds < 20; rounds++) {
		size_t count = take(child);
		for (size_t i = 0; i < count; i++) /* as if it had been so for long: those are asked last */
			crew.members[i].still = reports[i].tid == child ? 0 : 1000;
	}
	ck_assert_uint_eq(still_for_long(), THREADS - 1);
	(void)!write(ordered[1], "w", 1);
	hear();
	ck_assert_uint_eq(take(child), THREADS);
	for (size_t i = 0; i < THREADS; i++)
		if (reports[i].tid != child && reports[i].cpu_pct > most)
			most = reports[i].cpu_pct;
	ck_assert(most > 0);
	end(child);
}
END_TEST

START_TEST(what_is_stopped_is_seen_to_be)
{
	pid_t child = start();
	size_t stopped = 0;

	if (!begin(MOST, _i)) {
		end(child);
		return;
	}
	hear();
	settle(child);
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	while (stopped < THREADS) {
		ck_assert_uint_eq(take(child), THREADS);
		stopped = 0;
		for (size_t i = 0; i < THREADS; i++)
			stopped += reports[i].state == 'T';
	}
	kill(child, SIGCONT);
	settle(child);
	end(child);
}
END_TEST

START_TEST(a_small_budget_is_kept_and_changes_nothing)
{
	pid_t child = start();

	if (!begin(3, _i)) {
		end(child);
		return;
	}
	hear();
	settle(child);
	keeps_open(3);
	ck_assert_uint_eq(take(child), THREADS);
	is_as_a_fresh_look(child, THREADS);
	crew_close(&crew);
	ck_assert_uint_eq(budget.used, 0);
	settle(child);
	is_as_a_fresh_look(child, THREADS);
	end(child);
}
END_TEST

START_TEST(threads_that_end_take_their_descriptors_along)
{
	pid_t child = start();

	if (!begin(MOST, _i)) {
		end(child);
		return;
	}
	hear();
	settle(child);
	(void)!write(ordered[1], "q", 1);
	while (take(child) == THREADS)
		;
	ck_assert_uint_eq(take(child), THREADS - 1);
	keeps_open(THREADS - 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_assert_uint_eq(take(child), 0);
	ck_assert_uint_eq(budget.used, 0);
	end(child);
}
END_TEST

/* Who has been stopped is still on its processor for a moment, and uses it. */
static void stop(pid_t child)
{
	struct thread_report fresh;

	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
	for (size_t i = 0; i < crew.count; i++)
		do
			ck_assert(task_read(&fresh, child, crew.members[i].report.tid, NULL));
		while (fresh.state != 'T' || !fresh.wchan[0]);
}

/* Both at once, of the same threads. */
START_TEST(both_ways_tell_the_same)
{
	pid_t child = start_ticking(true);
	struct crew other = { 0 };
	struct crew_budget files = { .most = MOST, .is_roll_tried = true };
	struct thread_report by_file[MOST];

	if (!begin(MOST, true)) {
		end(child);
		return;
	}
	hear();
	take(child);
	for (int round = 0; round < 200; round++) {
		uint64_t now_ns = clock_monotonic_us() * 1000;
		stop(child);
		size_t count = take(child);
		ck_assert_uint_eq(crew_take(&other, &files, child, now_ns, by_file, MOST), count);
		for (size_t i = 0; i < count; i++) {
			ck_assert_int_eq(by_file[i].tid, reports[i].tid);
			ck_assert_uint_eq(by_file[i].cpu_ns, reports[i].cpu_ns);
			ck_assert_uint_eq(by_file[i].run_wait_ms, reports[i].run_wait_ms);
			ck_assert_uint_eq(by_file[i].switches, reports[i].switches);
			ck_assert_str_eq(by_file[i].name, reports[i].name);
		}
		kill(child, SIGCONT);
	}
	crew_finish(&other);
	end(child);
}
END_TEST

/* One runs of whom that is not expected, so that all have to be asked. */
static void surprise(pid_t child, uint64_t asked)
{
	budget.is_roll_tried = true;
	settle(child);
	budget.is_roll_tried = false;
	budget.asked = asked;
	for (size_t i = 0; i < crew.count; i++)
		crew.members[i].still = 1000;
	(void)!write(ordered[1], "w", 1);
	hear();
	ck_assert_uint_eq(take(child), THREADS);
}

START_TEST(it_begins_the_roll_when_that_pays)
{
	pid_t child = start();
	struct error err;

	if (!begin(MOST, true)) {
		end(child);
		return;
	}
	crew_budget_finish(&budget);
	budget = (struct crew_budget){ .most = MOST };
	hear();
	surprise(child, 0);
	ck_assert(!budget.is_roll_tried && budget.used == THREADS);
	surprise(child, 1000000);
	ck_assert(budget.is_roll_tried && budget.roll && crew_budget_roll(&budget, &err));
	ck_assert(budget.used < THREADS);
	end(child);
}
END_TEST

Suite *crew_suite(void)
{
	Suite *suite = suite_create("crew");
	TCase *tcase = tcase_create("crew");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, who_has_run_is_seen_and_the_others_stand_still, 0, 2);
	tcase_add_loop_test(tcase, who_has_not_run_for_long_is_seen_when_he_does, 0, 2);
	tcase_add_loop_test(tcase, what_is_stopped_is_seen_to_be, 0, 2);
	tcase_add_loop_test(tcase, a_small_budget_is_kept_and_changes_nothing, 0, 2);
	tcase_add_loop_test(tcase, threads_that_end_take_their_descriptors_along, 0, 2);
	tcase_add_test(tcase, both_ways_tell_the_same);
	tcase_add_test(tcase, it_begins_the_roll_when_that_pays);
	suite_add_tcase(suite, tcase);
	return suite;
}
