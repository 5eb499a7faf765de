#include <check.h>

#include "model/trace.h"

#define SECOND 1000000ull
static const uint64_t began = 1700000000 * SECOND;
static struct trace trace;

static void add(uint64_t second, enum state state, unsigned most)
{
	struct trace_entry entry = { .ts_us = began + second * SECOND, .state = state, .rss = second };

	trace_add(&trace, &entry, most);
}

static int rss_at(double second)
{
	int index = trace_find(&trace, began + (uint64_t)(second * SECOND));

	return index < 0 ? -1 : (int)trace_entry(&trace, (unsigned)index)->rss;
}

START_TEST(it_says_how_it_was_then)
{
	add(10, STATE_STARTING, TRACE_MOST);
	add(11, STATE_RUNNING, TRACE_MOST);
	add(15, STATE_RUNNING, TRACE_MOST);
	ck_assert_int_eq(rss_at(9.9), -1);
	ck_assert_int_eq(rss_at(10), 10);
	ck_assert_int_eq(rss_at(14.9), 11);
	ck_assert_int_eq(rss_at(999), 15);
	trace_finish(&trace);
	ck_assert_int_eq(rss_at(999), -1);
}
END_TEST

START_TEST(the_oldest_go_first_and_what_was_before_the_span_is_known)
{
	for (uint64_t second = 0; second <= 2 * TRACE_SPAN_S; second += 100)
		add(second, STATE_RUNNING, TRACE_MOST);
	ck_assert_uint_le(trace_size(&trace), TRACE_SPAN_S / 100 + 2);
	ck_assert_int_eq(rss_at(TRACE_SPAN_S), TRACE_SPAN_S);
	ck_assert_int_eq(rss_at(0), -1);
	add(10 * TRACE_SPAN_S, STATE_RUNNING, TRACE_MOST);
	ck_assert_int_eq(rss_at(9.5 * TRACE_SPAN_S), 2 * TRACE_SPAN_S);
	trace_finish(&trace);
}
END_TEST

START_TEST(there_are_never_more_than_may_be)
{
	for (uint64_t second = 0; second < 500; second++)
		add(second, STATE_RUNNING, 60);
	ck_assert_uint_eq(trace_size(&trace), 60);
	ck_assert_int_eq(rss_at(439), -1);
	ck_assert_int_eq(rss_at(440), 440);
	add(500, STATE_RUNNING, 10); /* there are more instances now */
	ck_assert_uint_eq(trace_size(&trace), 10);
	trace_finish(&trace);
}
END_TEST

START_TEST(changes_are_kept_and_measurements_in_between_are_not)
{
	struct trace_entry entry = { .ts_us = began, .state = STATE_RUNNING, .rss = 1 };

	trace_add(&trace, &entry, TRACE_MOST);
	entry.ts_us += SECOND / 2;
	entry.rss = 2;
	trace_add(&trace, &entry, TRACE_MOST);
	ck_assert_uint_eq(trace_size(&trace), 1);
	entry.state = STATE_BACKOFF;
	trace_add(&trace, &entry, TRACE_MOST);
	ck_assert_uint_eq(trace_size(&trace), 2);
	trace_finish(&trace);
}
END_TEST

START_TEST(a_clock_that_is_set_back_begins_anew)
{
	add(100, STATE_RUNNING, TRACE_MOST);
	add(50, STATE_RUNNING, TRACE_MOST);
	ck_assert_uint_eq(trace_size(&trace), 1);
	ck_assert_int_eq(rss_at(60), 50);
	trace_finish(&trace);
}
END_TEST

Suite *trace_suite(void)
{
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("trace");

	tcase_add_test(tcase, it_says_how_it_was_then);
	tcase_add_test(tcase, the_oldest_go_first_and_what_was_before_the_span_is_known);
	tcase_add_test(tcase, there_are_never_more_than_may_be);
	tcase_add_test(tcase, changes_are_kept_and_measurements_in_between_are_not);
	tcase_add_test(tcase, a_clock_that_is_set_back_begins_anew);
	suite_add_tcase(suite, tcase);
	return suite;
}
