/* A program with a thread pool, "jobs" of two threads, which has tasks done until the pool takes no more; then it says so and ends. */
#include <errno.h>
#include <stdio.h>
#include <thrum.h>
#include <time.h>

static int rest(void *unused)
{
	struct timespec pause = { 0, 1000000 };

	(void)unused;
	return nanosleep(&pause, NULL);
}

int main(void)
{
	struct thrum_pool_options options = { .name = "jobs", .threads = 2 };
	struct thrum_pool *pool = thrum_pool_create(&options);
	struct thrum_task task = { .work = rest };
	int status;

	if (!pool)
		return 1;
	puts("begun");
	fflush(stdout);
	while ((status = thrum_pool_submit(pool, &task)) == 0)
		thrum_task_wait(&task, -1);
	puts(status == -ESHUTDOWN ? "drained" : "failed");
	thrum_pool_destroy(pool);
	return status != -ESHUTDOWN;
}
