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
#include "cli/herald.h"
#include "cli/outlet.h"
#include "cli/record.h"
#include "client/tail.h"
#include "client/replica.h"
#include "client/signals.h"

enum {
	COME_BACK_MS = 30000, /* an engine that dies is started again; this long it is waited for */
	RETRY_MS = 100,
	REMIND_MS = 1000,
};

struct headless {
	struct invocation *invocation;
	const char *project; /* borrowed */
	struct link *link;   /* owned */
	struct replica replica;
	struct tail tail;
	struct outlet outlet;
	struct herald herald;
	struct record_style style;
	uint64_t sample_ms, linger_ms;
	bool wants_messages;
	uint64_t last_seq;
	uint64_t reminded_ms; /* the engine, that we still read */
	int signal_fd;
	unsigned signals; /* to end, that came */
	bool is_started, is_ending, is_over;
	int end_status; /* as the services ended */
	int status;     /* -1: as the services ended */
};

/* What cannot be printed is still in the logs: supervision goes on. */
static void write_out(struct headless *run)
{
	if (!outlet_write(&run->outlet))
		cli_fail(0, "standard output: %s; nothing more is printed, services run on",
			strerror(run->outlet.code));
}

static void print(struct headless *run)
{
	write_out(run);
	tail_hold(&run->tail, outlet_is_full(&run->outlet), run->link);
}

static void on_line(void *context, const struct tail_line *line)
{
	struct headless *run = context;

	if (!run->outlet.code)
		record_line(&run->outlet.text, &run->style, line);
}

/* Printing was slower than rotation: what is not printed is at least said. */
static void on_lost(void *context, const struct tail_stream *stream, uint64_t bytes)
{
	(void)context;
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
	if (!run->outlet.code)
		record_event(&run->outlet.text, &run->style, event);
}

static void end_run(struct headless *run, int status)
{
	struct error err;

	if (run->is_ending)
		return;
	run->is_ending = true;
	run->status = status;
	herald_stopping(&run->herald);
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
	} else if (strcmp(method, "message") == 0) {
		if (!run->outlet.code && !outlet_is_full(&run->outlet))
			record_message(&run->outlet.text, &run->style, params);
	} else if (strcmp(method, "sample") == 0) {
		/* the one thing that is left out while nobody reads */
		if (!run->outlet.code && !outlet_is_full(&run->outlet))
			record_samples(&run->outlet.text, &run->style, params);
	} else if (strcmp(method, "bye") == 0) {
		run->is_over = true;
		run->end_status = (int)json_integer_value(json_object_get(params, "status"));
		tail_ask_all(&run->tail, run->link); /* what is left of the output */
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

static bool watch_messages(struct headless *run, struct error *err)
{
	json_t *result = link_call(run->link, "ipc.watch", NULL, CALL_MS, err);

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
	if (!know_streams(run, err) || (run->wants_messages && !watch_messages(run, err)))
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

/* How many came that mean the end. */
static unsigned count_signals(struct headless *run)
{
	struct signalfd_siginfo info;
	unsigned count = 0;

	while (read(run->signal_fd, &info, sizeof info) == sizeof info)
		count += info.ssi_signo != SIGCHLD;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue; /* as the first process of a container, what falls to us */
	run->signals += count;
	return count;
}

static void take_signals(struct headless *run)
{
	struct error err;

	if (!count_signals(run))
		return;
	if (run->signals > 1)
		link_send(run->link, "kill", json_pack("{s:[s]}", "names", "all"),
			&(json_int_t){ 0 }, &err);
	end_run(run, -1);
}

static void check_exit(struct headless *run)
{
	struct exit_verdict verdict = exit_when(&run->replica, run->invocation->exit_when);

	if (run->is_started && !run->is_ending && verdict.is_over)
		end_run(run, verdict.status);
}

/* Whoever reads gets all of it; another signal ends the waiting for a reader that does not. */
static void print_rest(struct headless *run)
{
	struct pollfd ready[] = {
		{ .fd = run->signal_fd, .events = POLLIN },
		{ .fd = STDOUT_FILENO, .events = POLLOUT },
	};
	unsigned signals = run->signals;

	write_out(run);
	while (outlet_has_rest(&run->outlet) && run->signals == signals) {
		poll(ready, 2, -1);
		count_signals(run);
		write_out(run);
	}
}

static int finish(struct headless *run)
{
	tail_end(&run->tail);
	print_rest(run);
	if (run->status >= 0)
		return run->status;
	return run->end_status;
}

/* The connection is gone and does not come back. */
static int give_up(struct headless *run, const struct error *err)
{
	bool is_whole = run->is_over && tail_is_idle(&run->tail);
	int status = finish(run);

	if (!run->is_over)
		return cli_fail(EXIT_NO_ENGINE, "the engine is gone: %s", err->text);
	if (!is_whole)
		cli_fail(0, "the engine ended before all output was printed; the logs have it");
	return status;
}

static void wait_for_something(struct headless *run)
{
	struct pollfd ready[] = {
		{ .fd = run->signal_fd, .events = POLLIN },
		{ .fd = link_fd(run->link), .events = POLLIN },
		{ .fd = outlet_has_rest(&run->outlet) ? STDOUT_FILENO : -1, .events = POLLOUT },
	};

	poll(ready, 3, run->is_over ? REMIND_MS : herald_wait_ms(&run->herald));
	if (run->is_over && clock_monotonic_ms() - run->reminded_ms >= REMIND_MS) {
		run->reminded_ms = clock_monotonic_ms();
		tail_remind(&run->tail, run->link);
	}
}

static int serve(struct headless *run)
{
	struct error err = { 0 };

	for (;;) {
		if (!take_messages(run)) {
			bool is_done = run->is_over && tail_is_idle(&run->tail);
			if (is_done || !come_back(run, &err))
				return give_up(run, &err);
			continue;
		}
		check_exit(run);
		herald_tell(&run->herald, &run->replica);
		print(run);
		if (run->is_over && tail_is_idle(&run->tail))
			return finish(run);
		wait_for_something(run);
		take_signals(run);
	}
}

static bool start(struct headless *run, int *status)
{
	json_t *result = cli_call(run->link, "start", cli_start_params(run->invocation, true), status);

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
	run->wants_messages = invocation->ipc;
	return is_valid && cli_duration("samples", invocation->samples, &run->sample_ms) &&
	       cli_duration("linger", invocation->linger, &run->linger_ms);
}

int cli_headless(struct link *link, struct invocation *invocation, const struct project_spec *spec)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0 };
	struct headless run = {
		.invocation = invocation, .project = spec->name, .link = link, .status = -1
	};
	struct error err = { 0 };
	int status = EXIT_USAGE;

	replica_init(&run.replica);
	outlet_init(&run.outlet);
	herald_init(&run.herald);
	run.tail = (struct tail){ .from_run = true, .take = on_line, .lose = on_lost, .context = &run };
	set_style(&run);
	if (check_options(&run, spec)) {
		run.signal_fd = signals_open(ours, NULL);
		if (!say_hello(&run, &err) || !subscribe(&run, &err))
			status = cli_fail(cli_status(&err), "%s", err.text);
		else if (start(&run, &status))
			status = serve(&run);
		close(run.signal_fd);
	}
	link_close(run.link);
	tail_finish(&run.tail);
	replica_finish(&run.replica);
	outlet_finish(&run.outlet);
	herald_finish(&run.herald);
	return status;
}
