#include "workload/herd.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <thrum.h>
#include <unistd.h>

enum { HERD_MOST = 256,
	TASK_SIZE = 8192 };

struct beast {
	struct thrum_process *process;
	struct thrum_channel *channel;
};

struct herd {
	unsigned count;
	struct beast beasts[HERD_MOST];
	struct pollfd polled[HERD_MOST];
	size_t next, answered; /* tasks of this time */
};

static int begin(struct herd *herd, const char *workload)
{
	char program[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
	const char *const argv[] = { program, workload, NULL };
	struct thrum_process_options options = { .channel = 1 };
	struct beast *beast = &herd->beasts[herd->count];

	if (size < 0)
		return -errno;
	program[size] = '\0';
	beast->process = thrum_process_spawn(argv, &options);
	if (!beast->process)
		return -errno;
	herd->count++;
	beast->channel = thrum_channel_create(thrum_process_take(beast->process, THRUM_CHANNEL_END));
	if (!beast->channel)
		return -errno;
	herd->polled[herd->count - 1] = (struct pollfd){ .fd = thrum_channel_fd(beast->channel), .events = POLLIN };
	return 0;
}

struct herd *herd_create(const char *workload, unsigned count)
{
	struct herd *herd = count <= HERD_MOST ? thrum_buffer_create(sizeof *herd) : NULL;
	int status = 0;

	while (herd && herd->count < count && status == 0)
		status = begin(herd, workload);
	if (status == 0)
		return herd;
	herd_destroy(herd);
	errno = -status;
	return NULL;
}

void herd_destroy(struct herd *herd)
{
	if (!herd)
		return;
	/* The end of its channel is what ends a worker */
	for (unsigned i = 0; i < herd->count; i++)
		thrum_channel_close(herd->beasts[i].channel);
	for (unsigned i = 0; i < herd->count; i++) {
		struct thrum_process_event event = { 0 };
		while (event.kind != THRUM_PROCESS_EXIT && thrum_process_next(herd->beasts[i].process, &event, 1000) == 0)
			continue;
		thrum_process_destroy(herd->beasts[i].process);
	}
	thrum_buffer_destroy(herd);
}

static int give(struct herd *herd, unsigned i, const char *const *payloads)
{
	const char *payload = payloads[herd->next++];
	char text[TASK_SIZE];
	int size = snprintf(text, sizeof text, "{\"type\":\"task\",\"payload\":{%.*s%s\"id\":%zu}}", (int)strlen(payload) - 2, payload + 1,
		payload[1] == '}' ? "" : ",", herd->next);

	return size < TASK_SIZE ? thrum_channel_send(herd->beasts[i].channel, text, (size_t)size, -1) : -EMSGSIZE;
}

/* What has come from this one; it has the next task then. */
static int take(struct herd *herd, unsigned i, const char *const *payloads, size_t count)
{
	char *text, type[32];
	size_t size;
	int status;

	while ((status = thrum_channel_receive(herd->beasts[i].channel, &text, &size, 0)) == 0) {
		type[0] = '\0';
		thrum_message_string(text, size, "type", type, sizeof type);
		thrum_buffer_destroy(text);
		if (strcmp(type, "task_error") == 0)
			return -EINVAL;
		if (strcmp(type, "task_complete") != 0)
			continue; /* "ready" */
		herd->answered++;
		if (herd->next < count && (status = give(herd, i, payloads)) < 0)
			return status;
	}
	return status == -ETIMEDOUT ? 0 : status;
}

int herd_do(struct herd *herd, const char *const *payloads, size_t count)
{
	int status = 0;

	herd->next = herd->answered = 0;
	for (unsigned i = 0; i < herd->count && herd->next < count && status == 0; i++)
		status = give(herd, i, payloads);
	while (status == 0 && herd->answered < count) {
		if (poll(herd->polled, herd->count, -1) < 0)
			return -errno;
		for (unsigned i = 0; i < herd->count && status == 0; i++)
			if (herd->polled[i].revents)
				status = take(herd, i, payloads, count);
	}
	return status;
}
