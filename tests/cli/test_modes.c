#include <check.h>
#include <string.h>

#include "cli/modes.h"

static const struct {
	const char *printed, *enter, *leave;
	bool is_full_screen;
} cases[] = {
	{ "plain", "", "\033[0m", false },
	{ "\033[?1049h", "\033[?1049h", "\033[0m\033[?1049l", true },
	{ "\033[?1049h\033[?1049l", "", "\033[0m", false },
	{ "\033[?25l", "\033[?25l", "\033[0m\033[?25h", false },
	{ "\033[?25l\033[?25h", "", "\033[0m", false },
	{ "\033[?1;2004h\033=", "\033[?1h\033[?2004h\033=", "\033[0m\033>\033[?2004l\033[?1l", false },
	{ "\033[?1049;1006;25hx", "\033[?1049h\033[?1006h", "\033[0m\033[?1006l\033[?1049l", true },
	{ "\033[?1049h\033c", "", "\033[0m", false },
	{ "\033[1049h\033[?9999999999h\033[?;;;;;;;;;;;;;;;;;;;;1h\033[", "", "\033[0m", false },
};

static void read_in_pieces(struct modes *modes, const char *printed, size_t piece)
{
	size_t size = strlen(printed);

	for (size_t i = 0; i < size; i += piece)
		modes_feed(modes, printed + i, size - i < piece ? size - i : piece);
}

START_TEST(what_was_switched_is_switched_back)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct modes modes = { 0 };
		struct text enter, leave;
		text_init(&enter, 256);
		text_init(&leave, 256);
		read_in_pieces(&modes, cases[i].printed, i % 2 ? 1 : 1000);
		modes_enter(&modes, &enter);
		modes_leave(&modes, &leave);
		ck_assert_str_eq(text_string(&enter), cases[i].enter);
		ck_assert_str_eq(text_string(&leave), cases[i].leave);
		ck_assert_int_eq(modes_is_full_screen(&modes), cases[i].is_full_screen);
		text_finish(&enter);
		text_finish(&leave);
	}
}
END_TEST

static void check_screenful(const char *printed, unsigned lines, const char *shown)
{
	struct text out;

	text_init(&out, 1024);
	screenful_append(&out, printed, strlen(printed), lines);
	ck_assert_str_eq(text_string(&out), shown);
	text_finish(&out);
}

START_TEST(a_screenful_asks_the_terminal_nothing)
{
	check_screenful("one\r\ntwo\r\n>>> ", 3, "one\r\ntwo\r\n>>> ");
	check_screenful("one\r\ntwo\r\n>>> ", 2, "two\r\n>>> ");
	check_screenful("one\r\ntwo\r\n>>> ", 1, ">>> ");
	check_screenful("", 5, "");
	check_screenful("a\033[6n\033[c\033]0;title\007b\r\n", 5, "ab\r\n");
	check_screenful("\033[31mred\033[0m 12\b3\r\n", 5, "\033[31mred\033[0m 12\b3\r\n");
}
END_TEST

Suite *modes_suite(void)
{
	Suite *suite = suite_create("modes");
	TCase *all = tcase_create("all");

	tcase_add_test(all, what_was_switched_is_switched_back);
	tcase_add_test(all, a_screenful_asks_the_terminal_nothing);
	suite_add_tcase(suite, all);
	return suite;
}
