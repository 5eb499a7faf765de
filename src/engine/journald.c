#include "engine/journald.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "engine/linewise.h"

#define SOCKET "/run/systemd/journal/socket"

enum {
	FILE_MODE = 0640,
	POS_MAGIC = 0x6c6e6a21,
	RETRY_MS = 500,
	HEAD_MOST = 1024,
	INFO = 6, /* of syslog(3) */
	ERR = 3,
};

/* How far it has come in the raw logs. */
struct position {
	uint32_t magic, reserved;
	uint64_t offsets[STREAM_COUNT];
};

/* The connection, and when it takes more. */
struct wire {
	int fd;
	uv_poll_t poll;
};

struct journald {
	struct member *member; /* borrowed */
	struct wire *wire;     /* owned; NULL: none */
	int pos_fd;
	struct position at;
	int failure; /* of the last line that was not taken */
	bool has_complained;
	uv_timer_t retry; /* after any failure but that it is slow */
};

/* One reading of a raw log. */
struct delivery {
	struct journald *journald;
	enum stream stream;
};

static void complain(struct journald *journald, const char *what)
{
	const struct member *member = journald->member;

	if (!journald->has_complained)
		engine_tell(member->engine, "%s/%u: %s: %s; its lines wait in its log", member->now.service, member->now.index, what,
			strerror(errno));
	journald->has_complained = true;
}

/* ---- one line ---- */

/* "<3>text" has its priority, as systemd takes it from services. */
static unsigned take_priority(enum stream stream, const char **text, size_t *size)
{
	const char *line = *text;
	bool is_told = *size >= 3 && line[0] == '<' && line[1] >= '0' && line[1] <= '7' && line[2] == '>';

	if (!is_told)
		return stream == STREAM_ERR ? ERR : INFO;
	*text += 3;
	*size -= 3;
	return (unsigned)(line[1] - '0');
}

/* The text is the last field: it has no line end of its own. */
static bool send_line(void *context, const struct linewise *line)
{
	const struct delivery *delivery = context;
	struct journald *journald = delivery->journald;
	const struct member *member = journald->member;
	const char *text = text_string(&line->line), *service = member->now.service;
	size_t size = line->line.size;
	char head[HEAD_MOST];

	unsigned priority = take_priority(delivery->stream, &text, &size);
	if (size && text[size - 1] == '\r')
		size--; /* of a terminal, whose lines end so; journalctl would show bytes, and no text */
	int used = snprintf(head, sizeof head,
		"PRIORITY=%u\nSYSLOG_IDENTIFIER=%s\nTHRUM_PROJECT=%s\nTHRUM_SERVICE=%s\nTHRUM_INSTANCE=%u\nTHRUM_STREAM=%s\n"
		"THRUM_PID=%d\nMESSAGE=",
		priority, service, member->engine->project.spec->name, service, member->now.index, stream_name(delivery->stream),
		(int)line->pid);
	struct iovec parts[] = { { head, (size_t)used }, { (void *)text, size }, { (void *)"\n", 1 } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = sizeof parts / sizeof *parts };
	if (sendmsg(journald->wire->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	delivery->journald->failure = errno;
	return errno == EMSGSIZE; /* it will never take that one */
}

/* ---- where it is ---- */

static bool open_position(struct journald *journald)
{
	struct member *member = journald->member;
	const char *log = member->logs[STREAM_OUT].path, *slash = strrchr(log, '/');
	char *path = memory_format("%.*s/%s-%u.journald", (int)(slash - log), log, member->now.service, member->now.index);

	journald->pos_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
	free(path);
	if (journald->pos_fd < 0)
		return false;
	if (pread(journald->pos_fd, &journald->at, sizeof journald->at, 0) == sizeof journald->at && journald->at.magic == POS_MAGIC)
		return true;
	journald->at = (struct position){ .magic = POS_MAGIC };
	for (enum stream i = 0; i < STREAM_COUNT; i++)
		if (member->logs[i].path)
			journald->at.offsets[i] = member->engine->store->seats[member->seat].run_began[i];
	return true;
}

/* ---- the connection ---- */

static void send_both(struct journald *journald);

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void hang_up(struct journald *journald)
{
	struct wire *wire = journald->wire;

	if (!wire)
		return;
	journald->wire = NULL;
	uv_poll_stop(&wire->poll);
	close(wire->fd);
	wire->poll.data = wire;
	uv_close((uv_handle_t *)&wire->poll, on_closed);
}

static void on_retry(uv_timer_t *timer)
{
	send_both(timer->data);
}

static void on_room(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	uv_poll_stop(poll);
	send_both(poll->data);
}

static bool dial(struct journald *journald)
{
	const char *path = getenv("THRUM_JOURNAL_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path && *path ? path : SOCKET);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		complain(journald, "systemd's journal");
		close_if_open(fd);
		return false;
	}
	struct wire *wire = journald->wire = memory_zeroed(1, sizeof *wire);
	wire->fd = fd;
	uv_poll_init(journald->member->engine->loop, &wire->poll, fd);
	wire->poll.data = journald;
	journald->has_complained = false;
	return true;
}

static bool make_ready(struct journald *journald)
{
	if (journald->pos_fd < 0 && !open_position(journald)) {
		complain(journald, "log.journald");
		return false;
	}
	return journald->wire || dial(journald);
}

/* False: the rest has to wait. */
static bool send_all(struct journald *journald, enum stream stream)
{
	struct delivery delivery = { journald, stream };
	struct linewise lines = { .consumed = journald->at.offsets[stream], .take = send_line, .context = &delivery };
	const struct logfile *log = &journald->member->logs[stream];

	while (linewise_read(&lines, log))
		continue;
	if (lines.consumed != journald->at.offsets[stream]) {
		journald->at.offsets[stream] = lines.consumed;
		if (pwrite(journald->pos_fd, &journald->at, sizeof journald->at, 0) != sizeof journald->at)
			complain(journald, "log.journald");
	}
	return !lines.is_refused;
}

static bool is_waiting(const struct journald *journald)
{
	return uv_is_active((const uv_handle_t *)&journald->retry) ||
	       (journald->wire && uv_is_active((const uv_handle_t *)&journald->wire->poll));
}

static void send_both(struct journald *journald)
{
	bool ok = make_ready(journald);

	for (enum stream i = 0; i < STREAM_COUNT && ok; i++)
		ok = !journald->member->logs[i].path || send_all(journald, i);
	if (ok)
		return;
	if (journald->wire && (journald->failure == EAGAIN || journald->failure == ENOBUFS)) {
		uv_poll_start(&journald->wire->poll, UV_WRITABLE, on_room);
		return;
	}
	hang_up(journald);
	uv_timer_start(&journald->retry, on_retry, RETRY_MS, 0);
}

/* ---- what it follows ---- */

static struct journald *journald_of(struct member *member)
{
	struct journald *journald = member->journald;

	if (!journald) {
		journald = member->journald = memory_zeroed(1, sizeof *journald);
		journald->member = member;
		journald->pos_fd = -1;
		uv_timer_init(member->engine->loop, &journald->retry);
		journald->retry.data = journald;
	}
	return journald;
}

void journald_follow(struct member *member)
{
	if (!member_spec(member)->log.journald || !member->logs[STREAM_OUT].path)
		return;
	struct journald *journald = journald_of(member);
	if (!is_waiting(journald))
		send_both(journald);
}

void journald_close(struct member *member)
{
	struct journald *journald = member->journald;

	if (!journald)
		return;
	member->journald = NULL;
	hang_up(journald);
	close_if_open(journald->pos_fd);
	uv_close((uv_handle_t *)&journald->retry, on_closed);
}
