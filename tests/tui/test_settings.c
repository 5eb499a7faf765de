#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tui/settings.h"

static char dir[] = "/tmp/thrum-settings-XXXXXX", path[64];
static struct settings settings;
static struct error err;

static void begin(void)
{
	memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/new/settings", dir);
	setenv("THRUM_SETTINGS", path, 1);
	settings = (struct settings){ 0 };
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *text)
{
	mkdir(strcat(strcpy(path, dir), "/new"), 0700);
	strcat(path, "/settings");
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void check_file(const char *text)
{
	char read[1024] = "";
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	read[fread(read, 1, sizeof read - 1, file)] = '\0';
	fclose(file);
	ck_assert_str_eq(read, text);
}

START_TEST(without_a_file_nothing_is_chosen)
{
	ck_assert(settings_load(&settings, &err));
	ck_assert_uint_eq(settings.style.theme, THEME_DEFAULT);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(lines_are_taken)
{
	write_file("# mine\ntheme light\n\n  color 8 # few\nmouse on\r\nsync off\nkey C-x stop\nkey Space none\nkey ö open\nkey ö quit");
	ck_assert_msg(settings_load(&settings, &err), "%s", err.text);
	ck_assert_uint_eq(settings.style.theme, THEME_LIGHT);
	ck_assert_uint_eq(settings.style.colours, COLOURS_8);
	ck_assert(settings.style.has_mouse && settings.style.is_torn);
	ck_assert_uint_eq(settings.bindings.count, 3);
	ck_assert_str_eq(bindings_find(&settings.bindings, INPUT_CONTROL('x')), "stop");
	ck_assert_str_eq(bindings_find(&settings.bindings, ' '), "none");
	ck_assert_str_eq(bindings_find(&settings.bindings, 0xf6), "quit");
}
END_TEST

static const struct {
	const char *text, *says;
} wrongs[] = {
	{ "theme light\ntheem mono\n", ":2:1: there is no setting 'theem'" },
	{ "theme pink\n", ":1:7: theme takes default, mono, light, contrast, not 'pink'" },
	{ "\n theme\n", ":2:7: theme takes default" },
	{ "key ä\nmouse on\n", ":1:6: key takes the name of a key and of an action" },
	{ "key F13 stop\n", ":1:5: no key is called 'F13'" },
	{ "key ö stopp\n", ":1:7: no action is called 'stopp'" },
	{ "columns pid,nothing\n", ":1:9: columns takes state, ns, pid" },
	{ "delay 20s\n", ":1:7: delay takes a time from 250ms to 10s, not '20s'" },
	{ "top-columns pid,cpu,pid\n", ":1:13: top-columns takes pid, user, nice, " },
	{ "top-columns pid,,cpu\n", ":1:13: top-columns takes pid, user, " },
	{ "top-columns\n", ":1:12: top-columns takes pid, user, " },
	{ "top-sort size\ntop-sort big\n", ":2:10: top-sort takes cpu, memory, " },
	{ "mouse on off\n", ":1:10: nothing more is expected here" },
	{ "key x stop now please\n", ":1:12: nothing more is expected here" },
	{ "theme \033[31mred\n", ":1:7: theme takes default, mono, light, contrast, not 'red'" },
};

START_TEST(what_is_wrong_is_told_with_its_place)
{
	char says[256];

	write_file(wrongs[_i].text);
	ck_assert(!settings_load(&settings, &err));
	snprintf(says, sizeof says, "%s%s", path, wrongs[_i].says);
	ck_assert_msg(strncmp(err.text, says, strlen(says)) == 0, "%s", err.text);
}
END_TEST

START_TEST(the_other_lines_hold)
{
	write_file("mouse maybe\ntheme mono\n");
	ck_assert(!settings_load(&settings, &err));
	ck_assert_uint_eq(settings.style.theme, THEME_MONO);
}
END_TEST

START_TEST(what_is_kept_is_read_again)
{
	ck_assert(settings_take(&settings, "theme contrast", NULL, &err));
	ck_assert(settings_take(&settings, "key PgUp events", NULL, &err));
	ck_assert_msg(settings_save(&settings, &err), "%s", err.text);
	check_file("theme contrast\nkey PgUp events\n");
	settings = (struct settings){ 0 };
	ck_assert(settings_load(&settings, &err));
	ck_assert_uint_eq(settings.style.theme, THEME_CONTRAST);
	ck_assert_str_eq(bindings_find(&settings.bindings, INPUT_PAGE_UP), "events");
}
END_TEST

START_TEST(how_the_table_is_shown_is_kept)
{
	write_file("delay 1s # usual\nsort cpu\ncolumns pid,auto\n");
	settings_load(&settings, &err);
	ck_assert_uint_eq(settings.table.sample_ms, 0);
	ck_assert_uint_eq(settings.table.sort, SORT_CPU);
	ck_assert(settings_take(&settings, "columns trend,pid", NULL, &err));
	ck_assert_uint_eq(settings.table.columns, 1u << COLUMN_PID | 1u << COLUMN_TREND);
	ck_assert(settings_take(&settings, "delay 0.5", NULL, &err));
	ck_assert(settings_take(&settings, "sort file", NULL, &err));
	ck_assert(settings_save(&settings, &err));
	check_file("delay 500ms\nsort file\ncolumns pid,auto\ncolumns pid,trend\n");
	ck_assert(settings_take(&settings, "columns auto", NULL, &err));
	ck_assert_uint_eq(settings.table.columns, 0);
}
END_TEST

START_TEST(columns_keep_their_order)
{
	write_file("top-columns lag,pid # mine\ntop-tree on\n");
	ck_assert_msg(settings_load(&settings, &err), "%s", err.text);
	ck_assert_uint_eq(settings.top.column_count, 2);
	ck_assert_str_eq(top_column_at(&settings.top, 0)->name, "lag");
	ck_assert(settings.top.is_tree && !settings.top.has_threads);
	top_column_move(&settings.top, top_column_find("pid"), -1);
	top_column_move(&settings.top, top_column_find("pid"), -1);
	ck_assert(top_column_toggle(&settings.top, top_column_find("virt")));
	ck_assert(settings_take(&settings, "top-tree off", NULL, &err));
	ck_assert(settings_save(&settings, &err));
	check_file("top-columns pid,lag,virt\ntop-tree off\n");
	ck_assert(top_column_toggle(&settings.top, top_column_find("lag")));
	ck_assert(top_column_toggle(&settings.top, top_column_find("pid")));
	ck_assert(!top_column_toggle(&settings.top, top_column_find("virt")));
	ck_assert_ptr_null(top_column_at(&settings.top, 1));
}
END_TEST

START_TEST(comments_and_what_is_wrong_stay)
{
	write_file("# a\n\ntheme light # b\nnonsense\nkey x stop\n");
	settings_load(&settings, &err);
	ck_assert(settings_take(&settings, "theme default", NULL, &err));
	ck_assert(settings_take(&settings, "key x kill", NULL, &err));
	ck_assert(settings_take(&settings, "key # top", NULL, &err) == false);
	ck_assert(settings_take(&settings, "key Hash quit", NULL, &err));
	ck_assert(settings_save(&settings, &err));
	check_file("# a\n\ntheme default\nnonsense\nkey x kill\nkey Hash quit\n");
}
END_TEST

START_TEST(a_link_stays_one_and_a_folder_that_cannot_be_made_is_told)
{
	char link[128], target[PATH_MAX];
	struct stat st;

	write_file("mouse on\n");
	snprintf(link, sizeof link, "%s/link", dir);
	ck_assert_int_eq(symlink(path, link), 0);
	setenv("THRUM_SETTINGS", link, 1);
	ck_assert(settings_save(&settings, &err));
	ck_assert_int_eq(lstat(link, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	check_file("mouse off\n");
	setenv("THRUM_SETTINGS", "/proc/nothing/settings", 1);
	ck_assert(!settings_save(&settings, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "/proc/nothing/settings"));
	ck_assert(settings_path(target, &err));
}
END_TEST

START_TEST(keys_have_names_that_are_read_again)
{
	for (uint32_t key = 1; key < INPUT_FUNCTION + 13; key += key < 0x300 ? 1 : key < INPUT_FIRST ? 997
												     : 1) {
		char name[KEY_NAME_SIZE];
		bool is_none = key == 0x7f || (key >= 0xd800 && key < 0xe000) || key == 0xfffd || key > 0x10ffff;
		if (is_none)
			continue;
		bindings_key_name(key, name);
		ck_assert_msg(bindings_key(name) == key || (key > 0x7f && key < 0xa0), "%x %s", key, name);
	}
	ck_assert_uint_eq(bindings_key("c-c"), 3);
	ck_assert_uint_eq(bindings_key("C-C"), 3);
	ck_assert_uint_eq(bindings_key("f12"), 0);
	ck_assert_uint_eq(bindings_key(""), 0);
	ck_assert_uint_eq(bindings_key("xx"), 0);
	ck_assert_uint_eq(bindings_key("\xff"), 0);
}
END_TEST

Suite *settings_suite(void)
{
	Suite *suite = suite_create("settings");
	TCase *file = tcase_create("file"), *keys = tcase_create("keys");

	tcase_add_checked_fixture(file, begin, end);
	tcase_add_test(file, without_a_file_nothing_is_chosen);
	tcase_add_test(file, lines_are_taken);
	tcase_add_loop_test(file, what_is_wrong_is_told_with_its_place, 0, sizeof wrongs / sizeof *wrongs);
	tcase_add_test(file, the_other_lines_hold);
	tcase_add_test(file, what_is_kept_is_read_again);
	tcase_add_test(file, how_the_table_is_shown_is_kept);
	tcase_add_test(file, comments_and_what_is_wrong_stay);
	tcase_add_test(file, columns_keep_their_order);
	tcase_add_test(file, a_link_stays_one_and_a_folder_that_cannot_be_made_is_told);
	tcase_add_test(keys, keys_have_names_that_are_read_again);
	suite_add_tcase(suite, file);
	suite_add_tcase(suite, keys);
	return suite;
}
