#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/diff.h"
#include "config/load.h"
#include "config/print.h"

static struct project_spec *load(const char *service)
{
	struct problems problems;
	struct text text;

	text_init(&text, 64 * 1024);
	text_format(&text, "{\"name\": \"p\", \"dir\": \"/\", \"processes\": {\"a\": %s}}", service);
	problems_init(&problems);
	struct project_spec *spec = config_load_text(text_string(&text), text.size, "spec", &problems);
	ck_assert_msg(spec, "%s", problems.count ? problems.texts[0] : "");
	problems_finish(&problems);
	text_finish(&text);
	return spec;
}

/* "key live|cold old new" a line, and '=' or '!' for the fingerprints */
static void differs(const char *one, const char *other, const char *want)
{
	struct project_spec *old = load(one), *new = load(other);
	char before[DIGEST_SIZE], after[DIGEST_SIZE];
	json_t *changes = config_diff(&old->services[0], &new->services[0]), *change;
	struct text said;
	size_t i;

	config_fingerprint(before, &old->services[0]);
	config_fingerprint(after, &new->services[0]);
	text_init(&said, 64 * 1024);
	text_puts(&said, strcmp(before, after) == 0 ? "=" : "!");
	json_array_foreach(changes, i, change)
	{
		char *was = json_dumps(json_object_get(change, "old"), JSON_ENCODE_ANY | JSON_COMPACT);
		char *is = json_dumps(json_object_get(change, "new"), JSON_ENCODE_ANY | JSON_COMPACT);
		text_format(&said, "\n%s %s %s %s", json_string_value(json_object_get(change, "key")),
			json_is_true(json_object_get(change, "live")) ? "live" : "cold", was, is);
		free(was);
		free(is);
	}
	ck_assert_str_eq(text_string(&said), want);
	text_finish(&said);
	json_decref(changes);
	project_spec_destroy(old);
	project_spec_destroy(new);
}

START_TEST(the_same_is_the_same)
{
	differs("{\"command\": [\"x\"], \"origin\": \"thrum.yaml:3\"}", "{\"command\": [\"x\"], \"origin\": \"thrum.yaml:9\"}", "=");
}
END_TEST

START_TEST(how_many_is_no_difference)
{
	differs("{\"command\": [\"x\"], \"instances\": 1}", "{\"command\": [\"x\"], \"instances\": 4}", "=");
}
END_TEST

START_TEST(what_a_process_was_started_with_is_cold)
{
	differs("{\"command\": [\"x\", \"1\"], \"environment\": {\"A\": \"1\", \"B\": \"2\"}}",
		"{\"command\": [\"x\", \"2\"], \"environment\": {\"B\": \"3\", \"C\": \"4\"}}",
		"!\ncommand cold [\"x\",\"1\"] [\"x\",\"2\"]\nenvironment.A cold \"1\" null\n"
		"environment.B cold \"2\" \"3\"\nenvironment.C cold null \"4\"");
	differs("{\"command\": [\"x\"], \"log\": {\"dir\": \"/a\"}, \"user\": \"u\"}", "{\"command\": [\"x\"], \"umask\": \"022\"}",
		"!\nuser cold \"u\" null\nlog.dir cold \"/a\" null\numask cold null \"022\"");
}
END_TEST

START_TEST(what_is_asked_when_it_is_needed_is_live)
{
	differs("{\"command\": [\"x\"], \"availability\": {\"max_restarts\": 1}, \"log\": {\"rotate\": {\"max_files\": 1}}}",
		"{\"command\": [\"x\"], \"availability\": {\"max_restarts\": 2}, \"log\": {\"rotate\": {\"max_files\": 2}},"
		" \"disabled\": true}",
		"=\ndisabled live false true\navailability.max_restarts live 1 2\nlog.rotate.max_files live 1 2");
}
END_TEST

START_TEST(the_timing_of_a_probe_is_live_and_its_kind_is_not)
{
	differs("{\"command\": [\"x\"], \"readiness_probe\": {\"exec\": {\"command\": [\"y\"]}, \"period\": \"1s\"}}",
		"{\"command\": [\"x\"], \"readiness_probe\": {\"exec\": {\"command\": [\"y\"]}, \"period\": \"2s\"}}",
		"=\nreadiness_probe.period live \"1000ms\" \"2000ms\"");
	differs("{\"command\": [\"x\"], \"readiness_probe\": {\"exec\": {\"command\": [\"y\"]}}}",
		"{\"command\": [\"x\"], \"readiness_probe\": {\"exec\": {\"command\": [\"z\"]}}}",
		"!\nreadiness_probe.exec.command cold [\"y\"] [\"z\"]");
}
END_TEST

START_TEST(the_order_of_variables_means_nothing)
{
	differs("{\"command\": [\"x\"], \"environment\": {\"A\": \"1\", \"B\": \"2\"}}",
		"{\"command\": [\"x\"], \"environment\": {\"B\": \"2\", \"A\": \"1\"}}", "=");
}
END_TEST

START_TEST(files_of_variables_are_told_by_their_paths)
{
	differs("{\"command\": [\"x\"], \"environment\": {\"A\": \"1\"}}",
		"{\"command\": [\"x\"], \"env_layers\": ["
		"{\"source\": \"env_file\", \"path\": \"/e\", \"optional\": true, \"values\": {\"A\": \"1\"}}]}",
		"=\nenv_file live [] [\"?/e\"]");
}
END_TEST

START_TEST(the_digest_is_that_of_the_files_alone)
{
	static const char *const format = "{\"command\": [\"x\"], \"origin\": \"%s\", "
					  "\"environment\": {\"A\": \"%s\", \"B\": \"%s\"}, \"env_layers\": ["
					  "{\"source\": \"env_file\", \"path\": \"/e\", \"values\": {\"A\": \"%s\"}},"
					  "{\"source\": \"environment\", \"values\": {\"B\": \"%s\"}}]}";
	static const char *const values[][2] = { { "1", "2" }, { "9", "2" }, { "1", "3" } };
	char digests[3][DIGEST_SIZE];

	for (size_t i = 0; i < 3; i++) {
		struct text text;
		text_init(&text, 4096);
		text_format(&text, format, i ? "t:1" : "t:2", values[i][0], values[i][1], values[i][0], values[i][1]);
		struct project_spec *spec = load(text_string(&text));
		config_digest(digests[i], spec);
		project_spec_destroy(spec);
		text_finish(&text);
	}
	ck_assert_str_eq(digests[0], digests[1]);
	ck_assert_str_ne(digests[0], digests[2]);
}
END_TEST

START_TEST(a_long_value_is_cut)
{
	struct text text;

	text_init(&text, 64 * 1024);
	text_puts(&text, "{\"command\": [\"x\"], \"environment\": {\"A\": \"");
	for (int i = 0; i < 2000; i++)
		text_puts(&text, "\xc3\xa9");
	text_puts(&text, "\"}}");
	struct project_spec *old = load("{\"command\": [\"x\"]}"), *new = load(text_string(&text));
	json_t *changes = config_diff(&old->services[0], &new->services[0]);
	const char *value = json_string_value(json_object_get(json_array_get(changes, 0), "new"));
	ck_assert_ptr_nonnull(value);
	ck_assert_uint_lt(strlen(value), 600);
	json_decref(changes);
	project_spec_destroy(old);
	project_spec_destroy(new);
	text_finish(&text);
}
END_TEST

Suite *diff_suite(void)
{
	Suite *suite = suite_create("diff");
	TCase *services = tcase_create("services");

	tcase_add_test(services, the_same_is_the_same);
	tcase_add_test(services, how_many_is_no_difference);
	tcase_add_test(services, what_a_process_was_started_with_is_cold);
	tcase_add_test(services, what_is_asked_when_it_is_needed_is_live);
	tcase_add_test(services, the_timing_of_a_probe_is_live_and_its_kind_is_not);
	tcase_add_test(services, the_order_of_variables_means_nothing);
	tcase_add_test(services, files_of_variables_are_told_by_their_paths);
	tcase_add_test(services, the_digest_is_that_of_the_files_alone);
	tcase_add_test(services, a_long_value_is_cut);
	suite_add_tcase(suite, services);
	return suite;
}
