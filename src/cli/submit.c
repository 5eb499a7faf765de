/* Tasks for pools: submit, pool, drain. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/feed.h"
#include "cli/threads.h"
#include "client/signals.h"
#include "protocol/answer.h"
#include "protocol/method.h"

enum {
	AT_ONCE = 64 * 1024,
	LINES_MOST = 1024 * 1024 * 1024, /* bytes of all tasks of one submission */
	BAR_WIDTH = 30,
	BAR_MS = 100,
};

/* One submission, which survives the engine: what it has not taken is sent again, answers that come twice are seen. */
struct submitting {
	struct invocation *invocation;
	struct link *link;
	char id[64];
	struct text lines; /* all tasks */
	size_t *starts;    /* owned; where each begins in lines, and the end */
	uint64_t count;    /* of tasks */
	size_t written;    /* bytes of lines */
	size_t until;      /* … of so many that are to be */
	bool is_end_written;
	uint8_t *seen; /* owned; bit: this one is answered */
	uint64_t answered, failed;
	uint64_t accepted; /* as the end tells it */
	bool is_over;
	char *error; /* owned; why the rest was refused */
	bool has_bar;
	uint64_t bar_ms;
	int signal_fd; /* C-c, and its like; closed with us */
	bool is_cancelled;
};

/* ---- the tasks ---- */

static bool add_task(struct submitting *work, const char *task, size_t size)
{
	if (size == 0)
		return true;
	if (work->count % 4096 == 0)
		work->starts = memory_resize(work->starts, work->count + 4096 + 1, sizeof *work->starts);
	work->starts[work->count++] = work->lines.size;
	return text_append(&work->lines, task, size) && text_putc(&work->lines, '\n');
}

static bool read_lines(struct submitting *work, struct feed *feed)
{
	enum feed_fate fate;
	const char *line;
	size_t size;
	bool ok = true;

	while (ok && (fate = feed_next(feed, &line, &size)) == FEED_LINE)
		ok = add_task(work, line, size);
	if (!ok)
		cli_fail(EXIT_FAILED, "more than %d bytes of tasks", LINES_MOST);
	else if (fate == FEED_TOO_LONG)
		cli_fail(EXIT_FAILED, "task %llu is longer than %d bytes", (unsigned long long)work->count + 1, PROTOCOL_LINE_MOST);
	else if (fate == FEED_FAILED)
		cli_fail(EXIT_FAILED, "%s: %s", work->invocation->from, strerror(feed->reason));
	return ok && fate == FEED_END;
}

static bool read_file(struct submitting *work)
{
	struct feed feed;

	if (!feed_open(&feed, work->invocation->from))
		return cli_fail(EXIT_USAGE, "%s: %s", work->invocation->from, strerror(errno)) == EXIT_OK;
	bool ok = read_lines(work, &feed);
	feed_close(&feed);
	return ok;
}

static bool read_tasks(struct submitting *work)
{
	const struct invocation *invocation = work->invocation;
	bool ok = true;

	text_init(&work->lines, LINES_MOST);
	for (int i = 1; i < invocation->name_count && ok; i++) {
		if (strchr(invocation->names[i], '\n'))
			return cli_fail(EXIT_USAGE, "a task is one line of JSON") == EXIT_OK;
		ok = add_task(work, invocation->names[i], strlen(invocation->names[i]));
	}
	if (!ok || (invocation->from && !read_file(work)))
		return false;
	if (!work->count && !invocation->from)
		return cli_fail(EXIT_USAGE, "submit takes tasks: values of JSON, or --from FILE") == EXIT_OK;
	if (!work->count) /* of a file in which there is none */
		work->starts = memory_resize(NULL, 1, sizeof *work->starts);
	work->starts[work->count] = work->lines.size;
	work->seen = memory_zeroed(work->count / 8 + 1, 1);
	return true;
}

/* ---- the bar ---- */

static void draw_bar(struct submitting *work, bool is_last)
{
	uint64_t now_ms = clock_monotonic_ms(), done = work->answered;
	unsigned filled = work->count ? (unsigned)(done * BAR_WIDTH / work->count) : BAR_WIDTH;

	if (!work->has_bar || (!is_last && now_ms < work->bar_ms + BAR_MS))
		return;
	work->bar_ms = now_ms;
	fprintf(stderr, "\r[%.*s%.*s] %llu of %llu", (int)filled, "##############################", (int)(BAR_WIDTH - filled),
		"..............................", (unsigned long long)done, (unsigned long long)work->count);
	if (work->failed)
		fprintf(stderr, ", %llu failed", (unsigned long long)work->failed);
	fputs(is_last ? "\033[K\n" : "\033[K", stderr);
}

/* ---- talking ---- */

/* Printed as the worker said it. */
static bool take_answer(void *context, const char *line, size_t size)
{
	struct submitting *work = context;
	struct told_answer told;

	if (!answer_read(&told, line, size))
		return false;
	if (told.index >= work->count || work->seen[told.index / 8] >> told.index % 8 & 1)
		return true;
	work->seen[told.index / 8] |= (uint8_t)(1u << told.index % 8);
	work->answered++;
	work->failed += !told.ok;
	fwrite(told.map.at, 1, told.map.size, stdout);
	putchar('\n');
	draw_bar(work, false);
	return true;
}

static void take_message(struct submitting *work, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	const json_t *params = json_object_get(message, "params");

	if (!method || strcmp(method, "submitted") != 0)
		return;
	const char *error = json_string_value(json_object_get(params, "error"));
	work->accepted = (uint64_t)json_integer_value(json_object_get(params, "accepted"));
	if (!work->invocation->wait)
		work->failed = (uint64_t)json_integer_value(json_object_get(params, "failed"));
	work->error = error ? memory_copy(error) : NULL;
	work->is_over = true;
}

static bool take_all(struct submitting *work, struct error *err)
{
	json_t *message;

	while (!work->is_over && (message = link_next(work->link, err))) {
		take_message(work, message);
		json_decref(message);
	}
	return !err->code;
}

/* From the first task that it has not. */
static bool begin(struct submitting *work, int *status, struct error *err)
{
	const struct invocation *invocation = work->invocation;
	uint64_t priority = 5, timeout_ms = 0;

	*status = EXIT_USAGE;
	if (!cli_count("priority", invocation->priority, &priority) || !cli_duration("timeout", invocation->timeout, &timeout_ms))
		return false;
	json_t *begun = link_call(work->link, "submit",
		json_pack("{s:s,s:s,s:b,s:I,s:I}", "name", invocation->names[0], "submission", work->id, "results", invocation->wait,
			"priority", (json_int_t)priority, "timeout_ms", (json_int_t)timeout_ms),
		CALL_MS, err);
	if (!begun) {
		*status = cli_status(err);
		return false;
	}
	uint64_t accepted = (uint64_t)json_integer_value(json_object_get(begun, "accepted"));
	work->written = work->starts[accepted < work->count ? accepted : work->count];
	work->until = work->is_cancelled ? work->written : work->lines.size;
	work->is_end_written = false;
	json_decref(begun);
	return true;
}

/* ---- C-c ---- */

static json_t *ask_to_cancel(struct submitting *work, struct error *err)
{
	char *project = cli_project(work->invocation);
	struct link *link = link_open(project, err);
	json_t *result = link ? link_call(link, "cancel",
					json_pack("{s:s,s:s}", "name", work->invocation->names[0], "submission", work->id), CALL_MS, err)
			      : NULL;

	link_close(link);
	free(project);
	return result;
}

/* Where the line that was begun ends. */
static size_t end_of_line(const struct submitting *work)
{
	const char *last = work->lines.data + work->written - 1;

	if (!work->written)
		return 0;
	return (size_t)((const char *)memchr(last, '\n', work->lines.size - work->written + 1) + 1 - work->lines.data);
}

/* What waits is cancelled, by another connection: this one is for tasks. What has begun is waited for. */
static void cancel(struct submitting *work)
{
	struct error err = { 0 };
	json_t *result = ask_to_cancel(work, &err);

	if (!result) {
		cli_fail(EXIT_FAILED, "its tasks could not be cancelled: %s", err.text);
		return;
	}
	work->is_cancelled = true;
	work->until = end_of_line(work);
	fprintf(stderr, "%s%lld cancelled, %lld are being worked on%s\n", work->has_bar ? "\r\033[K" : "",
		(long long)json_integer_value(json_object_get(result, "cancelled")),
		(long long)json_integer_value(json_object_get(result, "running")),
		work->invocation->wait ? "; C-c again: leave them" : "");
	json_decref(result);
}

/* False: that was the second one, or it was no use. */
static bool take_signal(struct submitting *work, struct error *err)
{
	struct signalfd_siginfo info;

	if (read(work->signal_fd, &info, sizeof info) == (ssize_t)sizeof info && !work->is_cancelled)
		cancel(work);
	else
		work->is_cancelled = false;
	return work->is_cancelled || error_set(err, ECANCELED, "interrupted; what has begun goes on");
}

/* What it takes now of what is left, without keeping answers waiting. */
static bool write_some(struct submitting *work, struct error *err)
{
	size_t rest = work->until - work->written;
	ssize_t written = link_write_some(work->link, work->lines.data + work->written, rest < AT_ONCE ? rest : AT_ONCE, err);

	if (written < 0)
		return false;
	work->written += (size_t)written;
	if (work->written == work->until && !work->is_end_written) {
		written = link_write_some(work->link, "\n", 1, err);
		work->is_end_written = written == 1;
	}
	return written >= 0;
}

static bool talk(struct submitting *work, struct error *err)
{
	while (!work->is_over) {
		struct pollfd waits[] = { { link_fd(work->link), POLLIN | (work->is_end_written ? 0 : POLLOUT), 0 },
			{ work->signal_fd, POLLIN, 0 } };
		poll(waits, 2, -1);
		if (waits[1].revents && !take_signal(work, err))
			return false;
		if (waits[0].revents & POLLOUT && !write_some(work, err))
			return false;
		if (!take_all(work, err))
			return false;
		if (fflush(stdout) != 0)
			return error_errno(err, "standard output");
	}
	return true;
}

static int tell_end(const struct submitting *work)
{
	if (work->error && work->accepted == work->count)
		return cli_fail(EXIT_FAILED, "%llu tasks were taken, but %s", (unsigned long long)work->accepted, work->error);
	if (work->error)
		return cli_fail(EXIT_FAILED, "%llu of %llu tasks were taken; the next was not: %s", (unsigned long long)work->accepted,
			(unsigned long long)work->count, work->error);
	if (!work->invocation->wait)
		printf(work->invocation->json ? "{\"submitted\": %llu, \"submission\": \"%s\"}\n" : "%llu submitted\n",
			(unsigned long long)work->accepted, work->id);
	return work->invocation->wait && work->failed ? EXIT_FAILED : EXIT_OK;
}

static int submit(struct submitting *work)
{
	struct error err = { 0 };
	int status = EXIT_OK;

	work->link = cli_connect(work->invocation, &status);
	if (work->link)
		link_take_lines(work->link, take_answer, work);
	while (work->link && !work->is_over) {
		if (begin(work, &status, &err) && talk(work, &err))
			break;
		if (!err.code && status == EXIT_USAGE)
			return status;
		if (ferror(stdout) || !cli_reconnect(work->link, &err))
			return cli_fail(status == EXIT_USAGE ? cli_status(&err) : status, "%s", err.text);
	}
	if (!work->link)
		return status;
	if (work->invocation->wait)
		draw_bar(work, true);
	return tell_end(work);
}

int cli_submit(struct invocation *invocation)
{
	struct submitting work = { .invocation = invocation,
		.has_bar = invocation->wait && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO),
		.signal_fd = -1 };
	int status = EXIT_USAGE;

	if (invocation->fleet && (invocation->priority || invocation->timeout))
		return cli_fail(EXIT_USAGE, "submit --fleet: a stream has no --priority, and a time limit is that of each pool");
	if (invocation->fleet)
		return cli_fleet(invocation, "submit");
	snprintf(work.id, sizeof work.id, "%llx-%lx", (unsigned long long)clock_wall_us(), (long)getpid());
	if (read_tasks(&work)) {
		work.signal_fd = signals_open(signals_of_service, NULL);
		signal(SIGPIPE, SIG_DFL);
		status = submit(&work);
	}
	link_close(work.link);
	text_finish(&work.lines);
	free(work.starts);
	free(work.seen);
	free(work.error);
	return cli_finish(status);
}

/* ---- pool ---- */

static void print_times(const char *name, const json_t *times)
{
	printf("%-10s", name);
	for (const char *const *part = (const char *const[]){ "p50", "p95", "p99", NULL }; *part; part++) {
		const json_t *ms = json_object_get(times, *part);
		if (json_is_number(ms))
			printf("  %s %.3f ms", *part, json_number_value(ms));
		else
			printf("  %s -", *part);
	}
	putchar('\n');
}

static long long figure(const json_t *pool, const char *name)
{
	return json_integer_value(json_object_get(pool, name));
}

static void print_submissions(const json_t *submissions)
{
	json_t *one;
	size_t i;

	if (json_array_size(submissions))
		printf("%-32s %10s %10s %8s\n", "SUBMISSION", "TASKS", "ANSWERED", "FAILED");
	json_array_foreach(submissions, i, one)
	{
		bool is_waited_for = json_is_true(json_object_get(one, "waited_for"));
		printf("%-32s %10lld %10lld %8lld%s\n", json_string_value(json_object_get(one, "submission")), figure(one, "accepted"),
			figure(one, "answered"), figure(one, "failed"), is_waited_for ? "" : "  nobody waits");
	}
}

static void print_pool(const json_t *pool)
{
	json_t *worker;
	size_t i;

	printf("%s: %lld of %lld workers, %lld busy, %lld queued%s\n",
		json_string_value(json_object_get(pool, "name")), figure(pool, "size"),
		figure(pool, "target"), figure(pool, "busy"), figure(pool, "queued"),
		json_is_true(json_object_get(pool, "draining")) ? ", draining" : "");
	printf("submitted %lld, completed %lld, failed %lld, retried %lld\n", figure(pool, "submitted"), figure(pool, "completed"),
		figure(pool, "failed"), figure(pool, "retried"));
	print_times("waited", json_object_get(pool, "wait_ms"));
	print_times("ran", json_object_get(pool, "run_ms"));
	printf("%-8s %-10s %8s %10s %10s %10s %8s\n", "WORKER", "STATE", "RUNNING", "TASK", "SINCE MS", "DONE", "FAILED");
	json_array_foreach(json_object_get(pool, "workers"), i, worker)
	{
		bool has_task = json_is_integer(json_object_get(worker, "task"));
		char task[24] = "-", since[24] = "-";
		if (has_task) {
			snprintf(task, sizeof task, "%lld", figure(worker, "task"));
			snprintf(since, sizeof since, "%lld", figure(worker, "since_ms"));
		}
		printf("%-8lld %-10s %8lld %10s %10s %10lld %8lld\n", figure(worker, "instance"),
			json_string_value(json_object_get(worker, "state")), figure(worker, "running"), task, since,
			figure(worker, "completed"),
			figure(worker, "failed"));
	}
	print_submissions(json_object_get(pool, "submissions"));
}

static int ask_pool(struct invocation *invocation, const char *method, json_t *params, void (*print)(const json_t *result))
{
	int status = EXIT_OK;
	json_t *result = cli_ask(invocation, method, params, &status);

	if (result && invocation->json)
		cli_print_json(result);
	else if (result)
		print(result);
	json_decref(result);
	return status;
}

static void print_any_pool(const json_t *pool)
{
	if (json_object_get(pool, "workers"))
		print_pool(pool);
	threads_print(json_object_get(pool, "thread_pools"));
}

int cli_pool(struct invocation *invocation)
{
	int32_t pid = threads_pid(invocation->names[0]);

	if (pid)
		return threads_show(invocation, pid);
	return ask_pool(invocation, "pool", json_pack("{s:s}", "name", invocation->names[0]), print_any_pool);
}

/* ---- cancel ---- */

static json_t *what_to_cancel(const char *pool, const char *what)
{
	char *end;
	long long task = strtoll(what, &end, 10);

	if (strcmp(what, "all") == 0)
		return json_pack("{s:s,s:b}", "name", pool, "all", true);
	if (task > 0 && !*end)
		return json_pack("{s:s,s:I}", "name", pool, "task", (json_int_t)task);
	return json_pack("{s:s,s:s}", "name", pool, "submission", what);
}

static void print_cancelled(const json_t *result)
{
	printf("%lld cancelled", figure(result, "cancelled"));
	if (figure(result, "running"))
		printf(", %lld are being worked on", figure(result, "running"));
	putchar('\n');
}

int cli_cancel(struct invocation *invocation)
{
	int status = EXIT_OK;

	for (int i = 1; i < invocation->name_count; i++) {
		int one = ask_pool(invocation, "cancel", what_to_cancel(invocation->names[0], invocation->names[i]), print_cancelled);
		status = one ? one : status;
	}
	return status;
}

/* ---- drain ---- */

static void print_drain(const json_t *result)
{
	if (json_is_true(json_object_get(result, "draining")))
		printf("it takes no more tasks: %lld wait, %lld are being worked on\n", figure(result, "queued"), figure(result, "busy"));
	else
		printf("it takes tasks\n");
}

int cli_drain(struct invocation *invocation)
{
	if (invocation->name_count == 2)
		return cli_drain_threads(invocation);
	return ask_pool(invocation, "drain", json_pack("{s:s,s:b}", "name", invocation->names[0], "off", invocation->off), print_drain);
}
