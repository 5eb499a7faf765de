#include <check.h>

#include "model/command.h"

struct case_row {
	const char *command;
	enum command_kind kind;
	const char *words[6];
};

static const struct case_row rows[] = {
	{ "node server.js", COMMAND_WORDS, { "node", "server.js" } },
	{ "  sleep\t5 ", COMMAND_WORDS, { "sleep", "5" } },
	{ "echo 'a b' \"c d\"", COMMAND_WORDS, { "echo", "a b", "c d" } },
	{ "echo a\\ b ''", COMMAND_WORDS, { "echo", "a b", "" } },
	{ "echo \"a\\\"b\"", COMMAND_WORDS, { "echo", "a\"b" } },
	{ "echo 'a|b' x#y a~", COMMAND_WORDS, { "echo", "a|b", "x#y", "a~" } },
	{ "", COMMAND_EMPTY, { NULL } },
	{ "   ", COMMAND_EMPTY, { NULL } },
	{ "a | b", COMMAND_SHELL, { NULL } },
	{ "a && b", COMMAND_SHELL, { NULL } },
	{ "echo $HOME", COMMAND_SHELL, { NULL } },
	{ "echo \"$HOME\"", COMMAND_SHELL, { NULL } },
	{ "ls *.c", COMMAND_SHELL, { NULL } },
	{ "cd x", COMMAND_SHELL, { NULL } },
	{ "A=1 env", COMMAND_SHELL, { NULL } },
	{ "x > y", COMMAND_SHELL, { NULL } },
	{ "x ~/y", COMMAND_SHELL, { NULL } },
	{ "a\nb", COMMAND_SHELL, { NULL } },
	{ "echo 'a", COMMAND_UNENDED, { NULL } },
};

START_TEST(plain_words_need_no_shell)
{
	const struct case_row *row = &rows[_i];
	struct strings words = { 0 };

	ck_assert_msg(command_split(row->command, &words) == row->kind, "%s", row->command);
	for (size_t i = 0; row->kind == COMMAND_WORDS && (row->words[i] || i < words.count); i++)
		ck_assert_str_eq(words.items[i], row->words[i]);
	strings_finish(&words);
}
END_TEST

Suite *command_suite(void)
{
	Suite *suite = suite_create("command");
	TCase *split = tcase_create("split");

	tcase_add_loop_test(split, plain_words_need_no_shell, 0, sizeof rows / sizeof *rows);
	suite_add_tcase(suite, split);
	return suite;
}
