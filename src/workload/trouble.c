/* Processes that do badly: one that fails, one that grows, one that burns a processor, one whose threads wait. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thrum.h>
#include <time.h>
#include <unistd.h>

#include "workload/workload.h"

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- unstable ---- */

static void fail_exit(void)
{
	exit(3);
}

static void fail_signal(int number)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(number, SIG_DFL);
	raise(number);
}

static void fail_abort(void)
{
	fail_signal(SIGABRT);
}

static void fail_fault(void)
{
	fail_signal(SIGSEGV);
}

static void fail_kill(void)
{
	fail_signal(SIGKILL);
}

static const struct {
	const char *name;
	void (*fail)(void);
} failures[] = {
	{ "exit", fail_exit },
	{ "abort", fail_abort },
	{ "fault", fail_fault },
	{ "kill", fail_kill },
};

enum { FAILURES = sizeof failures / sizeof *failures };

/* Which one is meant. */
static unsigned find_failure(const struct order *order)
{
	for (unsigned i = 0; i < FAILURES && order->count; i++)
		if (strcmp(failures[i].name, order->words[0]) == 0)
			return i;
	return (unsigned)rand() % FAILURES;
}

int work_unstable(const struct order *order)
{
	int within_ms = (int)order->values[0];

	ending_fd();
	srand((unsigned)now_ns(CLOCK_REALTIME) ^ (unsigned)getpid());
	int ms = within_ms ? rand() % within_ms : 0;
	unsigned which = find_failure(order);
	printf("up; ends by %s in %.1f s\n", failures[which].name, ms / 1000.0);
	fflush(stdout);
	if (ending_comes_within(ms))
		return ENDED_WELL;
	fprintf(stderr, "unstable: failing by %s\n", failures[which].name);
	failures[which].fail();
	return ENDED_BADLY;
}

/* ---- leak ---- */

int work_leak(const struct order *order)
{
	size_t step = (size_t)order->values[0], most = (size_t)order->values[1], size = 0;
	int every_ms = (int)order->values[2];

	while (!ending_comes_within(size < most ? every_ms : -1)) {
		char *block = size < most ? thrum_buffer_create(step) : NULL;
		if (!block) {
			if (size < most)
				return workload_fail(ENDED_BADLY, "leak: no more memory after %zu MB", size >> 20);
			continue;
		}
		memset(block, 1, step); /* what is not touched is no memory */
		size += step;
		if (size % (10 * step) < step || size >= most) {
			printf("%zu MB\n", size >> 20);
			fflush(stdout);
		}
	}
	return ENDED_WELL;
}

/* ---- spin ---- */

enum { SLICE_NS = 10 * 1000 * 1000 };

static struct {
	atomic_bool is_over;
	double part; /* of each slice */
} spinning;

static int spin(void *unused)
{
	(void)unused;
	while (!atomic_load_explicit(&spinning.is_over, memory_order_relaxed)) {
		uint64_t until_ns = now_ns(CLOCK_MONOTONIC) + (uint64_t)(SLICE_NS * spinning.part);
		while (now_ns(CLOCK_MONOTONIC) < until_ns)
			continue;
		struct timespec rest = { 0, (long)(SLICE_NS * (1 - spinning.part)) };
		if (rest.tv_nsec)
			nanosleep(&rest, NULL);
	}
	return 0;
}

int work_spin(const struct order *order)
{
	unsigned threads = (unsigned)order->values[1];
	struct thrum_pool_options options = { .name = "spin", .threads = threads };
	struct thrum_task *tasks = thrum_buffer_create(threads * sizeof *tasks);

	ending_fd();
	struct thrum_pool *pool = thrum_pool_create(&options);
	if (!pool || !tasks)
		return workload_fail(ENDED_BADLY, "spin: %s", strerror(errno));
	spinning.part = order->values[0] / 100;
	for (unsigned i = 0; i < threads; i++) {
		tasks[i].work = spin;
		thrum_pool_submit(pool, &tasks[i]);
	}
	ending_await();
	atomic_store(&spinning.is_over, true);
	thrum_pool_destroy(pool);
	thrum_buffer_destroy(tasks);
	return ENDED_WELL;
}

/* ---- block ---- */

static int wait_in_sleep(void)
{
	struct timespec long_time = { 1000000, 0 };

	return nanosleep(&long_time, NULL);
}

static int wait_for_pipe(void)
{
	int ends[2];
	char byte;

	return pipe2(ends, O_CLOEXEC) < 0 || read(ends[0], &byte, 1) < 1;
}

static int wait_for_futex(void)
{
	struct thrum_shared *shared = thrum_shared_create(1, 32);

	return !shared || thrum_shared_wait(shared, 0, 0, -1);
}

static int wait_for_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* the system finds a name */
	return fd < 0 || bind(fd, &(struct sockaddr){ .sa_family = AF_UNIX }, sizeof(sa_family_t)) < 0 || listen(fd, 1) < 0 ||
	       accept(fd, NULL, NULL) < 0;
}

/* Held by one opening of a file, wanted by another. */
static int wait_for_lock(void)
{
	char path[64];
	int fd = memfd_create("lock", MFD_CLOEXEC);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int other = fd < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
	return other < 0 || flock(fd, LOCK_EX) < 0 || flock(other, LOCK_EX) < 0;
}

static const struct way {
	const char *name;
	int (*wait)(void);
} ways[] = {
	{ "sleep", wait_in_sleep },
	{ "pipe", wait_for_pipe },
	{ "futex", wait_for_futex },
	{ "socket", wait_for_socket },
	{ "lock", wait_for_lock },
};

enum { WAYS = sizeof ways / sizeof *ways };

static int block(void *argument)
{
	const struct way *way = argument;

	return way->wait();
}

/* A pool for each, so that its threads have that name. They never end: nor is anything freed. */
static bool begin_way(const struct way *way, unsigned threads)
{
	struct thrum_pool_options options = { .name = way->name, .threads = threads };
	struct thrum_pool *pool = thrum_pool_create(&options);
	struct thrum_task *tasks = thrum_buffer_create(threads * sizeof *tasks);

	for (unsigned i = 0; pool && tasks && i < threads; i++) {
		tasks[i] = (struct thrum_task){ .work = block, .argument = (void *)(uintptr_t)way };
		thrum_pool_submit(pool, &tasks[i]);
	}
	return pool && tasks;
}

int work_block(const struct order *order)
{
	ending_fd();
	for (unsigned i = 0; i < WAYS; i++)
		if (order_wants(order, ways[i].name) && !begin_way(&ways[i], (unsigned)order->values[0]))
			return workload_fail(ENDED_BADLY, "block: %s", strerror(errno));
	ending_await();
	fflush(stdout);
	_exit(ENDED_WELL); /* its threads will not */
}
