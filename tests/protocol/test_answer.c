#include <string.h>

#include "protocol/answer.h"
#include "tests/runner.h"

static void expect_span(struct span span, const char *wanted)
{
	ck_assert_uint_eq(span.size, strlen(wanted));
	ck_assert_int_eq(memcmp(span.at, wanted, span.size), 0);
}

static const struct {
	struct answer answer;
	const char *outcome;
} cases[] = {
	{ { 7, 0, true, { "18446744073709551616.50", 23 }, 1, 1234567, 5 },
		"\"ok\":true,\"result\":18446744073709551616.50,\"attempts\":1,\"wait_ms\":1234.567,\"run_ms\":0.005" },
	{ { UINT64_MAX, 99999, false, { "\"}}\\ud800\"", 10 }, 3, 0, 0 },
		"\"ok\":false,\"error\":\"}}\\ud800\",\"attempts\":3,\"wait_ms\":0.000,\"run_ms\":0.000" },
};

START_TEST(what_is_written_is_read_byte_by_byte)
{
	struct told_answer told;
	struct text line;
	char map[300];

	text_init(&line, ANSWER_ROOM);
	answer_write(&line, &cases[_i].answer);
	ck_assert_int_eq(line.data[line.size - 1], '\n');
	ck_assert(answer_read(&told, line.data, line.size - 1));
	ck_assert_uint_eq(told.index, cases[_i].answer.index);
	ck_assert_int_eq(told.ok, cases[_i].answer.ok);
	expect_span(told.outcome, cases[_i].outcome);
	snprintf(map, sizeof map, "{\"taskId\":%llu,\"index\":%llu,%s}", (unsigned long long)cases[_i].answer.task,
		(unsigned long long)told.index, cases[_i].outcome);
	expect_span(told.map, map);
	text_finish(&line);
}
END_TEST

START_TEST(what_is_cut_off_or_something_else_is_no_answer)
{
	struct told_answer told;
	struct text line;
	const char *other = "{\"jsonrpc\":\"2.0\",\"method\":\"submitted\",\"params\":{\"accepted\":1}}";

	text_init(&line, ANSWER_ROOM);
	answer_write(&line, &cases[0].answer);
	for (size_t size = 0; size < line.size - 1; size++)
		ck_assert(!answer_read(&told, line.data, size));
	ck_assert(!answer_read(&told, other, strlen(other)));
	text_finish(&line);
}
END_TEST

Suite *answer_suite(void)
{
	Suite *suite = suite_create("answer");
	TCase *test_case = tcase_create("answer");

	tcase_add_loop_test(test_case, what_is_written_is_read_byte_by_byte, 0, sizeof cases / sizeof *cases);
	tcase_add_test(test_case, what_is_cut_off_or_something_else_is_no_answer);
	suite_add_tcase(suite, test_case);
	return suite;
}
