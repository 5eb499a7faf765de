#include <check.h>
#include <string.h>
#include <time.h>

#include "model/cron.h"

static uint64_t moment(int year, int month, int day, int hour, int minute)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute };

	return (uint64_t)timegm(&tm) * 1000000;
}

static void check_next(const char *text, const char *timezone, uint64_t after, uint64_t expected)
{
	struct cron cron;
	struct error err;

	ck_assert_msg(cron_parse(&cron, text, &err), "%s", err.text);
	ck_assert_uint_eq(cron_next(&cron, timezone, after), expected);
}

static const struct {
	const char *text;
	int from[5], to[5]; /* UTC */
} nexts[] = {
	{ "* * * * *", { 2026, 11, 23, 10, 0 }, { 2026, 11, 23, 10, 1 } },
	{ "*/15 * * * *", { 2026, 11, 23, 10, 46 }, { 2026, 11, 23, 11, 0 } },
	{ "0 2 * * *", { 2026, 11, 23, 2, 0 }, { 2026, 11, 24, 2, 0 } },
	{ "30 4 1,15 * *", { 2026, 11, 23, 0, 0 }, { 2026, 12, 1, 4, 30 } },
	{ "0 9 * * mon-fri", { 2026, 11, 27, 9, 0 }, { 2026, 11, 30, 9, 0 } },
	{ "0 9 * * 7", { 2026, 11, 23, 0, 0 }, { 2026, 11, 29, 9, 0 } },
	{ "0 0 13 * 5", { 2026, 11, 23, 0, 0 }, { 2026, 11, 27, 0, 0 } },
	{ "0 0 29 feb *", { 2026, 11, 23, 0, 0 }, { 2028, 2, 29, 0, 0 } },
	{ "5-10/5 8 * * *", { 2026, 11, 23, 8, 5 }, { 2026, 11, 23, 8, 10 } },
	{ "10/20 * * * *", { 2026, 11, 23, 8, 31 }, { 2026, 11, 23, 8, 50 } },
	{ "@yearly", { 2026, 11, 23, 8, 31 }, { 2027, 1, 1, 0, 0 } },
	{ "59 23 31 12 *", { 2026, 12, 31, 23, 59 }, { 2027, 12, 31, 23, 59 } },
};

START_TEST(the_next_time_is_found)
{
	const int *from = nexts[_i].from, *to = nexts[_i].to;

	check_next(nexts[_i].text, "UTC", moment(from[0], from[1], from[2], from[3], from[4]),
		moment(to[0], to[1], to[2], to[3], to[4]));
}
END_TEST

/* Berlin, 29 March 2026: 02:00 is 03:00. 01:30 CET is 00:30 UTC. */
START_TEST(an_hour_left_out_comes_at_the_first_moment_after)
{
	check_next("30 2 * * *", "Europe/Berlin", moment(2026, 3, 28, 12, 0), moment(2026, 3, 29, 1, 0));
	check_next("30 2 * * *", "Europe/Berlin", moment(2026, 3, 29, 1, 0), moment(2026, 3, 30, 0, 30));
}
END_TEST

/* Berlin, 25 October 2026: 03:00 is 02:00 again. 02:30 CEST is 00:30 UTC, 02:30 CET 01:30. */
START_TEST(an_hour_that_comes_twice_counts_once)
{
	check_next("30 2 * * *", "Europe/Berlin", moment(2026, 10, 24, 12, 0), moment(2026, 10, 25, 0, 30));
	check_next("30 2 * * *", "Europe/Berlin", moment(2026, 10, 25, 0, 30), moment(2026, 10, 26, 1, 30));
	check_next("30 * * * *", "Europe/Berlin", moment(2026, 10, 25, 0, 30), moment(2026, 10, 25, 1, 30));
}
END_TEST

START_TEST(what_never_comes_is_found_out)
{
	check_next("0 0 31 2 *", NULL, moment(2026, 1, 1, 0, 0), 0);
	check_next("0 0 31 4,6,9,11 *", NULL, moment(2026, 1, 1, 0, 0), 0);
}
END_TEST

static const char *const wrongs[] = { "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
	"* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "* * * xyz *", "1, * * * *",
	"-1 * * * *", "* * * * * *", "@often", "99999999999999999999 * * * *", "1-99999999999 * * * *" };

START_TEST(nonsense_is_refused)
{
	struct cron cron;
	struct error err = { 0 };

	ck_assert(!cron_parse(&cron, wrongs[_i], &err));
	ck_assert_str_ne(err.text, "");
}
END_TEST

START_TEST(time_zones_are_those_of_the_machine)
{
	ck_assert(cron_timezone_exists("Europe/Berlin"));
	ck_assert(!cron_timezone_exists("Europe/Nowhere"));
	ck_assert(!cron_timezone_exists("/etc/passwd"));
	ck_assert(!cron_timezone_exists(""));
}
END_TEST

Suite *cron_suite(void)
{
	Suite *suite = suite_create("cron");
	TCase *times = tcase_create("times");

	tcase_add_loop_test(times, the_next_time_is_found, 0, (int)(sizeof nexts / sizeof *nexts));
	tcase_add_test(times, an_hour_left_out_comes_at_the_first_moment_after);
	tcase_add_test(times, an_hour_that_comes_twice_counts_once);
	tcase_add_test(times, what_never_comes_is_found_out);
	tcase_add_loop_test(times, nonsense_is_refused, 0, (int)(sizeof wrongs / sizeof *wrongs));
	tcase_add_test(times, time_zones_are_those_of_the_machine);
	suite_add_tcase(suite, times);
	return suite;
}
