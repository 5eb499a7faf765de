/*
 * A worker of a process pool in C: counts primes, several counts at a time in threads of its own.
 *
 *     cc -O2 primes.c -o primes $(pkg-config --cflags --libs thrum)
 *     thrum up -d
 *     thrum submit --wait primes '{"below":1000000}'
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thrum.h>

struct count {
	struct thrum_task task;
	struct thrum_channel *channel;
	uint64_t number; /* what the engine calls it */
	long below;
};

static int is_prime(long number)
{
	for (long divisor = 2; divisor * divisor <= number; divisor++)
		if (number % divisor == 0)
			return 0;
	return number > 1;
}

static int count_primes(void *argument)
{
	struct count *count = argument;
	long primes = 0;
	char result[32];

	for (long number = 2; number < count->below; number++)
		primes += is_prime(number);
	snprintf(result, sizeof result, "%ld", primes);
	return thrum_channel_complete(count->channel, count->number, result, strlen(result), -1);
}

static void free_count(struct thrum_task *task)
{
	free(task->argument);
}

static void on_task(struct thrum_channel *channel, uint64_t number, const char *payload, size_t size, void *pool)
{
	struct count *count;
	double below;

	if (thrum_message_number(payload, size, "below", &below) < 0 || below > 1e9) {
		thrum_channel_fail(channel, number, "a task is {\"below\": N}, and N at most 1e9", -1);
		return;
	}
	count = calloc(1, sizeof *count);
	if (!count) {
		thrum_channel_fail(channel, number, "out of memory", -1);
		return;
	}
	count->channel = channel;
	count->number = number;
	count->below = (long)below;
	count->task.work = count_primes;
	count->task.argument = count;
	count->task.done = free_count;
	if (thrum_pool_submit(pool, &count->task) < 0) {
		thrum_channel_fail(channel, number, "the pool takes nothing more", -1);
		free(count);
	}
}

int main(void)
{
	struct thrum_channel *channel = thrum_channel_open();
	struct thrum_pool *pool = thrum_pool_create(NULL);
	struct thrum_handlers handlers = { .task = on_task, .context = pool };

	if (!channel || !pool) {
		perror("primes");
		return 1;
	}
	if (thrum_channel_serve(channel, &handlers) < 0)
		return 1;
	thrum_pool_shutdown(pool, THRUM_DRAIN); /* what was taken is answered */
	thrum_pool_destroy(pool);
	thrum_channel_close(channel);
	return 0;
}
