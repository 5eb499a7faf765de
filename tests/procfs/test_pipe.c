#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

START_TEST(ends_of_one_pipe_or_terminal_are_told_to_belong_together)
{
	int others[2], master = posix_openpt(O_RDWR | O_NOCTTY);
	static const struct proc_end none;

	ck_assert_int_eq(pipe(others), 0);
	ck_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	struct proc_end ours = proc_end_of(ends[0]), same = proc_end_at(getpid(), ends[1]), other = proc_end_at(getpid(), others[1]);
	struct proc_end theirs = proc_end_at(getpid(), slave), of_master = proc_end_of(master);
	ck_assert(proc_end_is(&ours, &same));
	ck_assert(!proc_end_is(&ours, &other));
	ck_assert(proc_end_is(&of_master, &theirs));
	ck_assert(!proc_end_is(&of_master, &ours));
	ck_assert(!proc_end_is(&none, &none));
	same = proc_end_at(getpid(), 999);
	ck_assert(!proc_end_is(&same, &same));
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
	tcase_add_test(pipes, ends_of_one_pipe_or_terminal_are_told_to_belong_together);
	suite_add_tcase(suite, pipes);
	return suite;
}
