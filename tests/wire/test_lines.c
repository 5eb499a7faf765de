#include <check.h>
#include <string.h>

#include "base/text.h"
#include "wire/lines.h"

enum { LINE_MOST = 8 };

static struct lines lines;
static struct text out;

static void begin(void)
{
	lines_init(&lines, LINE_MOST);
	text_init(&out, 1024 * 1024);
}

static void end(void)
{
	lines_finish(&lines);
	text_finish(&out);
}

static bool feed(const char *bytes, size_t size)
{
	bool ok = lines_feed(&lines, bytes, size);
	const char *line;
	size_t length;

	while (lines_next(&lines, &line, &length)) {
		text_append(&out, line, length);
		text_putc(&out, '|');
	}
	return ok;
}

START_TEST(lines_are_the_same_however_they_are_cut)
{
	static const char bytes[] = "one\n\n12345678\ntwo\nrest";
	size_t size = sizeof bytes - 1;

	for (size_t a = 0; a <= size; a++) {
		for (size_t b = a; b <= size; b++) {
			end();
			begin();
			ck_assert(feed(bytes, a));
			ck_assert(feed(bytes + a, b - a));
			ck_assert(feed(bytes + b, size - b));
			ck_assert_str_eq(text_string(&out), "one||12345678|two|");
		}
	}
}
END_TEST

START_TEST(a_line_that_is_too_long_breaks_it_behind_those_before)
{
	static const char bytes[] = "one\n123456789\ntwo\n";
	size_t size = sizeof bytes - 1;

	for (size_t a = 0; a <= size; a++) {
		end();
		begin();
		feed(bytes, a);
		ck_assert(!feed(bytes + a, size - a));
		ck_assert(!feed("three\n", 6));
		ck_assert_str_eq(text_string(&out), "one|");
	}
}
END_TEST

START_TEST(a_line_without_an_end_is_too_long_as_soon_as_it_is)
{
	ck_assert(feed("12345678", 8));
	ck_assert(!feed("9", 1));
	ck_assert_str_eq(text_string(&out), "");
}
END_TEST

/* A line of one digit says how many bytes follow it. */
static void take_all(int *owed)
{
	const char *bytes;
	size_t length;

	for (;;) {
		if (*owed && !lines_bytes(&lines, (size_t)*owed, &bytes))
			return;
		text_append(&out, bytes, (size_t)*owed);
		*owed = 0;
		if (!lines_next(&lines, &bytes, &length))
			return;
		text_format(&out, "|%.*s:", (int)length, bytes);
		*owed = bytes[0] - '0';
	}
}

START_TEST(bytes_between_lines_are_as_they_are)
{
	static const char bytes[] = "3\na\nb0\n4\n\n\n\n\n2\nxy1\n\n0\n5\n12345";
	size_t size = sizeof bytes - 1;

	for (size_t a = 0; a <= size; a++) {
		for (size_t b = a; b <= size; b++) {
			int owed = 0;
			end();
			begin();
			ck_assert(lines_feed(&lines, bytes, a));
			take_all(&owed);
			ck_assert(lines_feed(&lines, bytes + a, b - a));
			take_all(&owed);
			ck_assert(lines_feed(&lines, bytes + b, size - b));
			take_all(&owed);
			ck_assert_str_eq(text_string(&out), "|3:a\nb|0:|4:\n\n\n\n|2:xy|1:\n|0:|5:12345");
			ck_assert_int_eq(owed, 0);
		}
	}
}
END_TEST

START_TEST(lines_may_hold_nuls)
{
	const char *line;
	size_t length;

	ck_assert(lines_feed(&lines, "a\0b\n", 4));
	ck_assert(lines_next(&lines, &line, &length));
	ck_assert_uint_eq(length, 3);
	ck_assert_mem_eq(line, "a\0b", 3);
	ck_assert(!lines_next(&lines, &line, &length));
}
END_TEST

START_TEST(many_lines_come_out_of_one_feed)
{
	static char bytes[LINES_FEED_MOST];

	memset(bytes, '\n', sizeof bytes);
	ck_assert(feed("123", 3));
	ck_assert(feed(bytes, sizeof bytes));
	ck_assert_uint_eq(out.size, sizeof bytes + 3);
}
END_TEST

Suite *lines_suite(void)
{
	Suite *suite = suite_create("lines");
	TCase *cutting = tcase_create("cutting");

	tcase_add_checked_fixture(cutting, begin, end);
	tcase_add_test(cutting, lines_are_the_same_however_they_are_cut);
	tcase_add_test(cutting, a_line_that_is_too_long_breaks_it_behind_those_before);
	tcase_add_test(cutting, a_line_without_an_end_is_too_long_as_soon_as_it_is);
	tcase_add_test(cutting, lines_may_hold_nuls);
	tcase_add_test(cutting, bytes_between_lines_are_as_they_are);
	tcase_add_test(cutting, many_lines_come_out_of_one_feed);
	suite_add_tcase(suite, cutting);
	return suite;
}
