#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/paths.h"
#include "tests/client/folder.h"

static char root[PATH_MAX];
static struct error err;

static void begin(void)
{
	folder_make(root);
}

static void end(void)
{
	folder_remove(root);
}

static const char *in_root(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

static void check_refused(int code, const char *words)
{
	ck_assert_int_lt(paths_open_runtime("shop", PATHS_MAKE, &err), 0);
	ck_assert_int_eq(err.code, code);
	ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
}

static mode_t mode_of(const char *path)
{
	struct stat info;

	ck_assert_int_eq(stat(path, &info), 0);
	return info.st_mode & 07777;
}

START_TEST(our_variable_wins)
{
	char path[PATH_MAX];

	setenv("XDG_RUNTIME_DIR", root, 1);
	setenv("THRUM_RUNTIME_DIR", "/elsewhere", 1);
	ck_assert(paths_runtime(path, &err));
	ck_assert_str_eq(path, "/elsewhere");
	setenv("THRUM_RUNTIME_DIR", "", 1);
	ck_assert(paths_runtime(path, &err));
	ck_assert_str_eq(path, in_root("thrum"));
}
END_TEST

START_TEST(our_variable_may_be_relative)
{
	char path[PATH_MAX], expected[PATH_MAX + 8];

	ck_assert_int_eq(chdir("/tmp"), 0);
	ck_assert_ptr_nonnull(getcwd(path, sizeof path));
	snprintf(expected, sizeof expected, "%s/some", path);
	setenv("THRUM_RUNTIME_DIR", "some", 1);
	ck_assert(paths_runtime(path, &err));
	ck_assert_str_eq(path, expected);
}
END_TEST

START_TEST(a_session_folder_that_is_not_there_does_not_count)
{
	char path[PATH_MAX], expected[64];

	unsetenv("THRUM_RUNTIME_DIR");
	snprintf(expected, sizeof expected, "/tmp/thrum-%u", (unsigned)geteuid());
	setenv("XDG_RUNTIME_DIR", in_root("none"), 1);
	ck_assert(paths_runtime(path, &err));
	ck_assert_str_eq(path, expected);
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	ck_assert(paths_runtime(path, &err));
	ck_assert_str_eq(path, expected);
}
END_TEST

START_TEST(state_is_kept_at_home)
{
	char path[PATH_MAX];

	unsetenv("THRUM_STATE_DIR");
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "/home/me", 1);
	ck_assert(paths_state(path, &err));
	ck_assert_str_eq(path, "/home/me/.local/state/thrum");
	setenv("XDG_STATE_HOME", "/var/me", 1);
	ck_assert(paths_state(path, &err));
	ck_assert_str_eq(path, "/var/me/thrum");
}
END_TEST

START_TEST(folders_are_made_for_us_alone)
{
	umask(0);
	setenv("THRUM_RUNTIME_DIR", in_root("a/b"), 1);
	ck_assert_int_lt(paths_open_runtime("shop", PATHS_FAIL, &err), 0);
	ck_assert_int_eq(err.code, ENOENT);
	int fd = paths_open_runtime("shop", PATHS_MAKE, &err);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_uint_eq(mode_of(in_root("a")), 0700);
	ck_assert_uint_eq(mode_of(in_root("a/b/shop")), 0700);
	ck_assert_int_ge(fd = paths_open_runtime("shop", PATHS_FAIL, &err), 0);
	close(fd);
}
END_TEST

START_TEST(a_folder_that_is_open_to_others_is_refused)
{
	setenv("THRUM_RUNTIME_DIR", in_root("open"), 1);
	ck_assert_int_eq(mkdir(in_root("open"), 0700), 0);
	ck_assert_int_eq(chmod(in_root("open"), 0711), 0);
	check_refused(EPERM, "open to other users");
	ck_assert_int_eq(chmod(in_root("open"), 0700), 0);
	ck_assert_int_eq(mkdir(in_root("open/shop"), 0700), 0);
	ck_assert_int_eq(chmod(in_root("open/shop"), 0770), 0);
	check_refused(EPERM, "open to other users");
}
END_TEST

START_TEST(logs_may_be_read_but_not_written_by_others)
{
	setenv("THRUM_STATE_DIR", in_root("state"), 1);
	ck_assert_int_eq(mkdir(in_root("state"), 0755), 0);
	ck_assert_int_eq(chmod(in_root("state"), 0755), 0);
	int fd = paths_open_state("shop", PATHS_MAKE, &err);
	ck_assert_msg(fd >= 0, "%s", err.text);
	close(fd);
	ck_assert_int_eq(chmod(in_root("state"), 0777), 0);
	ck_assert_int_lt(paths_open_state("shop", PATHS_MAKE, &err), 0);
	ck_assert_int_eq(err.code, EPERM);
}
END_TEST

START_TEST(a_link_in_the_place_of_a_folder_is_refused)
{
	setenv("THRUM_RUNTIME_DIR", in_root("run"), 1);
	ck_assert_int_eq(mkdir(in_root("run"), 0700), 0);
	ck_assert_int_eq(symlink("/tmp", in_root("run/shop")), 0);
	check_refused(EPERM, "is not a folder");
	setenv("THRUM_RUNTIME_DIR", in_root("link"), 1);
	ck_assert_int_eq(symlink(root, in_root("link")), 0);
	check_refused(EPERM, "is not a folder");
}
END_TEST

START_TEST(a_folder_of_somebody_else_is_refused)
{
	if (geteuid() != 0)
		return;
	setenv("THRUM_RUNTIME_DIR", in_root("theirs"), 1);
	ck_assert_int_eq(mkdir(in_root("theirs"), 0700), 0);
	ck_assert_int_eq(chown(in_root("theirs"), 65534, 65534), 0);
	check_refused(EPERM, "belongs to another user");
}
END_TEST

START_TEST(a_name_that_is_no_name_is_refused)
{
	static const char *const wrong[] = { "", "..", "a/b", "/", ".hidden", "a b" };

	setenv("THRUM_RUNTIME_DIR", root, 1);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_assert_int_lt(paths_open_runtime(wrong[i], PATHS_MAKE, &err), 0);
		ck_assert_int_eq(err.code, EINVAL);
	}
}
END_TEST

START_TEST(a_socket_may_be_deep_in_the_tree)
{
	char deep[400] = "";
	struct sockaddr_un address;

	for (int i = 0; i < 20; i++)
		strcat(deep, "a_long_name/");
	setenv("THRUM_RUNTIME_DIR", in_root(deep), 1);
	int folder = paths_open_runtime("shop", PATHS_MAKE, &err);
	ck_assert_msg(folder >= 0, "%s", err.text);
	paths_socket_address(&address, folder);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(faccessat(folder, PATHS_SOCKET, F_OK, 0), 0);
	close(listener);
	close(client);
	close(folder);
}
END_TEST

Suite *paths_suite(void)
{
	Suite *suite = suite_create("paths");
	TCase *all = tcase_create("paths");

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, our_variable_wins);
	tcase_add_test(all, our_variable_may_be_relative);
	tcase_add_test(all, a_session_folder_that_is_not_there_does_not_count);
	tcase_add_test(all, state_is_kept_at_home);
	tcase_add_test(all, folders_are_made_for_us_alone);
	tcase_add_test(all, a_folder_that_is_open_to_others_is_refused);
	tcase_add_test(all, logs_may_be_read_but_not_written_by_others);
	tcase_add_test(all, a_link_in_the_place_of_a_folder_is_refused);
	tcase_add_test(all, a_folder_of_somebody_else_is_refused);
	tcase_add_test(all, a_name_that_is_no_name_is_refused);
	tcase_add_test(all, a_socket_may_be_deep_in_the_tree);
	suite_add_tcase(suite, all);
	return suite;
}
