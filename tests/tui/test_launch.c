#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "client/launches.h"
#include "tui/launch.h"
#include "tui/path.h"

static struct launch_form form;
static char folder[64], note[256];

static void make(const char *name, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (mode == 0)
		ck_assert_int_eq(mkdir(path, 0700), 0);
	else
		close(open(path, O_CREAT | O_WRONLY, mode));
}

static void begin(void)
{
	snprintf(folder, sizeof folder, "/tmp/thrum-launch-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	setenv("THRUM_STATE_DIR", folder, 1);
	make("bin", 0);
	make("bin/import", 0700);
	make("bin/import-all", 0700);
	make("bin/image.txt", 0600);
	make("backup", 0);
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static char *service(void)
{
	json_t *json = launch_service(&form, "/srv", note, sizeof note);
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(json);
	return text;
}

static void type(enum launch_field field, const char *text)
{
	snprintf(form.text[field], LAUNCH_TEXT, "%s", text);
}

START_TEST(a_command_alone_has_defaults)
{
	type(LAUNCH_COMMAND, "/srv/bin/import --file 'a b'");
	char *text = service();
	ck_assert_str_eq(text, "{\"availability\":{\"restart\":\"no\"},\"command\":\"/srv/bin/import --file 'a b'\",\"environment\":{},"
			       "\"name\":\"import\",\"pty\":false,\"working_dir\":\"/srv\"}");
	free(text);
}
END_TEST

START_TEST(every_field_is_told)
{
	type(LAUNCH_COMMAND, "import");
	type(LAUNCH_NAME, "importer-2");
	type(LAUNCH_INSTANCES, "3");
	type(LAUNCH_DIRECTORY, "/data");
	type(LAUNCH_ENVIRONMENT, "FOO=1 BAR='two words' EMPTY=");
	type(LAUNCH_RESTART, "always");
	type(LAUNCH_TERMINAL, "yes");
	type(LAUNCH_CHANNEL, "json");
	type(LAUNCH_SHELL, "yes");
	type(LAUNCH_NAMESPACE, "ops");
	type(LAUNCH_RESTARTS, "9");
	type(LAUNCH_SIGNAL, "INT");
	type(LAUNCH_GRACE, "30s");
	type(LAUNCH_RSS, "200MB");
	char *text = service();
	ck_assert_str_eq(text, "{\"availability\":{\"max_restarts\":9,\"restart\":\"always\"},\"command\":\"import\","
			       "\"environment\":{\"BAR\":\"two words\","
			       "\"EMPTY\":\"\",\"FOO\":\"1\"},\"instances\":3,\"ipc\":\"json\","
			       "\"limits\":[{\"action\":\"restart\",\"for\":3,"
			       "\"metric\":\"rss\",\"over\":\"200MB\"}],\"name\":\"importer-2\",\"namespace\":\"ops\",\"pty\":true,"
			       "\"shell\":true,\"shutdown\":{\"signal\":\"INT\",\"timeout\":\"30s\"},\"working_dir\":\"/data\"}");
	free(text);
}
END_TEST

START_TEST(what_is_wrong_is_said_before_anything_is_run)
{
	static const struct {
		enum launch_field field;
		const char *text, *why;
	} wrong[] = { { LAUNCH_INSTANCES, "many", "instances" }, { LAUNCH_INSTANCES, "0", "instances" },
		{ LAUNCH_ENVIRONMENT, "FOO", "'FOO' is no NAME=value" }, { LAUNCH_ENVIRONMENT, "A='x", "a quote has no end" },
		{ LAUNCH_COMMAND, "a | b", "`Shell` yes" }, { LAUNCH_RESTARTS, "-1", "restarts" },
		{ LAUNCH_RESTARTS, "x", "restarts" },
		{ LAUNCH_GRACE, "soon", "10s" }, { LAUNCH_RSS, "much", "200MB" }, { LAUNCH_RSS, "0", "200MB" },
		{ LAUNCH_ENVIRONMENT, "=x", "no NAME=value" }, { LAUNCH_ENVIRONMENT, "A=$B", "quotes" } };

	ck_assert_ptr_null(service());
	ck_assert_str_eq(note, "which command?");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		memset(&form, 0, sizeof form);
		type(LAUNCH_COMMAND, "x");
		type(wrong[i].field, wrong[i].text);
		ck_assert_ptr_null(service());
		ck_assert_msg(strstr(note, wrong[i].why) != NULL, "%s: %s", wrong[i].text, note);
	}
}
END_TEST

static bool complete(char text[64], bool folders_only)
{
	return path_complete(text, 64, folder, folders_only, note, sizeof note);
}

START_TEST(paths_are_completed_as_far_as_they_agree)
{
	char text[64] = "cat bin/i";

	ck_assert(complete(text, false));
	ck_assert_str_eq(text, "cat bin/im");
	ck_assert_ptr_nonnull(strstr(note, "image.txt"));
	strcat(text, "p");
	ck_assert(complete(text, false));
	ck_assert_str_eq(text, "cat bin/import");
	ck_assert(!complete(text, false));
	ck_assert_ptr_nonnull(strstr(note, "import-all"));
	strcpy(text, "bac");
	ck_assert(complete(text, true));
	ck_assert_str_eq(text, "backup/");
	strcpy(text, "bin/i");
	ck_assert(!complete(text, true));
	strcpy(text, "ls none/x");
	ck_assert(!complete(text, false));
	ck_assert_str_eq(note, "");
}
END_TEST

START_TEST(a_path_that_would_be_too_long_stays)
{
	char text[64];

	memset(text, 'x', sizeof text);
	memcpy(text + 50, " bin/import", 12);
	ck_assert(!complete(text, false) || strlen(text) < 64);
	ck_assert_uint_lt(strlen(text), 64);
}
END_TEST

START_TEST(programs_are_found_as_they_would_be)
{
	setenv("PATH", "/nowhere:/usr/bin:/bin", 1);
	ck_assert(path_finds("ls", folder));
	ck_assert(!path_finds("no-such-program", folder));
	ck_assert(path_finds("bin/import", folder));
	ck_assert(!path_finds("bin/image.txt", folder));
	ck_assert(!path_finds("bin", folder));
	ck_assert(!path_finds("./bin", folder));
}
END_TEST

START_TEST(former_launches_are_kept_once_and_not_for_ever)
{
	struct error err;

	for (int i = 0; i < 12; i++) {
		json_t *one = json_pack("{s:o}", "command", json_sprintf("sleep %d", i % 7));
		ck_assert_msg(launches_add(one, 5, &err), "%s", err.text);
		json_decref(one);
	}
	json_t *all = launches_read(5);
	ck_assert_uint_eq(json_array_size(all), 5);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(all, 4), "command")), "sleep 4");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(all, 0), "command")), "sleep 0");
	json_decref(all);
}
END_TEST

START_TEST(a_launch_that_cannot_be_kept_leaves_nothing_behind)
{
	struct error err;
	json_t *one = json_pack("{s:s}", "command", "true");
	char path[96];

	make("launches", 0); /* in the place of the file */
	ck_assert(!launches_add(one, 5, &err));
	json_decref(one);
	snprintf(path, sizeof path, "%s/launches.%d", folder, (int)getpid());
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

Suite *launch_suite(void)
{
	Suite *suite = suite_create("launch");
	TCase *tests = tcase_create("launch");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, a_command_alone_has_defaults);
	tcase_add_test(tests, every_field_is_told);
	tcase_add_test(tests, what_is_wrong_is_said_before_anything_is_run);
	tcase_add_test(tests, paths_are_completed_as_far_as_they_agree);
	tcase_add_test(tests, a_path_that_would_be_too_long_stays);
	tcase_add_test(tests, programs_are_found_as_they_would_be);
	tcase_add_test(tests, former_launches_are_kept_once_and_not_for_ever);
	tcase_add_test(tests, a_launch_that_cannot_be_kept_leaves_nothing_behind);
	suite_add_tcase(suite, tests);
	return suite;
}
