#include <check.h>
#include <signal.h>
#include <stdio.h>

#include "cli/exit_when.h"

static struct replica_row rows[3];
static struct replica replica = { .rows = rows };

static void begin(void)
{
	replica.row_count = 0;
}

static struct row *add(const char *service, unsigned instance, enum state state)
{
	struct row *row = &rows[replica.row_count++].row;

	*row = (struct row){ .instance = instance, .state = state };
	snprintf(row->service, sizeof row->service, "%s", service);
	return row;
}

static void end_with(struct row *row, int code, int number)
{
	row->has_last_death = true;
	row->last_death = (struct death){ .code = (int16_t)code, .signal = (int16_t)number };
}

static void check_verdict(const char *when, bool is_over, int status)
{
	struct exit_verdict verdict = exit_when(&replica, when);

	ck_assert_int_eq(verdict.is_over, is_over);
	ck_assert_int_eq(verdict.status, status);
}

START_TEST(all_done_waits_for_all)
{
	add("a", 0, STATE_COMPLETED);
	struct row *row = add("b", 0, STATE_RUNNING);

	for (int state = STATE_SAME + 1; state < STATE_COUNT; state++) {
		row->state = (enum state)state;
		check_verdict("all-done", state_is_over((enum state)state), -1);
		check_verdict(NULL, state_is_over((enum state)state), -1);
	}
}
END_TEST

START_TEST(one_that_will_be_tried_again_is_not_done)
{
	add("a", 0, STATE_FATAL)->deadline_us = 1;
	check_verdict(NULL, false, -1);
}
END_TEST

START_TEST(any_exit_is_any_end_of_a_process)
{
	struct row *row = add("a", 0, STATE_RUNNING);

	check_verdict("any-exit", false, -1);
	end_with(row, 0, 0);
	check_verdict("any-exit", true, -1);
}
END_TEST

START_TEST(any_failure_is_one_that_failed)
{
	struct row *row = add("a", 0, STATE_COMPLETED);

	check_verdict("any-failure", false, -1);
	row->state = STATE_FATAL;
	check_verdict("any-failure", true, -1);
	row->state = STATE_FAILED;
	check_verdict("any-failure", true, -1);
}
END_TEST

START_TEST(a_service_passes_its_status_on)
{
	add("a", 0, STATE_RUNNING);
	struct row *row = add("b", 0, STATE_RUNNING);

	check_verdict("b", false, -1);
	row->state = STATE_FAILED;
	end_with(row, 7, 0);
	check_verdict("b", true, 7);
	check_verdict("a", false, -1);
	end_with(row, -1, SIGSEGV);
	check_verdict("b", true, 128 + SIGSEGV);
	row->state = STATE_SKIPPED;
	row->has_last_death = false;
	check_verdict("b", true, 1);
}
END_TEST

START_TEST(a_service_is_over_when_all_its_instances_are)
{
	end_with(add("a", 0, STATE_COMPLETED), 0, 0);
	struct row *second = add("a", 1, STATE_RUNNING);

	check_verdict("a", false, -1);
	second->state = STATE_FAILED;
	end_with(second, 3, 0);
	check_verdict("a", true, 3);
}
END_TEST

START_TEST(never_is_never)
{
	add("a", 0, STATE_FAILED);
	check_verdict("never", false, -1);
}
END_TEST

START_TEST(words_and_services_are_valid)
{
	static const char *const services[] = { "web", "db", NULL };

	ck_assert(exit_when_is_valid("all-done", services));
	ck_assert(exit_when_is_valid("never", services));
	ck_assert(exit_when_is_valid("db", services));
	ck_assert(!exit_when_is_valid("cache", services));
	ck_assert(!exit_when_is_valid("", services));
}
END_TEST

Suite *exit_when_suite(void)
{
	Suite *suite = suite_create("exit_when");
	TCase *all = tcase_create("exit_when");

	tcase_add_checked_fixture(all, begin, NULL);
	tcase_add_test(all, all_done_waits_for_all);
	tcase_add_test(all, one_that_will_be_tried_again_is_not_done);
	tcase_add_test(all, any_exit_is_any_end_of_a_process);
	tcase_add_test(all, any_failure_is_one_that_failed);
	tcase_add_test(all, a_service_passes_its_status_on);
	tcase_add_test(all, a_service_is_over_when_all_its_instances_are);
	tcase_add_test(all, never_is_never);
	tcase_add_test(all, words_and_services_are_valid);
	suite_add_tcase(suite, all);
	return suite;
}
