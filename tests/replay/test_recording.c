#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "protocol/chunk.h"
#include "protocol/value.h"
#include "replay/answer.h"
#include "replay/recording.h"

enum { BASE_S = 1795890000, /* of second 0 */
	LINES_A_SECOND = 40 };

static struct text file;
static char path[64];
static struct recording recording;
static struct error err;

static bool go_on(void *context, uint64_t done, uint64_t all)
{
	(void)context;
	ck_assert_uint_le(done, all);
	return true;
}

static void begin(void)
{
	text_init(&file, 64 * 1024 * 1024);
	snprintf(path, sizeof path, "recording-%d.jsonl", (int)getpid());
}

static void end(void)
{
	unlink(path);
	text_finish(&file);
	recording_finish(&recording);
}

static uint64_t at(double second)
{
	return (uint64_t)((BASE_S + second) * 1000000);
}

static void put(double second, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(double second, const char *fmt, ...)
{
	char rest[1024], ts[CLOCK_TEXT_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(rest, sizeof rest, fmt, args);
	va_end(args);
	clock_format_iso(ts, at(second));
	ck_assert(text_format(&file, "{\"ts\":\"%s\",%s}\n", ts, rest));
}

static void put_event(double second, const char *event, int instance, int pid, const char *more)
{
	put(second, "\"kind\":\"event\",\"event\":\"%s\",\"service\":\"web\",\"instance\":%d,\"pid\":%d,\"seq\":1%s", event, instance,
		pid, more);
}

static void put_line(double second, int instance, int pid, const char *stream, const char *text)
{
	put(second, "\"kind\":\"log\",\"service\":\"web\",\"instance\":%d,\"pid\":%d,\"stream\":\"%s\",\"text\":\"%s\"", instance,
		pid, stream, text);
}

static void put_sample(double second, int pid, double cpu, int rss)
{
	put(second,
		"\"kind\":\"sample\",\"service\":\"web\",\"instance\":0,\"pid\":%d,\"cpu_pct\":%.1f,\"rss\":%d,"
		"\"threads\":2,\"fds\":3",
		pid, cpu, rss);
}

static void write_file(void)
{
	unlink(path);
	ck_assert_msg(text_write_file(&file, path, &err), "%s", err.text);
}

static void open_file(void)
{
	write_file();
	ck_assert_msg(recording_open(&recording, path, go_on, NULL, &err), "%s", err.text);
}

static json_t *ask(const char *method, json_t *params)
{
	json_t *request = json_pack("{s:i,s:s,s:o}", "id", 7, "method", method, "params", params);
	json_t *reply = answer(&recording, "file", request);

	json_decref(request);
	ck_assert_int_eq(json_integer_value(json_object_get(reply, "id")), 7);
	return reply;
}

static json_t *ask_well(const char *method, json_t *params)
{
	json_t *reply = ask(method, params), *result = json_incref(json_object_get(reply, "result"));

	ck_assert_ptr_nonnull(result);
	json_decref(reply);
	return result;
}

static json_t *past(double second)
{
	return ask_well("past", json_pack("{s:o}", "at", time_to_json(at(second))));
}

static const char *state_of(const json_t *past, size_t i)
{
	const json_t *row = json_array_get(json_object_get(past, "instances"), i);
	const char *state = json_string_value(json_object_get(row, "state"));

	return state ? state : "";
}

/* A process that crashes at second 10, is back at 12, and is stopped at 100; much output, so that there are many blocks. */
static void put_story(void)
{
	put_event(0, "started", 0, 71, ",\"restarts\":0");
	for (int second = 1; second < 100; second++) {
		if (second == 10) {
			put_event(10, "exited", 0, 71, ",\"cause\":\"exit 3\",\"code\":3,\"uptime_ms\":10000,\"restarts\":0");
			put_event(10, "backoff", 0, 0, ",\"restarts\":1,\"delay_ms\":2000");
		}
		if (second == 12)
			put_event(12, "started", 0, 72, ",\"restarts\":1");
		int pid = second < 10 ? 71 : 72;
		if (second < 10 || second >= 12) {
			put_sample(second + 0.01, pid, second, second * 1000);
			for (int i = 0; i < LINES_A_SECOND; i++) {
				char text[256];
				snprintf(text, sizeof text, "%d.%02d some words that make it long %0150d", second, i, 0);
				put_line(second + 0.02 + i * 0.01, 0, pid, i % 10 ? "stdout" : "stderr", text);
			}
		}
	}
	put_event(100, "stopping", 0, 72, ",\"cause\":\"manual\",\"restarts\":1");
	put_event(100.5, "exited", 0, 72, ",\"cause\":\"manual\",\"signal\":\"TERM\",\"uptime_ms\":88500,\"restarts\":1");
	put_event(100.5, "stopped", 0, 0, ",\"restarts\":1");
}

START_TEST(the_past_is_as_it_was)
{
	put_story();
	open_file();
	ck_assert_uint_gt(recording.block_count, 2);
	static const struct {
		double second;
		const char *state;
	} then[] = { { 0.5, "running" }, { 9.99, "running" }, { 10.5, "backoff" }, { 12, "running" }, { 99, "running" },
		{ 100.2, "stopping" },
		{ 101, "stopped" }, { 11, "backoff" } };
	for (size_t i = 0; i < sizeof then / sizeof *then; i++) {
		json_t *result = past(then[i].second);
		ck_assert_msg(strcmp(state_of(result, 0), then[i].state) == 0, "at %.2f: %s", then[i].second, state_of(result, 0));
		json_decref(result);
	}
}
END_TEST

START_TEST(figures_and_their_trend_are_of_the_moment)
{
	put_story();
	open_file();
	json_t *result = past(50.5), *row = json_array_get(json_object_get(result, "instances"), 0);
	json_t *trend = json_object_get(row, "trend");
	ck_assert_int_eq(json_integer_value(json_object_get(row, "rss")), 50000);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "pid")), 72);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(row, "restarts"), "crash")), 1);
	ck_assert(json_number_value(json_array_get(trend, json_array_size(trend) - 1)) == 50);
	ck_assert(json_number_value(json_array_get(trend, json_array_size(trend) - 2)) == 49);
	ck_assert_uint_eq(json_array_size(json_object_get(result, "notices")), 4);
	json_decref(result);
}
END_TEST

static char *read_all(const char *stream, uint64_t end, size_t piece)
{
	struct text bytes, room;

	text_init(&bytes, 16 * 1024 * 1024);
	text_init(&room, CHUNK_MOST);
	for (uint64_t offset = 0; offset < end;) {
		size_t most = end - offset < piece ? (size_t)(end - offset) : piece, i;
		json_t *params = json_pack("{s:s,s:i,s:s,s:I,s:I}", "service", "web", "instance", 0, "stream", stream, "offset",
			(json_int_t)offset, "most", (json_int_t)most);
		json_t *result = ask_well("log.read", params);
		json_t *json;
		struct chunk chunk;
		json_array_foreach(json_object_get(result, "chunks"), i, json)
		{
			ck_assert(chunk_from_json(&chunk, json, &room, &err));
			ck_assert_uint_eq(chunk.offset, bytes.size);
			text_append(&bytes, chunk.bytes, chunk.size);
		}
		uint64_t next = (uint64_t)json_integer_value(json_object_get(result, "next"));
		ck_assert_uint_eq(next, bytes.size);
		ck_assert_uint_gt(next, offset);
		offset = next;
		json_decref(result);
	}
	text_finish(&room);
	return text_take(&bytes);
}

static uint64_t end_of(const char *stream, double until)
{
	json_t *result = ask_well("log.list", json_pack("{s:[s],s:o}", "names", "web/0", "until", time_to_json(at(until)))), *one;
	uint64_t end = 0;
	size_t i;

	json_array_foreach(json_object_get(result, "streams"), i, one)
	{
		if (strcmp(json_string_value(json_object_get(one, "stream")), stream) == 0)
			end = (uint64_t)json_integer_value(json_object_get(one, "end"));
	}
	json_decref(result);
	return end;
}

/* Every byte once, in pieces of any size, and no more than had been written by then. */
START_TEST(logs_are_read_as_bytes)
{
	put_story();
	open_file();
	uint64_t end = end_of("stdout", 1000), then = end_of("stdout", 20);
	char *whole = read_all("stdout", end, 65536), *pieces = read_all("stdout", end, 97), *part = read_all("stdout", then, 5000);

	ck_assert_uint_eq(strlen(whole), end);
	ck_assert_str_eq(whole, pieces);
	ck_assert(strncmp(whole, "1.01 some words", 15) == 0);
	ck_assert_ptr_nonnull(strstr(whole, "\n99.39 some"));
	ck_assert_ptr_nonnull(strstr(part, "\n19.39 some"));
	ck_assert_ptr_null(strstr(part, "\n20.01 some"));
	ck_assert_uint_gt(end_of("stderr", 1000), 0);
	ck_assert_uint_eq(end_of("stdout", 0.5), 0);
	free(whole);
	free(pieces);
	free(part);
}
END_TEST

START_TEST(deaths_are_found_with_what_was_written_last)
{
	put_story();
	open_file();
	json_t *result = ask_well("history", json_pack("{s:[s]}", "names", "web/0")), *deaths = json_object_get(result, "deaths");
	ck_assert_uint_eq(json_array_size(deaths), 2);
	json_t *first = json_array_get(deaths, 0);
	ck_assert_int_eq(json_integer_value(json_object_get(first, "life")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(first, "code")), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(first, "peak_rss")), 9000);
	json_decref(result);

	json_t *record = ask_well("death", json_pack("{s:s,s:i,s:i}", "service", "web", "instance", 0, "life", 1));
	json_t *lines = json_object_get(record, "lines");
	const char *last = json_string_value(json_object_get(json_array_get(lines, json_array_size(lines) - 1), "text"));
	ck_assert_uint_eq(json_array_size(lines), 50);
	ck_assert(last && strncmp(last, "9.39 some", 9) == 0);
	ck_assert_uint_eq(json_array_size(json_object_get(record, "samples")), 9);
	json_decref(record);
}
END_TEST

/* Of a service that keeps crashing there is more than one wants: it is the end that counts, whoever it was. */
START_TEST(deaths_of_all_are_told_as_they_came)
{
	for (int i = 0; i < 300; i++)
		put_event(i, "exited", i % 3, 71 + i, ",\"cause\":\"exit 3\",\"code\":3,\"uptime_ms\":1000,\"restarts\":0");
	open_file();
	json_t *result = ask_well("history", json_pack("{s:i}", "limit", 4)), *deaths = json_object_get(result, "deaths");
	ck_assert_uint_eq(json_array_size(deaths), 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(deaths, i), "pid")), 71 + 296 + (int)i);
	json_decref(result);
	result = ask_well("history", json_pack("{s:[s]}", "names", "web"));
	ck_assert_uint_eq(json_array_size(json_object_get(result, "deaths")), 100);
	json_decref(result);
	result = ask_well("history", json_pack("{s:[ss],s:i,s:o}", "names", "web/0", "web/2", "limit", 9000, "since",
					     time_to_json(at(295))));
	ck_assert_uint_eq(json_array_size(json_object_get(result, "deaths")), 3);
	json_decref(result);
}
END_TEST

static double step(double second, const char *event)
{
	json_t *result = ask_well("past", json_pack("{s:o,s:s}", "at", time_to_json(at(second)), "event", event));
	double found = (double)time_from_json(json_object_get(result, "ts")) / 1000000 - BASE_S;

	json_decref(result);
	return found;
}

START_TEST(one_goes_from_event_to_event)
{
	put_story();
	open_file();
	ck_assert_double_eq(step(50, "before"), 12);
	ck_assert_double_eq(step(12, "before"), 10);
	ck_assert_double_eq(step(10, "before"), 0);
	ck_assert_double_eq(step(0, "before"), 0);
	ck_assert_double_eq(step(12, "after"), 100);
	ck_assert_double_eq(step(100.5, "after"), 100.5);
}
END_TEST

START_TEST(messages_are_those_until_then)
{
	put_event(0, "started", 0, 71, "");
	for (int i = 0; i < 5; i++)
		put(i, "\"kind\":\"ipc\",\"service\":\"web\",\"instance\":%d,\"dir\":\"in\",\"bytes\":7,\"message\":{\"n\":%d}", i % 2, i);
	open_file();
	json_t *result = ask_well("messages", json_pack("{s:[s],s:o,s:s}", "names", "web/0", "at", time_to_json(at(3)), "filter", "n"));
	json_t *messages = json_object_get(result, "messages");
	ck_assert_uint_eq(json_array_size(messages), 2);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(messages, 1), "text")), "{\"n\":2}");
	json_decref(result);
	result = ask_well("messages", json_pack("{s:[s],s:s}", "names", "web", "filter", "[34]"));
	ck_assert_uint_eq(json_array_size(json_object_get(result, "messages")), 2);
	json_decref(result);
	result = ask("messages", json_pack("{s:[s],s:s}", "names", "web", "filter", "("));
	ck_assert_ptr_nonnull(json_object_get(result, "error"));
	json_decref(result);
}
END_TEST

START_TEST(what_is_scaled_away_is_gone)
{
	put_event(0, "started", 0, 71, "");
	put_event(0, "started", 1, 72, "");
	put_event(5, "scaled", 0, 0, ",\"detail\":\"2 -> 1\"");
	put_event(6, "stopped", 1, 0, "");
	open_file();
	json_t *before = past(5.5), *after = past(6);
	ck_assert_uint_eq(json_array_size(json_object_get(before, "instances")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(after, "instances")), 1);
	json_decref(before);
	json_decref(after);
}
END_TEST

/* As when tail cut the front of it off: that there is output tells that it runs. */
START_TEST(it_may_begin_in_the_middle)
{
	put_line(1, 0, 71, "stdout", "hello");
	put_line(2, 1, 72, "stdout", "hello");
	open_file();
	json_t *result = past(1.5);
	ck_assert_uint_eq(json_array_size(json_object_get(result, "instances")), 1);
	ck_assert_str_eq(state_of(result, 0), "running");
	json_decref(result);
}
END_TEST

START_TEST(what_is_garbled_is_counted_and_left_out)
{
	put_line(1, 0, 71, "stdout", "one");
	text_puts(&file, "\n\x01\x02 no record\n");
	for (int i = 0; i < 3 * REEL_LINE_MOST; i++)
		text_putc(&file, 'x');
	text_puts(&file, "\n");
	put_line(2, 0, 71, "stdout", "two");
	text_puts(&file, "{\"ts\":\"2026-11-28T18:59:33.065161Z\",\"kind\":\"lo");
	open_file();
	ck_assert_uint_eq(recording.entries, 2);
	ck_assert_uint_eq(recording.garbled, 2);
	ck_assert_uint_eq(recording.garbled_at, 3);
	ck_assert(recording.is_cut);
	char *whole = read_all("stdout", end_of("stdout", 1000), 65536);
	ck_assert_str_eq(whole, "one\ntwo\n");
	free(whole);
}
END_TEST

START_TEST(a_file_without_records_is_refused)
{
	write_file();
	ck_assert(!recording_open(&recording, path, go_on, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "no record of headless output"));
	recording_finish(&recording);
	ck_assert(!recording_open(&recording, "/dev/null", go_on, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "no regular file"));
	recording_finish(&recording);
	ck_assert(!recording_open(&recording, "no-such-file", go_on, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
}
END_TEST

/* Everything that is kept of a file is bounded: places where all is known get fewer. */
START_TEST(many_instances_take_no_more_than_they_may)
{
	for (int round = 0; round < 60; round++)
		for (int i = 0; i < 2500; i++)
			put_line(round + i * 0.0001, i, i + 1, "stdout", "a line of some length, so that there are several blocks of them");
	open_file();
	ck_assert_uint_eq(recording.member_count, RECORDING_INSTANCES);
	ck_assert_uint_eq(recording.left_out, 60 * (2500 - RECORDING_INSTANCES));
	ck_assert_uint_le(recording.place_bytes, RECORDING_STANDINGS_MOST);
	ck_assert_uint_gt(recording.block_count, 2);
	json_t *result = past(30);
	ck_assert_uint_eq(json_array_size(json_object_get(result, "instances")), RECORDING_INSTANCES);
	json_decref(result);
}
END_TEST

START_TEST(hostile_requests_are_refused)
{
	put_story();
	open_file();
	static const char *const requests[] = { "{}", "[]", "7", "{\"id\":1,\"method\":7}",
		"{\"id\":1,\"method\":\"log.read\",\"params\":[]}",
		"{\"id\":1,\"method\":\"log.read\",\"params\":{\"service\":\"web\",\"instance\":-1}}",
		"{\"id\":1,\"method\":\"death\",\"params\":{\"service\":\"web\",\"instance\":0,\"life\":99}}",
		"{\"id\":1,\"method\":\"stop\",\"params\":{\"names\":[\"web\"]}}" };
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		json_t *request = json_loads(requests[i], JSON_DECODE_ANY, NULL), *reply = answer(&recording, "file", request);
		ck_assert_msg(json_object_get(reply, "error") != NULL, "%s", requests[i]);
		json_decref(request);
		json_decref(reply);
	}
	json_t *params = json_pack("{s:s,s:i,s:s,s:I}", "service", "web", "instance", 0, "stream", "stdout", "offset",
		(json_int_t)INT64_MAX);
	json_t *beyond = ask_well("log.read", params);
	ck_assert_uint_eq(json_array_size(json_object_get(beyond, "chunks")), 0);
	json_decref(beyond);
}
END_TEST

Suite *recording_suite(void)
{
	Suite *suite = suite_create("recording");
	TCase *tests = tcase_create("recording");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, the_past_is_as_it_was);
	tcase_add_test(tests, figures_and_their_trend_are_of_the_moment);
	tcase_add_test(tests, logs_are_read_as_bytes);
	tcase_add_test(tests, deaths_are_found_with_what_was_written_last);
	tcase_add_test(tests, deaths_of_all_are_told_as_they_came);
	tcase_add_test(tests, one_goes_from_event_to_event);
	tcase_add_test(tests, messages_are_those_until_then);
	tcase_add_test(tests, what_is_scaled_away_is_gone);
	tcase_add_test(tests, it_may_begin_in_the_middle);
	tcase_add_test(tests, what_is_garbled_is_counted_and_left_out);
	tcase_add_test(tests, a_file_without_records_is_refused);
	tcase_add_test(tests, many_instances_take_no_more_than_they_may);
	tcase_add_test(tests, hostile_requests_are_refused);
	suite_add_tcase(suite, tests);
	return suite;
}
