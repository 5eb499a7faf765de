#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"
#include "config/print.h"

static char dir[64];
static struct problems problems;
static struct text said;

static void begin(void)
{
	strcpy(dir, "/tmp/thrum-variables-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	problems_init(&problems);
	text_init(&said, 1024 * 1024);
}

static void end(void)
{
	static const char *const names[] = { "thrum.yaml", "other.yaml", ".env", ".env.local", "pipe" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(names[i]);
	ck_assert_int_eq(chdir("/"), 0);
	rmdir(dir);
	problems_finish(&problems);
	text_finish(&said);
}

static void write_text(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static struct project_spec *load_with(const char *text, const char *const *profiles, size_t count)
{
	static const char *const path = "thrum.yaml";
	struct config_options options = { .profiles = profiles, .profile_count = count };

	write_text(path, text);
	struct project_spec *spec = config_load_files(&path, 1, &options, &problems);
	problems_print(&problems, &said);
	return spec;
}

static struct project_spec *load(const char *text)
{
	struct project_spec *spec = load_with(text, NULL, 0);

	ck_assert_msg(spec, "%s", text_string(&said));
	return spec;
}

static const char *value(const struct project_spec *spec, const char *name)
{
	return strings_get_variable(&spec->services[0].environment, name);
}

START_TEST(operators_are_those_of_the_shell)
{
	setenv("SET", "s", 1);
	setenv("EMPTY", "", 1);
	unsetenv("UNSET");
	struct project_spec *spec = load(
		"processes: {a: {command: x, environment: {\n"
		" A: '${UNSET-d}${EMPTY-d}', B: '${UNSET:-d}${EMPTY:-d}', C: '${SET:+i}${EMPTY:+i}', D: '${EMPTY+i}${UNSET+i}',\n"
		" E: '${SET:?no}', F: '${UNSET:-${EMPTY:-${SET}!}}', G: '$${SET}'}}}\n");
	ck_assert_str_eq(value(spec, "A"), "d");
	ck_assert_str_eq(value(spec, "B"), "dd");
	ck_assert_str_eq(value(spec, "C"), "i");
	ck_assert_str_eq(value(spec, "D"), "i");
	ck_assert_str_eq(value(spec, "E"), "s");
	ck_assert_str_eq(value(spec, "F"), "s!");
	ck_assert_str_eq(value(spec, "G"), "${SET}");
	project_spec_destroy(spec);
}
END_TEST

START_TEST(what_must_be_set_says_why)
{
	unsetenv("UNSET");
	ck_assert_ptr_null(load_with("processes: {a: {command: x, environment: {A: '${UNSET:?the key of the shop}'}}}\n", NULL, 0));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "thrum.yaml:1:46: ${UNSET}: the key of the shop"));
}
END_TEST

START_TEST(nesting_has_an_end)
{
	struct text text;

	text_init(&text, 1024 * 1024);
	text_puts(&text, "processes: {a: {command: x, environment: {A: '");
	for (int i = 0; i < 5000; i++)
		text_puts(&text, "${UNSET:-");
	for (int i = 0; i < 5000; i++)
		text_putc(&text, '}');
	text_puts(&text, "'}}}\n");
	ck_assert_ptr_null(load_with(text_string(&text), NULL, 0));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "nested more than 16 deep"));
	text_finish(&text);
}
END_TEST

START_TEST(a_variable_knows_where_it_is_from)
{
	write_text(".env", "A=file\nB=file\nC=file\nD=file\n");
	write_text(".env.local", "C=service file\nD=service file\n");
	struct project_spec *spec = load("env_file: [.env, '?.none']\nenvironment: {B: 'map', C: '${A}'}\n"
					 "processes: {a: {command: x, env_file: .env.local, environment: {D: '${B}', E: e}}}\n");
	static const struct {
		const char *name, *value, *source;
	} wants[] = {
		{ "A", "file", "project env_file" },
		{ "B", "map", "project environment" },
		{ "C", "service file", "env_file" },
		{ "D", "map", "environment" },
		{ "E", "e", "environment" },
	};
	for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
		const struct layer *layer = layers_find(&spec->services[0].variables, wants[i].name);
		ck_assert_str_eq(value(spec, wants[i].name), wants[i].value);
		ck_assert_str_eq(variable_source_name(layer->source), wants[i].source);
	}
	ck_assert_ptr_null(layers_find(&spec->services[0].variables, "F"));
	project_spec_destroy(spec);
}
END_TEST

START_TEST(layers_are_printed_and_read_back)
{
	struct text first, second;

	write_text(".env", "A=1\n");
	struct project_spec *spec = load("env_file: [.env, '?.none']\nenvironment: {B: '2'}\n"
					 "processes: {a: {command: x, env_file: .env, environment: {A: '3'}}, b: {command: y}}\n");
	text_init(&first, 1024 * 1024);
	text_init(&second, 1024 * 1024);
	config_print(&first, spec);
	unlink(".env"); /* no file is looked at when it is read back */
	struct project_spec *again = config_load_text(text_string(&first), first.size, "spec", &problems);
	ck_assert_ptr_nonnull(again);
	config_print(&second, again);
	ck_assert_str_eq(text_string(&first), text_string(&second));
	ck_assert_uint_eq(again->services[0].variables.count, 5);
	ck_assert(again->services[0].variables.items[1].is_optional);
	ck_assert_str_eq(value(again, "A"), "3");
	text_finish(&first);
	text_finish(&second);
	project_spec_destroy(spec);
	project_spec_destroy(again);
}
END_TEST

START_TEST(a_pipe_is_no_file_of_variables)
{
	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	ck_assert_ptr_null(load_with("processes: {a: {command: x, env_file: pipe}}\n", NULL, 0));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "pipe is no regular file"));
}
END_TEST

START_TEST(a_profile_lies_over_the_file)
{
	static const char *const both[] = { "prod", "loud" };
	struct project_spec *spec = load_with("profiles:\n"
					      "  prod: {environment: {MODE: prod}, processes: {a: {instances: 3}, c: {command: z}}}\n"
					      "  loud: {defaults: {nice: 4}, processes: {a: {environment: {MODE: loud}}}}\n"
					      "processes: {a: &a {command: x, environment: {X: '1'}}, b: *a}\n",
		both, 2);
	ck_assert_msg(spec, "%s", text_string(&said));
	ck_assert_uint_eq(spec->service_count, 3);
	ck_assert_uint_eq(spec->services[0].instances, 3);
	ck_assert_str_eq(value(spec, "MODE"), "loud");
	ck_assert_str_eq(value(spec, "X"), "1");
	ck_assert_int_eq(spec->services[0].nice, 4);
	ck_assert_uint_eq(spec->services[1].instances, 1); /* though it shares the map of a */
	ck_assert_str_eq(strings_get_variable(&spec->services[1].environment, "MODE"), "prod");
	project_spec_destroy(spec);
}
END_TEST

START_TEST(an_unknown_profile_names_those_that_are_there)
{
	static const char *const wanted = "production";

	ck_assert_ptr_null(load_with("profiles: {prod: {}, dev: {}}\nprocesses: {a: {command: x}}\n", &wanted, 1));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "thrum.yaml:1:11: no profile 'production'; there are: prod, dev"));
}
END_TEST

START_TEST(a_profile_is_a_map_without_profiles)
{
	ck_assert_ptr_null(load_with("profiles: {a: 3, b: {profiles: {}}}\nprocesses: {a: {command: x}}\n", NULL, 0));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "1:15: a profile is a map of keys"));
	ck_assert_ptr_nonnull(strstr(text_string(&said), "1:32: a profile has no profiles of its own"));
}
END_TEST

Suite *variables_suite(void)
{
	Suite *suite = suite_create("variables");
	TCase *files = tcase_create("files");

	tcase_add_checked_fixture(files, begin, end);
	tcase_add_test(files, operators_are_those_of_the_shell);
	tcase_add_test(files, what_must_be_set_says_why);
	tcase_add_test(files, nesting_has_an_end);
	tcase_add_test(files, a_variable_knows_where_it_is_from);
	tcase_add_test(files, layers_are_printed_and_read_back);
	tcase_add_test(files, a_pipe_is_no_file_of_variables);
	tcase_add_test(files, a_profile_lies_over_the_file);
	tcase_add_test(files, an_unknown_profile_names_those_that_are_there);
	tcase_add_test(files, a_profile_is_a_map_without_profiles);
	suite_add_tcase(suite, files);
	return suite;
}
