/* Files of other tools: what they mean, and what is said when they are wrong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/load.h"

static struct problems problems;
static struct text said, yaml;
static char dir[64];

static void begin(void)
{
	problems_init(&problems);
	text_init(&said, 1024 * 1024);
	text_init(&yaml, 1024 * 1024);
	snprintf(dir, sizeof dir, "/tmp/thrum-foreign-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void forget(const char *name)
{
	char *path = memory_format("%s/%s", dir, name);

	unlink(path);
	free(path);
}

static void end(void)
{
	static const char *const names[] = { "in.json", "in.js", "in.yaml", "in.conf", "compose.yaml", "Procfile",
		".overmind.env", "more.conf" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		forget(names[i]);
	rmdir(dir);
	problems_finish(&problems);
	text_finish(&said);
	text_finish(&yaml);
}

static char *write_file(const char *name, const char *text, size_t size)
{
	char *path = memory_format("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	fclose(file);
	return path;
}

static bool import(const char *kind, const char *name, const char *text)
{
	char *path = write_file(name, text, strlen(text));
	bool ok = config_import(kind, path, &yaml, &problems);

	problems_print(&problems, &said);
	free(path);
	return ok;
}

static const struct {
	const char *kind, *name, *text, *message;
} wrongs[] = {
	{ "pm2", "in.json", "{\"apps\": [{\"name\": \"a\"}]}", "'a' has no script" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": \"a.js\",\n \"kill_timeout\": \"soon\"}]}",
		"in.json:2:19: kill_timeout takes milliseconds, or a text such as 10s, not 'soon'" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": \"a.js\", \"kill_timeout\": -5}]}", "not '-5'" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": \"a.js\",\n \"max_memory_restart\": \"much\"}]}",
		"in.json:2:25: over takes a size such as 200MB, not 'much'" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": \"a.js\",\n\n  \"intsances\": 3}]}",
		"in.json:3:4: unknown key of PM2's: 'intsances' (did you mean 'instances'?)" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": \"a.js\", \"exec_mode\": \"clutser\"}]}",
		"exec_mode takes fork or cluster, not 'clutser'" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": [\"a.js\"]}]}", "has no script that is a text" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": \"a.js\", \"env\": []}]}", "env is a map of variables" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": \"a.js\", \"env_x\": 3}]}", "env_x is a map of variables" },
	{ "pm2", "in.json", "{\"apps\": [{\"script\": \"a.js\"}, {\"script\": \"a.js\"}]}", "'a' is there twice" },
	{ "pm2", "in.json", "{\"apps\": [\"a.js\"]}", "an app is a map of keys" },
	{ "pm2", "in.json", "{\"apps\": []}", "no app is in it" },
	{ "pm2", "in.yaml", "3", "no app is in it" },
	{ "pm2", "in.json", "{\"apps\": [{\"scr", "premature end of input" },
	{ "pm2", "in.yaml", "apps:\n  - script: a.js\n    instances: [1]\n", "instances takes one value, not a list" },
	{ "supervisord", "in.conf", "command=x\n", "in.conf:1:1: a line before the first [section]" },
	{ "supervisord", "in.conf", "[program:a]\nautostart=false\n", "in.conf:1:1: 'a' has no command" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x\nstopsignl=TERM\n",
		"in.conf:3:1: unknown key of supervisord's: 'stopsignl' (did you mean 'stopsignal'?)" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x\nstopsignal=NOPE\n", "in.conf:3:12: signal takes a signal such as TERM" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x %(what)s\n", "in.conf:2:9: %(what)s cannot stand here" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x 100%\n", "a % stands before another, or before (name)s" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x\nnumprocs=many\n", "instances takes a number" },
	{ "supervisord", "in.conf", "[program:a]\ncommand\n", "a line is `key=value`" },
	{ "supervisord", "in.conf", "[program:a\ncommand=x\n", "a section is [name]" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x\nenvironment=PLAIN\n", "environment is a list such as" },
	{ "supervisord", "in.conf", "[group:g]\nprograms=b\n[program:a]\ncommand=x\n", "'b' is no program" },
	{ "supervisord", "in.conf", "[supervisord]\n", "no [program:NAME] is in it" },
	{ "supervisord", "in.conf", "[include]\nfiles=in.conf\n[program:a]\ncommand=x\n", "is included twice, or by itself" },
	{ "compose", "compose.yaml", "services: 3\n", "no `services` are in it" },
	{ "compose", "compose.yaml", "a: 1\n", "no `services` are in it" },
	{ "compose", "compose.yaml", "services: {a: {image: x}}\n", "no service of this file says which command it runs" },
	{ "compose", "compose.yaml", "services: {a: [x]}\n", "'a' is a map of keys" },
	{ "compose", "compose.yaml", "services:\n  a:\n    command: x\n    stop_grace_period: soon\n",
		"compose.yaml:4:24: timeout takes a duration" },
	{ "compose", "compose.yaml", "services: {a: {command: x, depends_on: {b: {condition: up}}}, b: {command: y}}\n",
		"condition is service_started, service_healthy or service_completed_successfully" },
	{ "compose", "compose.yaml", "services: {a: {command: x, depends_on: [c]}}\n", "'a' depends on 'c', which is no service" },
	{ "compose", "compose.yaml", "services: {a: {command: x, healthcheck: {test: [RUN, y]}}}\n", "test is a line, [CMD, word" },
	{ "compose", "compose.yaml", "services: {a: &a {command: x, environment: *a}}\n", "stands inside of what it means" },
	{ "compose", "compose.yaml", "services: {a: {extends: b, command: x}}\n", "there is no service 'b' to extend" },
	{ "compose", "compose.yaml", "services: {a: {extends: b}, b: {extends: {service: a}}}\n", "extends itself, by way of others" },
	{ "compose", "compose.yaml", "services: {a: {extends: [b]}}\n", "extends is the name of a service" },
	{ "compose", "compose.yaml", "services: {a: {extends: {service: a, file: none.yaml}}}\n", "none.yaml cannot be read" },
	{ "compose", "compose.yaml", "include: compose.yaml\nservices: {}\n", "include is a list of paths" },
	{ "compose", "compose.yaml", "include: [compose.yaml]\nservices: {}\n", "files include each other without end" },
	{ "compose", "compose.yaml", "include: [compose.yaml, compose.yaml]\n", "files include each other without end" },
	{ "compose", "compose.yaml", "include: [{env_file: x}]\n", "include: which path?" },
	{ "yaml", "in.yaml", "", "'yaml' is none of pm2, procfile, supervisord, compose and process-compose" },
};

START_TEST(what_is_wrong_is_told_where_it_stands)
{
	ck_assert(!import(wrongs[_i].kind, wrongs[_i].name, wrongs[_i].text));
	if (!strstr(text_string(&said), wrongs[_i].message))
		ck_abort_msg("said: %s\nnot: %s", text_string(&said), wrongs[_i].message);
}
END_TEST

static const struct {
	const char *kind, *name, *text, *yaml;
} meanings[] = {
	{ "pm2", "in.json", "{\"script\": \"a.js\"}", "signal: SIGINT\n      timeout: 1600ms" },
	{ "pm2", "in.json", "{\"script\": \"a.js\"}", "command: [node, a.js]" },
	{ "pm2", "in.json", "{\"script\": \"a.js\"}", "restart: always\n      max_restarts: 16" },
	{ "pm2", "in.json", "{\"script\": \"python a.py --fast\"}", "command: python a.py --fast" },
	{ "pm2", "in.json", "{\"script\": \"a.sh\", \"interpreter\": \"none\"}", "command: [a.sh]" },
	{ "pm2", "in.json", "{\"script\": \"a.js\", \"instances\": 0}", "instances: max\n    exec_mode: cluster" },
	{ "pm2", "in.json", "{\"script\": \"a.js\", \"instances\": 2, \"exec_mode\": \"fork\"}", "exec_mode: fork" },
	{ "pm2", "in.json", "{\"script\": \"a.js\", \"env_test\": {\"A\": \"1\"}}",
		"profiles:\n  test:\n    processes:\n      a:\n        environment:\n          A: \"1\"" },
	{ "pm2", "in.json", "{\"script\": \"a.js\", \"env\": {\"A\": \"${B} $$ $C\"}}", "A: \"$${B} $$$ $C\"" },
	{ "pm2", "in.json", "{\"script\": \"a.js\", \"autorestart\": false}", "restart: no" },
	{ "pm2", "in.yaml", "apps:\n- script: ./a.js\n  watch: true\n", "paths: [.]" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x ; no more\n", "command: x\n" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x\n  y\n", "command: x y\n" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x\n", "restart: on_failure" },
	{ "supervisord", "in.conf", "[program:a]\ncommand=x\nenvironment=A=\"1,2\",B=3\n", "A: \"1,2\"\n      B: \"3\"" },
	{ "supervisord", "in.conf", "[program:a]\nnumprocs=2\ncommand=x %(process_num)02d\n",
		"command: \"x $(printf '%02d' $THRUM_INSTANCE)\"" },
	{ "compose", "compose.yaml", "services: {a: {entrypoint: [x], command: [y]}}\n", "command: [x, y]" },
	{ "compose", "compose.yaml", "services: {a: {command: x, environment: [A=1, B]}}\n", "A: \"1\"\n      B: \"${B-}\"" },
	{ "compose", "compose.yaml", "services: {b: {command: x, environment: [A=1, C=2]}, a: {extends: b, environment: {A: 3}}}\n",
		"    environment:\n      A: 3\n      C: \"2\"" },
	{ "compose", "compose.yaml", "services: {b: {command: x, env_file: \"?p\"}, a: {extends: {service: b}, env_file: [\"?q\"]}}\n",
		"env_file: [\"?p\", \"?q\"]" },
	{ "compose", "compose.yaml", "services: {a: {command: x}}\n", "restart: no" },
	{ "compose", "compose.yaml", "services: {a: {command: x, restart: unless-stopped}}\n",
		"restart: unless-stopped\n      max_restarts: unlimited" },
	{ "compose", "compose.yaml", "services: {a: {command: x, env_file: [{path: b, required: false}]}}\n", "env_file: [\"?b\"]" },
	{ "procfile", "Procfile", "web: run $PORT\n", "command: run $PORT" },
};

START_TEST(what_they_mean_is_kept)
{
	ck_assert_msg(import(meanings[_i].kind, meanings[_i].name, meanings[_i].text), "said: %s", text_string(&said));
	if (!strstr(text_string(&yaml), meanings[_i].yaml))
		ck_abort_msg("%s\nhas not: %s", text_string(&yaml), meanings[_i].yaml);
}
END_TEST

START_TEST(overminds_options_are_read_beside_a_procfile)
{
	static const char options[] = "OVERMIND_FORMATION=web=2,all=3\nOVERMIND_STOP_SIGNALS=web=QUIT\nOVERMIND_PORT=6000\n";
	char *path = write_file(".overmind.env", options, strlen(options));

	ck_assert_msg(import("procfile", "Procfile", "web: x\njob: y\n"), "said: %s", text_string(&said));
	ck_assert_ptr_nonnull(strstr(text_string(&yaml), "instances: 3"));
	ck_assert_ptr_nonnull(strstr(text_string(&yaml), "signal: QUIT"));
	ck_assert_ptr_nonnull(strstr(text_string(&yaml), "PORT: 6100"));
	free(path);
}
END_TEST

START_TEST(each_process_of_a_procfile_has_a_port)
{
	unsetenv("PORT");
	ck_assert_msg(import("procfile", "Procfile", "web: x\njob: y\n"), "said: %s", text_string(&said));
	ck_assert_ptr_nonnull(strstr(text_string(&yaml), "PORT: 5000"));
	ck_assert_ptr_nonnull(strstr(text_string(&yaml), "PORT: 5100"));
	char *path = write_file(".env", "PORT=3000\n", 10);
	text_clear(&yaml);
	ck_assert_msg(import("procfile", "Procfile", "web: x\njob: y\n"), "said: %s", text_string(&said));
	ck_assert_ptr_nonnull(strstr(text_string(&yaml), "PORT: 3100"));
	unlink(path);
	free(path);
}
END_TEST

/* Whatever is left of a file, it is refused or taken, and nothing else. */
START_TEST(a_file_may_end_anywhere)
{
	static const struct {
		const char *kind, *file, *name;
	} files[] = {
		{ "pm2", "dump.pm2", "in.json" },
		{ "supervisord", "supervisord.conf", "in.conf" },
		{ "compose", "compose.yaml", "compose.yaml" },
	};
	char *source = memory_format("%s/tests/config/data/%s", getenv("SRCDIR"), files[_i].file);
	struct text whole;
	struct error err;

	text_init(&whole, 100000);
	ck_assert_msg(text_read_file(&whole, source, &err), "%s", err.text);
	free(source);
	for (size_t size = 0; size < whole.size; size += 7) {
		struct problems told;
		problems_init(&told);
		char *path = write_file(files[_i].name, text_string(&whole), size);
		text_clear(&yaml);
		if (!config_import(files[_i].kind, path, &yaml, &told))
			ck_assert_uint_gt(told.errors, 0);
		problems_finish(&told);
		free(path);
	}
	text_finish(&whole);
}
END_TEST

/* What is printed is read again, and means the same. */
START_TEST(what_is_printed_is_a_configuration)
{
	static const struct config_options options = { .project = "x" };

	ck_assert(import("supervisord", "in.conf", "[program:a]\ncommand=sh -c \"echo '%%' # {x}: [y], 'z'\"\nnumprocs=2\n"));
	char *path = write_file("in.yaml", text_string(&yaml), yaml.size);
	struct project_spec *spec = config_load_files((const char *const *)&path, 1, &options, &problems);
	problems_print(&problems, &said);
	ck_assert_msg(spec != NULL, "%s", text_string(&said));
	ck_assert_str_eq(spec->services[0].command, "sh -c \"echo '%' # {x}: [y], 'z'\"");
	ck_assert_uint_eq(spec->services[0].instances, 2);
	project_spec_destroy(spec);
	free(path);
}
END_TEST

Suite *foreign_suite(void)
{
	Suite *suite = suite_create("foreign");
	TCase *tests = tcase_create("foreign");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_loop_test(tests, what_is_wrong_is_told_where_it_stands, 0, sizeof wrongs / sizeof *wrongs);
	tcase_add_loop_test(tests, what_they_mean_is_kept, 0, sizeof meanings / sizeof *meanings);
	tcase_add_test(tests, overminds_options_are_read_beside_a_procfile);
	tcase_add_test(tests, each_process_of_a_procfile_has_a_port);
	tcase_add_loop_test(tests, a_file_may_end_anywhere, 0, 3);
	tcase_add_test(tests, what_is_printed_is_a_configuration);
	suite_add_tcase(suite, tests);
	return suite;
}
