#include <check.h>
#include <string.h>

#include "wire/message.h"

static struct message message;

static bool scan(const char *json)
{
	return message_scan(&message, json, strlen(json));
}

START_TEST(what_is_json_is_taken)
{
	static const char *const good[] = { "null", "true", "false", "0", "-0", "12", "-1.5e+3", "1E5", "\"\"", "\"a\\u00e4\\n\"",
		"[]", "[ ]", "{}", "{ }", "[1,2, 3]", "[[],[{}],{}]", "{\"a\":{\"b\":[1]},\"c\":2}", " {\"a\" : 1 } \r", "\"\xc3\xa4\"",
		"\"\\ud800\"" };

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(scan(good[i]), "%s", good[i]);
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
	static const char *const bad[] = { "", " ", "undefined", "nul", "01", "1.", "-", "1e", ".5", "+1", "\"", "\"\\x\"",
		"\"\\u12g4\"", "\"a\nb\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":",
		"{\"a\":1", "{\"a\":1,",
		"{\"a\":1,}", "{a:1}", "{1:2}", "{\"a\":1]", "[1}", "{} {}", "1 2", "\"\xff\"", "\"\xc3\"", "[\"\xc0\xaf\"]", "{\"a\"}",
		"[{]}", "tru e" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!scan(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(the_members_of_the_outermost_map_are_found)
{
	ck_assert(scan("{\"x\":{\"cmd\":1},\"cmd\":\"add\" , \"requestId\": 7,\"type\":{\"a\":[\"}\"]}}"));
	ck_assert(span_is(message.members[MEMBER_CMD], "add"));
	ck_assert(span_begins(message.members[MEMBER_CMD], "ad"));
	ck_assert(!span_begins(message.members[MEMBER_CMD], "addx"));
	ck_assert(!span_is(message.members[MEMBER_CMD], "ad"));
	ck_assert(span_equals(message.members[MEMBER_REQUEST_ID], (struct span){ "7", 1 }));
	ck_assert(span_equals(message.members[MEMBER_TYPE], (struct span){ "{\"a\":[\"}\"]}", 11 }));
	ck_assert_uint_eq(message.members[MEMBER_DATA].size, 0);
	ck_assert(scan("{\"cmd\":\"NODE_CLUSTER\",\"ack\":12,\"accepted\":true,\"seq\":3}"));
	ck_assert(span_equals(message.members[MEMBER_ACK], (struct span){ "12", 2 }));
	ck_assert(span_equals(message.members[MEMBER_ACCEPTED], (struct span){ "true", 4 }));
	ck_assert(scan("[{\"cmd\":1}]"));
	ck_assert_uint_eq(message.members[MEMBER_CMD].size, 0);
	ck_assert(!message.is_map);
}
END_TEST

START_TEST(the_last_of_a_name_counts)
{
	ck_assert(scan("{\"cmd\":1,\"cmd\":\"b\"}"));
	ck_assert(span_is(message.members[MEMBER_CMD], "b"));
}
END_TEST

START_TEST(what_is_nodes_own_is_known)
{
	ck_assert(scan("{\"cmd\":\"NODE_HANDLE\"}") && message_is_internal(&message));
	ck_assert(scan("{\"cmd\":\"NODE_x\"}") && message_is_internal(&message));
	ck_assert(scan("{\"cmd\":\"NODE_\"}") && !message_is_internal(&message));
	ck_assert(scan("{\"cmd\":\"node_x\"}") && !message_is_internal(&message));
	ck_assert(scan("{\"cmd\":5}") && !message_is_internal(&message));
	ck_assert(scan("\"NODE_HANDLE\"") && !message_is_internal(&message));
}
END_TEST

START_TEST(depth_has_a_bound)
{
	static char deep[2 * MESSAGE_DEPTH_MOST + 4];

	memset(deep, '[', MESSAGE_DEPTH_MOST);
	memset(deep + MESSAGE_DEPTH_MOST, ']', MESSAGE_DEPTH_MOST);
	ck_assert(message_scan(&message, deep, 2 * MESSAGE_DEPTH_MOST));
	memset(deep, '[', MESSAGE_DEPTH_MOST + 1);
	memset(deep + MESSAGE_DEPTH_MOST + 1, ']', MESSAGE_DEPTH_MOST + 1);
	ck_assert(!message_scan(&message, deep, 2 * MESSAGE_DEPTH_MOST + 2));
}
END_TEST

/* A string of `size` plain bytes, but for this one in its place. */
static bool scan_with(size_t size, size_t place, char byte)
{
	char json[80];

	memset(json, '~', sizeof json);
	json[0] = json[size + 1] = '"';
	json[1 + place] = byte;
	return message_scan(&message, json, size + 2);
}

/* Wherever it stands: strings are looked through in words. */
START_TEST(what_may_not_stand_in_a_string_is_seen)
{
	for (size_t size = 1; size < 40; size++)
		for (size_t place = 0; place < size; place++) {
			for (char byte = 0; byte < ' '; byte++)
				ck_assert_msg(!scan_with(size, place, byte), "%d at %zu of %zu", byte, place, size);
			ck_assert_msg(!scan_with(size, place, '"'), "a quote at %zu of %zu", place, size);
			ck_assert_msg(!scan_with(size, place, '\\'), "a backslash at %zu of %zu", place, size);
			ck_assert_msg(!scan_with(size, place, '\xe4'), "no UTF-8 at %zu of %zu", place, size);
			for (char byte = ' '; byte < 127; byte++)
				ck_assert(byte == '"' || byte == '\\' || scan_with(size, place, byte));
			ck_assert(scan_with(size, place, 127));
		}
}
END_TEST

START_TEST(an_escape_may_stand_anywhere)
{
	char json[80];

	for (size_t size = 2; size < 40; size++)
		for (size_t place = 0; place + 1 < size; place++) {
			memset(json, '~', sizeof json);
			json[0] = json[size + 1] = '"';
			memcpy(json + 1 + place, "\\\"", 2);
			ck_assert_msg(message_scan(&message, json, size + 2), "at %zu of %zu", place, size);
		}
}
END_TEST

Suite *message_suite(void)
{
	Suite *suite = suite_create("message");
	TCase *scan_case = tcase_create("scan");

	tcase_add_test(scan_case, what_is_json_is_taken);
	tcase_add_test(scan_case, what_is_no_json_is_refused);
	tcase_add_test(scan_case, the_members_of_the_outermost_map_are_found);
	tcase_add_test(scan_case, the_last_of_a_name_counts);
	tcase_add_test(scan_case, what_is_nodes_own_is_known);
	tcase_add_test(scan_case, depth_has_a_bound);
	tcase_add_test(scan_case, what_may_not_stand_in_a_string_is_seen);
	tcase_add_test(scan_case, an_escape_may_stand_anywhere);
	suite_add_tcase(suite, scan_case);
	return suite;
}
