/* A pool's worker that answers at once: the task's own number. What came together is answered together. */
#include <stdio.h>
#include <thrum.h>

static void answer(struct thrum_channel *channel, uint64_t task, const char *payload, size_t size, void *unused)
{
	char number[24];
	int length = snprintf(number, sizeof number, "%llu", (unsigned long long)task);

	(void)payload, (void)size, (void)unused;
	thrum_channel_complete(channel, task, number, (size_t)length, -1);
}

int main(void)
{
	struct thrum_channel *channel = thrum_channel_open();
	struct thrum_handlers handlers = { .task = answer, .together = 1 };
	int status;

	if (!channel)
		return 1;
	status = thrum_channel_serve(channel, &handlers);
	thrum_channel_close(channel);
	return status < 0;
}
