#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <thrum.h>
#include <unistd.h>
#include "lib/json.h"
#include "tests/lib/scarce.h"
#include "tests/runner.h"

enum {
	PATIENCE_MS = 20000,
	MANY = 20000
};

struct pair {
	struct thrum_channel *here, *there;
};

static struct pair pair_of_channels(void)
{
	struct pair pair;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pair.here = thrum_channel_create(fds[0]);
	pair.there = thrum_channel_create(fds[1]);
	ck_assert_ptr_nonnull(pair.here);
	ck_assert_ptr_nonnull(pair.there);
	return pair;
}

static void close_pair(struct pair pair)
{
	thrum_channel_close(pair.here);
	thrum_channel_close(pair.there);
}

static void send_text(struct thrum_channel *channel, const char *text)
{
	ck_assert_int_eq(thrum_channel_send(channel, text, strlen(text), PATIENCE_MS), 0);
}

static void expect_text(struct thrum_channel *channel, const char *wanted)
{
	char *text;
	size_t size;

	ck_assert_int_eq(thrum_channel_receive(channel, &text, &size, PATIENCE_MS), 0);
	ck_assert_str_eq(text, wanted);
	ck_assert_uint_eq(size, strlen(wanted));
	thrum_buffer_destroy(text);
}

static void expect_nothing(struct thrum_channel *channel, int reason)
{
	char *text;
	size_t size;

	ck_assert_int_eq(thrum_channel_receive(channel, &text, &size, 0), reason);
}

/* -- JSON -- */

static void expect_member(const char *text, const char *name, const char *wanted)
{
	struct piece value = json_member((struct piece){ text, strlen(text) }, name);

	if (!wanted) {
		ck_assert_ptr_null(value.at);
		return;
	}
	ck_assert_ptr_nonnull(value.at);
	ck_assert_uint_eq(value.size, strlen(wanted));
	ck_assert_int_eq(memcmp(value.at, wanted, value.size), 0);
}

START_TEST(a_member_is_found_in_the_outermost_map)
{
	expect_member("{\"a\":1}", "a", "1");
	expect_member(" { \"a\" : -1.5e3 , \"b\" : \"x\" } ", "b", "\"x\"");
	expect_member("{\"b\":{\"a\":2},\"a\":[1,{\"a\":3}]}", "a", "[1,{\"a\":3}]");
	expect_member("{\"a\":1,\"a\":2}", "a", "2");
	expect_member("{\"x\\\"a\":1,\"a\":\"}\\\\\"}", "a", "\"}\\\\\"");
	expect_member("{\"\\u0061\":true}", "a", "true");
	expect_member("{\"b\":\"a\"}", "a", NULL);
	expect_member("[{\"a\":1}]", "a", NULL);
	expect_member("{}", "a", NULL);
	expect_member("", "a", NULL);
	expect_member("{\"a\"", "a", NULL);
	expect_member("{\"a\":", "a", NULL);
	expect_member("{\"a\":\"x", "a", NULL);
	expect_member("{\"a\":{\"b\":1}", "a", "{\"b\":1}");
	expect_member("{\"a\":{\"b\\", "a", NULL);
}
END_TEST

static void expect_string(const char *text, const char *wanted)
{
	char string[64];

	ck_assert_int_eq(thrum_message_string(text, strlen(text), "s", string, sizeof string), 0);
	ck_assert_str_eq(string, wanted);
}

START_TEST(a_string_loses_its_escapes)
{
	char small[4];

	expect_string("{\"s\":\"\"}", "");
	expect_string("{\"s\":\"a\\n\\t\\\\\\\"\\/\"}", "a\n\t\\\"/");
	expect_string("{\"s\":\"\\u00e4\\u20ac\\ud83d\\ude00\"}", "ä€😀");
	expect_string("{\"s\":\"\\ud83dx\\udc00\"}", "\xef\xbf\xbdx\xef\xbf\xbd");
	ck_assert_int_eq(thrum_message_string("{\"s\":\"abcd\"}", 12, "s", small, sizeof small), -ENOBUFS);
	ck_assert_int_eq(thrum_message_string("{\"s\":1}", 7, "s", small, sizeof small), -EINVAL);
	ck_assert_int_eq(thrum_message_string("{}", 2, "s", small, sizeof small), -ENOENT);
}
END_TEST

START_TEST(a_number_is_one)
{
	double number = 0;

	ck_assert_int_eq(thrum_message_number("{\"n\":-2.5e1}", 12, "n", &number), 0);
	ck_assert_double_eq(number, -25);
	ck_assert_int_eq(thrum_message_number("{\"n\":\"1\"}", 9, "n", &number), -EINVAL);
	ck_assert_int_eq(thrum_message_number("{\"n\":null}", 10, "n", &number), -EINVAL);
	ck_assert_int_eq(thrum_message_number("{\"m\":1}", 7, "n", &number), -ENOENT);
}
END_TEST

static void expect_quoted(const char *string, const char *wanted)
{
	char to[32];
	size_t size = json_quote(to, sizeof to, string);

	ck_assert_uint_eq(size, strlen(wanted));
	ck_assert_int_eq(memcmp(to, wanted, size), 0);
}

START_TEST(whatever_is_quoted_is_json)
{
	expect_quoted("plain", "\"plain\"");
	expect_quoted("a\"\\\n", "\"a\\\"\\\\\\u000a\"");
	expect_quoted("ä€😀", "\"ä€😀\"");
	expect_quoted("\xff\xc3", "\"\\ufffd\\ufffd\"");
	expect_quoted("0123456789012345678901234567890123456789", "\"01234567890123456789012\"");
}
END_TEST

/* -- Texts -- */

START_TEST(texts_arrive_however_they_are_cut)
{
	struct thrum_channel *channel;
	const char *bytes = "{\"a\":1}\r\n\n  7\nnull\n\"x";
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	channel = thrum_channel_create(fds[0]);
	for (size_t i = 0; i < strlen(bytes); i++)
		ck_assert_int_eq(write(fds[1], bytes + i, 1), 1);
	expect_text(channel, "{\"a\":1}");
	expect_text(channel, "  7");
	expect_text(channel, "null");
	expect_nothing(channel, -ETIMEDOUT);
	ck_assert_int_eq(write(fds[1], "\"\n\"lost", 7), 7);
	close(fds[1]);
	expect_text(channel, "\"x\"");
	expect_nothing(channel, -EPIPE);
	thrum_channel_close(channel);
}
END_TEST

START_TEST(what_node_says_to_itself_is_left_out)
{
	struct pair pair = pair_of_channels();

	send_text(pair.here, "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\"}");
	send_text(pair.here, "{\"cmd\":\"NODE_\"}");
	expect_text(pair.there, "{\"cmd\":\"NODE_\"}");
	close_pair(pair);
}
END_TEST

START_TEST(what_is_no_line_is_not_sent)
{
	struct pair pair = pair_of_channels();

	ck_assert_int_eq(thrum_channel_send(pair.here, "1\n2", 3, 0), -EINVAL);
	ck_assert_int_eq(thrum_channel_send(pair.here, "", 0, 0), -EINVAL);
	expect_nothing(pair.there, -ETIMEDOUT);
	close_pair(pair);
}
END_TEST

START_TEST(a_full_channel_says_so_and_loses_nothing)
{
	struct pair pair = pair_of_channels();
	char text[1000], *got;
	size_t size, sent = 0;

	memset(text, '7', sizeof text);
	while (thrum_channel_send(pair.here, text, sizeof text, 0) == 0)
		sent++;
	ck_assert_int_eq(thrum_channel_send(pair.here, text, sizeof text, 1), -ETIMEDOUT);
	for (; sent > 0; sent--) {
		ck_assert_int_eq(thrum_channel_receive(pair.there, &got, &size, 0), 0);
		ck_assert_uint_eq(size, sizeof text);
		thrum_buffer_destroy(got);
	}
	expect_nothing(pair.there, -ETIMEDOUT);
	thrum_channel_close(pair.there);
	ck_assert_int_eq(thrum_channel_send(pair.here, "1", 1, -1), -EPIPE);
	thrum_channel_close(pair.here);
}
END_TEST

static void *send_numbers(void *channel)
{
	char text[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "%d", i);
		send_text(channel, text);
	}
	return NULL;
}

START_TEST(many_texts_arrive_in_order)
{
	struct pair pair = pair_of_channels();
	pthread_t thread;
	char wanted[16];

	ck_assert_int_eq(pthread_create(&thread, NULL, send_numbers, pair.here), 0);
	for (int i = 0; i < MANY; i++) {
		snprintf(wanted, sizeof wanted, "%d", i);
		expect_text(pair.there, wanted);
	}
	pthread_join(thread, NULL);
	close_pair(pair);
}
END_TEST

static void *send_large(void *channel)
{
	size_t size = THRUM_MESSAGE_MOST - 1;
	char *text = malloc(size);

	memset(text, '1', size);
	ck_assert_int_eq(thrum_channel_send(channel, text, size, -1), 0);
	ck_assert_int_eq(thrum_channel_send(channel, text, THRUM_MESSAGE_MOST * 2, -1), -EMSGSIZE);
	free(text);
	return NULL;
}

START_TEST(the_largest_text_arrives)
{
	struct pair pair = pair_of_channels();
	pthread_t thread;
	char *text;
	size_t size;

	ck_assert_int_eq(pthread_create(&thread, NULL, send_large, pair.here), 0);
	ck_assert_int_eq(thrum_channel_receive(pair.there, &text, &size, PATIENCE_MS), 0);
	ck_assert_uint_eq(size, THRUM_MESSAGE_MOST - 1);
	ck_assert_uint_eq(strspn(text, "1"), size);
	pthread_join(thread, NULL);
	thrum_buffer_destroy(text);
	close_pair(pair);
}
END_TEST

static void *write_without_end(void *fd)
{
	char bytes[65536];

	memset(bytes, '1', sizeof bytes);
	while (send(*(int *)fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
		continue;
	return NULL;
}

START_TEST(a_line_without_an_end_breaks_the_channel)
{
	struct thrum_channel *channel;
	pthread_t thread;
	char *text;
	size_t size;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	channel = thrum_channel_create(fds[0]);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_without_end, &fds[1]), 0);
	ck_assert_int_eq(thrum_channel_receive(channel, &text, &size, PATIENCE_MS), -EMSGSIZE);
	thrum_channel_close(channel);
	pthread_join(thread, NULL);
	close(fds[1]);
}
END_TEST

START_TEST(what_is_held_back_goes_out_together)
{
	struct pair pair = pair_of_channels();

	ck_assert_int_eq(thrum_channel_release(pair.here, 0), -EINVAL);
	ck_assert_int_eq(thrum_channel_hold(pair.here), 0);
	ck_assert_int_eq(thrum_channel_hold(pair.here), 0);
	send_text(pair.here, "1");
	send_text(pair.here, "2");
	expect_nothing(pair.there, -ETIMEDOUT);
	ck_assert_int_eq(thrum_channel_release(pair.here, 0), 0);
	expect_nothing(pair.there, -ETIMEDOUT);
	ck_assert_int_eq(thrum_channel_release(pair.here, 0), 0);
	expect_text(pair.there, "1");
	expect_text(pair.there, "2");
	close_pair(pair);
}
END_TEST

/* Else it would wait for an answer to what nobody has heard. */
START_TEST(who_waits_has_said_what_is_held_back)
{
	struct pair pair = pair_of_channels();
	char *text;
	size_t size;

	ck_assert_int_eq(thrum_channel_hold(pair.here), 0);
	send_text(pair.here, "1");
	if (_i)
		ck_assert_int_eq(thrum_channel_request(pair.here, "{}", 2, &text, &size, 1), -ETIMEDOUT);
	else
		ck_assert_int_eq(thrum_channel_receive(pair.here, &text, &size, 1), -ETIMEDOUT);
	expect_text(pair.there, "1");
	ck_assert_int_eq(thrum_channel_receive(pair.there, &text, &size, 0), _i ? 0 : -ETIMEDOUT);
	if (_i)
		thrum_buffer_destroy(text);
	ck_assert_int_eq(thrum_channel_release(pair.here, 0), 0);
	close_pair(pair);
}
END_TEST

START_TEST(without_memory_nothing_is_lost)
{
	struct pair pair = pair_of_channels();
	char *text;
	size_t size;

	send_text(pair.here, "{\"n\":1}");
	for (int i = 0; i < 2; i++) {
		scarce_after(i);
		ck_assert_int_eq(thrum_channel_receive(pair.there, &text, &size, 0), -ENOMEM);
	}
	scarce_after(-1);
	expect_text(pair.there, "{\"n\":1}");
	close_pair(pair);
}
END_TEST

/* -- Requests -- */

static void *echo(void *data)
{
	struct thrum_channel *channel = data;
	char *text;
	size_t size;

	while (thrum_channel_receive(channel, &text, &size, -1) == 0) {
		send_text(channel, "\"between\"");
		ck_assert_int_eq(thrum_channel_reply(channel, text, size, text, size, -1), 0);
		thrum_buffer_destroy(text);
	}
	return NULL;
}

struct asker {
	struct thrum_channel *channel;
	int first;
};

static void *ask(void *data)
{
	struct asker *asker = data;
	char text[32], *reply;
	size_t size;
	double number;

	for (int i = asker->first; i < asker->first + 500; i++) {
		snprintf(text, sizeof text, " {\"n\":%d } ", i);
		ck_assert_int_eq(thrum_channel_request(asker->channel, text, strlen(text), &reply, &size, PATIENCE_MS), 0);
		ck_assert_int_eq(thrum_message_number(reply, size, "n", &number), 0);
		ck_assert_double_eq(number, i);
		thrum_buffer_destroy(reply);
	}
	return NULL;
}

START_TEST(requests_of_many_threads_get_their_own_answers)
{
	enum {
		ASKERS = 4
	};
	struct pair pair = pair_of_channels();
	struct asker askers[ASKERS];
	pthread_t threads[ASKERS], other;

	ck_assert_int_eq(pthread_create(&other, NULL, echo, pair.there), 0);
	for (int i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){ pair.here, i * 1000 };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (int i = 0; i < ASKERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < ASKERS * 500; i++)
		expect_text(pair.here, "\"between\"");
	expect_nothing(pair.here, -ETIMEDOUT);
	thrum_channel_close(pair.here);
	pthread_join(other, NULL);
	thrum_channel_close(pair.there);
}
END_TEST

START_TEST(a_request_that_nobody_answers_ends)
{
	struct pair pair = pair_of_channels();
	char *reply;
	size_t size;

	ck_assert_int_eq(thrum_channel_request(pair.here, "[1]", 3, &reply, &size, -1), -EINVAL);
	ck_assert_int_eq(thrum_channel_request(pair.here, "{}", 2, &reply, &size, 10), -ETIMEDOUT);
	ck_assert_int_eq(thrum_channel_reply(pair.here, "{}", 2, "{}", 2, 0), -ENOENT);
	thrum_channel_close(pair.there);
	ck_assert_int_eq(thrum_channel_request(pair.here, "{}", 2, &reply, &size, -1), -EPIPE);
	thrum_channel_close(pair.here);
}
END_TEST

/* -- Event loops -- */

static void add_up(struct thrum_channel *channel, uint64_t task, const char *payload, size_t size, void *context)
{
	double number = 0;
	char result[32];

	(void)context;
	if (thrum_message_number(payload, size, "n", &number) < 0) {
		ck_assert_int_eq(thrum_channel_fail(channel, task, "no \"n\"", -1), 0);
		return;
	}
	snprintf(result, sizeof result, "%g", number + 1);
	ck_assert_int_eq(thrum_channel_complete(channel, task, result, strlen(result), -1), 0);
}

static void count_text(struct thrum_channel *channel, const char *text, size_t size, void *context)
{
	(void)channel;
	ck_assert_uint_eq(strlen(text), size);
	++*(int *)context;
}

static int is_readable(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	return poll(&polled, 1, 0);
}

START_TEST(a_loop_is_told_of_what_comes)
{
	struct pair pair = pair_of_channels();
	int others = 0, fd = thrum_channel_fd(pair.there);
	struct thrum_handlers handlers = { .task = add_up, .message = count_text, .context = &others };

	ck_assert_int_eq(is_readable(fd), 0);
	ck_assert_int_eq(thrum_channel_process(pair.there, &handlers), 0);
	send_text(pair.here, "{\"type\":\"task\",\"payload\":{\"n\":4,\"id\":\"own\",\"id\":12}}");
	send_text(pair.here, "{\"type\":\"task\",\"payload\":{\"id\":13}}");
	send_text(pair.here, "{\"type\":\"task\",\"payload\":{}}");
	send_text(pair.here, "[]");
	ck_assert_int_eq(is_readable(fd), 1);
	ck_assert_int_eq(thrum_channel_process(pair.there, &handlers), 0);
	ck_assert_int_eq(is_readable(fd), 0);
	ck_assert_int_eq(others, 2);
	expect_text(pair.here, "{\"type\":\"task_complete\",\"taskId\":12,\"result\":5}");
	expect_text(pair.here, "{\"type\":\"task_error\",\"taskId\":13,\"error\":\"no \\\"n\\\"\"}");
	close_pair(pair);
}
END_TEST

START_TEST(a_loop_is_told_of_what_was_read_and_not_taken)
{
	struct pair pair = pair_of_channels();
	int others = 0, fd = thrum_channel_fd(pair.there);
	struct thrum_handlers handlers = { .message = count_text, .context = &others };

	send_text(pair.here, "1");
	send_text(pair.here, "2");
	expect_text(pair.there, "1");
	ck_assert_int_eq(is_readable(fd), 1);
	ck_assert_int_eq(thrum_channel_process(pair.there, &handlers), 0);
	ck_assert_int_eq(is_readable(fd), 0);
	ck_assert_int_eq(others, 1);
	close_pair(pair);
}
END_TEST

/* Answers, and asks itself again so many times; what it had answered before can be seen at the other end, or not. */
struct chain {
	struct thrum_channel *asker;
	unsigned more, seen_early, count;
};

static void answer_and_ask(struct thrum_channel *channel, uint64_t task, const char *payload, size_t size, void *context)
{
	struct chain *chain = context;

	(void)payload, (void)size;
	chain->count++;
	chain->seen_early += is_readable(thrum_channel_fd(chain->asker)) > 0;
	ck_assert_int_eq(thrum_channel_complete(channel, task, "1", 1, -1), 0);
	if (chain->more > 0) {
		chain->more--;
		send_text(chain->asker, "{\"type\":\"task\",\"payload\":{\"id\":3}}");
	}
}

START_TEST(what_comes_together_is_answered_together)
{
	struct pair pair = pair_of_channels();
	struct chain chain = { .asker = pair.here, .more = 1 };
	struct thrum_handlers handlers = { .task = answer_and_ask, .context = &chain, .together = _i };

	send_text(pair.here, "{\"type\":\"task\",\"payload\":{\"id\":1}}");
	send_text(pair.here, "{\"type\":\"task\",\"payload\":{\"id\":2}}");
	ck_assert_int_eq(thrum_channel_process(pair.there, &handlers), 0);
	/* The second is answered behind the first, and what it led to is looked for at once. */
	ck_assert_uint_eq(chain.count, _i ? 3 : 2);
	ck_assert_uint_eq(chain.seen_early, 1);
	for (int i = 1; i <= (_i ? 3 : 2); i++) {
		char text[64];
		snprintf(text, sizeof text, "{\"type\":\"task_complete\",\"taskId\":%d,\"result\":1}", i);
		expect_text(pair.here, text);
	}
	close_pair(pair);
}
END_TEST

static void *answer_requests(void *data)
{
	struct thrum_channel *channel = data;
	char *text;
	size_t size;

	while (thrum_channel_receive(channel, &text, &size, -1) == 0) {
		thrum_channel_reply(channel, text, size, "{}", 2, -1);
		thrum_buffer_destroy(text);
	}
	return NULL;
}

static void ask_and_answer(struct thrum_channel *channel, uint64_t task, const char *payload, size_t size, void *context)
{
	unsigned *count = context;
	char *reply;

	(void)payload;
	ck_assert_int_eq(thrum_channel_request(channel, "{}", 2, &reply, &size, PATIENCE_MS), 0);
	thrum_buffer_destroy(reply);
	ck_assert_int_eq(thrum_channel_complete(channel, task, "1", 1, -1), 0);
	(*count)++;
}

START_TEST(who_answers_together_may_ask_in_between)
{
	struct pair pair = pair_of_channels();
	unsigned count = 0;
	struct thrum_handlers handlers = { .task = ask_and_answer, .context = &count, .together = 1 };
	pthread_t other;

	send_text(pair.here, "{\"type\":\"task\",\"payload\":{\"id\":1}}");
	send_text(pair.here, "{\"type\":\"task\",\"payload\":{\"id\":2}}");
	ck_assert_int_eq(pthread_create(&other, NULL, answer_requests, pair.here), 0);
	ck_assert_int_eq(thrum_channel_process(pair.there, &handlers), 0);
	ck_assert_uint_eq(count, 2);
	thrum_channel_close(pair.there);
	pthread_join(other, NULL);
	thrum_channel_close(pair.here);
}
END_TEST

START_TEST(a_loop_has_its_turn_though_more_comes_always)
{
	struct pair pair = pair_of_channels();
	struct chain chain = { .asker = pair.here, .more = UINT_MAX };
	struct thrum_handlers handlers = { .task = answer_and_ask, .context = &chain, .together = 1 };
	char *text;
	size_t size;

	send_text(pair.here, "{\"type\":\"task\",\"payload\":{\"id\":3}}");
	ck_assert_int_eq(thrum_channel_process(pair.there, &handlers), 0);
	ck_assert_uint_gt(chain.count, 1);
	while (thrum_channel_receive(pair.here, &text, &size, 0) == 0)
		thrum_buffer_destroy(text);
	close_pair(pair);
}
END_TEST

static const char *const farewells[] = { "\"shutdown\"", "{\"cmd\":\"shutdown\"}", "{\"type\":\"shutdown\"}" };

START_TEST(a_worker_serves_until_it_is_to_end)
{
	struct pair pair = pair_of_channels();
	struct thrum_handlers handlers = { .task = add_up };

	send_text(pair.here, "{\"type\":\"task\",\"payload\":{\"n\":1,\"id\":1}}");
	send_text(pair.here, farewells[_i]);
	ck_assert_int_eq(thrum_channel_serve(pair.there, &handlers), 0);
	expect_text(pair.here, "\"ready\"");
	expect_text(pair.here, "{\"type\":\"task_complete\",\"taskId\":1,\"result\":2}");
	thrum_channel_close(pair.here);
	ck_assert_int_eq(thrum_channel_process(pair.there, &handlers), -EPIPE);
	thrum_channel_close(pair.there);
}
END_TEST

START_TEST(the_channel_is_the_environments)
{
	struct thrum_channel *channel;
	char number[16];
	int fds[2];

	ck_assert_ptr_null(thrum_channel_open());
	ck_assert_int_eq(errno, ENOTCONN);
	ck_assert_int_eq(pipe(fds), 0);
	snprintf(number, sizeof number, "%d", fds[0]);
	setenv("THRUM_CHANNEL_FD", number, 1);
	ck_assert_ptr_null(thrum_channel_open());
	ck_assert_int_eq(errno, ENOTSOCK);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	snprintf(number, sizeof number, "%d", fds[0]);
	unsetenv("THRUM_CHANNEL_FD");
	setenv("NODE_CHANNEL_FD", number, 1);
	channel = thrum_channel_open();
	ck_assert_ptr_nonnull(channel);
	ck_assert_ptr_null(getenv("NODE_CHANNEL_FD"));
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	thrum_channel_close(channel);
	close(fds[1]);
}
END_TEST

Suite *channel_suite(void)
{
	Suite *suite = suite_create("channel");
	TCase *test_case = tcase_create("channel");

	tcase_set_timeout(test_case, 60);
	tcase_add_test(test_case, a_member_is_found_in_the_outermost_map);
	tcase_add_test(test_case, a_string_loses_its_escapes);
	tcase_add_test(test_case, a_number_is_one);
	tcase_add_test(test_case, whatever_is_quoted_is_json);
	tcase_add_test(test_case, texts_arrive_however_they_are_cut);
	tcase_add_test(test_case, what_node_says_to_itself_is_left_out);
	tcase_add_test(test_case, what_is_no_line_is_not_sent);
	tcase_add_test(test_case, a_full_channel_says_so_and_loses_nothing);
	tcase_add_test(test_case, many_texts_arrive_in_order);
	tcase_add_test(test_case, the_largest_text_arrives);
	tcase_add_test(test_case, a_line_without_an_end_breaks_the_channel);
	tcase_add_test(test_case, what_is_held_back_goes_out_together);
	tcase_add_loop_test(test_case, who_waits_has_said_what_is_held_back, 0, 2);
	tcase_add_test(test_case, without_memory_nothing_is_lost);
	tcase_add_test(test_case, requests_of_many_threads_get_their_own_answers);
	tcase_add_test(test_case, a_request_that_nobody_answers_ends);
	tcase_add_test(test_case, a_loop_is_told_of_what_comes);
	tcase_add_test(test_case, a_loop_is_told_of_what_was_read_and_not_taken);
	tcase_add_loop_test(test_case, what_comes_together_is_answered_together, 0, 2);
	tcase_add_test(test_case, who_answers_together_may_ask_in_between);
	tcase_add_test(test_case, a_loop_has_its_turn_though_more_comes_always);
	tcase_add_loop_test(test_case, a_worker_serves_until_it_is_to_end, 0, 3);
	tcase_add_test(test_case, the_channel_is_the_environments);
	suite_add_tcase(suite, test_case);
	return suite;
}
