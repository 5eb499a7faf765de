#include "server/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/method.h"
#include "server/mail.h"
#include "server/method.h"
#include "server/stack.h"
#include "server/tasks.h"

/* A line on its way out. */
struct parcel {
	uv_write_t request;
	char *line; /* owned */
};

static size_t told_bit(const struct member *member, enum stream stream)
{
	return (size_t)member->seat * STREAM_COUNT + stream;
}

void session_told_set(struct session *session, const struct member *member, enum stream stream,
	bool is_told)
{
	size_t bit = told_bit(member, stream);
	uint8_t mask = (uint8_t)(1u << bit % 8);

	if (is_told)
		session->told[bit / 8] |= mask;
	else
		session->told[bit / 8] &= (uint8_t)~mask;
}

bool session_told(const struct session *session, const struct member *member, enum stream stream)
{
	size_t bit = told_bit(member, stream);

	return session->told[bit / 8] >> bit % 8 & 1;
}

static void on_closed(uv_handle_t *handle)
{
	struct session *session = handle->data;

	lines_finish(&session->lines);
	text_finish(&session->staged);
	for (unsigned i = 0; i < session->list_count; i++) {
		json_decref(session->lists[i].id);
		json_decref(session->lists[i].params);
	}
	free(session);
}

void session_close(struct session *session)
{
	struct hall *hall = session->hall;
	struct session **place = &hall->sessions;

	if (session->is_closing)
		return;
	session->is_closing = true;
	while (*place != session)
		place = &(*place)->next;
	*place = session->next;
	hall->session_count--;
	mail_left(session);
	tasks_left(session);
	stack_left(session);
	uv_close((uv_handle_t *)&session->pipe, on_closed);
	hall_arrange_sampling(hall);
	if (session->is_owner)
		hall_owner_left(hall);
	if (!hall->sessions)
		hall_left(hall);
}

static void on_written(uv_write_t *request, int status)
{
	struct parcel *parcel = (struct parcel *)request;
	struct session *session = request->handle->data;

	free(parcel->line);
	free(parcel);
	if (status < 0)
		session_close(session);
	else if (!session_waiting(session)) {
		mail_caught_up(session);
		tasks_caught_up(session);
	}
}

/* The line is ours to free. */
static void send_line(struct session *session, char *line, size_t size)
{
	struct parcel *parcel = memory_zeroed(1, sizeof *parcel);
	uv_buf_t buffer = uv_buf_init(line, (unsigned)size);

	parcel->line = line;
	if (uv_write(&parcel->request, (uv_stream_t *)&session->pipe, &buffer, 1, on_written) < 0) {
		free(line);
		free(parcel);
		session_close(session);
	} else if (session_waiting(session) > SESSION_QUEUE_MOST) {
		session_close(session); /* it does not read: it may come back and resume */
	}
}

/* Steals the message. */
static void send_message(struct session *session, json_t *message)
{
	char *text = session->is_closing ? NULL : json_dumps(message, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;

	json_decref(message);
	if (!text)
		return;
	text[size] = '\n'; /* in the place of the NUL: the length goes along */
	send_line(session, text, size + 1);
}

void session_write(struct session *session, const char *bytes, size_t size)
{
	if (!session->is_closing)
		send_line(session, memory_copy_n(bytes, size), size);
}

size_t session_waiting(const struct session *session)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&session->pipe);
}

void session_notify(struct session *session, const char *method, json_t *params)
{
	send_message(session,
		json_pack("{s:s,s:s,s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}

void session_reply(struct session *session, json_t *id, json_t *result)
{
	send_message(
		session, json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id", id, "result", result));
}

void session_reply_raw(struct session *session, json_t *id, json_t *result, struct text *raw)
{
	size_t size = raw->size;

	json_object_set_new(result, "raw", json_integer((json_int_t)size));
	session_reply(session, id, result);
	if (size && !session->is_closing)
		send_line(session, text_take(raw), size);
	text_finish(raw);
}

void session_refuse(struct session *session, json_t *id, int code, const char *text)
{
	json_t *error = json_pack("{s:i,s:s%}", "code", code, "message", text, strlen(text));

	send_message(
		session, json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id", id, "error", error));
}

static void take_line(struct session *session, const char *line, size_t size)
{
	json_error_t why;
	json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &why);

	if (request)
		method_call(session, request);
	else
		session_refuse(session, json_null(), PROTOCOL_PARSE_ERROR, why.text);
	json_decref(request);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	static char room[LINES_FEED_MOST]; /* its bytes are taken before the next read */

	(void)handle;
	(void)suggested;
	*buffer = uv_buf_init(room, sizeof room);
}

/* False: it has to wait with the rest. */
static bool take_lines(struct session *session)
{
	const char *line;
	size_t length;
	bool goes_on = true;

	while (goes_on && !session->is_closing && lines_next(&session->lines, &line, &length))
		if (session->stream)
			goes_on = mail_take_line(session, line, length);
		else if (session->tasks)
			goes_on = tasks_take_line(session, line, length);
		else
			take_line(session, line, length);
	return goes_on;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct session *session = stream->data;

	if (size < 0) {
		session_close(session);
		return;
	}
	bool ok = lines_feed(&session->lines, buffer->base, (size_t)size);
	if (!take_lines(session))
		uv_read_stop(stream);
	if (!ok)
		session_close(session); /* more than a line may have */
}

void session_go_on(struct session *session)
{
	if (take_lines(session) && !session->is_closing)
		uv_read_start((uv_stream_t *)&session->pipe, on_allocate, on_read);
}

void session_open(struct hall *hall, int fd)
{
	struct session *session = memory_zeroed(1, sizeof *session);

	session->hall = hall;
	session->next = hall->sessions;
	hall->sessions = session;
	hall->session_count++;
	lines_init(&session->lines, PROTOCOL_LINE_MOST);
	uv_pipe_init(&hall->loop, &session->pipe, 0);
	session->pipe.data = session;
	if (uv_pipe_open(&session->pipe, fd) < 0 ||
		uv_read_start((uv_stream_t *)&session->pipe, on_allocate, on_read) < 0)
		session_close(session);
}
