/* A pool of threads with a queue that is seen to fill and to fall. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thrum.h>
#include <time.h>

#include "workload/workload.h"

static int rest(void *argument)
{
	const struct timespec *span = argument;

	return nanosleep(span, NULL);
}

static void submit(struct thrum_pool *pool, struct thrum_task *tasks, unsigned count)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < count; i++)
		taken += thrum_task_is_done(&tasks[i]) && thrum_pool_submit(pool, &tasks[i]) == 0;
	printf("%u tasks\n", taken);
	fflush(stdout);
}

/* Until it is to end, or is drained from outside. */
static void go_on(struct thrum_pool *pool, struct thrum_task *tasks, unsigned count, int every_ms)
{
	do
		submit(pool, tasks, count);
	while (!ending_comes_within(every_ms));
}

int work_pool(const struct order *order)
{
	unsigned count = (unsigned)order->values[1];
	int run_ms = (int)order->values[2], every_ms = (int)order->values[3];
	struct thrum_pool_options options = { .name = "jobs",
		.threads = (unsigned)order->values[0],
		.queue_max = count,
		.when_full = THRUM_REFUSE };
	struct timespec span = { run_ms / 1000, run_ms % 1000 * 1000000L };
	struct thrum_task *tasks = thrum_buffer_create(count * sizeof *tasks);

	ending_fd();
	struct thrum_pool *pool = thrum_pool_create(&options);
	if (!pool || !tasks)
		return workload_fail(ENDED_BADLY, "pool: %s", strerror(errno));
	for (unsigned i = 0; i < count; i++)
		tasks[i] = (struct thrum_task){ .work = rest, .argument = &span };
	go_on(pool, tasks, count, every_ms);
	thrum_pool_destroy(pool);
	thrum_buffer_destroy(tasks);
	return ENDED_WELL;
}
