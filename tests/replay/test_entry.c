#include <check.h>
#include <string.h>

#include "replay/entry.h"

static struct entry entry;

static void begin(void)
{
	entry_init(&entry);
}

static void end(void)
{
	entry_finish(&entry);
}

static enum entry_found read_text(const char *line)
{
	return entry_read(&entry, line, strlen(line), ENTRY_ALL);
}

static void expect_text(const char *text, size_t size)
{
	ck_assert_uint_eq(entry.size, size);
	ck_assert_mem_eq(entry.text, text, size);
}

#define LOG(text)                                                                                                                       \
	"{\"ts\":\"2026-11-28T18:59:33.065161Z\",\"kind\":\"log\",\"service\":\"web\",\"instance\":3,\"pid\":71,\"stream\":\"stderr\"," \
	"\"text\":\"" text "\"}"

START_TEST(a_line_of_a_log_is_read)
{
	ck_assert_int_eq(read_text(LOG("hello")), ENTRY_FOUND);
	ck_assert_int_eq(entry.kind, ENTRY_LOG);
	ck_assert_uint_eq(entry.ts_us, 1795892373065161);
	ck_assert_str_eq(entry.service, "web");
	ck_assert_uint_eq(entry.instance, 3);
	ck_assert_int_eq(entry.pid, 71);
	ck_assert(entry.is_err);
	expect_text("hello", 5);
	ck_assert_ptr_null(entry.json);
}
END_TEST

START_TEST(escapes_are_what_they_mean)
{
	static const char meant[] = "a\"\\/\b\f\n\r\t\x1b\0z\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd";

	ck_assert_int_eq(read_text(LOG("a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u001b\\u0000z\\u20ac\\ud83d\\ude00\\ud83d")), ENTRY_FOUND);
	expect_text(meant, sizeof meant - 1);
	ck_assert_int_eq(read_text(LOG("")), ENTRY_FOUND);
	expect_text("", 0);
}
END_TEST

/* jq and others write the same with spaces, or in another order. */
START_TEST(other_spellings_are_the_same)
{
	ck_assert_int_eq(read_text("{ \"kind\": \"log\", \"text\": \"x\\ty\", \"service\": \"web\", \"instance\": 3,"
				   " \"stream\": \"stdout\","
				   " \"pid\": 5, \"ts\": \"2026-11-28T18:59:33Z\" }"),
		ENTRY_FOUND);
	expect_text("x\ty", 3);
	ck_assert_int_eq(entry.pid, 5);
	ck_assert(!entry.is_err);
}
END_TEST

START_TEST(what_is_no_record_is_none)
{
	static const char *const lines[] = { "", "{", "hello", "[]", "{}", "null", "{\"ts\":\"2026-11-28T18:59:33Z\",\"kind\":\"log\"",
		"{\"ts\":\"yesterday\",\"kind\":\"log\",\"service\":\"web\",\"instance\":0}",
		"{\"ts\":\"2026-11-28T18:59:33Z\",\"kind\":\"new\"}",
		LOG("\\x"), LOG("\\ud8"), LOG("\xff"), LOG("a") "b", "12:00:01.123 web/0 | text" };

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_msg(read_text(lines[i]) == ENTRY_NONE, "%s", lines[i]);
}
END_TEST

/* A record of a later version, or of nobody. */
START_TEST(records_of_no_instance_are_passed_over)
{
	ck_assert_int_eq(read_text("{\"ts\":\"2026-11-28T18:59:33Z\",\"kind\":\"ipc\",\"dropped\":3}"), ENTRY_OTHER);
	ck_assert_int_eq(read_text("{\"ts\":\"2026-11-28T18:59:33Z\",\"kind\":\"sample\",\"service\":\"../x\"}"), ENTRY_OTHER);
	ck_assert_int_eq(read_text("{\"ts\":\"2026-11-28T18:59:33Z\",\"kind\":\"event\",\"event\":\"engine\"}"), ENTRY_FOUND);
	ck_assert_str_eq(entry.service, "");
}
END_TEST

START_TEST(lines_that_are_not_wanted_are_told_by_a_glance)
{
	const char *line = LOG("hello");

	ck_assert_int_eq(entry_read(&entry, line, strlen(line), 1u << ENTRY_EVENT), ENTRY_OTHER);
	ck_assert_ptr_null(entry.json);
}
END_TEST

/* However it is cut, it is nothing, and nothing beyond it is read. */
START_TEST(a_record_may_be_cut_anywhere)
{
	const char *line = LOG("a\\u20ac\\n");

	for (size_t size = 0; size < strlen(line); size++) {
		char *copy = strndup(line, size);
		ck_assert_int_eq(entry_read(&entry, copy, size, ENTRY_ALL), ENTRY_NONE);
		free(copy);
	}
}
END_TEST

Suite *entry_suite(void)
{
	Suite *suite = suite_create("entry");
	TCase *tests = tcase_create("entry");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, a_line_of_a_log_is_read);
	tcase_add_test(tests, escapes_are_what_they_mean);
	tcase_add_test(tests, other_spellings_are_the_same);
	tcase_add_test(tests, what_is_no_record_is_none);
	tcase_add_test(tests, records_of_no_instance_are_passed_over);
	tcase_add_test(tests, lines_that_are_not_wanted_are_told_by_a_glance);
	tcase_add_test(tests, a_record_may_be_cut_anywhere);
	suite_add_tcase(suite, tests);
	return suite;
}
