#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "tui/logs.h"

/* Two logs in memory stand for the engine's; each line comes a second after the one before it, wherever that is. */
enum { LOGS = 2,
	LINES = 20000,
	MARKS = LINES + 8,
	PID = 7 };
static struct log_view *view;
static struct error err;
static struct text bytes[LOGS];
static struct {
	uint64_t offset, time_us;
	bool is_final;
} marks[LOGS][MARKS];
static unsigned mark_count[LOGS];
static uint64_t now_us;

static void begin(void)
{
	view = memory_zeroed(1, sizeof *view);
	for (unsigned i = 0; i < LOGS; i++) {
		text_init(&bytes[i], SIZE_MAX);
		mark_count[i] = 0;
	}
	now_us = 0;
}

static void end(void)
{
	logs_finish(view);
	free(view);
	for (unsigned i = 0; i < LOGS; i++)
		text_finish(&bytes[i]);
}

static void mark(unsigned i, bool is_final)
{
	ck_assert_uint_lt(mark_count[i], MARKS);
	marks[i][mark_count[i]].offset = bytes[i].size;
	marks[i][mark_count[i]].is_final = is_final;
	marks[i][mark_count[i]++].time_us = now_us;
}

static void add(unsigned i, const char *text)
{
	now_us += 1000000;
	mark(i, false);
	text_puts(&bytes[i], text);
	if (view->sources.count)
		view->sources.items[i].end = bytes[i].size;
}

static void add_numbers(unsigned count)
{
	char line[32];

	for (unsigned n = 0; n < count; n++) {
		snprintf(line, sizeof line, "line %u\n", n);
		add(0, line);
	}
}

/* A block, as log.read tells of it. */
static void read_block(struct log_source *source, unsigned i)
{
	uint64_t offset, number = source->wanted / LOG_BLOCK;
	size_t most;

	source->is_wanted = false;
	if (!log_source_lacks(source, number, &offset, &most))
		ck_abort_msg("nothing is to be read of what is wanted");
	offset = offset < source->first ? source->first : offset;
	uint64_t stop = (number + 1) * LOG_BLOCK < bytes[i].size ? (number + 1) * LOG_BLOCK : bytes[i].size;
	for (unsigned m = 0; m < mark_count[i]; m++) {
		uint64_t next = m + 1 < mark_count[i] ? marks[i][m + 1].offset : bytes[i].size;
		uint64_t from = marks[i][m].offset > offset ? marks[i][m].offset : offset, to = next < stop ? next : stop;
		struct chunk chunk = { from, marks[i][m].time_us, PID, bytes[i].data + from, (size_t)(to - from), marks[i][m].is_final };
		if (chunk.is_final)
			chunk.size = 0;
		if (chunk.is_final ? marks[i][m].offset >= offset && marks[i][m].offset <= stop : from < to)
			log_source_take(source, &chunk);
	}
}

static void settle(void)
{
	enum log_step step;

	while ((step = logs_step(view)) != LOG_NONE)
		for (unsigned i = 0; step == LOG_WAITS && i < view->sources.count; i++)
			if (view->sources.items[i].is_wanted)
				read_block(&view->sources.items[i], i);
}

static void open_logs(int room)
{
	struct log_source *sources = memory_zeroed(LOGS, sizeof *sources);

	for (unsigned i = 0; i < LOGS; i++) {
		snprintf(sources[i].service, sizeof sources[i].service, "web");
		sources[i].is_err = i == 1;
		sources[i].end = bytes[i].size;
	}
	logs_begin(view, sources, LOGS);
	logs_fit(view, room, 80);
	settle();
}

static const char *line_of(uint64_t number)
{
	const struct log_line *line = logs_line(view, number);

	return line ? line->text : "";
}

static const char *seen(void)
{
	return line_of(view->at);
}

static const char *top(void)
{
	unsigned count;
	int above;

	return line_of(logs_page(view, view->room, &count, &above));
}

static void hunt(enum log_quarry quarry, int direction)
{
	logs_hunt(view, quarry, direction, false);
	settle();
}

static void scroll(int by)
{
	logs_scroll(view, by);
	settle();
}

START_TEST(streams_are_merged_by_time)
{
	add(0, "out 1\n");
	add(1, "err 2\n");
	add(0, "out 3\n");
	open_logs(10);
	ck_assert_str_eq(seen(), "out 3");
	ck_assert_str_eq(line_of(view->at - 1), "err 2");
	ck_assert_str_eq(line_of(view->at - 2), "out 1");
	ck_assert_uint_eq(view->count, 3);
}
END_TEST

START_TEST(what_comes_is_followed)
{
	add_numbers(30);
	open_logs(10);
	ck_assert_str_eq(seen(), "line 29");
	ck_assert_str_eq(top(), "line 20");
	add(0, "half a ");
	settle();
	ck_assert_str_eq(seen(), "line 29");
	add(0, "line\n");
	settle();
	ck_assert_str_eq(seen(), "half a line");
}
END_TEST

START_TEST(a_line_that_came_late_sinks_to_its_place)
{
	add_numbers(5);
	open_logs(10);
	now_us = 2500000 - 1000000;
	add(1, "late\n");
	settle();
	ck_assert_str_eq(seen(), "line 4");
	ck_assert_str_eq(line_of(view->at - 3), "late");
}
END_TEST

START_TEST(who_reads_further_back_stays_there)
{
	add_numbers(20);
	open_logs(5);
	scroll(-5);
	ck_assert_str_eq(seen(), "line 14");
	add(0, "news\n");
	settle();
	ck_assert_str_eq(seen(), "line 14");
	ck_assert(!view->follows);
	scroll(1000);
	ck_assert_str_eq(seen(), "news");
}
END_TEST

START_TEST(the_window_slides_over_all_there_is)
{
	add_numbers(LINES);
	open_logs(20);
	for (unsigned n = LINES - 1; n >= 100; n -= 100) {
		char wanted[32];
		snprintf(wanted, sizeof wanted, "line %u", n);
		ck_assert_str_eq(seen(), wanted);
		ck_assert_uint_le(view->count, LOG_LINES);
		scroll(-100);
	}
	logs_to_oldest(view);
	settle();
	ck_assert_str_eq(seen(), "line 0");
	for (unsigned n = 0; n < LINES; n += 100) {
		char wanted[32];
		snprintf(wanted, sizeof wanted, "line %u", n);
		ck_assert_str_eq(seen(), wanted);
		scroll(100);
	}
	ck_assert_str_eq(seen(), "line 19999");
}
END_TEST

START_TEST(the_oldest_page_is_a_whole_one)
{
	unsigned count;
	int above;

	add_numbers(20);
	open_logs(8);
	logs_to_oldest(view);
	settle();
	ck_assert_str_eq(seen(), "line 0");
	logs_page(view, 8, &count, &above);
	ck_assert_uint_eq(count, 8);
	ck_assert_int_eq(above, 0);
}
END_TEST

START_TEST(what_was_rotated_away_is_not_asked_for)
{
	add_numbers(LINES);
	open_logs(10);
	view->sources.items[0].first = 100000;
	logs_to_oldest(view);
	settle();
	ck_assert_ptr_nonnull(strstr(bytes[0].data + 100000, seen()));
	ck_assert_uint_eq(logs_line(view, view->at)->offset, 100000);
	scroll(-100);
	ck_assert_uint_eq(logs_line(view, view->at)->offset, 100000);
}
END_TEST

START_TEST(long_lines_are_the_same_lines_from_both_sides)
{
	struct text longs;
	unsigned sizes[] = { 10, LOG_BLOCK - 11, 3 * LOG_BLOCK, LOG_BLOCK, LOG_BLOCK - 1, 1, 0, 5 * LOG_BLOCK + 17, 3 };

	text_init(&longs, SIZE_MAX);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		text_clear(&longs);
		for (unsigned n = 0; n < sizes[i]; n++)
			text_putc(&longs, (char)('a' + i));
		text_putc(&longs, '\n');
		add(0, text_string(&longs));
	}
	text_finish(&longs);
	open_logs(100);
	unsigned count = view->count;
	uint64_t from_end[100];
	ck_assert_uint_lt(count, 100);
	for (unsigned i = 0; i < count; i++)
		from_end[i] = logs_line(view, view->first + i)->offset;
	logs_filter(view, ".|^$", &err);
	logs_to_oldest(view);
	settle();
	ck_assert_uint_eq(view->count, count);
	for (unsigned i = 0; i < count; i++)
		ck_assert_uint_eq(from_end[i], logs_line(view, view->first + i)->offset);
}
END_TEST

START_TEST(a_line_is_over_where_its_process_closed_the_stream)
{
	add(0, "no end");
	mark(0, true);
	add(0, "another\n");
	add(0, "nor here");
	mark(0, true);
	open_logs(10);
	ck_assert_uint_eq(view->count, 3);
	ck_assert_str_eq(seen(), "nor here");
	ck_assert_str_eq(line_of(view->at - 2), "no end");
}
END_TEST

START_TEST(a_filter_keeps_its_last_good_pattern)
{
	add_numbers(20);
	open_logs(30);
	ck_assert(logs_filter(view, "line 1\\d", &err));
	settle();
	ck_assert_uint_eq(view->count, 10);
	ck_assert(!logs_filter(view, "line (", &err));
	settle();
	ck_assert_uint_eq(view->count, 10);
	add(0, "line 1x\n");
	settle();
	ck_assert_uint_eq(view->count, 10);
	ck_assert(logs_filter(view, "!line 1\\d", &err));
	settle();
	ck_assert_uint_eq(view->count, 11);
	ck_assert(logs_filter(view, "", &err));
	settle();
	ck_assert_uint_eq(view->count, 21);
}
END_TEST

START_TEST(a_filter_stays_where_nothing_was_read_yet)
{
	add_numbers(LINES);
	open_logs(10);
	settle();
	logs_to_oldest(view);
	ck_assert(logs_filter(view, "no such line", &err));
	settle();
	ck_assert_uint_eq(view->count, 0);
	ck_assert(logs_filter(view, "9$", &err));
	settle();
	ck_assert(!view->follows);
	ck_assert_str_eq(line_of(view->at), "line 9");
}
END_TEST

START_TEST(a_filter_finds_what_is_far_away)
{
	add_numbers(LINES);
	open_logs(5);
	logs_filter(view, "^line 7$|^line 19000$", &err);
	settle();
	ck_assert_uint_eq(view->count, 2);
	ck_assert_str_eq(seen(), "line 19000");
	ck_assert_str_eq(line_of(view->at - 1), "line 7");
}
END_TEST

START_TEST(a_search_goes_both_ways_over_the_whole_log)
{
	add_numbers(LINES);
	open_logs(10);
	ck_assert(logs_search(view, "^line 5$|^line 19990$", &err));
	hunt(QUARRY_MATCH, -1);
	ck_assert_str_eq(seen(), "line 19990");
	hunt(QUARRY_MATCH, -1);
	ck_assert_str_eq(seen(), "line 5");
	ck_assert_int_eq(view->hunt.state, HUNT_FOUND);
	ck_assert_str_eq(line_of(view->at + 1), "line 6");
	hunt(QUARRY_MATCH, -1);
	ck_assert_int_eq(view->hunt.state, HUNT_FAILED);
	ck_assert_str_eq(seen(), "line 5");
	hunt(QUARRY_MATCH, 1);
	ck_assert_str_eq(seen(), "line 19990");
}
END_TEST

START_TEST(a_search_can_be_stopped)
{
	uint64_t done, all;

	add_numbers(LINES);
	open_logs(10);
	logs_search(view, "nothing", &err);
	logs_hunt(view, QUARRY_MATCH, -1, false);
	ck_assert(logs_is_busy(view, &done, &all));
	ck_assert_uint_gt(all, done);
	ck_assert(logs_stop(view));
	ck_assert(!logs_stop(view));
	settle();
	ck_assert_str_eq(seen(), "line 19999");
}
END_TEST

START_TEST(errors_are_found_by_stream_and_by_word)
{
	add(0, "an Exception was thrown\n");
	add(0, "all is well\n");
	add(1, "so it is\n");
	add(0, "all is well\n");
	open_logs(10);
	hunt(QUARRY_ERROR, -1);
	ck_assert_str_eq(seen(), "so it is");
	hunt(QUARRY_ERROR, -1);
	ck_assert_str_eq(seen(), "an Exception was thrown");
}
END_TEST

START_TEST(a_mark_is_come_back_to)
{
	add_numbers(LINES);
	open_logs(10);
	scroll(-9999);
	char *there = memory_copy(seen());
	logs_mark(view, 'a');
	logs_follow(view);
	settle();
	ck_assert_str_eq(seen(), "line 19999");
	ck_assert(!logs_to_mark(view, 'b'));
	ck_assert(logs_to_mark(view, 'a'));
	settle();
	ck_assert_str_eq(seen(), there);
	free(there);
}
END_TEST

START_TEST(lines_are_copied_without_their_colours)
{
	struct text text;
	unsigned count;

	add_numbers(3);
	add(0, "\033[31mred\033[0m\n");
	open_logs(10);
	text_init(&text, 1000);
	ck_assert(logs_copy(view, 0, &text, &count));
	ck_assert_str_eq(text_string(&text), "red");
	text_clear(&text);
	scroll(-2);
	logs_mark(view, 'x');
	scroll(2);
	ck_assert(logs_copy(view, 'x', &text, &count));
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(text_string(&text), "line 1\nline 2\nred\n");
	ck_assert(!logs_copy(view, 'y', &text, &count));
	text_finish(&text);
}
END_TEST

START_TEST(a_wrapped_line_takes_its_rows)
{
	unsigned count;
	int above;

	add(0, "0123456789 0123456789 0123456789\n");
	add(0, "short\n");
	open_logs(3);
	view->is_wrapped = true;
	logs_fit(view, 3, 10);
	ck_assert_int_eq(logs_rows(view, logs_line(view, view->first)), 4);
	logs_page(view, 3, &count, &above);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(above, 2);
}
END_TEST

START_TEST(a_file_has_what_is_seen_and_none_is_overwritten)
{
	char dir[] = "/tmp/thrum-logs-XXXXXX", path[64], text[256] = "";
	unsigned count;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/log", dir);
	add_numbers(3);
	open_logs(10);
	ck_assert(logs_filter(view, "!1", &err));
	settle();
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

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, streams_are_merged_by_time);
	tcase_add_test(tcase, what_comes_is_followed);
	tcase_add_test(tcase, a_line_that_came_late_sinks_to_its_place);
	tcase_add_test(tcase, who_reads_further_back_stays_there);
	tcase_add_test(tcase, the_window_slides_over_all_there_is);
	tcase_add_test(tcase, the_oldest_page_is_a_whole_one);
	tcase_add_test(tcase, what_was_rotated_away_is_not_asked_for);
	tcase_add_test(tcase, long_lines_are_the_same_lines_from_both_sides);
	tcase_add_test(tcase, a_line_is_over_where_its_process_closed_the_stream);
	tcase_add_test(tcase, a_filter_keeps_its_last_good_pattern);
	tcase_add_test(tcase, a_filter_stays_where_nothing_was_read_yet);
	tcase_add_test(tcase, a_filter_finds_what_is_far_away);
	tcase_add_test(tcase, a_search_goes_both_ways_over_the_whole_log);
	tcase_add_test(tcase, a_search_can_be_stopped);
	tcase_add_test(tcase, errors_are_found_by_stream_and_by_word);
	tcase_add_test(tcase, a_mark_is_come_back_to);
	tcase_add_test(tcase, lines_are_copied_without_their_colours);
	tcase_add_test(tcase, a_wrapped_line_takes_its_rows);
	tcase_add_test(tcase, a_file_has_what_is_seen_and_none_is_overwritten);
	suite_add_tcase(suite, tcase);
	return suite;
}
