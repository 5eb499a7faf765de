#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

/* 2026-11-23 14:00:00.5 UTC */
static const uint64_t now_us = 1795442400500000;

static void begin(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
}

START_TEST(a_time_of_day_is_the_last_that_was)
{
	static const struct {
		const char *text;
		int64_t ago_us;
	} times[] = { { "14:00", 500000 }, { "13:59:59", 1500000 }, { "14:00:00.5", 0 }, { "14:00:00.25", 250000 },
		{ "14:00:00.000001", 499999 },
		{ "14:00:00.500001", 86399999999 }, { "14:00:01", 86399500000 }, { "13:59:59.9999999", 500001 } };
	uint64_t at_us;

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		ck_assert_msg(clock_parse_local(times[i].text, now_us, &at_us), "%s", times[i].text);
		ck_assert_msg(at_us == now_us - (uint64_t)times[i].ago_us, "%s is %lld us ago", times[i].text, (long long)(now_us - at_us));
	}
}
END_TEST

START_TEST(what_is_no_time_of_day_is_refused)
{
	static const char *const texts[] = { "", "14", "14:", "24:00", "14:60", "14:00:60", "14:00:00.", "14:00:00.x", "14:00:00.5x",
		"14:00.5", "14:00x", "now" };
	uint64_t at_us;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		ck_assert_msg(!clock_parse_local(texts[i], now_us, &at_us), "%s", texts[i]);
}
END_TEST

Suite *clock_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *all = tcase_create("clock");

	tcase_add_checked_fixture(all, begin, NULL);
	tcase_add_test(all, a_time_of_day_is_the_last_that_was);
	tcase_add_test(all, what_is_no_time_of_day_is_refused);
	suite_add_tcase(suite, all);
	return suite;
}
