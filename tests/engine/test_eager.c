/* Waiting awake for answers: when the loop sleeps, and when it does not. */
#include <check.h>

#include "base/clock.h"
#include "engine/eager.h"
#include "tests/runner.h"

static uv_loop_t loop;
static struct eager eager;

static void set_up(void)
{
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	eager = (struct eager){ 0 };
	eager_init(&eager, &loop);
}

static void tear_down(void)
{
	uv_close((uv_handle_t *)&eager.idle, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

/* Does the loop look again without sleeping? */
static bool is_awake(void)
{
	return uv_is_active((uv_handle_t *)&eager.idle);
}

/* A time that never comes in a test, and one that has been. */
static uint64_t ahead(void)
{
	return clock_monotonic_us() + 3600 * 1000000ull;
}

static void wait_in_vain(void)
{
	ck_assert(is_awake());
	while (is_awake())
		uv_run(&loop, UV_RUN_NOWAIT);
}

static unsigned count_left_out(void)
{
	unsigned count = 0;

	for (; !is_awake(); count++)
		eager_expect(&eager, ahead());
	return count - 1;
}

START_TEST(it_is_awake_until_the_time_is_up)
{
	eager_expect(&eager, ahead());
	for (int i = 0; i < 100; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert(is_awake());
	eager_expect(&eager, clock_monotonic_us()); /* the newest counts */
	wait_in_vain();
}
END_TEST

START_TEST(what_comes_in_time_is_waited_for_again)
{
	for (int i = 0; i < 100; i++) {
		uint64_t now_us = ahead();
		eager_expect(&eager, now_us);
		ck_assert(is_awake());
		eager_answered(&eager, now_us + 10);
		ck_assert(is_awake());
	}
}
END_TEST

START_TEST(what_comes_late_is_waited_for_ever_more_seldom)
{
	static const unsigned left_out[] = { 0, 2, 8, 32, 128, 512, 1024, 1024 };

	eager_expect(&eager, 0);
	for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
		eager_expect(&eager, 0);
		wait_in_vain();
		ck_assert_uint_eq(count_left_out(), left_out[i]);
	}
	eager_answered(&eager, UINT64_MAX); /* too late: as if it had not come */
	ck_assert_uint_eq(count_left_out(), 1024);
}
END_TEST

START_TEST(it_pays_when_two_of_three_come_in_time)
{
	for (unsigned round = 0; round < 10; round++) {
		eager_expect(&eager, 0);
		wait_in_vain();
		ck_assert_uint_eq(count_left_out(), 0);
		for (unsigned i = 0; i < 2; i++)
			eager_answered(&eager, 0);
	}
}
END_TEST

START_TEST(an_answer_that_is_not_waited_for_changes_nothing)
{
	for (unsigned i = 0; i < 2; i++) {
		eager_expect(&eager, 0);
		wait_in_vain();
	}
	eager_answered(&eager, 0);
	ck_assert_uint_eq(count_left_out(), 2);
}
END_TEST

Suite *eager_suite(void)
{
	Suite *suite = suite_create("eager");
	TCase *cases = tcase_create("eager");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, it_is_awake_until_the_time_is_up);
	tcase_add_test(cases, what_comes_in_time_is_waited_for_again);
	tcase_add_test(cases, what_comes_late_is_waited_for_ever_more_seldom);
	tcase_add_test(cases, it_pays_when_two_of_three_come_in_time);
	tcase_add_test(cases, an_answer_that_is_not_waited_for_changes_nothing);
	suite_add_tcase(suite, cases);
	return suite;
}
