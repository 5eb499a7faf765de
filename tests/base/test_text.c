#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"

static const char *safe(const char *bytes, size_t size, bool keep_colour)
{
	static struct text out;

	text_finish(&out);
	text_init(&out, 64 * 1024);
	utf8_append_safe(&out, bytes, size, keep_colour);
	return text_string(&out);
}

#define SAFE(literal) safe(literal, sizeof literal - 1, false)

START_TEST(what_a_terminal_would_obey_is_taken_out)
{
	ck_assert_str_eq(SAFE("a\033]0;EVIL\007b"), "ab");
	ck_assert_str_eq(SAFE("a\033]52;c;aGk=\033\\b"), "ab");
	ck_assert_str_eq(SAFE("a\033[2J\033[?1049hb"), "ab");
	ck_assert_str_eq(SAFE("a\033Pq#0\033\\b"), "ab");
	ck_assert_str_eq(SAFE("a\xc2\x9b"
			      "31mb"),
		"a\xef\xbf\xbd"
		"31mb");
	ck_assert_str_eq(SAFE("\a\b\r\x7f|"), "^G^H^M^?|");
	ck_assert_str_eq(SAFE("a\xe2\x80\xae"
			      "b"),
		"a\xef\xbf\xbd"
		"b");
	ck_assert_str_eq(SAFE("x\ty"), "x       y");
	ck_assert_str_eq(SAFE("\xff\xc0\xaf|"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|");
	ck_assert_str_eq(SAFE("line\r"), "line");
	ck_assert_str_eq(SAFE("a\033"), "a");
	ck_assert_str_eq(SAFE("a\033[12"), "a");
}
END_TEST

START_TEST(an_excerpt_is_safe_and_cut_between_characters)
{
	char out[8];

	utf8_excerpt(out, sizeof out, "abc", 3);
	ck_assert_str_eq(out, "abc");
	utf8_excerpt(out, sizeof out, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4", 8);
	ck_assert_str_eq(out, "\xc3\xa4\xc3\xb6\xc3\xbc");
	utf8_excerpt(out, sizeof out, "\033[31m", 5);
	ck_assert_str_eq(out, "");
	utf8_excerpt(out, sizeof out, "\xff", 1);
	ck_assert_str_eq(out, "\xef\xbf\xbd");
}
END_TEST

START_TEST(colours_stay_when_wanted)
{
	ck_assert_str_eq(safe("\033[31mred\033[0m\033[2K", 16, true), "\033[31mred\033[0m");
	ck_assert_str_eq(safe("\033[31mred\033[0m", 12, false), "red");
	ck_assert_str_eq(SAFE("\u2714\ufe0f \U0001f468\u200d\U0001f469"), "\u2714 \U0001f468\U0001f469");
	ck_assert_str_eq(SAFE("a\u200bb\u202ec"), "a\ufffdb\ufffdc");
}
END_TEST

/* Whatever goes in: nothing that a terminal obeys comes out. */
START_TEST(random_bytes_come_out_harmless)
{
	char bytes[64];

	srandom((unsigned)_i);
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = random() % 4 ? (char)random() : "\033[]P;m\007\\"[random() % 8];
		const char *out = safe(bytes, sizeof bytes, false);
		ck_assert(utf8_is_valid(out, strlen(out)));
		for (const char *c = out; *c; c++)
			ck_assert((unsigned char)*c >= 0x20 && *c != 0x7f);
	}
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	uint64_t ms;
} durations[] = {
	{ "500ms", true, 500 },
	{ "10s", true, 10000 },
	{ "1.5m", true, 90000 },
	{ "2h", true, 7200000 },
	{ "3", true, 3000 },
	{ "0.5", true, 500 },
	{ "", false, 0 },
	{ "s", false, 0 },
	{ "-1s", false, 0 },
	{ "1 s", false, 0 },
	{ "0x10", false, 0 },
	{ "inf", false, 0 },
	{ "1w", false, 0 },
	{ "99999999999999999999d", false, 0 },
};

START_TEST(durations_are_read)
{
	uint64_t ms = 0;

	ck_assert_msg(units_parse_duration(durations[_i].text, &ms) == durations[_i].ok, "%s", durations[_i].text);
	if (durations[_i].ok)
		ck_assert_uint_eq(ms, durations[_i].ms);
}
END_TEST

START_TEST(sizes_are_read_and_written)
{
	char out[UNITS_TEXT_SIZE];
	uint64_t bytes;

	ck_assert(units_parse_size("200MB", &bytes) && bytes == 200 * 1048576);
	ck_assert(units_parse_size("1.5G", &bytes) && bytes == 1610612736);
	ck_assert(!units_parse_size("MB", &bytes));
	units_format_size(out, 1234567);
	ck_assert_str_eq(out, "1.2M");
	units_format_size(out, 999);
	ck_assert_str_eq(out, "999");
	units_format_duration(out, 3725000);
	ck_assert_str_eq(out, "1h02m");
}
END_TEST

START_TEST(a_text_never_grows_past_its_maximum)
{
	struct text text;

	text_init(&text, 10);
	ck_assert(text_puts(&text, "123456789"));
	ck_assert(!text_puts(&text, "ab"));
	ck_assert(text.full);
	ck_assert(text_putc(&text, 'x'));
	ck_assert(!text_format(&text, "%d", 1));
	text_drop(&text, 9);
	ck_assert_str_eq(text_string(&text), "x");
	text_finish(&text);
}
END_TEST

static void expect_figures(uint64_t number)
{
	char expected[32];
	struct text text;

	text_init(&text, sizeof expected);
	snprintf(expected, sizeof expected, "%" PRIu64 ",", number);
	ck_assert(text_put_number(&text, number, ','));
	ck_assert_str_eq(text_string(&text), expected);
	text_finish(&text);
}

START_TEST(a_number_is_put_in_figures)
{
	for (uint64_t number = 0; number < 1100; number++)
		expect_figures(number);
	for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10) {
		expect_figures(power * 10 - 1);
		expect_figures(power * 10);
		expect_figures(power * 9 + 7);
	}
	expect_figures(UINT64_MAX);
}
END_TEST

Suite *text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *all = tcase_create("all");

	tcase_add_test(all, what_a_terminal_would_obey_is_taken_out);
	tcase_add_test(all, an_excerpt_is_safe_and_cut_between_characters);
	tcase_add_test(all, colours_stay_when_wanted);
	tcase_add_loop_test(all, random_bytes_come_out_harmless, 0, 10);
	tcase_add_loop_test(all, durations_are_read, 0, sizeof durations / sizeof *durations);
	tcase_add_test(all, sizes_are_read_and_written);
	tcase_add_test(all, a_text_never_grows_past_its_maximum);
	tcase_add_test(all, a_number_is_put_in_figures);
	suite_add_tcase(suite, all);
	return suite;
}
