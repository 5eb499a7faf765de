#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/row.h"

static struct error err;

static const struct sample some_sample = {
	.pid = 71,
	.cpu_pct = 12.34,
	.rss = 5000000000,
	.threads = 7,
	.fds = 12,
	.tree_cpu_pct = 99.5,
	.tree_rss = 6000000000,
	.tree_processes = 3,
};

static const struct death some_death = {
	.life = 3,
	.pid = 70,
	.started_us = 1795399600000000,
	.ended_us = 1795399609000000,
	.uptime_ms = 9000,
	.cause = CAUSE_EXIT,
	.code = 3,
	.peak_rss = 123456,
	.cpu_ms = 77,
	.detail = "why",
};

static struct row full_row(void)
{
	return (struct row){
		.service = "web",
		.instance = 3,
		.state = STATE_READY,
		.wanted = true,
		.is_pool = true,
		.is_draining = true,
		.pid = 71,
		.life = 4,
		.since_us = 1795399620123456,
		.started_us = 1795399610000000,
		.uptime_ms = 10123,
		.deadline_us = 1795399630000000,
		.leftovers = 2,
		.restarts = { 1, 2, 3, 4, 5 },
		.sample = some_sample,
		.has_last_death = true,
		.last_death = some_death,
		.detail = "a detail",
	};
}

/* Through text, as on the wire. */
static json_t *send(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	json_t *received = json_loads(text, 0, NULL);

	json_decref(json);
	free(text);
	return received;
}

/* Steals both. */
static void check_equal(json_t *one, json_t *other)
{
	char *text = json_dumps(one, JSON_COMPACT), *expected = json_dumps(other, JSON_COMPACT);

	ck_assert_str_eq(text, expected);
	free(text);
	free(expected);
	json_decref(one);
	json_decref(other);
}

static void check_sample(const struct sample *out, const struct sample *in)
{
	ck_assert_int_eq(out->pid, in->pid);
	check_equal(sample_to_json("a", 0, out, NULL), sample_to_json("a", 0, in, NULL));
}

START_TEST(a_row_comes_back_as_it_was)
{
	struct row in = full_row(), out;
	json_t *json = send(row_to_json(&in));

	memset(&out, 0x55, sizeof out);
	ck_assert(row_from_json(&out, json, &err));
	check_equal(row_to_json(&out), row_to_json(&in));
	ck_assert_str_eq(out.service, in.service);
	ck_assert_uint_eq(out.instance, in.instance);
	ck_assert_int_eq(out.state, in.state);
	ck_assert(out.wanted);
	ck_assert_int_eq(out.pid, in.pid);
	ck_assert_uint_eq(out.life, in.life);
	ck_assert_uint_eq(out.since_us, in.since_us);
	ck_assert_uint_eq(out.started_us, in.started_us);
	ck_assert_uint_eq(out.uptime_ms, in.uptime_ms);
	ck_assert_uint_eq(out.deadline_us, in.deadline_us);
	ck_assert_uint_eq(out.leftovers, in.leftovers);
	ck_assert_uint_eq(out.restarts.watch, 5);
	ck_assert(out.is_pool && out.is_draining);
	check_sample(&out.sample, &in.sample);
	ck_assert(out.has_last_death);
	ck_assert_int_eq(out.last_death.cause, CAUSE_EXIT);
	ck_assert_uint_eq(out.last_death.life, 3);
	ck_assert_str_eq(out.detail, in.detail);
	json_decref(json);
}
END_TEST

START_TEST(every_state_comes_back)
{
	for (int state = STATE_SAME + 1; state < STATE_COUNT; state++) {
		struct row out, in = { .service = "a", .state = (enum state)state };
		json_t *json = send(row_to_json(&in));
		ck_assert(row_from_json(&out, json, &err));
		ck_assert_int_eq(out.state, state);
		json_decref(json);
	}
}
END_TEST

static void check_nulls(const json_t *json, const char *const *keys)
{
	for (; *keys; keys++)
		ck_assert_msg(json_is_null(json_object_get(json, *keys)), "%s", *keys);
}

START_TEST(what_is_not_known_is_null)
{
	static const char *const keys[] = { "health", "pid", "uptime_ms", "cpu_pct", "rss", "threads",
		"fds", "queue", "busy", "size", "ipc", "loop", "last_death", "life", "since", "started",
		"deadline", "detail", NULL };
	struct row row = { .service = "a", .state = STATE_STOPPED };
	json_t *json = row_to_json(&row);

	check_nulls(json, keys);
	check_nulls(json_object_get(json, "tree"), (const char *const[]){ "cpu_pct", "rss", "processes", NULL });
	ck_assert_str_eq(json_string_value(json_object_get(json, "wanted")), "down");
	json_decref(json);
}
END_TEST

START_TEST(a_figure_that_is_not_known_stays_so)
{
	struct row out, in = full_row();

	in.sample.rss = in.sample.fds = SAMPLE_UNKNOWN;
	in.sample.cpu_pct = in.sample.tree_cpu_pct = -1;
	json_t *json = send(row_to_json(&in));
	check_nulls(json, (const char *const[]){ "rss", "fds", "cpu_pct", NULL });
	ck_assert(row_from_json(&out, json, &err));
	check_sample(&out.sample, &in.sample);
	json_decref(json);
}
END_TEST

START_TEST(a_sample_of_a_former_process_is_not_told)
{
	struct row row = full_row();

	row.sample.pid = 70;
	json_t *json = row_to_json(&row);
	check_nulls(json, (const char *const[]){ "cpu_pct", "rss", "threads", "fds", NULL });
	json_decref(json);

	struct row other = full_row();
	struct sample former = { .pid = 70, .rss = 1 };
	json = sample_to_json("web", 3, &former, NULL);
	sample_from_json(&other, json);
	ck_assert_int_eq(other.sample.pid, 71);
	ck_assert_uint_eq(other.sample.rss, 5000000000);
	json_decref(json);
}
END_TEST

START_TEST(a_sample_comes_back_as_it_was)
{
	struct row in = full_row(), out = { .pid = 71 };
	in.ipc = (struct traffic){ .is_known = true, .in = 7, .queued = 9, .in_rate = 2.5, .out_rate = -1 };
	json_t *json = send(sample_to_json("web", 3, &in.sample, &in.ipc));

	sample_from_json(&out, json);
	check_sample(&out.sample, &in.sample);
	ck_assert(out.ipc.is_known);
	ck_assert_uint_eq(out.ipc.in, 7);
	ck_assert_uint_eq(out.ipc.queued, 9);
	ck_assert_double_eq(out.ipc.in_rate, 2.5);
	ck_assert(out.ipc.out_rate < 0);
	json_decref(json);
}
END_TEST

START_TEST(text_that_is_not_utf8_can_be_sent)
{
	struct row out, in = full_row();

	strcpy(in.detail, "exec ./\xff");
	strcpy(in.last_death.detail, "\xc3");
	json_t *json = send(row_to_json(&in));
	ck_assert(row_from_json(&out, json, &err));
	ck_assert_str_eq(out.detail, "exec ./\xef\xbf\xbd");
	ck_assert_str_eq(out.last_death.detail, "\xef\xbf\xbd");
	json_decref(json);
}
END_TEST

START_TEST(every_ending_comes_back_in_the_words_of_the_contract)
{
	static const struct {
		struct death death;
		const char *cause;
	} endings[] = {
		{ { .cause = CAUSE_EXIT, .code = 0 }, "exit 0" },
		{ { .cause = CAUSE_EXIT, .code = 255 }, "exit 255" },
		{ { .cause = CAUSE_SIGNAL, .code = -1, .signal = SIGSEGV }, "signal SEGV" },
		{ { .cause = CAUSE_CORE, .code = -1, .signal = SIGABRT, .core = true }, "core" },
		{ { .cause = CAUSE_OOM, .code = -1, .signal = SIGKILL }, "oom" },
		{ { .cause = CAUSE_MANUAL, .code = 7 }, "manual" },
		{ { .cause = CAUSE_DEPENDENCY, .code = -1, .signal = SIGTERM }, "dependency" },
	};

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		struct death out;
		json_t *json = send(death_to_json("web", 0, &endings[i].death));
		ck_assert_str_eq(json_string_value(json_object_get(json, "cause")), endings[i].cause);
		ck_assert(json_is_null(json_object_get(json, "code")) == (endings[i].death.code < 0));
		ck_assert(json_is_null(json_object_get(json, "signal")) == !endings[i].death.signal);
		ck_assert(death_from_json(&out, json, &err));
		ck_assert_int_eq(out.cause, endings[i].death.cause);
		check_equal(json, death_to_json("web", 0, &out));
	}
}
END_TEST

START_TEST(every_notice_comes_back_as_it_was)
{
	for (int kind = 0; kind < NOTICE_COUNT; kind++) {
		struct notice out, in = {
			.seq = 9,
			.ts_us = 1795399620123456,
			.kind = (uint8_t)kind,
			.cause = CAUSE_EXIT,
			.code = 3,
			.service = "web",
			.instance = 2,
			.pid = 71,
			.restarts = 4,
			.uptime_ms = 500,
			.detail = "why",
		};
		if (kind == NOTICE_BACKOFF)
			in.delay_ms = 1000;
		json_t *json = send(notice_to_json(&in));
		ck_assert_str_eq(json_string_value(json_object_get(json, "kind")), "event");
		ck_assert(notice_from_json(&out, json, &err));
		ck_assert_int_eq(out.kind, kind);
		ck_assert_int_eq(out.cause, CAUSE_EXIT);
		check_equal(json, notice_to_json(&out));
	}
}
END_TEST

START_TEST(a_notice_has_the_fields_of_the_contract_in_their_order)
{
	struct notice started = { .seq = 1, .ts_us = 1795399620123456, .kind = NOTICE_STARTED, .code = -1, .service = "web", .pid = 71 };
	json_t *json = notice_to_json(&started);
	char *text = json_dumps(json, JSON_COMPACT);

	ck_assert_str_eq(text,
		"{\"ts\":\"2026-11-23T02:07:00.123456Z\",\"kind\":\"event\",\"event\":\"started\","
		"\"service\":\"web\",\"instance\":0,\"pid\":71,\"cause\":null,\"code\":null,"
		"\"signal\":null,\"uptime_ms\":null,\"restarts\":0,\"delay_ms\":null,"
		"\"detail\":null,\"seq\":1}");
	free(text);
	json_decref(json);
}
END_TEST

START_TEST(a_notice_of_the_engine_is_of_no_instance)
{
	struct notice in = { .seq = 1, .ts_us = 5, .kind = NOTICE_ENGINE, .code = -1 };
	json_t *json = notice_to_json(&in);

	check_nulls(json, (const char *const[]){ "service", "instance", "pid", "restarts", NULL });
	json_decref(json);
}
END_TEST

START_TEST(nonsense_is_refused)
{
	static const char *const wrong[] = { "{}", "[]", "{\"service\":\"a\"}", "{\"service\":1,\"instance\":0}",
		"{\"service\":\"a\",\"instance\":-1,\"state\":\"ready\"}",
		"{\"service\":\"a\",\"instance\":0,\"state\":\"dancing\"}",
		"{\"service\":\"a\",\"instance\":0,\"state\":7}" };
	struct row row;
	struct notice notice;
	struct death death;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		json_t *json = json_loads(wrong[i], 0, NULL);
		ck_assert_msg(!row_from_json(&row, json, &err), "%s", wrong[i]);
		ck_assert_msg(!notice_from_json(&notice, json, &err), "%s", wrong[i]);
		json_decref(json);
	}
	ck_assert(!row_from_json(&row, NULL, &err));
	ck_assert(!death_from_json(&death, NULL, &err));
}
END_TEST

START_TEST(numbers_out_of_range_do_no_harm)
{
	json_t *json = json_loads("{\"service\":\"a\",\"instance\":99999999999,\"state\":\"ready\","
				  "\"pid\":99999999999,\"life\":-1,\"uptime_ms\":-5,\"restarts\":7,"
				  "\"last_death\":{\"code\":99999,\"pid\":\"x\",\"signal\":\"NONE\"}}",
		0, NULL);
	struct row row;

	ck_assert(row_from_json(&row, json, &err));
	ck_assert_int_eq(row.pid, 0);
	ck_assert_uint_eq(row.life, 0);
	ck_assert_uint_eq(row.uptime_ms, 0);
	ck_assert_uint_eq(row.instance, UINT32_MAX);
	ck_assert_int_eq(row.last_death.code, -1);
	ck_assert_int_eq(row.last_death.signal, 0);
	json_decref(json);
}
END_TEST

Suite *row_suite(void)
{
	Suite *suite = suite_create("row");
	TCase *rows = tcase_create("rows"), *endings = tcase_create("endings");

	tcase_add_test(rows, a_row_comes_back_as_it_was);
	tcase_add_test(rows, every_state_comes_back);
	tcase_add_test(rows, what_is_not_known_is_null);
	tcase_add_test(rows, a_figure_that_is_not_known_stays_so);
	tcase_add_test(rows, a_sample_of_a_former_process_is_not_told);
	tcase_add_test(rows, a_sample_comes_back_as_it_was);
	tcase_add_test(rows, text_that_is_not_utf8_can_be_sent);
	tcase_add_test(rows, nonsense_is_refused);
	tcase_add_test(rows, numbers_out_of_range_do_no_harm);
	suite_add_tcase(suite, rows);
	tcase_add_test(endings, every_ending_comes_back_in_the_words_of_the_contract);
	tcase_add_test(endings, every_notice_comes_back_as_it_was);
	tcase_add_test(endings, a_notice_has_the_fields_of_the_contract_in_their_order);
	tcase_add_test(endings, a_notice_of_the_engine_is_of_no_instance);
	suite_add_tcase(suite, endings);
	return suite;
}
