#include <check.h>
#include <signal.h>

#include "model/policy.h"

static struct restart_policy policy;
static struct crash_memory memory;

static void begin(void)
{
	restart_policy_init(&policy);
	memory = (struct crash_memory){ 0 };
}

static struct judgement crash_at(uint64_t now_ms, uint64_t uptime_ms)
{
	struct death death = { .code = 1, .uptime_ms = uptime_ms };

	return policy_judge(&policy, &memory, &death, now_ms, 0);
}

START_TEST(short_lives_wait_twice_as_long_each_time)
{
	static const uint32_t want[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };

	policy.max_restarts = POLICY_UNLIMITED;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		struct judgement judgement = crash_at(i * 100, 10);
		ck_assert_int_eq(judgement.verdict, VERDICT_BACKOFF);
		ck_assert_uint_eq(judgement.delay_ms, want[i]);
	}
}
END_TEST

START_TEST(a_long_life_is_restarted_at_once_and_forgives)
{
	crash_at(0, 10);
	crash_at(5000, 10);
	ck_assert_int_eq(crash_at(10000, 1000).verdict, VERDICT_AGAIN);
	ck_assert_uint_eq(crash_at(15000, 999).delay_ms, 1000);
}
END_TEST

START_TEST(the_crash_after_max_restarts_is_fatal)
{
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_ne(crash_at(i * 1000, 10).verdict, VERDICT_FATAL);
	ck_assert_int_eq(crash_at(59999, 10).verdict, VERDICT_FATAL);
}
END_TEST

START_TEST(crashes_outside_the_window_are_forgotten)
{
	for (unsigned i = 0; i < 5; i++)
		crash_at(i * 1000, 10);
	ck_assert_int_eq(crash_at(60000, 10).verdict, VERDICT_BACKOFF);
	ck_assert_int_eq(crash_at(60001, 10).verdict, VERDICT_FATAL);
}
END_TEST

START_TEST(a_fatal_one_says_when_to_try_again)
{
	policy.max_restarts = 0;
	policy.fatal_retry_ms = 300000;
	struct judgement judgement = crash_at(0, 10);
	ck_assert_int_eq(judgement.verdict, VERDICT_FATAL);
	ck_assert_uint_eq(judgement.delay_ms, 300000);
}
END_TEST

START_TEST(jitter_stays_within_its_percentage)
{
	struct death death = { .code = 1 };

	policy.jitter_percent = 20;
	policy.max_restarts = POLICY_UNLIMITED;
	uint32_t least = policy_judge(&policy, &memory, &death, 0, 0).delay_ms;
	memory.short_lives = 0;
	uint32_t most = policy_judge(&policy, &memory, &death, 0, UINT32_MAX).delay_ms;
	ck_assert_uint_eq(least, 800);
	ck_assert_uint_eq(most, 1200);
}
END_TEST

static enum verdict verdict_of(enum restart_mode mode, int code, int signal)
{
	struct death death = {
		.code = (int16_t)code, .signal = (int16_t)signal, .uptime_ms = 5000
	};

	policy.mode = mode;
	return policy_judge(&policy, &memory, &death, 0, 0).verdict;
}

START_TEST(each_mode_restarts_what_it_should)
{
	ck_assert_int_eq(verdict_of(RESTART_NO, 0, 0), VERDICT_COMPLETED);
	ck_assert_int_eq(verdict_of(RESTART_NO, 1, 0), VERDICT_FAILED);
	ck_assert_int_eq(verdict_of(RESTART_ON_FAILURE, 0, 0), VERDICT_COMPLETED);
	ck_assert_int_eq(verdict_of(RESTART_ON_FAILURE, -1, SIGSEGV), VERDICT_AGAIN);
	ck_assert_int_eq(verdict_of(RESTART_ALWAYS, 0, 0), VERDICT_AGAIN);
	ck_assert_int_eq(verdict_of(RESTART_UNLESS_STOPPED, 0, 0), VERDICT_AGAIN);
	ck_assert_int_eq(verdict_of(RESTART_EXIT_ON_FAILURE, 2, 0), VERDICT_FAILED);
	ck_assert_int_eq(verdict_of(RESTART_EXIT_ON_FAILURE, 0, 0), VERDICT_COMPLETED);
}
END_TEST

START_TEST(some_endings_prevent_a_restart)
{
	policy.prevent = (struct exit_set){ { 78, -SIGABRT }, 2 };
	ck_assert_int_eq(verdict_of(RESTART_ALWAYS, 78, 0), VERDICT_FAILED);
	ck_assert_int_eq(verdict_of(RESTART_ALWAYS, -1, SIGABRT), VERDICT_FAILED);
	ck_assert_int_eq(verdict_of(RESTART_ALWAYS, -1, SIGSEGV), VERDICT_AGAIN);
}
END_TEST

START_TEST(other_codes_may_be_a_success)
{
	policy.success = (struct exit_set){ { 0, 3 }, 2 };
	ck_assert_int_eq(verdict_of(RESTART_ON_FAILURE, 3, 0), VERDICT_COMPLETED);
}
END_TEST

START_TEST(many_restarts_are_counted_in_windows)
{
	struct death death = { .code = 1, .uptime_ms = 5000 };

	policy.max_restarts = 100;
	policy.window_ms = 60000;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(policy_judge(&policy, &memory, &death, 1000 + (uint64_t)i, 0).verdict, VERDICT_AGAIN);
	ck_assert_int_eq(policy_judge(&policy, &memory, &death, 2000, 0).verdict, VERDICT_FATAL);
	ck_assert_int_eq(policy_judge(&policy, &memory, &death, 61000, 0).verdict, VERDICT_AGAIN);
}
END_TEST

START_TEST(a_smaller_number_after_a_large_one_begins_anew)
{
	struct death death = { .code = 1, .uptime_ms = 5000 };

	policy.max_restarts = 100;
	for (int i = 0; i < 90; i++)
		policy_judge(&policy, &memory, &death, 1000, 0);
	policy.max_restarts = 2;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(policy_judge(&policy, &memory, &death, 1001, 0).verdict, VERDICT_AGAIN);
	ck_assert_int_eq(policy_judge(&policy, &memory, &death, 1001, 0).verdict, VERDICT_FATAL);
}
END_TEST

Suite *policy_suite(void)
{
	Suite *suite = suite_create("policy");
	TCase *restarts = tcase_create("restarts");

	tcase_add_checked_fixture(restarts, begin, NULL);
	tcase_add_test(restarts, short_lives_wait_twice_as_long_each_time);
	tcase_add_test(restarts, a_long_life_is_restarted_at_once_and_forgives);
	tcase_add_test(restarts, the_crash_after_max_restarts_is_fatal);
	tcase_add_test(restarts, many_restarts_are_counted_in_windows);
	tcase_add_test(restarts, a_smaller_number_after_a_large_one_begins_anew);
	tcase_add_test(restarts, crashes_outside_the_window_are_forgotten);
	tcase_add_test(restarts, a_fatal_one_says_when_to_try_again);
	tcase_add_test(restarts, jitter_stays_within_its_percentage);
	tcase_add_test(restarts, each_mode_restarts_what_it_should);
	tcase_add_test(restarts, some_endings_prevent_a_restart);
	tcase_add_test(restarts, other_codes_may_be_a_success);
	suite_add_tcase(suite, restarts);
	return suite;
}
