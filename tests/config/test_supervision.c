#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/load.h"
#include "config/print.h"

static struct problems problems;
static struct text said;

static void begin(void)
{
	problems_init(&problems);
	text_init(&said, 1024 * 1024);
}

static void end(void)
{
	problems_finish(&problems);
	text_finish(&said);
}

/* A service given by itself, in JSON. */
static bool load(struct service_spec *spec, const char *keys)
{
	char *text = memory_format("{\"name\": \"a\", \"command\": \"x\", %s}", keys);

	service_spec_init(spec);
	bool ok = config_load_service(text, strlen(text), "t", &problems, spec);
	problems_print(&problems, &said);
	free(text);
	return ok;
}

static const struct {
	const char *keys, *message;
} wrongs[] = {
	{ "\"ready\": 5", "ready takes a map of keys" },
	{ "\"ready\": {}", "ready: name what says so: log, message or notify" },
	{ "\"ready\": {\"log\": \"(\"}", "log: missing closing parenthesis, at character 2" },
	{ "\"ready\": {\"notify\": \"fd:2\"}", "notify takes sd (a READY=1" },
	{ "\"ready\": {\"notify\": \"fd:99999\"}", "notify takes sd" },
	{ "\"ready\": {\"log\": \"x\", \"timeout\": -1}", "timeout takes a duration such as" },
	{ "\"ready\": {\"log\": \"x\", \"timeout\": \"99999d\"}", "timeout takes a duration such as" },
	{ "\"liveness_probe\": []", "liveness_probe takes a map of keys" },
	{ "\"liveness_probe\": {}", "liveness_probe: how is it asked? exec, http_get, tcp or unix" },
	{ "\"liveness_probe\": {\"tcp\": 1, \"exec\": \"true\"}", "a probe asks in one way" },
	{ "\"liveness_probe\": {\"tcp\": 0}", "tcp takes a port, HOST:PORT or {host, port}" },
	{ "\"liveness_probe\": {\"tcp\": 65536}", "tcp takes a port, HOST:PORT" },
	{ "\"liveness_probe\": {\"tcp\": {}}", "tcp: which port?" },
	{ "\"liveness_probe\": {\"tcp\": {\"port\": -5}}", "port takes a number from 1 to 65535, not '-5'" },
	{ "\"liveness_probe\": {\"http_get\": {\"path\": \"/\"}}", "http_get: which port?" },
	{ "\"liveness_probe\": {\"http_get\": {\"port\": 1, \"path\": \"x\"}}", "path begins with /" },
	{ "\"liveness_probe\": {\"http_get\": {\"port\": 1, \"path\": \"/a b\"}}", "no blank may be in path" },
	{ "\"liveness_probe\": {\"http_get\": {\"port\": 1, \"scheme\": \"ftp\"}}", "scheme takes http or https" },
	{ "\"liveness_probe\": {\"http_get\": {\"port\": 1, \"status_code\": 99}}", "status_code takes a status from 100 to 599" },
	{ "\"liveness_probe\": {\"http_get\": {\"port\": 1, \"headers\": {\"A\": \"b\\r\\nC: d\"}}}", "a header is one line" },
	{ "\"liveness_probe\": {\"exec\": {}}", "exec: which command?" },
	{ "\"liveness_probe\": {\"exec\": \"'x\"}", "a quote in this command has no end" },
	{ "\"liveness_probe\": {\"exec\": []}", "exec: the command is empty" },
	{ "\"liveness_probe\": {\"unix\": {}}", "unix: which path?" },
	{ "\"liveness_probe\": {\"tcp\": 1, \"period_seconds\": 0}", "period_seconds takes 100ms or more" },
	{ "\"liveness_probe\": {\"tcp\": 1, \"timeout_seconds\": 0}", "timeout_seconds takes 100ms or more" },
	{ "\"liveness_probe\": {\"tcp\": 1, \"failure_threshold\": 0}", "failure_threshold takes 1 or more" },
	{ "\"liveness_probe\": {\"tcp\": 1, \"success_threshold\": 2}", "success_threshold must be 1" },
	{ "\"liveness_probe\": {\"tcp\": 1, \"periodseconds\": 2}", "did you mean 'period_seconds'?" },
	{ "\"limits\": {\"metric\": \"heap\", \"over\": 1}", "metric takes rss, pss, cpu, fds, threads, queue or loop_lag, not 'heap'" },
	{ "\"limits\": [{\"metric\": \"rss\"}]", "a limit is {metric: rss, over: 200MB, for: 3, action: restart}" },
	{ "\"limits\": [{\"metric\": \"rss\", \"over\": 0}]", "over takes a size such as 200MB" },
	{ "\"limits\": [{\"metric\": \"rss\", \"over\": \"many\"}]", "over takes a size such as 200MB, not 'many'" },
	{ "\"limits\": [{\"metric\": \"cpu\", \"over\": -3}]", "over takes percent of one core" },
	{ "\"limits\": [{\"metric\": \"cpu\", \"over\": 90, \"for\": 0}]", "for takes 1 or more" },
	{ "\"limits\": [{\"metric\": \"cpu\", \"over\": 90, \"action\": \"page\"}]", "action takes warn, restart, stop or kill" },
	{ "\"limits\": [{\"metric\": \"cpu\", \"over\": 90, \"every\": \"1ms\"}]", "every takes 100ms or more" },
	{ "\"watchdog\": \"x\"", "watchdog takes a duration" },
	{ "\"max_runtime\": -1", "max_runtime takes a duration" },
	{ "\"oom_score_adj\": 1001", "oom_score_adj takes a number from -1000 to 1000" },
	{ "\"watch\": {}", "watch: which paths?" },
	{ "\"watch\": {\"paths\": [\"a\"], \"exclude\": [\"[\"]}", "exclude: '['" },
	{ "\"watch\": {\"paths\": [{}]}", "paths: an item is a path, or {path, include, exclude}" },
	{ "\"schedule\": {}", "schedule: either cron or interval" },
	{ "\"schedule\": {\"cron\": \"* * * * *\", \"interval\": 5}", "schedule: either cron or interval" },
	{ "\"schedule\": \"61 * * * *\"", "cron: '61' is no minute (0 to 59" },
	{ "\"schedule\": \"* * * *\"", "has 4 fields; there are five" },
	{ "\"schedule\": \"* * * * * *\"", "more than five fields" },
	{ "\"schedule\": \"0 0 30 2 *\"", "cron: '0 0 30 2 *' never comes" },
	{ "\"schedule\": {\"cron\": \"@daily\", \"timezone\": \"Mars/Base\"}", "no such time zone: 'Mars/Base'" },
	{ "\"schedule\": {\"cron\": \"@daily\", \"timezone\": \"../../etc/passwd\"}", "no such time zone" },
	{ "\"schedule\": {\"interval\": 5, \"overlap\": \"both\"}", "overlap takes skip, queue or replace" },
	{ "\"hooks\": {\"on_cras\": \"x\"}", "no such hook: 'on_cras' (did you mean 'on_crash'?)" },
	{ "\"hooks\": {\"on_crash\": \"\"}", "on_crash: the command is empty" },
	{ "\"hooks\": {\"timeout\": 0}", "timeout takes 100ms or more" },
	{ "\"hooks\": []", "hooks takes a map of keys" },
	{ "\"shutdown\": {\"command\": {}}", "command takes one value, not a map" },
};

START_TEST(a_wrong_value_is_told)
{
	struct service_spec spec;

	ck_assert_msg(!load(&spec, wrongs[_i].keys), "%s was taken", wrongs[_i].keys);
	ck_assert_msg(strstr(text_string(&said), wrongs[_i].message), "%s: %s", wrongs[_i].keys,
		text_string(&said));
	service_spec_finish(&spec);
}
END_TEST

static const char everything[] =
	"\"ready\": {\"log\": \"up at .*\", \"notify\": \"sd\", \"timeout\": \"5s\"},"
	"\"startup_probe\": {\"exec\": \"test -e x && true\"},"
	"\"readiness_probe\": {\"httpGet\": {\"port\": 80, \"path\": \"/x\", \"headers\": {\"A\": \"b\"}, \"status_code\": 204},"
	" \"periodSeconds\": 3, \"successThreshold\": 2},"
	"\"liveness_probe\": {\"tcp\": \"localhost:9000\", \"initial_delay_seconds\": 2},"
	"\"limits\": [{\"metric\": \"rss\", \"over\": \"200MB\", \"for\": 3},"
	" {\"metric\": \"cpu\", \"over\": \"90%\", \"action\": \"warn\"}],"
	"\"watchdog\": \"10s\", \"max_runtime\": \"1h\", \"oom_score_adj\": 100,"
	"\"watch\": {\"paths\": [\"/src\"], \"exclude\": [\"**/t/**\"], \"cascade\": true},"
	"\"schedule\": {\"cron\": \"0 2 * * mon-fri\", \"timezone\": \"UTC\", \"overlap\": \"queue\"},"
	"\"hooks\": {\"on_crash\": [\"./a.sh\", \"b\"], \"timeout\": \"3s\"},"
	"\"shutdown\": {\"command\": \"echo bye\"}";

START_TEST(what_is_read_is_what_was_written)
{
	struct service_spec spec;

	ck_assert_msg(load(&spec, everything), "%s", text_string(&said));
	ck_assert_str_eq(spec.ready.log, "up at .*");
	ck_assert(spec.ready.notifies);
	ck_assert_uint_eq(spec.ready.timeout_ms, 5000);
	ck_assert_str_eq(spec.probes[PROBE_STARTUP].argv.items[0], "/bin/sh");
	ck_assert_int_eq(spec.probes[PROBE_READINESS].kind, PROBE_HTTP);
	ck_assert_uint_eq(spec.probes[PROBE_READINESS].period_ms, 3000);
	ck_assert_uint_eq(spec.probes[PROBE_READINESS].status_code, 204);
	ck_assert_str_eq(spec.probes[PROBE_LIVENESS].host, "localhost");
	ck_assert_uint_eq(spec.probes[PROBE_LIVENESS].port, 9000);
	ck_assert_uint_eq(spec.limits[0].over, 200 * 1024 * 1024);
	ck_assert_int_eq(spec.limits[1].action, LIMIT_WARN);
	ck_assert_int_eq(spec.schedule.overlap, OVERLAP_QUEUE);
	ck_assert_str_eq(spec.hooks[HOOK_CRASH].argv.items[1], "b");
	service_spec_finish(&spec);
}
END_TEST

/* What the keeper holds for the next engine says all of it. */
START_TEST(what_is_printed_is_read_back)
{
	struct service_spec spec, again;
	struct text once, twice;

	ck_assert(load(&spec, everything));
	text_init(&once, 65536);
	text_init(&twice, 65536);
	config_print_service(&once, &spec);
	char *named = memory_format("{\"name\": \"a\", %s", text_string(&once) + 1);
	service_spec_init(&again);
	bool ok = config_load_service(named, strlen(named), "t", &problems, &again);
	problems_print(&problems, &said);
	ck_assert_msg(ok, "%s", text_string(&said));
	config_print_service(&twice, &again);
	ck_assert_str_eq(text_string(&once), text_string(&twice));
	free(named);
	text_finish(&once);
	text_finish(&twice);
	service_spec_finish(&spec);
	service_spec_finish(&again);
}
END_TEST

START_TEST(https_is_asked_for_with_curl)
{
	struct service_spec spec;

	ck_assert(load(&spec, "\"liveness_probe\": {\"http_get\": {\"port\": 443, \"scheme\": \"HTTPS\", \"path\": \"/h\"}}"));
	const struct probe_spec *probe = &spec.probes[PROBE_LIVENESS];
	ck_assert_int_eq(probe->kind, PROBE_EXEC);
	ck_assert_str_eq(probe->argv.items[0], "curl");
	ck_assert_str_eq(probe->argv.items[probe->argv.count - 1], "https://127.0.0.1:443/h");
	service_spec_finish(&spec);
}
END_TEST

START_TEST(a_ready_log_line_is_text_not_a_pattern)
{
	struct service_spec spec;

	ck_assert(load(&spec, "\"ready_log_line\": \"up (8080).\""));
	ck_assert_str_eq(spec.ready.log, "up \\(8080\\)\\.");
	service_spec_finish(&spec);
}
END_TEST

Suite *supervision_suite(void)
{
	Suite *suite = suite_create("supervision");
	TCase *keys = tcase_create("keys");

	tcase_add_checked_fixture(keys, begin, end);
	tcase_add_loop_test(keys, a_wrong_value_is_told, 0, (int)(sizeof wrongs / sizeof *wrongs));
	tcase_add_test(keys, what_is_read_is_what_was_written);
	tcase_add_test(keys, what_is_printed_is_read_back);
	tcase_add_test(keys, https_is_asked_for_with_curl);
	tcase_add_test(keys, a_ready_log_line_is_text_not_a_pattern);
	suite_add_tcase(suite, keys);
	return suite;
}
