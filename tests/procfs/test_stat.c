#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procfs/file.h"
#include "procfs/stat.h"

static int open_hostile(void)
{
	const char *source = getenv("SRCDIR");
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/proc/hostile", source ? source : ".");
	int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_msg(root >= 0, "no fixtures at %s: set SRCDIR", path);
	return root;
}

START_TEST(a_line_is_read)
{
	struct proc_stat stat;

	ck_assert(procfs_stat(open_hostile(), 10, &stat));
	ck_assert_int_eq(stat.pid, 10);
	ck_assert_int_eq(stat.state, 'S');
	ck_assert_int_eq(stat.parent, 1);
	ck_assert_int_eq(stat.group, 20);
	ck_assert_int_eq(stat.session, 20);
	ck_assert_uint_eq(stat.user, 150);
	ck_assert_uint_eq(stat.system, 50);
	ck_assert_uint_eq(stat.threads, 3);
	ck_assert_uint_eq(stat.starttime, 123456);
	ck_assert_uint_eq(stat.rss_pages, 1000);
	ck_assert_int_eq(stat.exit_code, 0);
}
END_TEST

START_TEST(a_name_may_hold_anything)
{
	int root = open_hostile();

	for (pid_t pid = 11; pid <= 15; pid++) {
		struct proc_stat stat;
		ck_assert_msg(procfs_stat(root, pid, &stat), "%d", (int)pid);
		ck_assert_int_eq(stat.state, 'S');
		ck_assert_int_eq(stat.parent, 10);
		ck_assert_uint_eq(stat.starttime, 123456);
		ck_assert_uint_eq(stat.rss_pages, 1000);
	}
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
	static const pid_t pids[] = { 20, 21, 22, 23, 25, 26, 27, 28, 99, 0, -1 };
	int root = open_hostile();

	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
		struct proc_stat stat;
		ck_assert_msg(!procfs_stat(root, pids[i], &stat), "%d", (int)pids[i]);
	}
}
END_TEST

START_TEST(a_zombie_tells_how_it_ended)
{
	struct proc_stat stat;

	ck_assert(procfs_stat(open_hostile(), 30, &stat));
	ck_assert(proc_is_dead(stat.state, stat.threads));
	ck_assert(WIFEXITED(stat.exit_code));
	ck_assert_int_eq(WEXITSTATUS(stat.exit_code), 3);
}
END_TEST

START_TEST(a_process_outlives_its_main_thread)
{
	struct proc_stat stat;

	ck_assert(procfs_stat(open_hostile(), 31, &stat));
	ck_assert_int_eq(stat.state, 'Z');
	ck_assert(!proc_is_dead(stat.state, stat.threads));
}
END_TEST

START_TEST(a_kernel_without_exit_codes_will_do)
{
	struct proc_stat stat;

	ck_assert(procfs_stat(open_hostile(), 32, &stat));
	ck_assert_int_eq(stat.exit_code, 0);
}
END_TEST

/* Cut anywhere, a line gives either nothing or the same. */
START_TEST(no_number_is_taken_in_part)
{
	char text[1024], part[1024];
	struct proc_stat whole, stat;

	ssize_t size = proc_file_read(open_hostile(), "11/stat", text, sizeof text);
	ck_assert_int_gt(size, 100);
	ck_assert(proc_stat_parse(text, &whole));
	for (ssize_t i = 0; i < size; i++) {
		memcpy(part, text, (size_t)i);
		part[i] = '\0';
		if (!proc_stat_parse(part, &stat))
			continue;
		ck_assert_uint_eq(stat.starttime, whole.starttime);
		ck_assert_uint_eq(stat.rss_pages, whole.rss_pages);
		ck_assert_int_eq(stat.exit_code, whole.exit_code);
	}
}
END_TEST

/* For the sanitizers: no byte in any place leads astray. */
START_TEST(any_byte_anywhere_is_survived)
{
	char text[1024], changed[1024];
	struct proc_stat stat;

	ssize_t size = proc_file_read(open_hostile(), "12/stat", text, sizeof text);
	for (ssize_t i = 0; i < size; i++) {
		for (int byte = 0; byte < 256; byte++) {
			memcpy(changed, text, (size_t)size + 1);
			changed[i] = (char)byte;
			proc_stat_parse(changed, &stat);
		}
	}
}
END_TEST

START_TEST(this_process_is_there)
{
	struct proc_stat stat;

	ck_assert(proc_stat_read(getpid(), &stat));
	ck_assert_int_eq(stat.parent, getppid());
	ck_assert_int_eq(stat.group, getpgrp());
	ck_assert_int_eq(stat.session, getsid(0));
	ck_assert_uint_ge(stat.threads, 1);
	ck_assert_uint_gt(stat.rss_pages, 0);
	ck_assert_uint_gt(stat.starttime, 0);
}
END_TEST

START_TEST(a_child_that_ended_is_a_zombie_until_reaped)
{
	struct proc_stat stat;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(42);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert(proc_stat_read(pid, &stat));
	ck_assert(proc_is_dead(stat.state, stat.threads));
	ck_assert_int_eq(WEXITSTATUS(stat.exit_code), 42);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(!proc_stat_read(pid, &stat));
}
END_TEST

static bool count_bytes(void *context, const char *bytes, size_t size)
{
	size_t *count = context;

	(void)bytes;
	*count += size;
	return true;
}

START_TEST(no_more_is_read_than_asked_for)
{
	char text[16];
	size_t count = 0;
	int root = open_hostile();

	ck_assert_int_eq(proc_file_read(root, "10/stat", text, sizeof text), sizeof text - 1);
	ck_assert_str_eq(text, "10 (plain) S 1 ");
	ck_assert(proc_file_scan(root, "10/stat", 100, count_bytes, &count));
	ck_assert_uint_eq(count, 100);
	ck_assert(!proc_file_scan(root, "99/stat", 100, count_bytes, &count));
	ck_assert_int_eq(proc_file_read(root, "99/stat", text, sizeof text), -1);
	ck_assert_int_eq(proc_file_read(root, "10", text, sizeof text), -1);
}
END_TEST

Suite *stat_suite(void);

Suite *stat_suite(void)
{
	const TTest *const tests[] = {
		a_line_is_read,
		a_name_may_hold_anything,
		what_makes_no_sense_is_refused,
		a_zombie_tells_how_it_ended,
		a_process_outlives_its_main_thread,
		a_kernel_without_exit_codes_will_do,
		no_number_is_taken_in_part,
		any_byte_anywhere_is_survived,
		this_process_is_there,
		a_child_that_ended_is_a_zombie_until_reaped,
		no_more_is_read_than_asked_for,
	};
	Suite *suite = suite_create("stat");
	TCase *tcase = tcase_create("stat");

	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}
