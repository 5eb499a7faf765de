#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thrum.h>
#include <unistd.h>
#include "lib/channel.h"
#include "lib/futex.h"
#include "lib/memory.h"

enum {
	ERROR_MOST = 4096,    /* bytes of a failed task's error */
	TOGETHER_NS = 1000000 /* and the caller's loop has its turn */
};

static struct piece piece_of(const char *string)
{
	return (struct piece){ string, strlen(string) };
}

int thrum_channel_ready(struct thrum_channel *channel, int timeout_ms)
{
	return thrum_channel_send(channel, "\"ready\"", 7, timeout_ms);
}

/* -- Requests -- */

/* The map with that requestId; of two in a map the last one counts. */
static int send_with_id(struct thrum_channel *channel, struct piece map, struct piece id, int timeout_ms)
{
	struct piece inside, pieces[5];

	if (!json_map(&map))
		return -EINVAL;
	inside = (struct piece){ map.at + 1, map.size - 2 };
	while (inside.size > 0 && strchr(" \t\r", inside.at[inside.size - 1]))
		inside.size--;
	pieces[0] = (struct piece){ "{", 1 };
	pieces[1] = inside;
	pieces[2] = piece_of(inside.size > 0 ? ",\"requestId\":" : "\"requestId\":");
	pieces[3] = id;
	pieces[4] = (struct piece){ "}", 1 };
	return thrum__channel_write(channel, pieces, 5, timeout_ms);
}

int thrum_channel_request(struct thrum_channel *channel, const char *text, size_t size, char **reply, size_t *reply_size, int timeout_ms)
{
	uint64_t deadline = thrum__deadline_ns(timeout_ms);
	char id[48];
	struct request request = { .id = id };
	int status;

	snprintf(id, sizeof id, "\"thrum-%d-%" PRIu64 "\"", (int)getpid(), thrum__channel_number(channel));
	thrum__channel_enlist(channel, &request);
	status = send_with_id(channel, (struct piece){ text, size }, piece_of(id), timeout_ms);
	if (status == 0)
		status = thrum__channel_await(channel, &request, deadline);
	thrum__channel_delist(channel, &request);
	if (status < 0) {
		thrum__free(request.reply.text);
		return status;
	}
	*reply = request.reply.text;
	*reply_size = request.reply.size;
	return 0;
}

int thrum_channel_reply(struct thrum_channel *channel, const char *request, size_t request_size, const char *text, size_t size,
	int timeout_ms)
{
	struct piece id = json_member((struct piece){ request, request_size }, "requestId");

	return id.at ? send_with_id(channel, (struct piece){ text, size }, id, timeout_ms) : -ENOENT;
}

/* -- Tasks -- */

/* Its digits, up to end; snprintf costs as much as the rest of an answer. */
static struct piece put_number(char *end, uint64_t number)
{
	char *at = end;

	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	return (struct piece){ at, (size_t)(end - at) };
}

static int answer(struct thrum_channel *channel, const char *type, uint64_t task, const char *member, struct piece value, int timeout_ms)
{
	char digits[24];
	struct piece pieces[] = { piece_of(type), put_number(digits + sizeof digits, task), piece_of(member), value, piece_of("}") };

	return thrum__channel_write(channel, pieces, sizeof pieces / sizeof *pieces, timeout_ms);
}

int thrum_channel_complete(struct thrum_channel *channel, uint64_t task, const char *result, size_t size, int timeout_ms)
{
	struct piece value = result ? (struct piece){ result, size } : piece_of("null");

	return answer(channel, "{\"type\":\"task_complete\",\"taskId\":", task, ",\"result\":", value, timeout_ms);
}

int thrum_channel_fail(struct thrum_channel *channel, uint64_t task, const char *error, int timeout_ms)
{
	char quoted[ERROR_MOST];
	struct piece value = { quoted, json_quote(quoted, sizeof quoted, error) };

	return answer(channel, "{\"type\":\"task_error\",\"taskId\":", task, ",\"error\":", value, timeout_ms);
}

/* -- Messages -- */

enum { CMD,
	TYPE,
	PAYLOAD,
	MEMBERS };

static bool is_shutdown(struct piece text, const struct piece *members)
{
	return json_is(text, "shutdown") || json_is(members[CMD], "shutdown") || json_is(members[TYPE], "shutdown");
}

/* Is it a task, and which? */
static bool is_task(const struct piece *members, uint64_t *task)
{
	struct piece id;
	char *end;

	if (!members[PAYLOAD].at || !json_is(members[TYPE], "task"))
		return false;
	id = json_member(members[PAYLOAD], "id");
	if (!id.at || *id.at < '0' || *id.at > '9')
		return false;
	*task = strtoull(id.at, &end, 10);
	return end == id.at + id.size;
}

static int hand_out(struct thrum_channel *channel, const struct thrum_handlers *handlers, const struct letter *letter)
{
	static const char *const names[MEMBERS] = { [CMD] = "cmd", [TYPE] = "type", [PAYLOAD] = "payload" };
	struct piece text = { letter->text, letter->size }, members[MEMBERS];
	uint64_t task;

	json_members(text, names, members, MEMBERS);
	if (is_shutdown(text, members))
		return -ESHUTDOWN;
	if (handlers->task && is_task(members, &task))
		handlers->task(channel, task, members[PAYLOAD].at, members[PAYLOAD].size, handlers->context);
	else if (handlers->message)
		handlers->message(channel, letter->text, letter->size, handlers->context);
	return 0;
}

/* This one, and what came with it. */
static int hand_out_all(struct thrum_channel *channel, const struct thrum_handlers *handlers, struct letter *letter)
{
	bool is_held = handlers->together && thrum_channel_hold(channel) == 0;
	int status, sent = 0;

	do {
		status = hand_out(channel, handlers, letter);
		thrum__free(letter->text);
	} while (status == 0 && thrum__channel_take(channel, letter));
	if (is_held)
		sent = thrum_channel_release(channel, -1);
	return status ? status : sent;
}

static int process_until(struct thrum_channel *channel, const struct thrum_handlers *handlers, uint64_t deadline_ns)
{
	struct letter letter;
	int status = thrum__channel_next(channel, &letter, deadline_ns);
	uint64_t stop_ns;

	if (status < 0)
		return status;
	stop_ns = handlers->together ? thrum__now_ns() + TOGETHER_NS : 0;
	do
		status = hand_out_all(channel, handlers, &letter);
	while (status == 0 && stop_ns && thrum__now_ns() < stop_ns && thrum__channel_next_awake(channel, &letter));
	return status;
}

int thrum_channel_process(struct thrum_channel *channel, const struct thrum_handlers *handlers)
{
	int status = process_until(channel, handlers, 0);

	thrum__channel_settle(channel);
	return status == -ETIMEDOUT ? 0 : status;
}

int thrum_channel_serve(struct thrum_channel *channel, const struct thrum_handlers *handlers)
{
	int status = thrum_channel_ready(channel, -1);

	while (status == 0)
		status = process_until(channel, handlers, FUTEX_EVER);
	thrum__channel_settle(channel);
	return status == -ESHUTDOWN || status == -EPIPE ? 0 : status;
}
