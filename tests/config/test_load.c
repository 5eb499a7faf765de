#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "config/load.h"
#include "config/print.h"

static char dir[] = "/tmp/thrum-config-XXXXXX";
static struct problems problems;
static struct text said;

static void begin(void)
{
	strcpy(dir, "/tmp/thrum-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	problems_init(&problems);
	text_init(&said, 1024 * 1024);
}

static void end(void)
{
	problems_finish(&problems);
	text_finish(&said);
	char *command = memory_format("%s", dir);
	ck_assert_int_eq(chdir("/"), 0);
	char *paths[] = { "thrum.yaml", "other.yaml", "Procfile", "process-compose.yaml", ".env", "p.json" };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		char *path = memory_format("%s/%s", command, paths[i]);
		unlink(path);
		free(path);
	}
	rmdir(command);
	free(command);
}

static void write_file(const char *name, const char *text, size_t size)
{
	FILE *file = fopen(name, "w");

	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	fclose(file);
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

static struct project_spec *load_files(const char *const *names, size_t count)
{
	struct config_options options = { 0 };
	struct project_spec *spec = config_load_files(names, count, &options, &problems);

	problems_print(&problems, &said);
	return spec;
}

static struct project_spec *load(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
	return load_files(&name, 1);
}

static void refuses(const char *text, const char *want)
{
	struct project_spec *spec = load("thrum.yaml", text);

	ck_assert_ptr_null(spec);
	ck_assert_str_eq(text_string(&said), want);
}

START_TEST(a_service_has_the_contracts_defaults)
{
	struct project_spec *spec = load("thrum.yaml", "name: shop\nprocesses: {web: {command: node server.js}}\n");
	ck_assert_ptr_nonnull(spec);
	const struct service_spec *web = &spec->services[0];
	ck_assert_str_eq(spec->name, "shop");
	ck_assert_uint_eq(web->argv.count, 2);
	ck_assert_str_eq(web->argv.items[1], "server.js");
	ck_assert(!web->shell);
	ck_assert_str_eq(web->working_dir, spec->dir);
	ck_assert_int_eq(web->restart.mode, RESTART_ON_FAILURE);
	ck_assert_uint_eq(web->restart.initial_ms, 1000);
	ck_assert_uint_eq(web->restart.max_ms, 30000);
	ck_assert_uint_eq(web->restart.max_restarts, 5);
	ck_assert_uint_eq(web->shutdown.timeout_ms, 5000);
	ck_assert_uint_eq(web->log.max_size, 10 * 1024 * 1024);
	ck_assert_str_eq(web->origin, "thrum.yaml:2");
	project_spec_destroy(spec);
}
END_TEST

START_TEST(an_unknown_key_is_shown_with_the_nearest)
{
	refuses("processes:\n  web:\n    comand: x\n    command: y\n",
		"thrum.yaml:3:5: unknown key 'comand' (did you mean 'command'?)\n"
		"        comand: x\n"
		"        ^\n");
}
END_TEST

START_TEST(a_cycle_is_named)
{
	refuses("processes:\n  a: {command: x, depends_on: [b]}\n  b: {command: x, depends_on: [a]}\n",
		"thrum.yaml:2:3: dependency cycle: a -> b -> a\n"
		"      a: {command: x, depends_on: [b]}\n"
		"      ^\n");
}
END_TEST

START_TEST(an_unknown_dependency_is_named)
{
	refuses("processes:\n  db: {command: x}\n  web: {command: x, depends_on: [dv]}\n",
		"thrum.yaml:3:3: 'web' depends on 'dv', which is no service (did you mean 'db'?)\n"
		"      web: {command: x, depends_on: [dv]}\n"
		"      ^\n");
}
END_TEST

START_TEST(several_problems_come_together)
{
	ck_assert_ptr_null(load("thrum.yaml", "processes:\n  a: {command: x, instances: no}\n  b: {shutdown: {timeout: soon}}\n"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "2:30: instances takes a number from 1 to 1000"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "timeout takes a duration such as 500ms, 10s or 5m, not 'soon'"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "'b' has no command"));
}
END_TEST

START_TEST(bad_syntax_says_where)
{
	refuses("processes:\n  a: {command: x\n",
		"thrum.yaml:3:1: did not find expected ',' or '}' (while parsing a flow mapping, which begins in line 2)\n"
		"    \n"
		"    ^\n");
}
END_TEST

START_TEST(a_key_there_twice_is_refused)
{
	refuses("processes:\n  a: {command: x}\n  a: {command: y}\n",
		"thrum.yaml:3:3: 'a' is there twice: first in line 2\n"
		"      a: {command: y}\n"
		"      ^\n");
}
END_TEST

START_TEST(a_folder_and_a_user_must_be_there)
{
	ck_assert_ptr_null(load("thrum.yaml", "processes:\n  a: {command: x, working_dir: nowhere}\n  b: {command: x, user: 0day}\n"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "/nowhere: No such file or directory"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "no such user: '0day'"));
}
END_TEST

START_TEST(what_is_for_later_is_a_warning)
{
	struct project_spec *spec = load("thrum.yaml", "processes:\n  a: {command: x, log_location: /x}\n");
	ck_assert_ptr_nonnull(spec);
	ck_assert_ptr_nonnull(strstr(text_string(&said), "warning: 'log_location' is not supported by this version and is ignored"));
	project_spec_destroy(spec);
}
END_TEST

START_TEST(variables_are_replaced_but_not_in_commands)
{
	setenv("SHOP", "tea", 1);
	unsetenv("NOTHING");
	struct project_spec *spec = load("thrum.yaml",
		"environment: {A: '${SHOP}'}\n"
		"processes:\n  a: {command: 'echo $SHOP', environment: {B: '${A}-${NOTHING:-none}-$$x'}}\n");
	ck_assert_ptr_nonnull(spec);
	const struct service_spec *a = &spec->services[0];
	ck_assert(a->shell);
	ck_assert_str_eq(a->argv.items[2], "echo $SHOP");
	ck_assert_str_eq(strings_get_variable(&a->environment, "A"), "tea");
	ck_assert_str_eq(strings_get_variable(&a->environment, "B"), "tea-none-$x");
	project_spec_destroy(spec);
	ck_assert_ptr_null(load("thrum.yaml", "processes:\n  a: {command: x, environment: {B: '${NOTHING}'}}\n"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "${NOTHING} is not set; ${NOTHING:-default} gives it a default"));
}
END_TEST

START_TEST(env_files_are_read)
{
	write_text(".env", "# c\nexport A=1 # one\nB=\"two\\nlines\"\nC='$x'\n");
	struct project_spec *spec = load("thrum.yaml",
		"processes:\n  a: {command: x, env_file: [.env, '?.none'], environment: {A: '2'}}\n");
	ck_assert_msg(spec, "%s", text_string(&said));
	const struct strings *environment = &spec->services[0].environment;
	ck_assert_str_eq(strings_get_variable(environment, "A"), "2");
	ck_assert_str_eq(strings_get_variable(environment, "B"), "two\nlines");
	ck_assert_str_eq(strings_get_variable(environment, "C"), "$x");
	project_spec_destroy(spec);
	ck_assert_ptr_null(load("thrum.yaml", "processes:\n  a: {command: x, env_file: .gone}\n"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "2:29: env_file: "));
}
END_TEST

START_TEST(later_files_win_key_by_key)
{
	static const char *const names[] = { "thrum.yaml", "other.yaml" };
	write_text("other.yaml", "processes:\n  a: {instances: 3, shutdown: {signal: INT}}\n  b: {command: z}\n");
	write_text("thrum.yaml", "processes:\n  a: {command: x, instances: 2, shutdown: {timeout: 1s}}\n");
	struct project_spec *spec = load_files(names, 2);
	ck_assert_msg(spec, "%s", text_string(&said));
	ck_assert_uint_eq(spec->service_count, 2);
	ck_assert_uint_eq(spec->services[0].instances, 3);
	ck_assert_int_eq(spec->services[0].shutdown.signal, 2);
	ck_assert_uint_eq(spec->services[0].shutdown.timeout_ms, 1000);
	project_spec_destroy(spec);
}
END_TEST

START_TEST(a_procfile_is_read)
{
	write_text(".env", "PORT=5\n");
	struct project_spec *spec = load("Procfile", "# web\nweb: node server.js -p $PORT\n\nworker: sleep 5\n");
	ck_assert_ptr_nonnull(spec);
	ck_assert_uint_eq(spec->service_count, 2);
	ck_assert(spec->services[0].shell);
	ck_assert_int_eq(spec->services[0].restart.mode, RESTART_NO);
	ck_assert_str_eq(strings_get_variable(&spec->services[0].environment, "PORT"), "5");
	ck_assert_str_eq(spec->services[1].argv.items[0], "sleep");
	project_spec_destroy(spec);
	ck_assert_ptr_null(load("Procfile", "# nothing\n"));
	ck_assert_str_eq(text_string(&said), "Procfile: no process is in it; a line is `name: command`\n");
}
END_TEST

START_TEST(process_compose_files_mean_what_they_meant)
{
	struct project_spec *spec = load("process-compose.yaml",
		"version: '0.5'\nprocesses:\n  a:\n    command: echo hi\n    is_disabled: true\n    availability: {backoff_seconds: 2}\n"
		"  b: {command: x, replicas: 2, namespace: back, shutdown: {timeout_seconds: 3, signal: 15}}\n");
	ck_assert_msg(spec, "%s", text_string(&said));
	ck_assert(spec->services[0].disabled);
	ck_assert_int_eq(spec->services[0].restart.mode, RESTART_NO);
	ck_assert_uint_eq(spec->services[0].restart.max_ms, 2000);
	ck_assert_uint_eq(spec->services[1].instances, 2);
	ck_assert_str_eq(spec->services[1].namespaces.items[0], "back");
	ck_assert_uint_eq(spec->services[1].shutdown.timeout_ms, 3000);
	project_spec_destroy(spec);
}
END_TEST

START_TEST(aliases_and_merge_keys_work)
{
	struct project_spec *spec = load("thrum.yaml",
		"x-base: &base {command: sleep 5, instances: 2}\nprocesses:\n  a: {<<: *base}\n  b: {<<: *base, instances: 3}\n");
	ck_assert_msg(spec, "%s", text_string(&said));
	ck_assert_uint_eq(spec->services[0].instances, 2);
	ck_assert_uint_eq(spec->services[1].instances, 3);
	project_spec_destroy(spec);
}
END_TEST

START_TEST(defaults_lie_under_every_service)
{
	struct project_spec *spec = load("thrum.yaml",
		"defaults: {shutdown: {timeout: 9s}, instances: 2}\nprocesses:\n  a: {command: x}\n  b: {command: x, instances: 1}\n");
	ck_assert_msg(spec, "%s", text_string(&said));
	ck_assert_uint_eq(spec->services[0].instances, 2);
	ck_assert_uint_eq(spec->services[1].instances, 1);
	ck_assert_uint_eq(spec->services[1].shutdown.timeout_ms, 9000);
	project_spec_destroy(spec);
}
END_TEST

START_TEST(hostile_files_are_refused_quickly)
{
	static const char bombs[] = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				    "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\nprocesses: *d\n";
	uint64_t before = clock_monotonic_ms();
	char *many = memory_zeroed(3 * 1024 * 1024, 1);
	size_t used;

	ck_assert_ptr_null(load("thrum.yaml", bombs));
	ck_assert_ptr_null(load("thrum.yaml", "a: &a {b: *a}\n"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "stands inside of what it means"));
	for (size_t i = 0; i < 100 * 1024; i++)
		many[i] = i % 2 ? '\n' : '[';
	ck_assert_ptr_null(load("thrum.yaml", many));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "nested more than 64 deep"));
	memset(many, 0, 100 * 1024);
	used = (size_t)sprintf(many, "processes:\n");
	for (int i = 0; i < 100000; i++)
		used += (size_t)sprintf(many + used, "  k%06d: 1\n", i);
	ck_assert_ptr_null(load("thrum.yaml", many));
	write_file("thrum.yaml", "processes:\n  a: {command: \"\xff\xfe\"}\n", 32);
	ck_assert_ptr_null(load_files((const char *const[]){ "thrum.yaml" }, 1));
	write_file("thrum.yaml", "processes: {a: {command: \"x\\0y\"}}\n", 34);
	ck_assert_ptr_null(load_files((const char *const[]){ "thrum.yaml" }, 1));
	free(many);
	ck_assert_uint_lt(clock_monotonic_ms() - before, 15000);
}
END_TEST

START_TEST(what_is_printed_loads_as_the_same)
{
	struct text first, second;
	struct project_spec *spec = load("thrum.yaml",
		"name: rt\nlog: {rotate: {max_size: 1MB, max_files: 2}}\nprocesses:\n"
		"  a: {command: 'echo \"$HOME\" | cat', instances: 2, umask: '027', nice: 5, rlimits: {nofile: [10, unlimited]},\n"
		"      environment: {ODD: \"q\\\"b\\\\s\\u00e9\\U0001F600\\t\"}, namespace: [x, y], disabled: true, pty: true}\n"
		"  b: {command: [sh, -c, 'exit 3'], depends_on: {a: {condition: process_completed_successfully, restart: true}},\n"
		"      availability: {restart: always, backoff: {initial: 250ms, factor: 1.5, jitter: 20%}, max_restarts: unlimited,\n"
		"        success_exit_codes: [0, 3], prevent_restart_on: [78, SIGABRT]}, shutdown: {signal: INT, timeout: 1500ms}}\n");
	ck_assert_msg(spec, "%s", text_string(&said));
	text_init(&first, 1024 * 1024);
	text_init(&second, 1024 * 1024);
	config_print(&first, spec);
	struct project_spec *again = config_load_text(text_string(&first), first.size, "spec", &problems);
	ck_assert_ptr_nonnull(again);
	config_print(&second, again);
	ck_assert_str_eq(text_string(&first), text_string(&second));
	ck_assert_str_eq(again->services[0].command, spec->services[0].command);
	ck_assert_int_eq(again->services[1].restart.prevent.items[1], -6);
	text_finish(&first);
	text_finish(&second);
	project_spec_destroy(spec);
	project_spec_destroy(again);
}
END_TEST

START_TEST(a_terminal_has_one_output)
{
	struct project_spec *spec = load("thrum.yaml",
		"processes:\n  a: {command: sh, pty: true, log: {merge_stderr: false}}\n"
		"  b: {command: sh, is_tty: true}\n  c: {command: sh}\n");
	ck_assert_msg(spec, "%s", text_string(&said));
	ck_assert(spec->services[0].pty && spec->services[0].log.merge_stderr);
	ck_assert(spec->services[1].pty && spec->services[1].log.merge_stderr);
	ck_assert(!spec->services[2].pty && !spec->services[2].log.merge_stderr);
	project_spec_destroy(spec);
}
END_TEST

Suite *load_suite(void)
{
	Suite *suite = suite_create("load");
	TCase *files = tcase_create("files");

	tcase_add_checked_fixture(files, begin, end);
	tcase_set_timeout(files, 60);
	tcase_add_test(files, a_service_has_the_contracts_defaults);
	tcase_add_test(files, an_unknown_key_is_shown_with_the_nearest);
	tcase_add_test(files, a_cycle_is_named);
	tcase_add_test(files, an_unknown_dependency_is_named);
	tcase_add_test(files, several_problems_come_together);
	tcase_add_test(files, bad_syntax_says_where);
	tcase_add_test(files, a_key_there_twice_is_refused);
	tcase_add_test(files, a_folder_and_a_user_must_be_there);
	tcase_add_test(files, what_is_for_later_is_a_warning);
	tcase_add_test(files, variables_are_replaced_but_not_in_commands);
	tcase_add_test(files, env_files_are_read);
	tcase_add_test(files, later_files_win_key_by_key);
	tcase_add_test(files, a_terminal_has_one_output);
	tcase_add_test(files, a_procfile_is_read);
	tcase_add_test(files, process_compose_files_mean_what_they_meant);
	tcase_add_test(files, aliases_and_merge_keys_work);
	tcase_add_test(files, defaults_lie_under_every_service);
	tcase_add_test(files, hostile_files_are_refused_quickly);
	tcase_add_test(files, what_is_printed_loads_as_the_same);
	suite_add_tcase(suite, files);
	return suite;
}
