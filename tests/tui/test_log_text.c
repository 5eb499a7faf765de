#include <check.h>
#include <string.h>

#include "tui/log_text.h"

static struct paint after(const char *parameters)
{
	return log_text_paint((struct paint){ 0 }, parameters, strlen(parameters));
}

static void is_paint(struct paint paint, unsigned fore, unsigned back, unsigned attributes)
{
	ck_assert_uint_eq(paint.fore, fore);
	ck_assert_uint_eq(paint.back, back);
	ck_assert_uint_eq(paint.attributes, attributes);
}

START_TEST(sixteen_colours_and_attributes_are_known)
{
	is_paint(after("31"), 2, 0, 0);
	is_paint(after("1;37;44"), 8, 5, PAINT_BOLD);
	is_paint(after("92;101"), 11, 10, 0);
	is_paint(after("2;3;4;7"), 0, 0, PAINT_DIM | PAINT_ITALIC | PAINT_UNDERLINE | PAINT_REVERSE);
	is_paint(after("1;4;22"), 0, 0, PAINT_UNDERLINE);
	is_paint(after("31;41;39;49"), 0, 0, 0);
}
END_TEST

START_TEST(nothing_is_a_reset)
{
	is_paint(after("1;31;0"), 0, 0, 0);
	is_paint(after("1;31;"), 0, 0, 0);
	is_paint(log_text_paint(after("1;31"), "", 0), 0, 0, 0);
}
END_TEST

START_TEST(colours_of_256_and_of_24_bits)
{
	is_paint(after("38;5;208;48;5;0"), 209, 1, 0);
	is_paint(after("38:5:208"), 209, 0, 0);
	is_paint(after("38;2;255;0;0"), 197, 0, 0);
	is_paint(after("48;2;255;255;255;1"), 0, 232, PAINT_BOLD);
	is_paint(after("38;2;128;128;128"), 245, 0, 0);
}
END_TEST

START_TEST(nonsense_paints_nothing)
{
	static const char *const all[] = { "38", "38;5", "38;5;256", "38;2;1;2", "38;2;256;0;0", "99999999999999999999", "5;6;8;50",
		":;:38" };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		is_paint(after(all[i]), 0, 0, 0);
}
END_TEST

START_TEST(a_line_is_read_without_its_colours)
{
	struct paint paint = { 0 };
	const char *text = "a\033[1;32mb\033[mc";

	ck_assert_uint_eq(log_text_next(&text, &paint), 'a');
	is_paint(paint, 0, 0, 0);
	ck_assert_uint_eq(log_text_next(&text, &paint), 'b');
	is_paint(paint, 3, 0, PAINT_BOLD);
	ck_assert_uint_eq(log_text_next(&text, &paint), 'c');
	is_paint(paint, 0, 0, 0);
	ck_assert_uint_eq(log_text_next(&text, &paint), 0);
}
END_TEST

START_TEST(rows_are_counted_by_columns)
{
	ck_assert_int_eq(log_text_rows("", 10), 1);
	ck_assert_int_eq(log_text_rows("0123456789", 10), 1);
	ck_assert_int_eq(log_text_rows("0123456789a", 10), 2);
	ck_assert_int_eq(log_text_rows("\033[31m01234\033[0m56789", 10), 1);
	ck_assert_int_eq(log_text_rows("日本語", 5), 2);
	ck_assert_int_eq(log_text_rows("日本語", 1), 3);
}
END_TEST

START_TEST(what_is_plain_is_shown_as_it_is)
{
	ck_assert(log_text_is_plain("all ~ of it", 11));
	ck_assert(log_text_is_plain("", 0));
	ck_assert(!log_text_is_plain("a\tb", 3));
	ck_assert(!log_text_is_plain("caf\xc3\xa9", 5));
	ck_assert(!log_text_is_plain("\x7f", 1));
}
END_TEST

Suite *log_text_suite(void)
{
	Suite *suite = suite_create("log_text");
	TCase *tcase = tcase_create("log_text");

	tcase_add_test(tcase, sixteen_colours_and_attributes_are_known);
	tcase_add_test(tcase, nothing_is_a_reset);
	tcase_add_test(tcase, colours_of_256_and_of_24_bits);
	tcase_add_test(tcase, nonsense_paints_nothing);
	tcase_add_test(tcase, a_line_is_read_without_its_colours);
	tcase_add_test(tcase, rows_are_counted_by_columns);
	tcase_add_test(tcase, what_is_plain_is_shown_as_it_is);
	suite_add_tcase(suite, tcase);
	return suite;
}
