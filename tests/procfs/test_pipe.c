#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "procfs/pipe.h"
#include "tests/procfs/child.h"

static int ends[2];

static void begin(void)
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

static int make_lasting(void)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
	return open(path, O_RDWR | O_CLOEXEC);
}

START_TEST(what_waits_in_a_pipe_is_read_from_outside)
{
	char got[6] = "";
	ino_t inode = 0;
	struct stat st;
	int lasting = make_lasting();

	ck_assert_int_eq(write(lasting, "hello", 5), 5);
	pid_t pid = child_start(child_idle, true);
	close(ends[0]);
	int fd = proc_pipe_open(pid, lasting, &inode);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(lasting, &st), 0);
	ck_assert_uint_eq(inode, st.st_ino);
	close(ends[1]);
	close(lasting);
	ck_assert_int_eq(read(fd, got, 5), 5);
	ck_assert_str_eq(got, "hello");
	ck_assert_int_eq(read(fd, got, 5), -1); /* it does not block, and its writer is there */
	child_end(pid);
	ck_assert_int_eq(read(fd, got, 5), 0);
	close(fd);
}
END_TEST

START_TEST(what_a_process_made_itself_is_left_alone)
{
	ino_t inode;
	pid_t pid = child_start(child_idle, true);

	ck_assert_int_eq(proc_pipe_open(pid, ends[1], &inode), -1);
	ck_assert_int_eq(proc_pipe_open(pid, ends[0], &inode), -1);
	ck_assert_int_eq(proc_pipe_open(pid, 999, &inode), -1);
	child_end(pid);
	ck_assert_int_eq(proc_pipe_open(pid, ends[1], &inode), -1);
}
END_TEST

Suite *pipe_suite(void);

Suite *pipe_suite(void)
{
	Suite *suite = suite_create("pipe");
	TCase *pipes = tcase_create("pipes");

	tcase_add_checked_fixture(pipes, begin, NULL);
	tcase_add_test(pipes, what_waits_in_a_pipe_is_read_from_outside);
	tcase_add_test(pipes, what_a_process_made_itself_is_left_alone);
	suite_add_tcase(suite, pipes);
	return suite;
}
