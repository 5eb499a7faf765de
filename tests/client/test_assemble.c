#include <check.h>
#include <string.h>

#include "base/text.h"
#include "client/assemble.h"

static struct assembly assembly;
static struct text out;

static void begin(void)
{
	assembly = (struct assembly){ 0 };
	text_init(&out, 1024 * 1024);
}

static void end(void)
{
	assembly_finish(&assembly);
	text_finish(&out);
}

static void take(void *context, int32_t pid, uint64_t time_us, const char *line, size_t size)
{
	(void)context;
	text_format(&out, "%d@%d:", (int)pid, (int)time_us);
	text_append(&out, line, size);
	text_putc(&out, '|');
}

static void feed(int32_t pid, uint64_t time_us, const char *bytes, size_t size)
{
	assembly_feed(&assembly, pid, time_us, bytes, size, take, NULL);
}

START_TEST(lines_are_the_same_however_they_are_cut)
{
	static const char bytes[] = "one\n\ntwo three\nfour\n";
	size_t size = sizeof bytes - 1;

	for (size_t a = 0; a <= size; a++) {
		for (size_t b = a; b <= size; b++) {
			text_clear(&out);
			feed(1, 5, bytes, a);
			feed(1, 5, bytes + a, b - a);
			feed(1, 5, bytes + b, size - b);
			ck_assert_str_eq(text_string(&out), "1@5:one|1@5:|1@5:two three|1@5:four|");
		}
	}
}
END_TEST

START_TEST(a_line_has_the_time_of_its_first_byte)
{
	feed(1, 5, "a", 1);
	feed(1, 9, "b\nc", 3);
	feed(1, 11, "\n", 1);
	ck_assert_str_eq(text_string(&out), "1@5:ab|1@9:c|");
}
END_TEST

START_TEST(processes_do_not_mix)
{
	feed(1, 1, "a", 1);
	feed(2, 2, "x\n", 2);
	feed(1, 3, "b\n", 2);
	ck_assert_str_eq(text_string(&out), "2@2:x|1@1:ab|");
}
END_TEST

START_TEST(the_last_line_needs_no_end)
{
	feed(1, 1, "tail", 4);
	assembly_end(&assembly, 1, take, NULL);
	assembly_end(&assembly, 1, take, NULL);
	feed(2, 2, "other", 5);
	assembly_end_all(&assembly, take, NULL);
	ck_assert_str_eq(text_string(&out), "1@1:tail|2@2:other|");
}
END_TEST

static size_t lines, bytes;

static void count(void *context, int32_t pid, uint64_t time_us, const char *line, size_t size)
{
	(void)context;
	(void)pid;
	(void)time_us;
	(void)line;
	ck_assert_uint_le(size, ASSEMBLE_LINE_MOST);
	lines++;
	bytes += size;
}

START_TEST(a_long_line_comes_in_pieces_and_whole)
{
	static char block[ASSEMBLE_LINE_MOST];

	memset(block, 'x', sizeof block);
	for (int i = 0; i < 3; i++)
		assembly_feed(&assembly, 1, 1, block, sizeof block, count, NULL);
	assembly_feed(&assembly, 1, 1, "\nshort\n", 7, count, NULL);
	ck_assert_uint_eq(lines, 4);
	ck_assert_uint_eq(bytes, 3 * sizeof block + 5);
}
END_TEST

Suite *assemble_suite(void)
{
	Suite *suite = suite_create("assemble");
	TCase *pieces = tcase_create("lines");

	tcase_add_checked_fixture(pieces, begin, end);
	tcase_add_test(pieces, lines_are_the_same_however_they_are_cut);
	tcase_add_test(pieces, a_line_has_the_time_of_its_first_byte);
	tcase_add_test(pieces, processes_do_not_mix);
	tcase_add_test(pieces, the_last_line_needs_no_end);
	tcase_add_test(pieces, a_long_line_comes_in_pieces_and_whole);
	suite_add_tcase(suite, pieces);
	return suite;
}
