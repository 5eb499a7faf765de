#include <check.h>
#include <string.h>

#include "protocol/base64.h"
#include "protocol/chunk.h"
#include "protocol/value.h"

START_TEST(a_moment_comes_back_as_it_was)
{
	static const uint64_t moments[] = { 1, 999999, 1000000, 1795399620123456, 4102444799999999 };

	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
		json_t *json = time_to_json(moments[i]);
		ck_assert_uint_eq(time_from_json(json), moments[i]);
		json_decref(json);
	}
	json_t *none = time_to_json(0);
	ck_assert(json_is_null(none));
	ck_assert_uint_eq(time_from_json(none), 0);
	ck_assert_uint_eq(time_from_json(NULL), 0);
	json_decref(none);
}
END_TEST

START_TEST(moments_may_have_fewer_digits)
{
	uint64_t us;

	ck_assert(time_parse("1970-01-01T00:00:01Z", &us));
	ck_assert_uint_eq(us, 1000000);
	ck_assert(time_parse("1970-01-01T00:00:01.5Z", &us));
	ck_assert_uint_eq(us, 1500000);
	ck_assert(time_parse("1970-01-01T00:00:01.1234567Z", &us));
	ck_assert_uint_eq(us, 1123456);
}
END_TEST

START_TEST(what_is_no_moment_is_refused)
{
	static const char *const wrong[] = { "", "now", "1970-01-01", "1970-01-01T00:00:01",
		"1970-01-01T00:00:01+01:00", "1970-01-01T00:00:01.5", "1969-12-31T23:59:59Z" };
	uint64_t us;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(!time_parse(wrong[i], &us), "%s", wrong[i]);
}
END_TEST

START_TEST(text_of_children_becomes_utf8)
{
	json_t *json = text_to_json("a\xff\xc3\xa4\0b", 6);

	ck_assert_uint_eq(json_string_length(json), 8);
	ck_assert_mem_eq(json_string_value(json), "a\xef\xbf\xbd\xc3\xa4\0b", 8);
	json_decref(json);
}
END_TEST

START_TEST(base64_is_that_of_the_standard)
{
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" } };
	struct text out;

	text_init(&out, 64);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		text_clear(&out);
		ck_assert(base64_encode(&out, pairs[i][0], strlen(pairs[i][0])));
		ck_assert_str_eq(text_string(&out), pairs[i][1]);
		text_clear(&out);
		ck_assert(base64_decode(&out, pairs[i][1], strlen(pairs[i][1])));
		ck_assert_str_eq(text_string(&out), pairs[i][0]);
	}
	text_finish(&out);
}
END_TEST

START_TEST(what_is_no_base64_is_refused)
{
	static const char *const wrong[] = { "Z", "Zg=", "Zg==Zg==", "Z===", "Zm 9", "Zm9v\n", "====" };
	struct text out;

	text_init(&out, 64);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(!base64_decode(&out, wrong[i], strlen(wrong[i])), "%s", wrong[i]);
	text_finish(&out);
}
END_TEST

static void check_chunk(const char *bytes, size_t size, bool is_final)
{
	struct chunk out, in = {
		.offset = 5000000000,
		.time_us = 1795399620123456,
		.pid = 71,
		.bytes = bytes,
		.size = size,
		.is_final = is_final,
	};
	struct text room;
	struct error err;
	json_t *json = chunk_to_json(&in);

	text_init(&room, CHUNK_MOST);
	ck_assert(chunk_from_json(&out, json, &room, &err));
	ck_assert_uint_eq(out.offset, in.offset);
	ck_assert_uint_eq(out.time_us, in.time_us);
	ck_assert_int_eq(out.pid, in.pid);
	ck_assert_uint_eq(out.size, size);
	ck_assert(size == 0 || memcmp(out.bytes, bytes, size) == 0);
	ck_assert_int_eq(out.is_final, is_final);
	text_finish(&room);
	json_decref(json);
}

START_TEST(every_byte_goes_through_a_chunk)
{
	char bytes[256];

	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	for (size_t size = 0; size <= sizeof bytes; size++)
		check_chunk(bytes, size, size % 2);
	check_chunk("\xc3\xa4\n", 3, false);
	check_chunk("\xc3", 1, false); /* half a character */
}
END_TEST

/* The bytes of two, behind the result that they are in. */
START_TEST(bytes_may_follow_their_chunks)
{
	struct chunk out, first = { .pid = 7, .bytes = "a\n\0\xff", .size = 4 }, last = { .offset = 4, .pid = 8, .is_final = true };
	struct text raw, room;
	struct error err;

	text_init(&raw, 100);
	text_init(&room, 100);
	json_t *result = json_pack("{s:[o,o]}", "chunks", chunk_to_raw(&first, &raw), chunk_to_raw(&last, &raw));
	json_t *chunks = json_object_get(result, "chunks");
	ck_assert_uint_eq(raw.size, 4);
	ck_assert(!chunks_fill(result, raw.data, 3));
	ck_assert(!chunks_fill(result, "12345", 5));
	ck_assert(chunks_fill(result, raw.data, 4));
	ck_assert(chunk_from_json(&out, json_array_get(chunks, 0), &room, &err));
	ck_assert_uint_eq(out.size, 4);
	ck_assert_mem_eq(out.bytes, first.bytes, 4);
	ck_assert(chunk_from_json(&out, json_array_get(chunks, 1), &room, &err));
	ck_assert(out.is_final && out.size == 0 && out.offset == 4 && out.pid == 8);
	json_object_set_new(json_array_get(chunks, 0), "size", json_integer(-4));
	ck_assert(!chunks_fill(result, raw.data, 4));
	json_decref(result);
	text_finish(&raw);
	text_finish(&room);
}
END_TEST

START_TEST(a_chunk_that_is_none_is_refused)
{
	static const char *const wrong[] = { "[]", "1", "{\"base64\":\"Z\"}", "{\"base64\":1}" };
	struct chunk chunk;
	struct text room;
	struct error err;

	text_init(&room, CHUNK_MOST);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		json_t *json = json_loads(wrong[i], JSON_DECODE_ANY, NULL);
		ck_assert_msg(!chunk_from_json(&chunk, json, &room, &err), "%s", wrong[i]);
		json_decref(json);
	}
	text_finish(&room);
}
END_TEST

Suite *value_suite(void)
{
	Suite *suite = suite_create("value");
	TCase *values = tcase_create("values"), *chunks = tcase_create("chunks");

	tcase_add_test(values, a_moment_comes_back_as_it_was);
	tcase_add_test(values, moments_may_have_fewer_digits);
	tcase_add_test(values, what_is_no_moment_is_refused);
	tcase_add_test(values, text_of_children_becomes_utf8);
	suite_add_tcase(suite, values);
	tcase_add_test(chunks, base64_is_that_of_the_standard);
	tcase_add_test(chunks, what_is_no_base64_is_refused);
	tcase_add_test(chunks, every_byte_goes_through_a_chunk);
	tcase_add_test(chunks, bytes_may_follow_their_chunks);
	tcase_add_test(chunks, a_chunk_that_is_none_is_refused);
	suite_add_tcase(suite, chunks);
	return suite;
}
