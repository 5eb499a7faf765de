#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "engine/terminal.h"
#include "protocol/method.h"

static uv_loop_t loop;
static struct terminal_ends ends;
static struct terminal *terminal;
static int hop[2];

static void begin(void)
{
	struct error err = { 0 };

	uv_loop_init(&loop);
	ck_assert_msg(terminal_make(&ends, geteuid(), &err), "%s", err.text);
	ck_assert_int_eq(pipe2(hop, O_NONBLOCK), 0);
	terminal = terminal_open(&loop, ends.master, hop[1]);
	ends.master = -1;
}

static void end(void)
{
	terminal_close(terminal);
	terminal_close_ends(&ends);
	close(hop[0]);
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void expect_from(int fd, const char *text)
{
	char bytes[256] = "";

	ck_assert_int_eq(read(fd, bytes, sizeof bytes - 1), (ssize_t)strlen(text));
	ck_assert_str_eq(bytes, text);
}

static void set_raw(void)
{
	struct termios modes;

	tcgetattr(ends.slave, &modes);
	cfmakeraw(&modes);
	tcsetattr(ends.slave, TCSANOW, &modes);
}

START_TEST(it_is_a_terminal_of_the_usual_size)
{
	struct winsize size;

	ck_assert(isatty(ends.slave));
	ck_assert_int_eq(ioctl(ends.slave, TIOCGWINSZ, &size), 0);
	ck_assert_int_eq(size.ws_col, 80);
	ck_assert_int_eq(size.ws_row, 24);
	ck_assert(terminal_resize(terminal, 132, 50));
	ck_assert_int_eq(ioctl(ends.slave, TIOCGWINSZ, &size), 0);
	ck_assert_int_eq(size.ws_col, 132);
	ck_assert_int_eq(size.ws_row, 50);
}
END_TEST

START_TEST(what_is_printed_comes_by_the_pipe_until_the_end)
{
	ck_assert_int_eq(write(ends.slave, "one\ntwo", 7), 7);
	ck_assert(!terminal_pump(terminal));
	expect_from(hop[0], "one\r\ntwo");
	ck_assert_int_eq(write(ends.slave, "last", 4), 4);
	close(ends.slave);
	ends.slave = -1;
	ck_assert(terminal_pump(terminal));
	expect_from(hop[0], "last");
	ck_assert(terminal_pump(terminal));
}
END_TEST

START_TEST(a_full_pipe_leaves_the_rest_in_the_terminal)
{
	static char line[4096];
	size_t written = 0, taken = 0;
	ssize_t got;

	set_raw();
	fcntl(ends.slave, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 100; i++) {
		got = write(ends.slave, line, sizeof line);
		written += got > 0 ? (size_t)got : 0;
		terminal_pump(terminal);
	}
	ck_assert_int_lt(got, 0); /* it has no room either: its process would wait */
	do {
		while ((got = read(hop[0], line, sizeof line)) > 0)
			taken += (size_t)got;
		terminal_pump(terminal);
		got = read(hop[0], line, sizeof line);
		taken += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	ck_assert_uint_eq(taken, written);
}
END_TEST

/* An eventfd can be read and not be spliced, as terminals of some kernels. */
START_TEST(what_cannot_be_spliced_is_copied)
{
	int source = eventfd(7, EFD_NONBLOCK);
	uint64_t number = 0;

	ck_assert_int_eq(splice(source, NULL, hop[1], NULL, 8, SPLICE_F_NONBLOCK), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(terminal_move(source, hop[1]), sizeof number);
	ck_assert_int_eq(read(hop[0], &number, sizeof number), sizeof number);
	ck_assert_uint_eq(number, 7);
	ck_assert_int_eq(terminal_move(source, hop[1]), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(source);
}
END_TEST

START_TEST(what_is_typed_arrives)
{
	ck_assert(terminal_type(terminal, "yes\r", 4));
	expect_from(ends.slave, "yes\n");
	ck_assert(terminal_type(terminal, "", 0));
}
END_TEST

START_TEST(a_process_that_does_not_read_is_typed_so_much_and_no_more)
{
	static char keys[32 * 1024];
	size_t typed = 0, taken = 0;
	ssize_t got;

	set_raw();
	memset(keys, 'k', sizeof keys);
	while (terminal_type(terminal, keys, sizeof keys))
		typed += sizeof keys;
	ck_assert_uint_gt(terminal_waiting(terminal), PROTOCOL_TYPED_MOST - sizeof keys);
	ck_assert_uint_le(terminal_waiting(terminal), PROTOCOL_TYPED_MOST);
	while (taken < typed) {
		uv_run(&loop, UV_RUN_NOWAIT);
		got = read(ends.slave, keys, sizeof keys);
		ck_assert_int_gt(got, 0);
		taken += (size_t)got;
	}
	ck_assert_uint_eq(terminal_waiting(terminal), 0);
	ck_assert(terminal_type(terminal, keys, sizeof keys));
}
END_TEST

START_TEST(keys_for_nobody_are_let_go)
{
	close(ends.slave);
	ends.slave = -1;
	ck_assert(terminal_type(terminal, "x", 1));
}
END_TEST

Suite *terminal_suite(void)
{
	Suite *suite = suite_create("terminal");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, it_is_a_terminal_of_the_usual_size);
	tcase_add_test(all, what_is_printed_comes_by_the_pipe_until_the_end);
	tcase_add_test(all, a_full_pipe_leaves_the_rest_in_the_terminal);
	tcase_add_test(all, what_cannot_be_spliced_is_copied);
	tcase_add_test(all, what_is_typed_arrives);
	tcase_add_test(all, a_process_that_does_not_read_is_typed_so_much_and_no_more);
	tcase_add_test(all, keys_for_nobody_are_let_go);
	suite_add_tcase(suite, all);
	return suite;
}
