#include "client/link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "client/paths.h"
#include "client/remote.h"
#include "protocol/chunk.h"
#include "protocol/method.h"
#include "wire/lines.h"

enum {
	/* A snapshot of the largest project is longer than what a request may be. */
	RECEIVE_LINE_MOST = 4 * PROTOCOL_LINE_MOST,
	UNSENT_MOST = 2 * PROTOCOL_LINE_MOST,
	RAW_MOST = 1024 * 1024, /* bytes behind a message */
	KEPT_MOST = 16 * 1024,  /* messages that came before a reply that was waited for */
	CONNECT_S = 10,
};

struct link {
	char *project; /* owned */
	int fd;
	int code;    /* 0, or why nothing can come any more: ECONNRESET, EPROTO */
	bool is_cut; /* nothing can be sent any more; what came before that is still to be read */
	json_int_t last_id;
	struct lines lines;         /* owned; received, not yet taken */
	struct text unsent;         /* owned */
	json_t *kept;               /* owned array, oldest first */
	size_t kept_taken;          /* of these were handed out */
	json_t *half;               /* owned; bytes that follow it have not come yet; NULL: none is */
	link_line_taker *take_line; /* NULL: nobody takes lines */
	void *taker;                /* borrowed */
};

/* Connecting waits while the backlog of an engine that hangs is full. */
static int make_socket(void)
{
	struct timeval patience = { .tv_sec = CONNECT_S };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	return fd;
}

static int connect_to(const char *project, struct error *err)
{
	struct sockaddr_un address;

	if (remote_host())
		return remote_open(remote_host(), project, err);
	int folder = paths_open_runtime(project, PATHS_FAIL, err);
	if (folder < 0)
		return -1;
	paths_socket_address(&address, folder);
	int fd = make_socket();
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		error_errno(err, "connecting to the engine of '%s'", project);
		close_if_open(fd);
		fd = -1;
	}
	close(folder);
	return fd;
}

static void begin(struct link *link, int fd)
{
	link->fd = fd;
	link->code = 0;
	link->is_cut = false;
	link->kept = json_array();
	link->kept_taken = 0;
	link->half = NULL;
	lines_init(&link->lines, RECEIVE_LINE_MOST);
	text_init(&link->unsent, UNSENT_MOST);
}

static void let_go(struct link *link)
{
	close(link->fd);
	json_decref(link->kept);
	json_decref(link->half);
	lines_finish(&link->lines);
	text_finish(&link->unsent);
}

struct link *link_open(const char *project, struct error *err)
{
	int fd = connect_to(project, err);

	if (fd < 0)
		return NULL;
	struct link *link = memory_zeroed(1, sizeof *link);
	link->project = memory_copy(project);
	begin(link, fd);
	return link;
}

struct link *link_join(int fd)
{
	struct link *link = memory_zeroed(1, sizeof *link);

	begin(link, fd);
	return link;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	let_go(link);
	free(link->project);
	free(link);
}

bool link_reopen(struct link *link, struct error *err)
{
	int fd = connect_to(link->project, err);

	if (fd < 0)
		return false;
	let_go(link);
	begin(link, fd);
	return true;
}

int link_fd(const struct link *link)
{
	return link->fd;
}

static bool tell_broken(const struct link *link, struct error *err)
{
	if (link->code == EPROTO)
		return error_set(err, EPROTO, "the engine sent what is no message");
	return error_set(err, ECONNRESET, "the engine closed the connection");
}

static bool can_send(const struct link *link)
{
	return !link->code && !link->is_cut;
}

/* Its last words may be there already: reading goes on to the end, and that there is one is seen to here. */
static void cut(struct link *link)
{
	link->is_cut = true;
	text_drop(&link->unsent, link->unsent.size);
	shutdown(link->fd, SHUT_RDWR);
}

static void flush(struct link *link)
{
	while (link->unsent.size && !link->code) {
		ssize_t sent = send(link->fd, link->unsent.data, link->unsent.size,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent >= 0)
			text_drop(&link->unsent, (size_t)sent);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			cut(link);
	}
}

/* Take in what has come, without waiting. False: nothing. */
static bool receive(struct link *link)
{
	char buffer[LINES_FEED_MOST];
	ssize_t got;

	do
		got = recv(link->fd, buffer, sizeof buffer, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		if (!lines_feed(&link->lines, buffer, (size_t)got))
			link->code = EPROTO;
		return true;
	}
	if (got == 0 || errno != EAGAIN)
		link->code = ECONNRESET;
	return false;
}

static json_t *parse_line(struct link *link)
{
	const char *line;
	size_t size;

	do
		if (!lines_next(&link->lines, &line, &size))
			return NULL;
	while (link->take_line && link->take_line(link->taker, line, size));
	json_t *message = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(message)) {
		json_decref(message);
		message = NULL;
		link->code = EPROTO;
	}
	return message;
}

/* Bytes of a log follow their message. False: they are still to come, or wrong, and then it is over. */
static bool take_bytes(struct link *link, json_t *message)
{
	json_t *result = json_object_get(message, "result");
	json_int_t size = json_integer_value(json_object_get(result, "raw"));
	const char *bytes;

	if (size == 0)
		return true;
	if (size > 0 && size <= RAW_MOST && !lines_bytes(&link->lines, (size_t)size, &bytes))
		return false;
	if (size < 0 || size > RAW_MOST || !chunks_fill(result, bytes, (size_t)size))
		link->code = EPROTO;
	return !link->code;
}

static json_t *parse_next(struct link *link)
{
	json_t *message = link->half ? link->half : parse_line(link);

	link->half = NULL;
	if (!message || take_bytes(link, message))
		return message;
	link->half = message;
	return NULL;
}

/* The next message from the engine itself, past those that were kept. */
static json_t *take_fresh(struct link *link)
{
	json_t *message = parse_next(link);

	while (!message && !link->code && receive(link))
		message = parse_next(link);
	return message;
}

static json_t *take_kept(struct link *link)
{
	json_t *message = json_incref(json_array_get(link->kept, link->kept_taken));

	if (++link->kept_taken == json_array_size(link->kept)) {
		json_array_clear(link->kept);
		link->kept_taken = 0;
	}
	return message;
}

json_t *link_next(struct link *link, struct error *err)
{
	*err = (struct error){ 0 };
	if (json_array_size(link->kept))
		return take_kept(link);
	flush(link);
	json_t *message = take_fresh(link);
	if (!message && link->code)
		tell_broken(link, err);
	return message;
}

void link_take_lines(struct link *link, link_line_taker *take, void *context)
{
	link->take_line = take;
	link->taker = context;
}

bool link_wait(struct link *link, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = link->fd };

	if (json_array_size(link->kept) || (!link->half && link->lines.start < link->lines.whole) || link->code)
		return true;
	flush(link);
	poll_fd.events = (short)(POLLIN | (link->unsent.size ? POLLOUT : 0));
	return poll(&poll_fd, 1, timeout_ms) > 0;
}

bool link_send(struct link *link, const char *method, json_t *params, json_int_t *id,
	struct error *err)
{
	json_t *request = json_pack("{s:s, s:I, s:s}",
		"jsonrpc", "2.0", "id", ++link->last_id, "method", method);

	if (params)
		json_object_set_new(request, "params", params);
	char *line = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	size_t size = strlen(line);
	bool fits = size < PROTOCOL_LINE_MOST &&
		    size + 1 <= link->unsent.most - link->unsent.size;
	if (fits && can_send(link)) {
		text_append(&link->unsent, line, size);
		text_putc(&link->unsent, '\n');
		flush(link);
	}
	free(line);
	*id = link->last_id;
	if (!fits)
		return error_set(err, EMSGSIZE, "the request is too long");
	return can_send(link) || tell_broken(link, err);
}

static bool is_reply_to(const json_t *message, json_int_t id)
{
	const json_t *its = json_object_get(message, "id");

	return json_is_integer(its) && json_integer_value(its) == id;
}

static json_t *open_reply(json_t *reply, struct error *err)
{
	const json_t *failure = json_object_get(reply, "error");
	json_t *result = NULL;

	if (failure) {
		const char *text = json_string_value(json_object_get(failure, "message"));
		json_int_t code = json_integer_value(json_object_get(failure, "code"));
		error_set(err, (int)code, "%s", text ? text : "the engine refused");
	} else {
		result = json_incref(json_object_get(reply, "result"));
		if (!result)
			error_set(err, EPROTO, "the engine sent an empty reply");
	}
	json_decref(reply);
	return result;
}

static bool keep(struct link *link, json_t *message)
{
	json_array_append_new(link->kept, message);
	return json_array_size(link->kept) < KEPT_MOST;
}

/* False when there is nothing to come or the time is over. */
static bool wait_more(struct link *link, const char *method, uint64_t end_ms,
	struct error *err)
{
	struct pollfd poll_fd = { .fd = link->fd, .events = POLLIN };
	uint64_t now_ms = clock_monotonic_ms();

	if (link->code)
		return tell_broken(link, err);
	flush(link);
	if (link->unsent.size)
		poll_fd.events |= POLLOUT;
	if (now_ms >= end_ms || poll(&poll_fd, 1, (int)(end_ms - now_ms)) == 0)
		return error_set(err, ETIMEDOUT, "the engine did not answer '%s' in time", method);
	return true;
}

json_t *link_call_taking(struct link *link, const char *method, json_t *params, int timeout_ms, link_taker *take, void *context,
	struct error *err)
{
	uint64_t end_ms = clock_monotonic_ms() + (uint64_t)timeout_ms;
	json_int_t id;

	if (!link_send(link, method, params, &id, err))
		return NULL;
	do {
		json_t *message;
		while ((message = take_fresh(link)) != NULL) {
			if (is_reply_to(message, id))
				return open_reply(message, err);
			if (take && take(context, message))
				json_decref(message);
			else if (!keep(link, message))
				link->code = EPROTO;
		}
	} while (wait_more(link, method, end_ms, err));
	return NULL;
}

json_t *link_call(struct link *link, const char *method, json_t *params, int timeout_ms,
	struct error *err)
{
	return link_call_taking(link, method, params, timeout_ms, NULL, NULL, err);
}

ssize_t link_write_some(struct link *link, const char *bytes, size_t size, struct error *err)
{
	ssize_t sent = 0;

	flush(link);
	if (can_send(link) && !link->unsent.size && size)
		sent = send(link->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		cut(link);
	if (!can_send(link)) {
		tell_broken(link, err);
		return -1;
	}
	return sent < 0 ? 0 : sent;
}

bool link_write(struct link *link, const char *bytes, size_t size, struct error *err)
{
	struct pollfd wait = { link->fd, POLLOUT, 0 };
	ssize_t sent = 0;

	for (size_t written = 0; written < size; written += (size_t)sent) {
		sent = link_write_some(link, bytes + written, size - written, err);
		if (sent < 0)
			return false;
		if (sent == 0)
			poll(&wait, 1, -1);
	}
	return true;
}
