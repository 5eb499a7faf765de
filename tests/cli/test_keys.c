#include <check.h>
#include <string.h>

#include "cli/keys.h"

// clang-format off
static const struct {
	const char *name, *sends;
	size_t size;
} known[] = {
	{ "Enter", "\r", 1 }, { "enter", "\r", 1 }, { "Escape", "\033", 1 }, { "Space", " ", 1 }, { "Tab", "\t", 1 },
	{ "BSpace", "\177", 1 }, { "BTab", "\033[Z", 3 },
	{ "Up", "\033[A", 3 }, { "Down", "\033[B", 3 }, { "Right", "\033[C", 3 }, { "Left", "\033[D", 3 },
	{ "Home", "\033[H", 3 }, { "End", "\033[F", 3 },
	{ "DC", "\033[3~", 4 }, { "Insert", "\033[2~", 4 }, { "PPage", "\033[5~", 4 }, { "PgDn", "\033[6~", 4 },
	{ "F1", "\033OP", 3 }, { "F4", "\033OS", 3 }, { "F5", "\033[15~", 5 }, { "F12", "\033[24~", 5 },
	{ "C-c", "\003", 1 }, { "C-C", "\003", 1 }, { "^c", "\003", 1 }, { "ctrl-p", "\020", 1 }, { "C-]", "\035", 1 },
	{ "C-Space", "\0", 1 }, { "C-@", "\0", 1 }, { "C-?", "\177", 1 }, { "^[", "\033", 1 },
	{ "M-x", "\033x", 2 }, { "C-M-a", "\033\001", 2 }, { "M-Enter", "\033\r", 2 },
	{ "S-Up", "\033[1;2A", 6 }, { "C-Right", "\033[1;5C", 6 }, { "C-M-PPage", "\033[5;7~", 6 }, { "C-F1", "\033[1;5P", 6 },
	{ "a", "a", 1 }, { "^", "^", 1 }, { "-", "-", 1 }, { "é", "é", 2 }, { "M-é", "\033é", 3 },
};
static const char *const unknown[] = { "", "C-", "hello", "C-hello", "C-é", "S-a", "F13", "C-5", "Enterx" };
// clang-format on

START_TEST(a_key_sends_what_a_terminal_sends)
{
	struct text out;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		text_init(&out, 64);
		ck_assert_msg(keys_append(&out, known[i].name), "%s", known[i].name);
		ck_assert_msg(out.size == known[i].size && memcmp(out.data, known[i].sends, out.size) == 0,
			"%s sends something else", known[i].name);
		text_finish(&out);
	}
}
END_TEST

START_TEST(what_is_no_key_is_said_to_be_none)
{
	struct text out;

	text_init(&out, 64);
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		ck_assert_msg(!keys_append(&out, unknown[i]) && !out.size, "%s", unknown[i]);
	text_finish(&out);
}
END_TEST

/* Byte by byte, as somebody types; what was passed on. */
static bool type(struct key_watch *watch, const char *keys, struct text *out)
{
	bool is_seen = false;

	text_init(out, 64);
	for (; *keys && !is_seen; keys++)
		is_seen = key_watch_feed(watch, keys, 1, out);
	return is_seen;
}

START_TEST(a_watched_sequence_is_seen_and_all_else_passed_on)
{
	static const struct {
		const char *watched, *typed, *passed;
		bool is_seen;
	} cases[] = {
		{ "C-] d", "ab\035d", "ab", true },
		{ "C-] d", "ab\035", "ab", false },
		{ "C-] d", "\035x", "\035x", false },
		{ "C-] d", "\035\035d", "\035", true },
		{ "ctrl-p,ctrl-q", "\020\020\021", "\020", true },
		{ "a a b", "aaab", "a", true },
		{ "a b a c", "ababac", "ab", true },
		{ "q", "dq", "d", true },
		{ "Up", "\033[B\033[A", "\033[B", true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct key_watch watch;
		struct text out;
		ck_assert(key_watch_init(&watch, cases[i].watched));
		ck_assert_msg(type(&watch, cases[i].typed, &out) == cases[i].is_seen, "case %zu", i);
		ck_assert_str_eq(text_string(&out), cases[i].passed);
		text_finish(&out);
	}
}
END_TEST

START_TEST(a_sequence_of_no_keys_is_refused)
{
	struct key_watch watch;

	ck_assert(!key_watch_init(&watch, ""));
	ck_assert(!key_watch_init(&watch, " , "));
	ck_assert(!key_watch_init(&watch, "C-] detach"));
	ck_assert(!key_watch_init(&watch, "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h"));
}
END_TEST

Suite *keys_suite(void)
{
	Suite *suite = suite_create("keys");
	TCase *names = tcase_create("names"), *watches = tcase_create("watches");

	tcase_add_test(names, a_key_sends_what_a_terminal_sends);
	tcase_add_test(names, what_is_no_key_is_said_to_be_none);
	tcase_add_test(watches, a_watched_sequence_is_seen_and_all_else_passed_on);
	tcase_add_test(watches, a_sequence_of_no_keys_is_refused);
	suite_add_tcase(suite, names);
	suite_add_tcase(suite, watches);
	return suite;
}
