#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/link.h"
#include "client/paths.h"
#include "client/tail.h"
#include "protocol/method.h"
#include "tests/client/folder.h"

/* The engine's side is this very process: what it says is in the socket before it is read. */
static char root[PATH_MAX];
static int listener, engine;
static struct link *client;
static struct error err;

static void begin(void)
{
	struct sockaddr_un address;

	folder_make(root);
	setenv("THRUM_RUNTIME_DIR", root, 1);
	int folder = paths_open_runtime("shop", PATHS_MAKE, &err);
	paths_socket_address(&address, folder);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	close(folder);
	client = link_open("shop", &err);
	ck_assert_ptr_nonnull(client);
	engine = accept(listener, NULL, NULL);
	err = (struct error){ 0 };
}

static void end(void)
{
	link_close(client);
	close(engine);
	close(listener);
	folder_remove(root);
}

static void say(const char *text)
{
	ck_assert_int_eq(write(engine, text, strlen(text)), (ssize_t)strlen(text));
}

static void check_heard(const char *expected)
{
	char buffer[4096];
	ssize_t size = recv(engine, buffer, sizeof buffer - 1, MSG_DONTWAIT);

	buffer[size < 0 ? 0 : size] = '\0';
	ck_assert_str_eq(buffer, expected);
}

START_TEST(a_call_is_one_line_and_its_reply_is_its_result)
{
	say("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":5}}\n");
	json_t *result = link_call(client, "list", json_pack("{s:i}", "n", 3), 1000, &err);
	ck_assert_int_eq(json_integer_value(json_object_get(result, "x")), 5);
	check_heard("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\",\"params\":{\"n\":3}}\n");
	json_decref(result);
}
END_TEST

START_TEST(what_comes_before_a_reply_is_kept_in_its_order)
{
	say("{\"method\":\"update\"}\n{\"method\":\"event\"}\n{\"id\":1,\"result\":true}\n{\"method\":\"bye\"}\n");
	json_t *result = link_call(client, "list", NULL, 1000, &err), *message;
	ck_assert(json_is_true(result));
	for (const char *const *method = (const char *const[]){ "update", "event", "bye", NULL }; *method; method++) {
		ck_assert(link_wait(client, 0));
		ck_assert_ptr_nonnull(message = link_next(client, &err));
		ck_assert_str_eq(json_string_value(json_object_get(message, "method")), *method);
		json_decref(message);
	}
	ck_assert_ptr_null(link_next(client, &err));
	ck_assert_int_eq(err.code, 0);
	json_decref(result);
}
END_TEST

START_TEST(a_refusal_is_an_error_with_its_code_and_text)
{
	say("{\"id\":1,\"error\":{\"code\":-32004,\"message\":\"no service matches 'x'\"}}\n");
	ck_assert_ptr_null(link_call(client, "stop", NULL, 1000, &err));
	ck_assert_int_eq(err.code, PROTOCOL_NO_SUCH_SERVICE);
	ck_assert_str_eq(err.text, "no service matches 'x'");
}
END_TEST

START_TEST(an_engine_that_says_nothing_is_not_waited_for_longer_than_told)
{
	ck_assert_ptr_null(link_call(client, "list", NULL, 20, &err));
	ck_assert_int_eq(err.code, ETIMEDOUT);
	/* the late reply is no reply to what is asked next */
	say("{\"id\":1,\"result\":1}\n{\"id\":2,\"result\":2}\n");
	json_t *result = link_call(client, "list", NULL, 1000, &err);
	ck_assert_int_eq(json_integer_value(result), 2);
	json_decref(result);
}
END_TEST

START_TEST(what_was_said_before_the_end_is_heard)
{
	say("{\"method\":\"bye\"}\n");
	close(engine);
	json_t *message = link_next(client, &err);
	ck_assert_ptr_nonnull(message);
	ck_assert_int_eq(err.code, 0);
	json_decref(message);
	ck_assert_ptr_null(link_next(client, &err));
	ck_assert_int_eq(err.code, ECONNRESET);
	ck_assert(link_wait(client, -1));
	ck_assert_ptr_null(link_call(client, "list", NULL, 1000, &err));
	ck_assert_int_eq(err.code, ECONNRESET);
}
END_TEST

START_TEST(what_was_said_before_the_end_is_heard_though_nothing_can_be_sent)
{
	json_int_t id;

	say("{\"method\":\"log\"}\n{\"method\":\"bye\"}\n");
	close(engine);
	ck_assert(!link_send(client, "log.read", NULL, &id, &err));
	ck_assert_int_eq(err.code, ECONNRESET);
	for (int i = 0; i < 2; i++) {
		json_t *message = link_next(client, &err);
		ck_assert_ptr_nonnull(message);
		ck_assert(!link_send(client, "log.read", NULL, &id, &(struct error){ 0 }));
		json_decref(message);
	}
	ck_assert_ptr_null(link_next(client, &err));
	ck_assert_int_eq(err.code, ECONNRESET);
}
END_TEST

static const char reply_with_bytes[] = "{\"id\":1,\"result\":{\"chunks\":[{\"size\":4},{\"size\":2}],\"raw\":6}}\n"
				       "a\n\n\xff\n{{\"method\":\"bye\"}\n";

static void check_bytes(json_t *message)
{
	json_t *chunks = json_object_get(json_object_get(message, "result"), "chunks");

	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(chunks, 0), "text")), "a\n\n\xff");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(chunks, 1), "text")), "\n{");
	json_decref(message);
}

START_TEST(bytes_that_follow_a_reply_are_waited_for)
{
	size_t size = sizeof reply_with_bytes - 1;

	for (size_t cut = 1; cut < size; cut++) {
		ck_assert_int_eq(write(engine, reply_with_bytes, cut), (ssize_t)cut);
		json_t *message = link_next(client, &err), *bye;
		bool is_whole = message;
		ck_assert_int_eq(err.code, 0);
		if (!message)
			ck_assert(!link_wait(client, 0)); /* half of it is nothing to be taken */
		ck_assert_int_eq(write(engine, reply_with_bytes + cut, size - cut), (ssize_t)(size - cut));
		ck_assert(link_wait(client, 0));
		check_bytes(is_whole ? message : link_next(client, &err));
		ck_assert_ptr_nonnull(bye = link_next(client, &err));
		ck_assert_str_eq(json_string_value(json_object_get(bye, "method")), "bye");
		json_decref(bye);
	}
}
END_TEST

START_TEST(bytes_that_are_not_as_said_end_the_connection)
{
	static const char *const wrong[] = { "{\"result\":{\"chunks\":[{\"size\":2}],\"raw\":3}}\nabc",
		"{\"result\":{\"chunks\":[{\"size\":4}],\"raw\":3}}\nabc",
		"{\"result\":{\"raw\":-1}}\n", "{\"result\":{\"raw\":99999999999}}\n", "{\"result\":{\"chunks\":1,\"raw\":1}}\na" };

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		end();
		begin();
		say(wrong[i]);
		ck_assert_ptr_null(link_next(client, &err));
		ck_assert_int_eq(err.code, EPROTO);
	}
}
END_TEST

START_TEST(nonsense_ends_the_connection)
{
	static const char *const nonsense[] = { "hello\n", "[1]\n", "\n", "{\"a\":\n" };

	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		end();
		begin();
		say(nonsense[i]);
		ck_assert_ptr_null(link_next(client, &err));
		ck_assert_int_eq(err.code, EPROTO);
	}
}
END_TEST

START_TEST(a_request_that_is_too_long_is_not_sent)
{
	static char name[PROTOCOL_LINE_MOST + 1];

	memset(name, 'x', sizeof name - 1);
	ck_assert_ptr_null(link_call(client, "list", json_pack("{s:s}", "n", name), 1000, &err));
	ck_assert_int_eq(err.code, EMSGSIZE);
	say("{\"id\":2,\"result\":2}\n");
	json_decref(link_call(client, "list", NULL, 1000, &err));
	check_heard("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"list\"}\n");
}
END_TEST

START_TEST(nobody_there_is_told_from_nothing_there)
{
	ck_assert_ptr_null(link_open("other", &err));
	ck_assert_int_eq(err.code, ENOENT);
	link_close(client);
	client = NULL;
	close(listener);
	ck_assert_ptr_null(link_open("shop", &err));
	ck_assert_int_eq(err.code, ECONNREFUSED);
}
END_TEST

START_TEST(another_connection_knows_nothing_of_the_one_before)
{
	say("{\"method\":\"old\"}\n{\"half\":");
	json_decref(link_call(client, "list", NULL, 20, &err));
	close(engine);
	ck_assert(link_reopen(client, &err));
	engine = accept(listener, NULL, NULL);
	say("{\"method\":\"new\"}\n");
	json_t *message = link_next(client, &err);
	ck_assert_str_eq(json_string_value(json_object_get(message, "method")), "new");
	json_decref(message);
}
END_TEST

/* ---- tail ---- */

static struct tail tail;
static char taken[4096];

static void take(void *context, const struct tail_line *line)
{
	size_t used = strlen(taken);

	(void)context;
	snprintf(taken + used, sizeof taken - used, "%s/%u%s:%.*s|", line->stream->service,
		line->stream->instance, line->stream->is_err ? "!" : "", (int)line->size, line->text);
}

static void begin_tail(void)
{
	begin();
	tail = (struct tail){ .from_run = true, .take = take };
	taken[0] = '\0';
}

static void end_tail(void)
{
	tail_finish(&tail);
	end();
}

static struct tail_stream *know(int instance)
{
	json_t *json = json_pack("{s:s, s:i, s:s, s:i}", "service", "w", "instance", instance,
		"stream", "stdout", "run", 100);
	struct tail_stream *stream = tail_know(&tail, json);

	json_decref(json);
	return stream;
}

/* Requests that have come since the last look. */
static int count_requests(void)
{
	char buffer[65536];
	ssize_t size = recv(engine, buffer, sizeof buffer - 1, MSG_DONTWAIT);
	int count = 0;

	for (ssize_t i = 0; i < size; i++)
		count += buffer[i] == '\n';
	return count;
}

static bool reply(json_int_t id, const char *chunks, int next, int last)
{
	char text[1024];
	struct error why;

	snprintf(text, sizeof text, "{\"id\":%lld,\"result\":{\"chunks\":[%s],\"next\":%d,\"end\":%d,\"first\":0}}\n",
		(long long)id, chunks, next, last);
	say(text);
	json_t *message = link_next(client, &why);
	bool is_ours = tail_reply(&tail, message, client);
	json_decref(message);
	return is_ours;
}

START_TEST(few_requests_are_under_way_and_all_streams_get_their_turn)
{
	enum { STREAMS = 10 };
	int asked = 0;

	for (int i = 0; i < STREAMS; i++)
		know(i);
	tail_resume(&tail, client);
	for (json_int_t id = 1; id <= STREAMS; id++) {
		asked += count_requests();
		ck_assert_int_eq(asked - (int)id + 1, STREAMS - id + 1 < TAIL_REQUESTS_MOST ? STREAMS - id + 1 : TAIL_REQUESTS_MOST);
		ck_assert(!tail_is_idle(&tail));
		ck_assert(reply(id, "", 100, 100));
	}
	ck_assert(tail_is_idle(&tail));
}
END_TEST

START_TEST(one_goes_on_until_it_is_at_the_end)
{
	tail_ask(&tail, know(0), client);
	ck_assert(reply(1, "{\"offset\":100,\"pid\":7,\"text\":\"a\\nb\"}", 103, 105));
	ck_assert(reply(2, "{\"offset\":103,\"pid\":7,\"base64\":\"/wo=\"}", 105, 105));
	ck_assert(tail_is_idle(&tail));
	ck_assert_str_eq(taken, "w/0:a|w/0:b\xff|");
	ck_assert_uint_eq(know(0)->offset, 105);
	ck_assert(!reply(2, "", 105, 105));
}
END_TEST

START_TEST(growth_while_it_is_asked_is_not_forgotten)
{
	struct tail_stream *stream = know(0);

	tail_ask(&tail, stream, client);
	tail_ask(&tail, stream, client);
	ck_assert_int_eq(count_requests(), 1);
	ck_assert(reply(1, "", 100, 100));
	ck_assert_int_eq(count_requests(), 1);
	ck_assert(!tail_is_idle(&tail));
	ck_assert(reply(2, "", 100, 100));
	ck_assert(tail_is_idle(&tail));
}
END_TEST

START_TEST(one_that_is_held_asks_nothing_until_it_is_let_go)
{
	tail_hold(&tail, true, client);
	tail_ask(&tail, know(0), client);
	ck_assert_int_eq(count_requests(), 0);
	ck_assert(!tail_is_idle(&tail));
	tail_hold(&tail, false, client);
	ck_assert_int_eq(count_requests(), 1);
}
END_TEST

START_TEST(a_reply_from_before_the_connection_was_lost_is_not_taken)
{
	tail_ask(&tail, know(0), client);
	tail_resume(&tail, client);
	ck_assert(!reply(1, "{\"offset\":100,\"pid\":7,\"text\":\"a\\n\"}", 102, 102));
	ck_assert(reply(2, "{\"offset\":100,\"pid\":7,\"text\":\"a\\n\"}", 102, 102));
	ck_assert_str_eq(taken, "w/0:a|");
}
END_TEST

START_TEST(a_stream_that_is_gone_is_let_go)
{
	struct error why;

	tail_ask(&tail, know(0), client);
	say("{\"id\":1,\"error\":{\"code\":-32004,\"message\":\"gone\"}}\n");
	json_t *message = link_next(client, &why);
	ck_assert(tail_reply(&tail, message, client));
	ck_assert(tail_is_idle(&tail));
	json_decref(message);
}
END_TEST

START_TEST(a_line_without_an_end_comes_out_at_the_end)
{
	tail_ask(&tail, know(0), client);
	ck_assert(reply(1, "{\"offset\":100,\"pid\":7,\"text\":\"a\"},{\"offset\":101,\"pid\":7,\"final\":true},"
			   "{\"offset\":101,\"pid\":8,\"text\":\"b\"}",
		102, 102));
	ck_assert_str_eq(taken, "w/0:a|");
	tail_end(&tail);
	ck_assert_str_eq(taken, "w/0:a|w/0:b|");
}
END_TEST

Suite *link_suite(void)
{
	Suite *suite = suite_create("link");
	TCase *links = tcase_create("link"), *tails = tcase_create("tail");

	tcase_add_checked_fixture(links, begin, end);
	tcase_add_test(links, a_call_is_one_line_and_its_reply_is_its_result);
	tcase_add_test(links, what_comes_before_a_reply_is_kept_in_its_order);
	tcase_add_test(links, a_refusal_is_an_error_with_its_code_and_text);
	tcase_add_test(links, an_engine_that_says_nothing_is_not_waited_for_longer_than_told);
	tcase_add_test(links, what_was_said_before_the_end_is_heard);
	tcase_add_test(links, what_was_said_before_the_end_is_heard_though_nothing_can_be_sent);
	tcase_add_test(links, nonsense_ends_the_connection);
	tcase_add_test(links, bytes_that_follow_a_reply_are_waited_for);
	tcase_add_test(links, bytes_that_are_not_as_said_end_the_connection);
	tcase_add_test(links, a_request_that_is_too_long_is_not_sent);
	tcase_add_test(links, nobody_there_is_told_from_nothing_there);
	tcase_add_test(links, another_connection_knows_nothing_of_the_one_before);
	suite_add_tcase(suite, links);
	tcase_add_checked_fixture(tails, begin_tail, end_tail);
	tcase_add_test(tails, few_requests_are_under_way_and_all_streams_get_their_turn);
	tcase_add_test(tails, one_goes_on_until_it_is_at_the_end);
	tcase_add_test(tails, growth_while_it_is_asked_is_not_forgotten);
	tcase_add_test(tails, one_that_is_held_asks_nothing_until_it_is_let_go);
	tcase_add_test(tails, a_reply_from_before_the_connection_was_lost_is_not_taken);
	tcase_add_test(tails, a_stream_that_is_gone_is_let_go);
	tcase_add_test(tails, a_line_without_an_end_comes_out_at_the_end);
	suite_add_tcase(suite, tails);
	return suite;
}
