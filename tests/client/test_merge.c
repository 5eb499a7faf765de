#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "client/merge.h"

static struct merge merge;
static struct text out;

static void begin(void)
{
	merge = (struct merge){ 0 };
	text_init(&out, 1024 * 1024);
}

static void end(void)
{
	merge_finish(&merge);
	text_finish(&out);
}

static void put(size_t stream, uint64_t time_us, const char *line)
{
	merge_put(&merge, stream, time_us, memory_copy(line), strlen(line));
}

/* So many of the oldest. */
static const char *take(size_t count)
{
	struct merge_line line;
	size_t stream;

	text_clear(&out);
	while (count-- > 0 && merge_next(&merge, &line, &stream)) {
		text_format(&out, "%zu%s ", stream, line.text);
		free(line.text);
	}
	return text_string(&out);
}

START_TEST(lines_come_in_the_order_of_their_times)
{
	put(1, 2, "b");
	put(0, 3, "c");
	put(2, 1, "a");
	put(1, 3, "d");
	put(0, 5, "f");
	put(2, 4, "e");
	ck_assert_uint_eq(merge.lines, 6);
	ck_assert_uint_eq(merge_waiting(&merge, 1), 2);
	ck_assert_str_eq(take(2), "2a 1b ");
	ck_assert_uint_eq(merge_waiting(&merge, 1), 1);
	ck_assert_str_eq(take(9), "0c 1d 2e 0f ");
	ck_assert_uint_eq(merge.lines, 0);
	ck_assert_uint_eq(merge.bytes, 0);
	ck_assert_uint_eq(merge_waiting(&merge, 1), 0);
	ck_assert_uint_eq(merge_waiting(&merge, 7), 0);
	ck_assert_str_eq(take(1), "");
}
END_TEST

/* A line that was begun before others of its stream, and ended after them. */
START_TEST(one_that_comes_late_gets_in_front_of_newer_ones)
{
	put(0, 5, "c");
	put(1, 4, "b");
	put(0, 6, "d");
	put(0, 3, "a");
	put(0, 5, "e");
	ck_assert_str_eq(take(9), "0a 1b 0c 0e 0d ");
}
END_TEST

START_TEST(lines_of_one_time_stay_as_they_came)
{
	char name[8];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "%d", i);
		put(0, 1, name);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "0%d ", i);
		ck_assert_str_eq(take(1), name);
	}
}
END_TEST

/* Against sorting: what is handed out is never newer than what waits. */
START_TEST(many_streams_are_one_while_they_are_filled)
{
	enum { STREAMS = 50,
		LINES = 5000 };
	uint64_t times[STREAMS] = { 0 }, last = 0, taken = 0;
	struct merge_line line;
	size_t stream;

	srand(7);
	for (size_t i = 0; i < STREAMS; i++)
		put(i, times[i] = (uint64_t)(rand() % 9), "x");
	while (taken < LINES && merge_next(&merge, &line, &stream)) {
		ck_assert_uint_ge(line.time_us, last);
		last = line.time_us;
		free(line.text);
		taken++;
		if (!merge_waiting(&merge, stream))
			for (int n = rand() % 3 + 1; n > 0; n--)
				put(stream, times[stream] += (uint64_t)(rand() % 9), "x");
	}
	ck_assert_uint_eq(taken, LINES);
}
END_TEST

Suite *merge_suite(void)
{
	Suite *suite = suite_create("merge");
	TCase *tcase = tcase_create("merge");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, lines_come_in_the_order_of_their_times);
	tcase_add_test(tcase, one_that_comes_late_gets_in_front_of_newer_ones);
	tcase_add_test(tcase, lines_of_one_time_stay_as_they_came);
	tcase_add_test(tcase, many_streams_are_one_while_they_are_filled);
	suite_add_tcase(suite, tcase);
	return suite;
}
