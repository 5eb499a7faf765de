#include <check.h>
#include <string.h>

#include "wire/notification.h"

static struct notification said;

static void parse(const char *text)
{
	notification_parse(&said, text, strlen(text));
}

START_TEST(each_line_says_one_thing)
{
	parse("READY=1\nSTATUS=serving 3 clients\nWATCHDOG=1\nEXTEND_TIMEOUT_USEC=2500000\nRELOADING=1\nSTOPPING=1");
	ck_assert(said.is_ready && said.is_alive && said.is_reloading && said.is_stopping);
	ck_assert(!said.is_failing);
	ck_assert_str_eq(said.status, "serving 3 clients");
	ck_assert_uint_eq(said.extend_us, 2500000);
	parse("WATCHDOG=trigger\n");
	ck_assert(said.is_failing && !said.is_alive && !said.has_status);
}
END_TEST

static const char *const nothings[] = { "", "\n\n", "READY", "READY=", "READY=0", "READY=11", "ready=1", " READY=1", "XREADY=1",
	"READY=1x", "=1", "WATCHDOG=triggers", "EXTEND_TIMEOUT_USEC=soon", "EXTEND_TIMEOUT_USEC=-5", "MAINPID=1", "FDSTORE=1" };

START_TEST(what_is_none_of_them_says_nothing)
{
	static const struct notification nothing;

	parse(nothings[_i]);
	ck_assert_mem_eq(&said, &nothing, sizeof said);
}
END_TEST

START_TEST(what_is_too_much_is_cut)
{
	char text[400] = "STATUS=";

	memset(text + 7, 'x', sizeof text - 8);
	parse(text);
	ck_assert_uint_eq(strlen(said.status), NOTIFICATION_STATUS_SIZE - 1);
	parse("EXTEND_TIMEOUT_USEC=99999999999999999999999999");
	ck_assert_uint_eq(said.extend_us, 3600ull * 1000000);
}
END_TEST

START_TEST(bytes_need_no_end)
{
	const char bytes[] = { 'R', 'E', 'A', 'D', 'Y', '=', '1', '\0', '1' };

	notification_parse(&said, bytes, 7);
	ck_assert(said.is_ready);
	notification_parse(&said, bytes, sizeof bytes);
	ck_assert(!said.is_ready);
}
END_TEST

Suite *notification_suite(void)
{
	Suite *suite = suite_create("notification");
	TCase *parsing = tcase_create("parsing");

	tcase_add_test(parsing, each_line_says_one_thing);
	tcase_add_loop_test(parsing, what_is_none_of_them_says_nothing, 0, (int)(sizeof nothings / sizeof *nothings));
	tcase_add_test(parsing, what_is_too_much_is_cut);
	tcase_add_test(parsing, bytes_need_no_end);
	suite_add_tcase(suite, parsing);
	return suite;
}
