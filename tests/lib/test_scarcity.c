/* Each use of the library, with one after the other of all that it asks for refused. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <thrum.h>
#include <unistd.h>
#include "tests/lib/scarce.h"
#include "tests/runner.h"

enum {
	PATIENCE_MS = 20000,
	PATH_SIZE = 32,
	ERRORS_MOST = 4
};

/* A use: 0, or what its function has returned. What it has made is gone when it returns. */
struct use {
	const char *name;
	int (*run)(void);
	int errors[ERRORS_MOST]; /* that thrum.h tells of, then 0 */
};

static int work(void *unused)
{
	(void)unused;
	return 0;
}

static void run_one(struct thrum_pool *pool)
{
	struct thrum_task task = { .work = work };

	ck_assert_int_eq(thrum_pool_submit(pool, &task), 0);
	ck_assert_int_eq(thrum_task_wait(&task, PATIENCE_MS), 0);
}

static int make_pool(void)
{
	struct thrum_pool_options options = { .threads = 2, .queue_max = 4, .stack_size = 1 << 16 };
	struct thrum_pool *pool = thrum_pool_create(&options);

	if (!pool)
		return -errno;
	run_one(pool);
	return thrum_pool_destroy(pool);
}

/* Those that are there go on to work, and the others come when they can be had. */
static int enlarge_pool(void)
{
	struct thrum_pool_options options = { .threads = 1, .queue_max = 4 };
	struct thrum_pool *pool = thrum_pool_create(&options);
	struct thrum_pool_stats stats = { 0 };
	int status;

	if (!pool)
		return -errno;
	status = thrum_pool_resize(pool, 3);
	run_one(pool);
	while (stats.threads != 3)
		thrum_pool_stats(pool, &stats);
	ck_assert_int_eq(thrum_pool_destroy(pool), 0);
	return status;
}

static int receive(struct thrum_port *port, int status)
{
	void *buffer;
	size_t size;

	if (status == 0)
		status = thrum_port_receive(port, &buffer, &size, 0);
	if (status == 0)
		thrum_buffer_destroy(buffer);
	return status;
}

static int use_ports(void)
{
	struct thrum_port *ends[2];
	void *buffer = NULL;
	int status = thrum_port_pair(ends, 4), fd;

	if (status < 0)
		return status;
	status = receive(ends[1], thrum_port_send(ends[0], "text", 4, 0));
	buffer = status == 0 ? thrum_buffer_create(10) : NULL;
	if (status == 0)
		status = buffer ? receive(ends[1], thrum_port_transfer(ends[0], &buffer, 10, 0)) : -errno;
	fd = status == 0 ? thrum_port_fd(ends[1]) : 0;
	thrum_port_close(ends[0]);
	thrum_port_close(ends[1]);
	return fd < 0 ? fd : status;
}

static int share(void)
{
	struct thrum_shared *one = thrum_shared_create(10, 64), *other;
	int reason = -errno;

	if (!one)
		return reason;
	other = thrum_shared_open(thrum_shared_fd(one));
	reason = other ? 0 : -errno;
	thrum_shared_close(other);
	thrum_shared_close(one);
	return reason;
}

static int spawn(void)
{
	int passed[] = { 0 };
	struct thrum_process_options options = { .streams = { THRUM_NOTHING, THRUM_PIPE, THRUM_DESCRIPTOR },
		.descriptors = { 0, 0, 2 },
		.channel = 1,
		.folder = "/",
		.passed = passed,
		.passed_count = 1 };
	const char *const argv[] = { "true", NULL };
	struct thrum_process *process = thrum_process_spawn(argv, &options);
	int reason = -errno;

	thrum_process_destroy(process);
	return process ? 0 : reason;
}

static int execute(void)
{
	struct thrum_output output;
	int status = thrum_exec("echo said; echo wrong >&2", NULL, &output);

	if (status == 0) {
		ck_assert_str_eq(output.out, "said\n");
		ck_assert_str_eq(output.err, "wrong\n");
	}
	thrum_buffer_destroy(output.out);
	thrum_buffer_destroy(output.err);
	return status;
}

struct channels {
	struct thrum_channel *ends[2];
};

static int open_channels(struct channels *channels)
{
	int fds[2], status = 0;

	scarce_sockets(fds);
	for (int i = 0; i < 2; i++) {
		channels->ends[i] = status == 0 ? thrum_channel_create(fds[i]) : NULL;
		if (!channels->ends[i]) {
			status = status ? status : -errno;
			close(fds[i]);
		}
	}
	return status;
}

static void close_channels(struct channels *channels)
{
	thrum_channel_close(channels->ends[0]);
	thrum_channel_close(channels->ends[1]);
}

static int receive_text(struct thrum_channel *channel)
{
	char *text;
	size_t size;
	int status = thrum_channel_receive(channel, &text, &size, PATIENCE_MS);

	if (status == 0)
		thrum_buffer_destroy(text);
	return status;
}

/* A text comes however often there was no memory for it. */
static int receive_at_last(struct thrum_channel *channel, int *missed)
{
	int status;

	while ((status = receive_text(channel)) == -ENOMEM)
		*missed = status;
	return status;
}

/* A short text and one that is longer than what there is room for at first. */
static int talk(void)
{
	static char text[100000];
	struct channels channels;
	int status = open_channels(&channels), missed = 0;

	memset(text, '1', sizeof text);
	if (status == 0)
		missed = thrum_channel_fd(channels.ends[1]);
	if (status == 0)
		status = thrum_channel_hold(channels.ends[0]);
	if (status == 0) {
		ck_assert_int_eq(thrum_channel_send(channels.ends[0], "2", 1, PATIENCE_MS), 0);
		ck_assert_int_eq(thrum_channel_send(channels.ends[0], text, sizeof text, PATIENCE_MS), 0);
		ck_assert_int_eq(thrum_channel_release(channels.ends[0], PATIENCE_MS), 0);
		for (int i = 0; i < 2; i++)
			ck_assert_int_eq(receive_at_last(channels.ends[1], &missed), 0);
	}
	close_channels(&channels);
	return status ? status : missed > 0 ? 0
					    : missed;
}

/* What comes while an answer is waited for is kept. */
static int ask(void)
{
	struct channels channels;
	char *reply;
	size_t size;
	int status = open_channels(&channels);

	if (status == 0) {
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(thrum_channel_send(channels.ends[1], "\"kept\"", 6, PATIENCE_MS), 0);
		status = thrum_channel_request(channels.ends[0], "{}", 2, &reply, &size, 0);
		status = status == -ETIMEDOUT ? 0 : status;
	}
	if (status == 0)
		status = receive_text(channels.ends[0]);
	close_channels(&channels);
	return status;
}

static const struct use uses[] = {
	{ "thrum_pool_create", make_pool, { -ENOMEM, -EAGAIN } },
	{ "thrum_pool_resize", enlarge_pool, { -ENOMEM, -EAGAIN } },
	{ "ports", use_ports, { -ENOMEM, -EMFILE } },
	{ "shared arrays", share, { -ENOMEM, -EMFILE } },
	{ "thrum_process_spawn", spawn, { -ENOMEM, -EMFILE, -EAGAIN } },
	{ "thrum_exec", execute, { -ENOMEM, -EMFILE, -EAGAIN } },
	{ "channels", talk, { -ENOMEM, -EMFILE } },
	{ "thrum_channel_request", ask, { -ENOMEM } },
};

static bool is_told(const struct use *use, int status)
{
	for (unsigned i = 0; i < ERRORS_MOST && use->errors[i]; i++)
		if (use->errors[i] == status)
			return true;
	return status == 0;
}

static void *tell_number(void *path)
{
	snprintf(path, PATH_SIZE, "/proc/self/task/%d", (int)gettid());
	return NULL;
}

/* ThreadSanitizer begins a thread of its own with the first that is begun. */
static struct holdings holdings_at_rest(void)
{
	char path[PATH_SIZE];
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, tell_number, path), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	while (access(path, F_OK) == 0)
		sched_yield();
	return scarce_holdings();
}

/* A thread that was joined is listed for a moment still. */
static void claim_nothing_left(const struct use *use, int point, const struct holdings *before)
{
	struct holdings now = scarce_holdings();

	for (int tries = 0; now.threads != before->threads && tries < 100000; tries++) {
		sched_yield();
		now = scarce_holdings();
	}
	ck_assert_msg(memcmp(&now, before, sizeof now) == 0,
		"%s, request %d refused: %ld blocks, %ld mappings, %d descriptors, %d threads are left", use->name, point,
		now.blocks - before->blocks, now.mappings - before->mappings, now.descriptors - before->descriptors,
		now.threads - before->threads);
}

START_TEST(whatever_is_refused_an_error_is_told_and_nothing_is_left)
{
	const struct use *use = &uses[_i];
	struct holdings before = holdings_at_rest();
	bool struck;
	int point = 0, status;

	do {
		scarce_after(point);
		status = use->run();
		struck = scarce_struck();
		scarce_after(-1);
		ck_assert_msg(is_told(use, status), "%s, request %d refused: %s", use->name, point, strerror(-status));
		claim_nothing_left(use, point++, &before);
	} while (struck);
	ck_assert_int_eq(status, 0);
	ck_assert_int_gt(point, 1);
}
END_TEST

Suite *scarcity_suite(void)
{
	Suite *suite = suite_create("scarcity");
	TCase *test_case = tcase_create("scarcity");

	tcase_set_timeout(test_case, 60);
	tcase_add_loop_test(test_case, whatever_is_refused_an_error_is_told_and_nothing_is_left, 0, sizeof uses / sizeof *uses);
	suite_add_tcase(suite, test_case);
	return suite;
}
