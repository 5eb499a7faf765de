#include <errno.h>
#include <poll.h>
#include <thrum.h>
#include "tests/explore/scenario.h"

static struct thrum_port *ends[2];

static void *send_three(void *unused)
{
	for (int i = 0; i < 3; i++)
		explore_claim(thrum_port_send(ends[0], &i, sizeof i, -1) == 0);
	return unused;
}

static void receive(int expected)
{
	void *buffer;
	size_t size;

	explore_claim(thrum_port_receive(ends[1], &buffer, &size, -1) == 0);
	explore_claim(size == sizeof expected && *(int *)buffer == expected);
	thrum_buffer_destroy(buffer);
}

static void close_both(void)
{
	thrum_port_close(ends[0]);
	thrum_port_close(ends[1]);
}

/* Through a port with room for one. */
void messages_pass_one_by_one(void)
{
	unsigned sender;

	explore_claim(thrum_port_pair(ends, 1) == 0);
	sender = explore_start(send_three, NULL);
	for (int i = 0; i < 3; i++)
		receive(i);
	explore_join(sender);
	close_both();
}

static void *send_and_close(void *unused)
{
	int zero = 0;

	explore_claim(thrum_port_send(ends[0], &zero, sizeof zero, -1) == 0);
	thrum_port_close(ends[0]);
	return unused;
}

/* All that was sent comes before the end does. */
void an_end_is_closed(void)
{
	void *buffer;
	size_t size;
	unsigned sender;

	explore_claim(thrum_port_pair(ends, 1) == 0);
	sender = explore_start(send_and_close, NULL);
	receive(0);
	explore_claim(thrum_port_receive(ends[1], &buffer, &size, -1) == -EPIPE);
	explore_join(sender);
	thrum_port_close(ends[1]);
}

static bool is_readable(void *fd)
{
	struct pollfd polled = { .fd = *(int *)fd, .events = POLLIN };

	return poll(&polled, 1, 0) == 1;
}

/* The descriptor of a port that a thread sends to. */
static int watch(void *(*send)(void *unused), unsigned *sender)
{
	explore_claim(thrum_port_pair(ends, 2) == 0);
	int fd = thrum_port_fd(ends[1]);
	explore_claim(fd >= 0);
	*sender = explore_start(send, NULL);
	return fd;
}

/* An event loop, which sleeps when a port has nothing, misses none. */
void a_loop_is_told_of_each_message(void)
{
	unsigned sender;
	int fd = watch(send_three, &sender), next = 0;
	void *buffer;
	size_t size;

	while (next < 3) {
		explore_until(is_readable, &fd);
		while (thrum_port_receive(ends[1], &buffer, &size, 0) == 0) {
			explore_claim(*(int *)buffer == next++);
			thrum_buffer_destroy(buffer);
		}
	}
	explore_join(sender);
	close_both();
}

/* … nor the end. */
void a_loop_is_told_of_the_end(void)
{
	unsigned sender;
	int fd = watch(send_and_close, &sender), result;
	void *buffer;
	size_t size;

	do {
		explore_until(is_readable, &fd);
		while ((result = thrum_port_receive(ends[1], &buffer, &size, 0)) == 0)
			thrum_buffer_destroy(buffer);
	} while (result != -EPIPE);
	explore_join(sender);
	thrum_port_close(ends[1]);
}
