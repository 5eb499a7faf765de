#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/line.h"
#include "base/utf8.h"

static const char *line(const char *bytes, size_t size, bool keep_colour)
{
	static struct text out;

	text_finish(&out);
	text_init(&out, 1024 * 1024);
	ck_assert(line_append_safe(&out, bytes, size, keep_colour));
	return text_string(&out);
}

#define PLAIN(literal) line(literal, sizeof literal - 1, false)
#define COLOURED(literal) line(literal, sizeof literal - 1, true)

START_TEST(a_progress_bar_is_as_it_was_left)
{
	ck_assert_str_eq(PLAIN("10%\r 20%\r100% done\r"), "100% done");
	ck_assert_str_eq(PLAIN("downloading\rok"), "okwnloading");
	ck_assert_str_eq(PLAIN("downloading\r\033[Kok"), "ok");
	ck_assert_str_eq(PLAIN("downloading\rok\033[K"), "ok");
	ck_assert_str_eq(PLAIN("downloading\033[2K\rok"), "ok");
	ck_assert_str_eq(PLAIN("downloading\033[2Kok"), "           ok");
	ck_assert_str_eq(PLAIN("abcdef\033[3D\033[1Kx"), "   xef");
	ck_assert_str_eq(PLAIN("work |\b/\b-\b\\\b done"), "work  done");
	ck_assert_str_eq(PLAIN("\b\b\ba"), "a");
	ck_assert_str_eq(PLAIN("ab\033[9Gc\033[1Gd\033[2Ce"), "db e    c");
}
END_TEST

START_TEST(a_screen_that_is_cleared_is_said_to_be)
{
	ck_assert_str_eq(PLAIN("old\033[H\033[2Jnew"), "--- cleared --- new");
	ck_assert_str_eq(PLAIN("\033[3J"), "--- cleared --- ");
	ck_assert_str_eq(PLAIN("old\033[Jer"), "older");
	ck_assert_str_eq(PLAIN("older\r\033[Jnew"), "new");
}
END_TEST

START_TEST(other_lines_are_as_they_were)
{
	static const char *const lines[] = { "", "plain", "\033[31mred\033[0m", "a\tb", "\x01\x7f", "日本語 e\u0301",
		"\033]0;title\007x", "bad \xff" };

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct text safe;
		text_init(&safe, 1024);
		utf8_append_safe(&safe, lines[i], strlen(lines[i]), true);
		ck_assert_str_eq(line(lines[i], strlen(lines[i]), true), text_string(&safe));
		text_finish(&safe);
	}
}
END_TEST

START_TEST(colours_stay_with_what_was_written_in_them)
{
	ck_assert_str_eq(COLOURED("\033[31mred\033[0m plain\r\033[1;32mG"), "\033[1;32mG\033[m\033[31med\033[m plain");
	ck_assert_str_eq(COLOURED("\033[1m\033[31mab\rc"), "\033[1m\033[31mcb\033[m");
	ck_assert_str_eq(PLAIN("\033[31mred\033[0m plain\r\033[1;32mG"), "Ged plain");
}
END_TEST

START_TEST(wide_characters_and_marks_are_written_over_whole)
{
	ck_assert_str_eq(PLAIN("日本\rx"), "x 本");
	ck_assert_str_eq(PLAIN("日本\033[2Gx"), " x本");
	ck_assert_str_eq(PLAIN("日本\033[2G語"), " 語 ");
	ck_assert_str_eq(PLAIN("日本\033[4G\033[K"), "日 ");
	ck_assert_str_eq(PLAIN("e\u0301\u0302\u0303x\re"), "ex");
	ck_assert_str_eq(PLAIN("abc\rd\u0301"), "d\u0301bc");
	ck_assert_str_eq(PLAIN("a\tb\rc"), "c       b");
}
END_TEST

START_TEST(nothing_grows_without_an_end)
{
	static char bytes[64 * 1024];
	size_t size = 0;

	ck_assert_uint_le(strlen(PLAIN("\033[99999999999Gx\033[99999999999Cy\033[999999999Dz")), 17 * 1024);
	while (size + 8 < sizeof bytes)
		size += (size_t)snprintf(bytes + size, 9, "\033[4mx\b\t");
	ck_assert_uint_le(strlen(line(bytes, size, true)), 2 * sizeof bytes);
}
END_TEST

/* Of what moves: nothing that a terminal obeys comes out, and with colours only those. */
START_TEST(random_moves_come_out_harmless)
{
	static const char *const pieces[] = { "\r", "\b", "\t", "\033[K", "\033[1K", "\033[2K", "\033[J", "\033[2J", "\033[5D",
		"\033[3C", "\033[7G",
		"\033[31m", "\033[m", "日", "e\u0301", "\u200d", "\x01", "\xff", "\033[", "\033]x\007", "a", "bc" };
	char bytes[512];

	srandom((unsigned)_i);
	for (int round = 0; round < 2000; round++) {
		size_t size = 0;
		while (size < 400)
			size += (size_t)sprintf(bytes + size, "%s", pieces[(size_t)random() % (sizeof pieces / sizeof *pieces)]);
		const char *out = line(bytes, size, false);
		ck_assert(utf8_is_valid(out, strlen(out)));
		for (const char *c = out; *c; c++)
			ck_assert_uint_ge((unsigned char)*c, ' ');
		for (const char *c = line(bytes, size, true); *c; c++)
			ck_assert((unsigned char)*c >= ' ' || (*c == '\033' && c[1] == '[' && c[2 + strspn(c + 2, "0123456789;:")] == 'm'));
	}
}
END_TEST

Suite *line_suite(void)
{
	Suite *suite = suite_create("line");
	TCase *all = tcase_create("line");

	tcase_add_test(all, a_progress_bar_is_as_it_was_left);
	tcase_add_test(all, a_screen_that_is_cleared_is_said_to_be);
	tcase_add_test(all, other_lines_are_as_they_were);
	tcase_add_test(all, colours_stay_with_what_was_written_in_them);
	tcase_add_test(all, wide_characters_and_marks_are_written_over_whole);
	tcase_add_test(all, nothing_grows_without_an_end);
	tcase_add_loop_test(all, random_moves_come_out_harmless, 0, 4);
	suite_add_tcase(suite, all);
	return suite;
}
