/* Talks on its channel, and answers. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thrum.h>
#include <time.h>

#include "workload/workload.h"

struct talk {
	uint64_t sent, received;
	bool is_bad; /* something could not be sent */
};

static const char *const lines[] = { "the loom is warm", "a thread was spun", "the shuttle flies", "one end is loose", "it hums" };

static void say(struct talk *talk, struct thrum_channel *channel)
{
	char text[160];
	int size = snprintf(text, sizeof text, "{\"type\":\"chat\",\"n\":%" PRIu64 ",\"text\":\"%s\"}", talk->sent,
		lines[talk->sent % (sizeof lines / sizeof *lines)]);

	talk->is_bad |= thrum_channel_send(channel, text, (size_t)size, -1) < 0;
	talk->sent++;
	/* PM2's form of a figure: it is shown with the instance */
	size = snprintf(text, sizeof text,
		"{\"type\":\"axm:monitor\",\"data\":{\"said\":{\"value\":%" PRIu64 "},\"heard\":{\"value\":%" PRIu64 "}}}", talk->sent,
		talk->received);
	talk->is_bad |= thrum_channel_send(channel, text, (size_t)size, -1) < 0;
}

/* {"cmd":"echo","text":…,"requestId":…} has the text back; whatever else asks, how often it has said something. */
static void on_message(struct thrum_channel *channel, const char *text, size_t size, void *context)
{
	struct talk *talk = context;
	const char *value;
	size_t value_size;
	char command[32] = "", answer[4200];
	int length;

	talk->received++;
	printf("heard %.*s\n", (int)(size < 200 ? size : 200), text);
	fflush(stdout);
	thrum_message_string(text, size, "cmd", command, sizeof command);
	if (strcmp(command, "echo") == 0 && thrum_message_member(text, size, "text", &value, &value_size) == 0 && value_size <= 4096)
		length = snprintf(answer, sizeof answer, "{\"result\":%.*s}", (int)value_size, value);
	else
		length = snprintf(answer, sizeof answer, "{\"said\":%" PRIu64 ",\"heard\":%" PRIu64 "}", talk->sent, talk->received);
	int status = thrum_channel_reply(channel, text, size, answer, (size_t)length, -1);
	talk->is_bad |= status < 0 && status != -ENOENT;
}

static int talk_until_the_end(struct talk *talk, struct thrum_channel *channel, int every_ms)
{
	struct thrum_handlers handlers = { .message = on_message, .context = talk };
	struct pollfd polled[2] = { { .fd = thrum_channel_fd(channel), .events = POLLIN }, { .fd = ending_fd(), .events = POLLIN } };
	int status = thrum_channel_ready(channel, -1);

	while (status == 0 && !talk->is_bad) {
		int count = poll(polled, 2, every_ms);
		if (count == 0)
			say(talk, channel);
		else if (count > 0 && polled[1].revents)
			return 0;
		else if (count > 0)
			status = thrum_channel_process(channel, &handlers);
	}
	return status;
}

int work_chat(const struct order *order)
{
	struct thrum_channel *channel = thrum_channel_open();
	struct talk talk = { 0 };

	if (!channel)
		return workload_fail(WRONG_USAGE, "chat: no channel here: `ipc: json` gives a service one");
	int status = talk_until_the_end(&talk, channel, (int)order->values[0]);
	printf("said %" PRIu64 ", heard %" PRIu64 "\n", talk.sent, talk.received);
	thrum_channel_close(channel);
	return status == 0 || status == -ESHUTDOWN || status == -EPIPE ? ENDED_WELL : ENDED_BADLY;
}
