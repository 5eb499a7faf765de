#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/record.h"

static struct text out;
static const struct record_style json_style = { .json = true }, plain = { 0 };
static const struct record_style terminal = { .colour = true, .safe = true };

static void begin(void)
{
	setenv("TZ", "UTC", 1);
	text_init(&out, 1024 * 1024);
}

static void end(void)
{
	text_finish(&out);
}

static const char *line_as(const struct record_style *style, const char *bytes, size_t size)
{
	struct tail_stream stream = { .service = "web", .instance = 2 };
	struct tail_line line = { &stream, 71, 1795399620123456, bytes, size };

	text_clear(&out);
	record_line(&out, style, &line);
	return text_string(&out);
}

static const char *event_as(const struct record_style *style, const char *text)
{
	json_t *event = json_loads(text, 0, NULL);

	text_clear(&out);
	record_event(&out, style, event);
	json_decref(event);
	return text_string(&out);
}

START_TEST(a_line_of_json_has_the_fields_of_the_contract_in_their_order)
{
	ck_assert_str_eq(line_as(&json_style, "hello", 5),
		"{\"ts\":\"2026-11-23T02:07:00.123456Z\",\"kind\":\"log\",\"service\":\"web\",\"instance\":2,"
		"\"pid\":71,\"stream\":\"stdout\",\"text\":\"hello\"}\n");
}
END_TEST

START_TEST(every_byte_makes_json_that_can_be_read)
{
	for (int first = 0; first < 256; first++) {
		for (int second = 0; second < 256; second++) {
			char bytes[] = { 'a', (char)first, (char)second };
			json_error_t why;
			line_as(&json_style, bytes, 3);
			ck_assert_ptr_null(memchr(out.data, '\n', out.size - 1));
			json_t *json = json_loadb(out.data, out.size, JSON_ALLOW_NUL, &why);
			ck_assert_msg(json != NULL, "%s: %s", why.text, out.data);
			const json_t *text = json_object_get(json, "text");
			if (first < 128 && second < 128) {
				ck_assert_uint_eq(json_string_length(text), 3);
				ck_assert_mem_eq(json_string_value(text), bytes, 3);
			}
			json_decref(json);
		}
	}
}
END_TEST

START_TEST(what_is_not_utf8_becomes_the_replacement_character)
{
	line_as(&json_style, "a\xff\xc3\xa4", 4);
	ck_assert_ptr_nonnull(strstr(out.data, "\"text\":\"a\xef\xbf\xbd\xc3\xa4\"}"));
}
END_TEST

START_TEST(a_line_of_text_is_time_name_and_text)
{
	ck_assert_str_eq(line_as(&plain, "a\tb", 3), "02:07:00.123 web/2 | a\tb\n");
}
END_TEST

START_TEST(a_terminal_is_told_nothing_by_children)
{
	const char *shown = line_as(&terminal, "a\033]0;title\007b\033[2J\033[31mred", 29 - 5);

	ck_assert_ptr_null(strstr(shown, "title"));
	ck_assert_ptr_null(strstr(shown, "[2J"));
	ck_assert_ptr_nonnull(strstr(shown, "\033[31mred"));
	ck_assert_ptr_nonnull(strstr(shown, "\033[0m\n"));
}
END_TEST

START_TEST(events_of_text_say_what_there_is_to_say)
{
	ck_assert_str_eq(event_as(&plain, "{\"ts\":\"2026-11-23T02:07:00.123456Z\",\"event\":\"started\","
					  "\"service\":\"web\",\"instance\":0,\"pid\":71,\"cause\":null}"),
		"02:07:00.123 web/0 · started pid 71\n");
	ck_assert_str_eq(event_as(&plain, "{\"ts\":\"2026-11-23T02:07:00Z\",\"event\":\"backoff\",\"service\":\"web\","
					  "\"instance\":0,\"delay_ms\":2000,\"detail\":\"a\\u001b[2Jb\"}"),
		"02:07:00.000 web/0 · backoff, again in 2.0s: ab\n");
	ck_assert_str_eq(event_as(&plain, "{\"ts\":\"2026-11-23T02:07:00Z\",\"event\":\"engine\",\"service\":null,\"detail\":\"x\"}"),
		"02:07:00.000 thrum · engine: x\n");
}
END_TEST

START_TEST(events_of_json_are_passed_on_as_they_are)
{
	static const char event[] = "{\"ts\":\"2026-11-23T02:07:00Z\",\"kind\":\"event\",\"event\":\"new\",\"more\":[1,null]}";

	ck_assert_mem_eq(event_as(&json_style, event), event, sizeof event - 1);
}
END_TEST

START_TEST(samples_of_json_have_the_fields_of_the_contract)
{
	static const char *const keys[] = { "ts", "kind", "service", "instance", "pid", "cpu_pct", "rss",
		"threads", "fds", "queue", "busy", "ipc_in", "ipc_out" };
	json_t *samples = json_loads("{\"ts\":\"2026-11-23T02:07:00Z\",\"instances\":[{\"service\":\"web\",\"instance\":0,"
				     "\"pid\":7,\"cpu_pct\":1.5,\"rss\":9,\"threads\":1,\"fds\":3}]}",
		0, NULL);

	record_samples(&out, &json_style, samples);
	json_t *record = json_loads(text_string(&out), 0, NULL);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		ck_assert_msg(json_object_get(record, keys[i]) != NULL, "%s", keys[i]);
	ck_assert_str_eq(json_string_value(json_object_get(record, "kind")), "sample");
	json_decref(record);
	json_decref(samples);
}
END_TEST

Suite *record_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *records = tcase_create("records");

	tcase_add_checked_fixture(records, begin, end);
	tcase_add_test(records, a_line_of_json_has_the_fields_of_the_contract_in_their_order);
	tcase_add_test(records, every_byte_makes_json_that_can_be_read);
	tcase_add_test(records, what_is_not_utf8_becomes_the_replacement_character);
	tcase_add_test(records, a_line_of_text_is_time_name_and_text);
	tcase_add_test(records, a_terminal_is_told_nothing_by_children);
	tcase_add_test(records, events_of_text_say_what_there_is_to_say);
	tcase_add_test(records, events_of_json_are_passed_on_as_they_are);
	tcase_add_test(records, samples_of_json_have_the_fields_of_the_contract);
	suite_add_tcase(suite, records);
	return suite;
}
