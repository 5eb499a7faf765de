/* Workers of process pools: tasks come on the channel, or, as words, on the command line. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thrum.h>
#include <time.h>

#include "workload/job.h"
#include "workload/workload.h"

/* One that is done in another thread than the one that reads the channel. */
struct errand {
	struct thrum_task task;
	struct crew *crew;
	uint64_t number;
	size_t size;
	char payload[];
};

struct crew {
	struct thrum_channel *channel;
	struct thrum_pool *pool; /* NULL: tasks are done by the thread that reads */
	job_function *job;
	struct timespec delay;
};

static int do_task(const struct crew *crew, uint64_t number, const char *payload, size_t size)
{
	char answer[ANSWER_SIZE];
	int status = crew->job(payload, size, answer);

	if (crew->delay.tv_sec || crew->delay.tv_nsec)
		nanosleep(&crew->delay, NULL);
	if (status < 0)
		thrum_channel_fail(crew->channel, number, answer, -1);
	else
		thrum_channel_complete(crew->channel, number, answer, strlen(answer), -1);
	return status;
}

static int run_errand(void *argument)
{
	struct errand *errand = argument;

	return do_task(errand->crew, errand->number, errand->payload, errand->size);
}

static void free_errand(struct thrum_task *task)
{
	thrum_buffer_destroy(task->argument);
}

static void on_task(struct thrum_channel *channel, uint64_t number, const char *payload, size_t size, void *context)
{
	struct crew *crew = context;
	struct errand *errand;

	if (!crew->pool) {
		do_task(crew, number, payload, size);
		return;
	}
	errand = thrum_buffer_create(sizeof *errand + size);
	if (!errand) {
		thrum_channel_fail(channel, number, "out of memory", -1);
		return;
	}
	*errand = (struct errand){ .task = { .work = run_errand, .argument = errand, .done = free_errand },
		.crew = crew,
		.number = number,
		.size = size };
	memcpy(errand->payload, payload, size);
	if (thrum_pool_submit(crew->pool, &errand->task) < 0) {
		thrum_channel_fail(channel, number, "it takes nothing more", -1);
		thrum_buffer_destroy(errand);
	}
}

/* 0: it is to end. */
static int serve(struct crew *crew)
{
	struct thrum_handlers handlers = { .task = on_task, .context = crew, .together = !crew->pool };
	struct pollfd polled[2] = { { .fd = thrum_channel_fd(crew->channel), .events = POLLIN },
		{ .fd = ending_fd(), .events = POLLIN } };
	int status = thrum_channel_ready(crew->channel, -1);

	while (status == 0) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (polled[1].revents)
			return 0;
		status = thrum_channel_process(crew->channel, &handlers);
	}
	return status == -ESHUTDOWN || status == -EPIPE ? 0 : status;
}

/* A word as the task that it would be: {"value":"…"}. False: it cannot be one. */
static bool make_payload(const char *word, char *payload, size_t size)
{
	size_t used = (size_t)snprintf(payload, size, "{\"value\":\"");

	for (; *word; word++) {
		if (used + 8 > size || (unsigned char)*word < ' ')
			return false;
		if (*word == '"' || *word == '\\')
			payload[used++] = '\\';
		payload[used++] = *word;
	}
	memcpy(payload + used, "\"}", 3);
	return true;
}

static int do_word(job_function *job, const char *word)
{
	char payload[8192], answer[ANSWER_SIZE];

	if (!make_payload(word, payload, sizeof payload))
		return workload_fail(WRONG_USAGE, "'%.60s' cannot be a task", word);
	if (job(payload, strlen(payload), answer) < 0)
		return workload_fail(ENDED_BADLY, "%s", answer);
	puts(answer);
	return ENDED_WELL;
}

static int do_words(const struct order *order, job_function *job)
{
	int status = ENDED_WELL;

	for (int i = 0; i < order->count; i++) {
		int one = do_word(job, order->words[i]);
		status = one ? one : status;
	}
	return status;
}

static int run(const struct order *order, job_function *job)
{
	int delay_ms = (int)order->values[1];
	struct crew crew = { .job = job, .delay = { delay_ms / 1000, delay_ms % 1000 * 1000000L } };
	struct thrum_pool_options options = { .name = order->workload->name, .threads = (unsigned)order->values[0] };
	int status;

	if (order->count)
		return do_words(order, job);
	crew.channel = thrum_channel_open();
	if (!crew.channel)
		return workload_fail(WRONG_USAGE,
			"%s: no tasks: they are words of the command line, or come on the channel of a service with `pool:`",
			order->workload->name);
	ending_fd();
	if (options.threads > 1 && !(crew.pool = thrum_pool_create(&options)))
		return workload_fail(ENDED_BADLY, "%s: %s", order->workload->name, strerror(errno));
	status = serve(&crew);
	if (crew.pool)
		thrum_pool_shutdown(crew.pool, THRUM_DRAIN); /* what was taken is answered */
	thrum_pool_destroy(crew.pool);
	thrum_channel_close(crew.channel);
	return status < 0 ? workload_fail(ENDED_BADLY, "its channel: %s", strerror(-status)) : ENDED_WELL;
}

int work_fib(const struct order *order)
{
	return run(order, job_fib);
}

int work_prime(const struct order *order)
{
	return run(order, job_prime);
}

int work_primes(const struct order *order)
{
	return run(order, job_primes);
}

int work_checksum(const struct order *order)
{
	return run(order, job_checksum);
}

int work_echo(const struct order *order)
{
	return run(order, job_echo);
}
