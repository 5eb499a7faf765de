#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tui/logs.h"

static struct log_view *view;
static struct error err;

static void begin(void)
{
	view = memory_zeroed(1, sizeof *view);
}

static void end(void)
{
	logs_finish(view);
	free(view);
}

static void add(const char *text, uint64_t time_us, bool is_err)
{
	logs_add(view, memory_copy(text), time_us, is_err);
}

static void add_numbers(unsigned count)
{
	char text[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof text, "line %u", i);
		add(text, i + 1, false);
	}
}

static const char *seen(unsigned back)
{
	const struct log_line *lines[LOG_LINES];

	return logs_page(view, lines, back + 1) > back ? lines[back]->text : "";
}

START_TEST(streams_are_merged_by_time)
{
	add("out 1", 1, false);
	add("out 5", 5, false);
	add("err 3", 3, true);
	add("err 0", 0, true);
	ck_assert_str_eq(seen(0), "out 5");
	ck_assert_str_eq(seen(1), "err 3");
	ck_assert_str_eq(seen(2), "out 1");
	ck_assert_str_eq(seen(3), "err 0");
	ck_assert_str_eq(seen(4), "");
}
END_TEST

START_TEST(the_newest_are_kept)
{
	add_numbers(LOG_LINES + 7);
	ck_assert_uint_eq(logs_size(view), LOG_LINES);
	ck_assert_str_eq(seen(LOG_LINES - 1), "line 7");
}
END_TEST

START_TEST(who_reads_further_back_stays_there)
{
	add_numbers(20);
	logs_scroll(view, -5, 1);
	ck_assert_str_eq(seen(0), "line 14");
	add("news", 100, false);
	ck_assert_str_eq(seen(0), "line 14");
	logs_scroll(view, -1000, 1);
	ck_assert_str_eq(seen(0), "line 0");
	logs_scroll(view, 1000, 1);
	ck_assert_str_eq(seen(0), "news");
}
END_TEST

START_TEST(an_older_line_moves_nobody)
{
	add_numbers(20);
	logs_scroll(view, -5, 1);
	add("late, and older", 10, true);
	ck_assert_str_eq(seen(0), "line 14");
	add("late, and newer", 18, true);
	ck_assert_str_eq(seen(0), "line 14");
	ck_assert_str_eq(seen(5), "late, and older");
}
END_TEST

START_TEST(a_line_older_than_all_that_are_kept_takes_no_place)
{
	add_numbers(LOG_LINES);
	for (int i = 0; i < 100; i++)
		add("older", 0, true);
	ck_assert_uint_eq(logs_size(view), LOG_LINES);
	ck_assert_str_eq(seen(LOG_LINES - 1), "line 0");
}
END_TEST

START_TEST(lines_that_go_take_the_reader_along)
{
	ck_assert(logs_filter(view, "seen", &err));
	for (int i = 0; i < 20; i++)
		add("seen", 1, false);
	logs_scroll(view, -10, 1);
	add_numbers(LOG_LINES - 5);
	ck_assert_uint_eq(logs_size(view), 5);
	ck_assert_str_eq(seen(0), "seen");
	add_numbers(5);
	ck_assert_uint_eq(logs_size(view), 0);
	ck_assert_str_eq(seen(0), "");
	add("seen again", LOG_LINES * 2, false);
	ck_assert_str_eq(seen(0), "seen again");
}
END_TEST

START_TEST(the_oldest_page_is_a_whole_one)
{
	add_numbers(20);
	logs_scroll(view, -1000, 8);
	ck_assert_str_eq(seen(7), "line 0");
	ck_assert_str_eq(seen(8), "");
	logs_scroll(view, -1000, 40);
	ck_assert_str_eq(seen(0), "line 19");
}
END_TEST

START_TEST(a_filter_keeps_its_last_good_pattern)
{
	add_numbers(20);
	ck_assert(logs_filter(view, "line 1\\d", &err));
	ck_assert_uint_eq(logs_size(view), 10);
	ck_assert(!logs_filter(view, "line (", &err));
	ck_assert_uint_eq(logs_size(view), 10);
	add("line 1x", 50, false);
	ck_assert_uint_eq(logs_size(view), 10);
	ck_assert(logs_filter(view, "!line 1\\d", &err));
	ck_assert_uint_eq(logs_size(view), 11);
	ck_assert(logs_filter(view, "", &err));
	ck_assert_uint_eq(logs_size(view), 21);
}
END_TEST

START_TEST(a_search_goes_both_ways)
{
	add_numbers(20);
	ck_assert(logs_search(view, "7$", &err));
	ck_assert(logs_find(view, 1, logs_is_found));
	ck_assert_str_eq(seen(0), "line 17");
	ck_assert(logs_find(view, 1, logs_is_found));
	ck_assert_str_eq(seen(0), "line 7");
	ck_assert(!logs_find(view, 1, logs_is_found));
	ck_assert_str_eq(seen(0), "line 7");
	ck_assert(logs_find(view, -1, logs_is_found));
	ck_assert_str_eq(seen(0), "line 17");
}
END_TEST

START_TEST(errors_are_found_by_stream_and_by_word)
{
	add("an Exception was thrown", 1, false);
	add("all is well", 2, false);
	add("so it is", 3, true);
	add("all is well", 4, false);
	ck_assert(logs_find(view, 1, logs_is_error));
	ck_assert_str_eq(seen(0), "so it is");
	ck_assert(logs_find(view, 1, logs_is_error));
	ck_assert_str_eq(seen(0), "an Exception was thrown");
}
END_TEST

START_TEST(a_file_has_what_is_seen_and_none_is_overwritten)
{
	char dir[] = "/tmp/thrum-logs-XXXXXX", path[64], text[256] = "";
	unsigned count;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/log", dir);
	add_numbers(3);
	ck_assert(logs_filter(view, "!1", &err));
	ck_assert(logs_save(view, path, &count, &err));
	ck_assert_uint_eq(count, 2);
	FILE *file = fopen(path, "r");
	ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 0);
	fclose(file);
	ck_assert_ptr_nonnull(strstr(text, "Z line 0\n"));
	ck_assert_ptr_null(strstr(text, "line 1"));
	ck_assert(!logs_save(view, path, &count, &err));
	remove(path);
	remove(dir);
}
END_TEST

Suite *logs_suite(void)
{
	Suite *suite = suite_create("logs");
	TCase *tcase = tcase_create("logs");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, streams_are_merged_by_time);
	tcase_add_test(tcase, the_newest_are_kept);
	tcase_add_test(tcase, who_reads_further_back_stays_there);
	tcase_add_test(tcase, an_older_line_moves_nobody);
	tcase_add_test(tcase, a_line_older_than_all_that_are_kept_takes_no_place);
	tcase_add_test(tcase, lines_that_go_take_the_reader_along);
	tcase_add_test(tcase, the_oldest_page_is_a_whole_one);
	tcase_add_test(tcase, a_filter_keeps_its_last_good_pattern);
	tcase_add_test(tcase, a_search_goes_both_ways);
	tcase_add_test(tcase, errors_are_found_by_stream_and_by_word);
	tcase_add_test(tcase, a_file_has_what_is_seen_and_none_is_overwritten);
	suite_add_tcase(suite, tcase);
	return suite;
}
