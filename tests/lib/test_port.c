#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <thrum.h>
#include "tests/lib/scarce.h"
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

enum {
	SENDERS = 3,
	READERS = 2,
	EACH = 40000,
	PATIENCE_MS = 20000
};

/* Small ones, and such as get a buffer of their own; the number is at the begin of each. */
static void *send_numbers(void *port)
{
	char bytes[200] = "";

	for (uint64_t i = 1; i <= EACH; i++) {
		memcpy(bytes, &i, sizeof i);
		ck_assert_int_eq(thrum_port_send(port, bytes, i % 3 ? 8 + i % 100 : sizeof bytes, -1), 0);
	}
	return NULL;
}

static uint64_t number_in(void *buffer)
{
	uint64_t number;

	memcpy(&number, buffer, sizeof number);
	thrum_buffer_destroy(buffer);
	return number;
}

static void *add_up(void *port)
{
	static atomic_ulong sum;
	void *buffer;
	size_t size;
	int result;

	while ((result = thrum_port_receive(port, &buffer, &size, PATIENCE_MS)) == 0)
		atomic_fetch_add(&sum, number_in(buffer));
	ck_assert_int_eq(result, -EPIPE);
	return &sum;
}

START_TEST(several_threads_at_both_ends_lose_nothing)
{
	struct thrum_port *ends[2];
	pthread_t senders[SENDERS], readers[READERS];
	void *sum = NULL;

	ck_assert_int_eq(thrum_port_pair(ends, 7), 0);
	for (int i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, add_up, ends[1]);
	for (int i = 0; i < SENDERS; i++)
		pthread_create(&senders[i], NULL, send_numbers, ends[0]);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	thrum_port_close(ends[0]);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], &sum);
	ck_assert_uint_eq(atomic_load((atomic_ulong *)sum), (unsigned long)SENDERS * EACH * (EACH + 1) / 2);
	thrum_port_close(ends[1]);
}
END_TEST

START_TEST(who_looks_at_the_descriptor_misses_nothing)
{
	struct thrum_port *ends[2];
	struct pollfd polled = { .events = POLLIN };
	pthread_t sender;
	uint64_t sum = 0;
	void *buffer;
	size_t size;

	ck_assert_int_eq(thrum_port_pair(ends, 3), 0);
	polled.fd = thrum_port_fd(ends[1]);
	pthread_create(&sender, NULL, send_numbers, ends[0]);
	while (sum < (uint64_t)EACH * (EACH + 1) / 2) {
		ck_assert_int_eq(poll(&polled, 1, PATIENCE_MS), 1);
		while (thrum_port_receive(ends[1], &buffer, &size, 0) == 0)
			sum += number_in(buffer);
	}
	pthread_join(sender, NULL);
	thrum_port_close(ends[0]);
	thrum_port_close(ends[1]);
}
END_TEST

static void *fill_up(void *port)
{
	int result;

	while ((result = thrum_port_send(port, "x", 1, -1)) == 0)
		continue;
	ck_assert_int_eq(result, -EPIPE);
	return NULL;
}

START_TEST(who_waits_for_room_is_told_that_the_other_end_is_closed)
{
	struct thrum_port *ends[2];
	pthread_t threads[2];

	ck_assert_int_eq(thrum_port_pair(ends, 2), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, fill_up, ends[0]);
	while (thrum_port_send(ends[0], "y", 1, 0) == 0)
		continue;
	thrum_port_close(ends[1]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	thrum_port_close(ends[0]);
}
END_TEST

START_TEST(who_waits_does_so_no_longer_than_it_said)
{
	struct thrum_port *ends[2];
	void *buffer;
	size_t size;

	ck_assert_int_eq(thrum_port_pair(ends, 1), 0);
	ck_assert_int_eq(thrum_port_receive(ends[1], &buffer, &size, 10), -ETIMEDOUT);
	ck_assert_int_eq(thrum_port_send(ends[0], "x", 1, 10), 0);
	ck_assert_int_eq(thrum_port_send(ends[0], "x", 1, 10), -ETIMEDOUT);
	ck_assert_int_eq(thrum_port_send(ends[0], "x", 1, 0), -ETIMEDOUT);
	thrum_port_close(ends[0]);
	thrum_port_close(ends[1]);
}
END_TEST

START_TEST(what_cannot_be_received_for_want_of_memory_is_there_still)
{
	struct thrum_port *ends[2];
	void *buffer;
	size_t size;

	ck_assert_int_eq(thrum_port_pair(ends, 0), 0);
	ck_assert_int_eq(thrum_port_send(ends[0], "here", 5, 0), 0);
	scarce_after(0);
	ck_assert_int_eq(thrum_port_receive(ends[1], &buffer, &size, 0), -ENOMEM);
	scarce_after(-1);
	ck_assert_int_eq(thrum_port_receive(ends[1], &buffer, &size, 0), 0);
	ck_assert_str_eq(buffer, "here");
	thrum_buffer_destroy(buffer);
	thrum_port_close(ends[0]);
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
	tcase_add_test(test_case, several_threads_at_both_ends_lose_nothing);
	tcase_add_test(test_case, who_looks_at_the_descriptor_misses_nothing);
	tcase_add_test(test_case, who_waits_for_room_is_told_that_the_other_end_is_closed);
	tcase_add_test(test_case, who_waits_does_so_no_longer_than_it_said);
	tcase_add_test(test_case, what_cannot_be_received_for_want_of_memory_is_there_still);
	suite_add_tcase(suite, test_case);
	return suite;
}
