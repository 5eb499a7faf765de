#include "engine/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "wire/lines.h"

enum {
	TURN_MOST = 512 * 1024,       /* bytes of one process a turn: then the others have theirs */
	ROOM_WANTED = 4 * 1024 * 1024 /* what a process that sends and exits at once may have in flight */
};

struct channel {
	struct engine *engine;
	uint32_t seat;
	uint32_t life; /* index in the store */
	int fd;
	struct lines lines;  /* what has come and is no whole line yet */
	struct text waiting; /* what is still to be sent */
	struct channel_counts counts;
	bool has_complained;
	uv_poll_t poll;
};

bool channel_make(int *ours, int *theirs)
{
	int ends[2], room = ROOM_WANTED;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	/* as much as the machine allows: past wmem_max only root may go */
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	*ours = ends[0];
	*theirs = ends[1];
	return true;
}

static struct member *member_of_channel(const struct channel *channel)
{
	return channel->engine->members[channel->seat];
}

static void complain(struct channel *channel, const char *what)
{
	const struct member *member = member_of_channel(channel);

	channel->counts.errors++;
	if (channel->has_complained)
		return;
	channel->has_complained = true;
	engine_tell(channel->engine, "%s/%u: a message on its channel %s; it is passed over, as further ones will be",
		member->now.service, member->now.index, what);
}

/* ---- sending ---- */

static void watch(struct channel *channel);

static void on_closed(uv_handle_t *handle)
{
	struct channel *channel = handle->data;

	lines_finish(&channel->lines);
	text_finish(&channel->waiting);
	free(channel);
}

void channel_close(struct member *member)
{
	struct channel *channel = member->channel;

	if (!channel)
		return;
	member->channel = NULL;
	uv_poll_stop(&channel->poll);
	uv_close((uv_handle_t *)&channel->poll, on_closed);
	keeper_link_closed(&channel->engine->keeper, STORE_LIFE_SLOT + channel->life, KEEPER_CHANNEL);
	shutdown(channel->fd, SHUT_RDWR); /* the keeper's copy keeps it open, and nobody reads there */
	close(channel->fd);
}

/* False: the process has closed its end. */
static bool flush(struct channel *channel)
{
	while (channel->waiting.size > 0) {
		ssize_t sent = send(channel->fd, channel->waiting.data, channel->waiting.size,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		text_drop(&channel->waiting, (size_t)sent);
	}
	return true;
}

bool channel_send(struct member *member, const char *json, size_t size, struct error *err)
{
	struct channel *channel = member->channel;

	if (!channel)
		return error_set(err, ENOTCONN, "%s/%u has no channel%s", member->now.service, member->now.index,
			member_spec(member)->ipc ? " now" : "; `ipc: json` gives it one");
	if (channel->waiting.size + size + 1 > channel->waiting.most)
		return error_set(err, EAGAIN, "%s/%u does not read: %zu bytes wait for it", member->now.service,
			member->now.index, channel->waiting.size);
	text_append(&channel->waiting, json, size);
	text_putc(&channel->waiting, '\n');
	channel->counts.out++;
	channel->counts.out_bytes += size + 1;
	if (!flush(channel)) {
		channel_close(member);
		return error_set(err, EPIPE, "%s/%u has closed its channel", member->now.service,
			member->now.index);
	}
	watch(channel);
	return true;
}

/* ---- receiving ---- */

/* Node's own: never told to anybody, and answered where its child waits for it. */
static bool is_internal(const json_t *message)
{
	const char *command = json_string_value(json_object_get(message, "cmd"));

	return command && strncmp(command, "NODE_", 5) == 0 && command[5];
}

static void answer_internal(struct channel *channel, const json_t *message)
{
	static const char ack[] = "{\"cmd\":\"NODE_HANDLE_ACK\"}";
	struct error err;

	if (strcmp(json_string_value(json_object_get(message, "cmd")), "NODE_HANDLE") == 0)
		channel_send(member_of_channel(channel), ack, strlen(ack), &err);
}

/* "ready", or {"type":"ready"}. */
static bool says(const json_t *message, const char *wanted)
{
	const char *text = json_is_string(message) ? json_string_value(message)
						   : json_string_value(json_object_get(message, "type"));

	return wanted && text && strcmp(text, wanted) == 0;
}

/* Before it is parsed: a parser goes as deep as it is led. */
static bool is_too_deep(const char *line, size_t size)
{
	bool is_string = false;
	int depth = 0;

	for (size_t i = 0; i < size && depth <= CHANNEL_DEPTH_MOST; i++) {
		if (is_string && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			is_string = !is_string;
		else if (!is_string && (line[i] == '[' || line[i] == '{'))
			depth++;
		else if (!is_string && (line[i] == ']' || line[i] == '}'))
			depth--;
	}
	return depth > CHANNEL_DEPTH_MOST;
}

/* False: the channel is gone after it. */
static bool take_message(struct channel *channel, const json_t *message)
{
	struct member *member = member_of_channel(channel);

	if (is_internal(message)) {
		answer_internal(channel, message);
		return member->channel == channel;
	}
	if (member->now.gates & GATE_MESSAGE && says(message, member_spec(member)->ready.message))
		engine_pass(channel->engine, member, GATE_MESSAGE);
	return member->channel == channel;
}

static bool take_line(struct channel *channel, const char *line, size_t size)
{
	channel->counts.in++;
	channel->counts.in_bytes += size + 1;
	if (is_too_deep(line, size)) {
		complain(channel, "is too deep");
		return true;
	}
	json_t *message = json_loadb(line, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (!message) {
		complain(channel, "is no JSON");
		return true;
	}
	bool goes_on = take_message(channel, message);
	json_decref(message);
	return goes_on;
}

enum progress { NOTHING_NOW,
	SOMETHING,
	IS_OVER };

static enum progress take(struct channel *channel)
{
	char bytes[LINES_FEED_MOST];
	const char *line;
	size_t line_size;
	struct member *member = member_of_channel(channel);
	ssize_t size = read(channel->fd, bytes, sizeof bytes);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return NOTHING_NOW;
	if (size <= 0)
		return IS_OVER;
	bool fits = lines_feed(&channel->lines, bytes, (size_t)size);
	while (lines_next(&channel->lines, &line, &line_size))
		if (!take_line(channel, line, line_size))
			return NOTHING_NOW; /* it was closed; its owner is gone */
	if (fits)
		return SOMETHING;
	engine_tell(channel->engine, "%s/%u: a message of more than %d bytes: its channel is closed",
		member->now.service, member->now.index, CHANNEL_LINE_MOST);
	return IS_OVER;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct channel *channel = poll->data;
	struct member *member = member_of_channel(channel);
	enum progress progress = SOMETHING;

	(void)status;
	if (events & UV_WRITABLE && !flush(channel))
		progress = IS_OVER;
	for (int taken = 0; progress == SOMETHING && taken < TURN_MOST; taken += LINES_FEED_MOST)
		progress = take(channel);
	if (member->channel != channel)
		return;
	if (progress == IS_OVER)
		channel_close(member);
	else
		watch(channel);
}

static void watch(struct channel *channel)
{
	int events = UV_READABLE | (channel->waiting.size ? UV_WRITABLE : 0);

	uv_poll_start(&channel->poll, events, on_ready);
}

void channel_open(struct member *member, int ours)
{
	struct channel *channel = memory_zeroed(1, sizeof *channel);

	channel_close(member);
	channel->engine = member->engine;
	channel->seat = member->seat;
	channel->life = (uint32_t)member->life;
	channel->fd = ours;
	lines_init(&channel->lines, CHANNEL_LINE_MOST);
	text_init(&channel->waiting, CHANNEL_QUEUE_MOST);
	member->channel = channel;
	uv_poll_init(member->engine->loop, &channel->poll, ours);
	channel->poll.data = channel;
	watch(channel);
}

void channel_end(struct member *member)
{
	struct channel *channel = member->channel;
	enum progress progress = SOMETHING;

	for (int taken = 0; channel && progress == SOMETHING && taken < CHANNEL_LINE_MOST; taken += LINES_FEED_MOST) {
		progress = take(channel);
		if (member->channel != channel)
			return;
	}
	channel_close(member);
}

void channel_count(const struct member *member, struct channel_counts *counts)
{
	*counts = member->channel ? member->channel->counts : (struct channel_counts){ 0 };
	if (member->channel)
		counts->queued = member->channel->waiting.size;
}
