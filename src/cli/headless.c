/* `thrum up --headless`: in front, printing one record a line, until all is over or it is told to end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/exit_when.h"
#include "cli/record.h"
#include "client/tail.h"
#include "client/replica.h"

enum {
	OUTPUT_MOST = 16 * 1024 * 1024,
	FLUSH_AT = 64 * 1024,
	COME_BACK_MS = 30000, /* an engine that dies is started again; this long it is waited for */
	RETRY_MS = 100,
};

struct headless {
	struct invocation *invocation;
	const char *project; /* borrowed */
	struct link *link;   /* owned */
	struct replica replica;
	struct tail tail;
	struct text output;
	struct record_style style;
	uint64_t sample_ms, linger_ms;
	uint64_t last_seq;
	int signal_fd;
	unsigned signals; /* to end, that came */
	bool is_started, is_ending, is_over, is_fatal, is_mute;
	int status; /* -1: as the services ended */
};

static void flush(struct headless *run)
{
	const char *bytes = text_string(&run->output);
	size_t size = run->output.size;

	while (size && !run->is_mute) {
		ssize_t done = write(STDOUT_FILENO, bytes, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			run->is_mute = true; /* supervision goes on; the logs have it all */
			cli_fail(0, "standard output: %s; nothing more is printed, services run on",
				strerror(errno));
			break;
		}
		bytes += done;
		size -= (size_t)done;
	}
	text_clear(&run->output);
}

static void flush_if_large(struct headless *run)
{
	if (run->output.size >= FLUSH_AT)
		flush(run);
}

static void on_line(void *context, const struct tail_line *line)
{
	struct headless *run = context;

	record_line(&run->output, &run->style, line);
	flush_if_large(run);
}

/* Printing was slower than rotation: what is not printed is at least said. */
static void on_lost(void *context, const struct tail_stream *stream, uint64_t bytes)
{
	struct headless *run = context;

	flush(run);
	cli_fail(0, "%s/%u: %llu bytes of output were rotated away before they could be printed; "
		    "log.rotate keeps more",
		stream->service, stream->instance, (unsigned long long)bytes);
}

static void take_event(struct headless *run, const json_t *event)
{
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(event, "seq"));

	if (seq <= run->last_seq)
		return;
	run->last_seq = seq;
	record_event(&run->output, &run->style, event);
	flush_if_large(run);
}

static void end_run(struct headless *run, int status)
{
	struct error err;

	if (run->is_ending)
		return;
	run->is_ending = true;
	run->status = status;
	link_send(run->link, "down", NULL, &(json_int_t){ 0 }, &err);
}

static void take_notification(struct headless *run, const char *method, const json_t *params)
{
	if (strcmp(method, "event") == 0) {
		take_event(run, params);
	} else if (strcmp(method, "log") == 0) {
		struct tail_stream *stream = tail_know(&run->tail, params);
		if (stream)
			tail_ask(&run->tail, stream, run->link);
	} else if (strcmp(method, "sample") == 0) {
		record_samples(&run->output, &run->style, params);
	} else if (strcmp(method, "bye") == 0) {
		run->is_over = true;
		run->is_fatal = json_is_true(json_object_get(params, "fatal"));
		tail_resume(&run->tail, run->link); /* what is left of the output */
	}
}

static void take_message(struct headless *run, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));

	if (!method) {
		tail_reply(&run->tail, message, run->link);
		return;
	}
	replica_apply(&run->replica, message);
	take_notification(run, method, json_object_get(message, "params"));
}

/* False when the engine is gone. */
static bool take_messages(struct headless *run)
{
	struct error err = { 0 };
	json_t *message;

	while ((message = link_next(run->link, &err))) {
		take_message(run, message);
		json_decref(message);
	}
	return err.code == 0;
}

static bool say_hello(struct headless *run, struct error *err)
{
	json_t *result = link_call(run->link, "hello",
		json_pack("{s:s,s:b,s:I}", "client", "headless", "owner", 1, "linger_ms",
			(json_int_t)run->linger_ms),
		CALL_MS, err);

	json_decref(result);
	return result;
}

static bool know_streams(struct headless *run, struct error *err)
{
	json_t *result = link_call(run->link, "log.list", NULL, CALL_MS, err), *stream;
	size_t i;

	json_array_foreach(json_object_get(result, "streams"), i, stream)
		tail_know(&run->tail, stream);
	json_decref(result);
	return result;
}

static bool subscribe(struct headless *run, struct error *err)
{
	json_t *event, *result = link_call(run->link, "subscribe",
			       json_pack("{s:b,s:b,s:I,s:I}", "logs", 1, "samples",
				       run->sample_ms > 0, "sample_ms", (json_int_t)run->sample_ms,
				       "since", (json_int_t)run->last_seq),
			       CALL_MS, err);
	size_t i;

	if (!result || !replica_load(&run->replica, result, err))
		return false;
	json_array_foreach(json_object_get(result, "notices"), i, event)
		take_event(run, event);
	json_decref(result);
	if (!know_streams(run, err))
		return false;
	tail_resume(&run->tail, run->link);
	return true;
}

/* The keeper holds the socket: a new engine answers on it at once. */
static bool come_back(struct headless *run, struct error *err)
{
	uint64_t until_ms = clock_monotonic_ms() + COME_BACK_MS;

	for (;;) {
		link_close(run->link);
		run->link = link_open(run->project, err);
		if (!run->link)
			return false;
		if (say_hello(run, err) && subscribe(run, err))
			break;
		if (clock_monotonic_ms() > until_ms)
			return false;
		poll(NULL, 0, RETRY_MS);
	}
	if (run->is_ending)
		link_send(run->link, "down", NULL, &(json_int_t){ 0 }, err);
	return true;
}

static void take_signal(struct headless *run)
{
	struct signalfd_siginfo info;
	struct error err;

	while (read(run->signal_fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD) {
			while (waitpid(-1, NULL, WNOHANG) > 0)
				continue; /* as the first process of a container, what falls to us */
		} else if (run->signals++ == 0) {
			end_run(run, -1);
		} else {
			link_send(run->link, "kill", json_pack("{s:[s]}", "names", "all"),
				&(json_int_t){ 0 }, &err);
		}
	}
}

static void check_exit(struct headless *run)
{
	struct exit_verdict verdict = exit_when(&run->replica, run->invocation->exit_when);

	if (run->is_started && !run->is_ending && verdict.is_over)
		end_run(run, verdict.status);
}

static int finish(struct headless *run)
{
	tail_end(&run->tail);
	flush(run);
	if (run->status >= 0)
		return run->status;
	return run->is_fatal ? EXIT_FAILED : EXIT_OK;
}

static int serve(struct headless *run)
{
	struct error err = { 0 };

	for (;;) {
		if (!take_messages(run)) {
			if (run->is_over)
				return finish(run);
			flush(run);
			if (!come_back(run, &err))
				return cli_fail(EXIT_NO_ENGINE, "the engine is gone: %s", err.text);
			continue;
		}
		check_exit(run);
		flush(run);
		if (run->is_over && tail_is_idle(&run->tail))
			return finish(run);
		struct pollfd ready[] = {
			{ .fd = run->signal_fd, .events = POLLIN },
			{ .fd = link_fd(run->link), .events = POLLIN },
		};
		poll(ready, 2, -1);
		take_signal(run);
	}
}

static int open_signals(void)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		sigaddset(&set, ours[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool start(struct headless *run, int *status)
{
	json_t *params = run->invocation->name_count ? cli_names(run->invocation)
						     : json_pack("{s:[s]}", "names", "all");

	if (run->invocation->no_deps)
		json_object_set_new(params, "no_deps", json_true());
	json_t *result = cli_call(run->link, "start", params, status);
	json_decref(result);
	run->is_started = result;
	return result;
}

static void set_style(struct headless *run)
{
	bool is_terminal = isatty(STDOUT_FILENO);
	const char *no_colour = getenv("NO_COLOR");

	run->style.json = run->invocation->format && strcmp(run->invocation->format, "json") == 0;
	run->style.safe = is_terminal;
	run->style.colour = is_terminal && !(no_colour && no_colour[0]);
}

static bool check_options(struct headless *run, const struct project_spec *spec)
{
	struct invocation *invocation = run->invocation;
	const char **services = memory_zeroed(spec->service_count + 1, sizeof *services);

	for (size_t i = 0; i < spec->service_count; i++)
		services[i] = spec->services[i].name;
	bool is_valid =
		!invocation->exit_when || exit_when_is_valid(invocation->exit_when, services);
	free(services);
	if (!is_valid)
		cli_fail(EXIT_USAGE,
			"--exit-when takes all-done, any-exit, any-failure, never or a service, not '%s'",
			invocation->exit_when);
	return is_valid && cli_duration("samples", invocation->samples, &run->sample_ms) &&
	       cli_duration("linger", invocation->linger, &run->linger_ms);
}

int cli_headless(struct link *link, struct invocation *invocation, const struct project_spec *spec)
{
	struct headless run = {
		.invocation = invocation, .project = spec->name, .link = link, .status = -1
	};
	struct error err = { 0 };
	int status = EXIT_USAGE;

	replica_init(&run.replica);
	text_init(&run.output, OUTPUT_MOST);
	run.tail = (struct tail){ .from_run = true, .take = on_line, .lose = on_lost, .context = &run };
	set_style(&run);
	if (check_options(&run, spec)) {
		run.signal_fd = open_signals();
		if (!say_hello(&run, &err) || !subscribe(&run, &err))
			status = cli_fail(cli_status(&err), "%s", err.text);
		else if (start(&run, &status))
			status = serve(&run);
		close(run.signal_fd);
	}
	link_close(run.link);
	tail_finish(&run.tail);
	replica_finish(&run.replica);
	text_finish(&run.output);
	return status;
}
