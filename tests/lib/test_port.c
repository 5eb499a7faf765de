#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <thrum.h>
#include "tests/runner.h"

#define MANY 1000000

static void *send_many(void *port)
{
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(thrum_port_send(port, &i, sizeof(i), -1), 0);
	return NULL;
}

START_TEST(a_million_messages_arrive_in_order)
{
	struct thrum_port *ends[2];
	pthread_t thread;
	void *buffer;
	size_t size;

	ck_assert_int_eq(thrum_port_pair(ends, 64), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, send_many, ends[0]), 0);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(thrum_port_receive(ends[1], &buffer, &size, -1), 0);
		ck_assert_int_eq(*(int *)buffer, i);
		thrum_buffer_destroy(buffer);
	}
	pthread_join(thread, NULL);
	thrum_port_close(ends[0]);
	ck_assert_int_eq(thrum_port_receive(ends[1], &buffer, &size, -1), -EPIPE);
	thrum_port_close(ends[1]);
}
END_TEST

START_TEST(a_transferred_buffer_is_the_receivers)
{
	struct thrum_port *ends[2];
	void *mine = thrum_buffer_create(10), *same = mine, *got;
	size_t size;

	ck_assert_int_eq(thrum_port_pair(ends, 1), 0);
	ck_assert_int_eq(thrum_port_transfer(ends[0], &mine, 10, 0), 0);
	ck_assert_ptr_null(mine);
	ck_assert_int_eq(thrum_port_transfer(ends[0], &mine, 10, 0), -EINVAL);
	ck_assert_int_eq(thrum_port_send(ends[0], "x", 1, 1), -ETIMEDOUT);
	ck_assert_int_eq(thrum_port_receive(ends[1], &got, &size, 0), 0);
	ck_assert_ptr_eq(got, same);
	ck_assert_uint_eq(size, 10);
	thrum_buffer_destroy(got);
	thrum_port_close(ends[1]);
	ck_assert_int_eq(thrum_port_send(ends[0], "x", 1, -1), -EPIPE);
	thrum_port_close(ends[0]);
}
END_TEST

static int is_readable(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	return poll(&polled, 1, 0);
}

START_TEST(a_descriptor_tells_a_sleeping_reader)
{
	struct thrum_port *ends[2];
	void *buffer;
	size_t size;
	int fd;

	ck_assert_int_eq(thrum_port_pair(ends, 0), 0);
	fd = thrum_port_fd(ends[1]);
	ck_assert_int_eq(thrum_port_receive(ends[1], &buffer, &size, 0), -ETIMEDOUT);
	ck_assert_int_eq(is_readable(fd), 0);
	ck_assert_int_eq(thrum_port_send(ends[0], NULL, 0, 0), 0);
	ck_assert_int_eq(is_readable(fd), 1);
	ck_assert_int_eq(thrum_port_receive(ends[1], &buffer, &size, 0), 0);
	ck_assert_int_eq(thrum_port_receive(ends[1], &buffer, &size, 0), -ETIMEDOUT);
	ck_assert_int_eq(is_readable(fd), 0);
	thrum_port_close(ends[0]);
	ck_assert_int_eq(is_readable(fd), 1);
	thrum_port_close(ends[1]);
}
END_TEST

Suite *port_suite(void)
{
	Suite *suite = suite_create("port");
	TCase *test_case = tcase_create("port");

	tcase_set_timeout(test_case, 60);
	tcase_add_test(test_case, a_million_messages_arrive_in_order);
	tcase_add_test(test_case, a_transferred_buffer_is_the_receivers);
	tcase_add_test(test_case, a_descriptor_tells_a_sleeping_reader);
	suite_add_tcase(suite, test_case);
	return suite;
}
