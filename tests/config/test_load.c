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

/* Once: by the file of process-compose, and once as another thrum.yaml. */
static const char everything_of_process_compose[] =
	"version: '0.5'\nlog_location: /tmp/all.log\nlog_level: info\nordered_shutdown: true\nvars: {V: v1, W: 9}\n"
	"shell: {shell_command: sh, shell_argument: -ec}\n"
	"log_configuration: {rotation: {max_size_mb: 2, max_backups: 4}, add_timestamp: true}\n"
	"processes:\n"
	"  base: {command: sleep 5, vars: {W: 7}, availability: {restart: always}, environment: [A=1, 'B={{.V}}']}\n"
	"  web:\n"
	"    extends: base\n    replicas: 3\n    description: '{{.V}}'\n    environment: ['A=2']\n"
	"    readiness_probe: {http_get: {host: 127.0.0.1, port: '404{{.PC_REPLICA_NUM}}', path: '/{{.V}}'}, period_seconds: 2}\n"
	"  tests: {command: 'echo {{or \"${NOTHING:-}\" .V}} $HOME', availability: {exit_on_end: true},"
	"          depends_on: {web: {condition: process_healthy}}}\n"
	"  late: {command: x, availability: {exit_on_skipped: true}, success_exit_codes: [130]}\n"
	"  editor: {command: vi, is_foreground: true}\n"
	"  job: {command: 'echo {{.V}} {}', is_template_disabled: true, schedule: {interval: 1m, run_on_start: true, max_concurrent: 2}}\n"
	"  logged: {entrypoint: [./x, '{{.W}}'], log_location: './x.{PC_REPLICA_NUM}.log', log_configuration: {disable_json: true}}\n"
	"  watcher: {command: x, watch: {paths: [{path: src, include: ['*.c'], exclude: [gen]}, inc], debounce: 300ms, max_entries: 10}}\n";

static void is_all_of_process_compose(const struct project_spec *spec)
{
	const struct service_spec *base = project_spec_find(spec, "base"), *web = project_spec_find(spec, "web"),
				  *tests = project_spec_find(spec, "tests"), *late = project_spec_find(spec, "late"),
				  *editor = project_spec_find(spec, "editor"), *job = project_spec_find(spec, "job"),
				  *logged = project_spec_find(spec, "logged"), *watcher = project_spec_find(spec, "watcher");
	ck_assert_str_eq(base->argv.items[1], "-ec");
	ck_assert_str_eq(base->argv.items[2], "sleep 5");
	ck_assert_str_eq(base->log.file, "/tmp/all-base.log");
	ck_assert(base->log.json && base->log.timestamps);
	ck_assert_uint_eq(base->log.max_size, 2 * 1024 * 1024);
	ck_assert_uint_eq(base->log.max_files, 4);
	ck_assert_str_eq(web->command, "sleep 5");
	ck_assert_int_eq(web->restart.mode, RESTART_ALWAYS);
	ck_assert_uint_eq(web->instances, 3);
	ck_assert_str_eq(strings_get_variable(&web->environment, "A"), "2");
	ck_assert_str_eq(web->probes[PROBE_READINESS].port_text, "404" INSTANCE_MARK);
	ck_assert_uint_eq(web->probes[PROBE_READINESS].port, 4040);
	ck_assert_str_eq(web->probes[PROBE_READINESS].path, "/v1");
	ck_assert_str_eq(tests->command, "echo v1 $HOME");
	ck_assert(tests->restart.exit_on_end && !tests->restart.exit_on_skipped);
	ck_assert(late->restart.exit_on_skipped);
	ck_assert_uint_eq(late->restart.success.count, 2);
	ck_assert_int_eq(late->restart.success.items[1], 130);
	ck_assert(editor->pty && editor->disabled);
	ck_assert_str_eq(job->command, "echo {{.V}} {}");
	ck_assert(job->schedule.runs_on_start);
	ck_assert_uint_eq(job->instances, 2);
	ck_assert_str_eq(logged->argv.items[1], "9");
	ck_assert(strstr(logged->log.file, "/x." INSTANCE_MARK ".log") && !logged->log.json);
	ck_assert_uint_eq(watcher->watch.paths.count, 2);
	ck_assert_str_eq(watcher->watch.include.items[0], "*.c");
	ck_assert_str_eq(watcher->watch.exclude.items[0], "gen");
}

START_TEST(the_words_of_process_compose_mean_what_they_meant)
{
	static const char *const names[] = { "process-compose.yaml", "thrum.yaml" };
	struct text printed;

	unsetenv("NOTHING");
	struct project_spec *spec = load(names[_i], everything_of_process_compose);
	ck_assert_msg(spec, "%s", text_string(&said));
	ck_assert_str_eq(text_string(&said), "");
	is_all_of_process_compose(spec);
	text_init(&printed, 1024 * 1024);
	config_print(&printed, spec);
	struct project_spec *again = config_load_text(text_string(&printed), printed.size, "spec", &problems);
	problems_print(&problems, &said);
	ck_assert_msg(again, "%s", text_string(&said));
	is_all_of_process_compose(again);
	text_finish(&printed);
	project_spec_destroy(spec);
	project_spec_destroy(again);
}
END_TEST

/* bash where it is needed, .env for all but one, and two variables of its own. */
START_TEST(a_file_of_process_compose_has_its_surroundings)
{
	write_text(".env", "SECRET=s3\n");
	unsetenv("COMPOSE_SHELL");
	unsetenv("NOTHING");
	struct project_spec *spec = load("process-compose.yaml",
		"processes:\n  a: {command: 'x && y $$Q $R', environment: ['P=${SECRET}', 'S=$SECRET-$NOTHING-${NOTHING}-$$x', T=$1]}\n"
		"  b: {command: x y, is_dotenv_disabled: true}\n");
	ck_assert_msg(spec, "%s", text_string(&said));
	const struct service_spec *a = &spec->services[0], *b = &spec->services[1];
	ck_assert_ptr_nonnull(strstr(a->argv.items[0], "/bin/bash"));
	ck_assert_str_eq(b->argv.items[0], "x");
	ck_assert_str_eq(strings_get_variable(&a->environment, "P"), "s3");
	ck_assert_str_eq(strings_get_variable(&a->environment, "SECRET"), "s3");
	ck_assert_str_eq(strings_get_variable(&a->environment, "S"), "s3---$x");
	ck_assert_str_eq(strings_get_variable(&a->environment, "T"), "$1");
	ck_assert_str_eq(a->command, "x && y $Q $R");
	ck_assert_ptr_null(strings_get_variable(&b->environment, "SECRET"));
	ck_assert_str_eq(strings_get_variable(&a->environment, "PC_PROC_NAME"), "a");
	ck_assert_str_eq(strings_get_variable(&a->environment, "PC_REPLICA_NUM"), INSTANCE_MARK);
	project_spec_destroy(spec);
	spec = load("process-compose.yaml", "disable_env_expansion: true\nprocesses:\n  a: {command: x, environment: ['P=${SECRET}']}\n");
	ck_assert_msg(spec, "%s", text_string(&said));
	ck_assert_str_eq(strings_get_variable(&spec->services[0].environment, "P"), "${SECRET}");
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
	tcase_add_loop_test(files, the_words_of_process_compose_mean_what_they_meant, 0, 2);
	tcase_add_test(files, a_file_of_process_compose_has_its_surroundings);
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
