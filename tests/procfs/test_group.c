#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procfs/group.h"

#define FIRST_VERSION "30 24 0:26 / /sys/fs/cgroup/pids rw,nosuid shared:9 - cgroup cgroup rw,pids\n"
#define SECOND_VERSION "31 24 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"

static char *mount_in(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	char *found = group_find_mount(file);

	fclose(file);
	return found;
}

static char *own_in(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	char *found = group_find_own(file, "/mnt");

	fclose(file);
	return found;
}

static void check_text(char *found, const char *wanted)
{
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found, wanted);
	free(found);
}

START_TEST(the_mount_of_the_second_version_is_found)
{
	check_text(mount_in(FIRST_VERSION SECOND_VERSION), "/sys/fs/cgroup/unified");
	check_text(mount_in("30 1 0:2 / /a - cgroup2 none rw\n30 1 0:2 / /b - cgroup2 none rw\n"), "/a");
}
END_TEST

START_TEST(where_there_is_none_none_is_found)
{
	char line[6000];

	ck_assert_ptr_null(mount_in(FIRST_VERSION));
	/* a part of it, under another name */
	ck_assert_ptr_null(mount_in("31 24 0:27 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"));
	ck_assert_ptr_null(mount_in("31 24 0:27 / - cgroup2 \n"));
	ck_assert_ptr_null(mount_in(" - cgroup2 \n"));
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	ck_assert_ptr_null(mount_in(line));
	ck_assert_ptr_null(group_find_mount(NULL));
}
END_TEST

START_TEST(our_own_group_is_under_the_mount)
{
	check_text(own_in("12:pids:/p\n1:name=systemd:/s\n0::/user.slice/user-1000.slice\n"), "/mnt/user.slice/user-1000.slice");
	check_text(own_in("0::/\n"), "/mnt/");
	check_text(own_in("0::/without an end"), "/mnt/without an end");
	ck_assert_ptr_null(own_in("12:pids:/p\n"));
	ck_assert_ptr_null(own_in("0::relative\n"));
	ck_assert_ptr_null(group_find_own(NULL, "/mnt"));
}
END_TEST

START_TEST(who_is_not_there_is_in_no_group)
{
	ck_assert_ptr_null(group_of(INT32_MAX));
	ck_assert_int_eq(group_open("/nowhere"), -1);
	ck_assert_int_eq(group_open("/tmp"), -1);
}
END_TEST

Suite *group_suite(void)
{
	Suite *suite = suite_create("group");
	TCase *tcase = tcase_create("group");

	tcase_add_test(tcase, the_mount_of_the_second_version_is_found);
	tcase_add_test(tcase, where_there_is_none_none_is_found);
	tcase_add_test(tcase, our_own_group_is_under_the_mount);
	tcase_add_test(tcase, who_is_not_there_is_in_no_group);
	suite_add_tcase(suite, tcase);
	return suite;
}
