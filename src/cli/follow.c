/* Commands that read what comes: logs, events, wait. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/pattern.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/instance.h"
#include "cli/record.h"
#include "client/merge.h"
#include "client/tail.h"
#include "client/replica.h"
#include "protocol/chunk.h"
#include "protocol/value.h"

enum {
	DEFAULT_LINES = 100,
	KEPT_MOST = 256 * 1024 * 1024,
};

struct logs {
	struct invocation *invocation;
	struct link *link;
	struct tail tail;
	struct record_style style;
	struct pattern *pattern; /* owned; NULL: every line */
	bool is_merging;         /* what was there before: printed in the order of time */
	struct merge merge;      /* … and what of it is newer than what another one may still bring */
	struct merge newest;     /* one stream: those that are printed in the end */
	uint64_t most;           /* lines; 0: all */
	size_t filled;           /* streams with something in them */
	size_t left_out;         /* lines that were too many to be kept */
};

static bool is_wanted(struct logs *logs, const struct tail_line *line)
{
	const char *stream = logs->invocation->stream;

	if (stream && !!strstr(stream, "err") != line->stream->is_err)
		return false;
	return !logs->pattern || pattern_matches(logs->pattern, line->text, line->size);
}

static void print_line(struct logs *logs, const struct tail_line *line)
{
	size_t at = (size_t)(line->stream - logs->tail.streams);
	struct text text;

	text_init(&text, ASSEMBLE_LINE_MOST * 8);
	record_line(&text, &logs->style, line);
	if (logs->is_merging) {
		size_t size = text.size;
		merge_put(&logs->merge, at, line->time_us, text_take(&text), size);
		logs->tail.streams[at].is_full = merge_waiting(&logs->merge, at) >= CHUNK_MOST;
	} else {
		fwrite(text_string(&text), 1, text.size, stdout);
	}
	text_finish(&text);
}

static void on_line(void *context, const struct tail_line *line)
{
	if (is_wanted(context, line))
		print_line(context, line);
}

static void print_and_free(const struct merge_line *line)
{
	fwrite(line->text, 1, line->size, stdout);
	free(line->text);
}

/* Of one stream no more than the newest lines were asked for; of several, which they are is known in the end. */
static bool is_known_to_be_newest(const struct logs *logs)
{
	return !logs->most || (logs->filled <= 1 && !logs->pattern && !logs->invocation->since);
}

static void take_merged(struct logs *logs, const struct merge_line *line)
{
	struct merge *newest = &logs->newest;
	struct merge_line oldest;
	size_t ignored;

	if (is_known_to_be_newest(logs)) {
		print_and_free(line);
		return;
	}
	merge_put(newest, 0, line->time_us, line->text, line->size);
	while (newest->lines > logs->most || newest->bytes > KEPT_MOST) {
		logs->left_out += newest->lines <= logs->most;
		if (merge_next(newest, &oldest, &ignored))
			free(oldest.text);
	}
}

/* Is there a stream that may still bring a line that is older than all that wait? */
static bool is_awaited(const struct logs *logs)
{
	for (size_t i = 0; i < logs->tail.count; i++)
		if (tail_is_awaited(&logs->tail.streams[i]) && !merge_waiting(&logs->merge, i))
			return true;
	return false;
}

/* Lines of which none is newer than what still comes; whoever has been read far enough is read on. */
static void print_merged(struct logs *logs)
{
	struct merge_line line;
	size_t at;

	while (!is_awaited(logs)) {
		do {
			if (!merge_next(&logs->merge, &line, &at))
				return;
			take_merged(logs, &line);
			struct tail_stream *stream = &logs->tail.streams[at];
			if (stream->is_full && merge_waiting(&logs->merge, at) < CHUNK_MOST / 2)
				tail_go_on(&logs->tail, stream, logs->link);
		} while (merge_waiting(&logs->merge, at));
	}
}

static void print_newest(struct logs *logs)
{
	struct merge_line line;
	size_t ignored;

	if (logs->left_out)
		fprintf(stderr, "thrum: the %zu oldest of these lines are left out: all together are more than %d MB\n", logs->left_out,
			KEPT_MOST >> 20);
	while (merge_next(&logs->newest, &line, &ignored))
		print_and_free(&line);
}

static bool compile_pattern(struct logs *logs)
{
	const char *pattern = logs->invocation->grep;
	struct error err;

	if (!pattern)
		return true;
	logs->pattern = pattern_create(pattern, &err);
	if (!logs->pattern)
		cli_fail(EXIT_USAGE, "--grep: %s at offset %d of '%s'", err.text, err.code, pattern);
	return logs->pattern;
}

static bool find_start(
	struct logs *logs, struct tail_stream *stream, const json_t *description, int *status)
{
	uint64_t since_us = 0;
	json_t *params = json_pack("{s:s,s:i,s:s}", "service", stream->service, "instance",
		(int)stream->instance, "stream", stream->is_err ? "stderr" : "stdout");

	if (logs->invocation->since && cli_since(logs->invocation->since, &since_us)) {
		json_object_set_new(params, "since", time_to_json(since_us));
	} else if (!logs->most || logs->pattern) {
		stream->offset =
			(uint64_t)json_integer_value(json_object_get(description, "first"));
		json_decref(params);
		return true;
	} else {
		json_object_set_new(params, "lines", json_integer((json_int_t)logs->most));
	}
	json_t *result = cli_call(logs->link, "log.find", params, status);
	stream->offset = (uint64_t)json_integer_value(json_object_get(result, "offset"));
	json_decref(result);
	return result;
}

/* Who writes faster than we read does not keep us from coming to an end: what comes from now on is not what was there before. */
static bool find_ends(struct logs *logs, int *status)
{
	json_t *result = cli_call(logs->link, "log.list", cli_names(logs->invocation), status), *description;
	bool ok = result;
	size_t i;

	json_array_foreach(json_object_get(result, "streams"), i, description)
	{
		struct tail_stream *stream = tail_find(&logs->tail, description);
		if (!stream)
			continue;
		stream->until = (uint64_t)json_integer_value(json_object_get(description, "end"));
		logs->filled += stream->until > stream->offset;
	}
	json_decref(result);
	return ok;
}

static bool begin_streams(struct logs *logs, int *status)
{
	json_t *result = cli_call(logs->link, "log.list", cli_names(logs->invocation), status),
	       *description;
	bool ok = result;
	size_t i;

	json_array_foreach(json_object_get(result, "streams"), i, description)
	{
		struct tail_stream *stream = ok ? tail_know(&logs->tail, description) : NULL;
		ok = stream && find_start(logs, stream, description, status);
	}
	json_decref(result);
	return ok && find_ends(logs, status);
}

/* A stream that was not there at the start is followed when its name is meant: all are, without names. */
static void take_message(struct logs *logs, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	const json_t *params = json_object_get(message, "params");

	if (!method) {
		tail_reply(&logs->tail, message, logs->link);
		return;
	}
	if (strcmp(method, "log") != 0)
		return;
	size_t before = logs->tail.count;
	struct tail_stream *stream = tail_know(&logs->tail, params);
	if (stream && logs->tail.count > before && logs->invocation->name_count)
		logs->tail.count--; /* somebody else's */
	else if (stream)
		tail_ask(&logs->tail, stream, logs->link);
}

static void take_messages(struct logs *logs, struct error *err)
{
	json_t *message;

	while ((message = link_next(logs->link, err))) {
		take_message(logs, message);
		json_decref(message);
	}
}

static bool subscribe_logs(struct logs *logs, struct error *err)
{
	json_t *subscribed, *result = NULL, *stream;
	size_t i;

	subscribed = link_call(logs->link, "subscribe", json_pack("{s:b}", "logs", 1), CALL_MS, err);
	if (subscribed)
		result = link_call(
			logs->link, "log.list", cli_names(logs->invocation), CALL_MS, err);
	json_array_foreach(json_object_get(result, "streams"), i, stream)
		tail_know(&logs->tail, stream);
	if (result)
		tail_resume(&logs->tail, logs->link);
	json_decref(subscribed);
	json_decref(result);
	return result;
}

/* Read on from where we are, of whichever engine answers now. */
static bool read_on(struct logs *logs, struct error *err)
{
	if (!logs->invocation->follow) {
		tail_resume(&logs->tail, logs->link);
		return true;
	}
	while (!subscribe_logs(logs, err))
		if (!cli_reconnect(logs->link, err))
			return false;
	return true;
}

/* Everything that was there is here: print it in its order. */
static void end_merging(struct logs *logs)
{
	if (!logs->invocation->follow)
		tail_end(&logs->tail);
	print_merged(logs);
	print_newest(logs);
	logs->is_merging = false;
	for (size_t i = 0; i < logs->tail.count; i++)
		logs->tail.streams[i].until = 0;
	if (logs->invocation->follow)
		tail_ask_all(&logs->tail, logs->link);
}

static int serve_logs(struct logs *logs)
{
	for (;;) {
		struct error err = { 0 };
		take_messages(logs, &err);
		if (logs->is_merging)
			print_merged(logs);
		bool is_idle = tail_is_idle(&logs->tail);
		if (logs->is_merging && is_idle)
			end_merging(logs);
		if (fflush(stdout) != 0 || ferror(stdout) ||
			(is_idle && !logs->invocation->follow))
			return EXIT_OK;
		if (!err.code)
			link_wait(logs->link, -1);
		else if (!cli_reconnect(logs->link, &err) || !read_on(logs, &err))
			return logs->invocation->follow ? EXIT_OK /* the project has ended */
							: cli_fail(EXIT_NO_ENGINE, "%s", err.text);
	}
}

static bool check_stream(const char *stream)
{
	static const char *const names[] = { "out", "err", "stdout", "stderr" };

	for (size_t i = 0; stream && i < sizeof names / sizeof *names; i++)
		if (strcmp(stream, names[i]) == 0)
			return true;
	if (stream)
		cli_fail(EXIT_USAGE, "--stream takes out or err, not '%s'", stream);
	return !stream;
}

int cli_logs(struct invocation *invocation)
{
	int status = EXIT_OK;
	uint64_t ignored;
	struct error err = { 0 };
	const char *no_colour = getenv("NO_COLOR");
	bool is_terminal = isatty(STDOUT_FILENO);
	struct logs logs = {
		.invocation = invocation,
		.is_merging = true,
		.most = DEFAULT_LINES,
		.style = { invocation->json, is_terminal && !(no_colour && no_colour[0]),
			is_terminal },
	};

	if (!cli_since(invocation->since, &ignored) ||
		!cli_count("lines", invocation->lines, &logs.most) ||
		!check_stream(invocation->stream))
		return EXIT_USAGE;
	if (invocation->since && !invocation->lines)
		logs.most = 0;
	logs.tail = (struct tail){ .from_run = true, .take = on_line, .context = &logs };
	if (!compile_pattern(&logs))
		return EXIT_USAGE;
	logs.link = cli_connect(invocation, &status);
	if (logs.link && begin_streams(&logs, &status))
		status = read_on(&logs, &err) ? serve_logs(&logs)
					      : cli_fail(cli_status(&err), "%s", err.text);
	link_close(logs.link);
	tail_finish(&logs.tail);
	merge_finish(&logs.merge);
	merge_finish(&logs.newest);
	pattern_destroy(logs.pattern);
	return status;
}

/* ---- events ---- */

static void print_record(const struct record_style *style, const json_t *params,
	void (*record)(struct text *out, const struct record_style *style, const json_t *params))
{
	struct text text;

	text_init(&text, ASSEMBLE_LINE_MOST);
	record(&text, style, params);
	fputs(text_string(&text), stdout);
	text_finish(&text);
}

struct events {
	struct record_style style;
	uint64_t last_seq; /* of what was printed */
};

static void take_event(struct events *events, const json_t *event)
{
	uint64_t seq = (uint64_t)json_integer_value(json_object_get(event, "seq"));

	if (seq <= events->last_seq)
		return;
	events->last_seq = seq;
	print_record(&events->style, event, record_event);
}

static bool subscribe_events(struct events *events, struct link *link, struct error *err)
{
	json_t *result = link_call(link, "subscribe",
		json_pack("{s:I}", "since", (json_int_t)events->last_seq), CALL_MS, err);
	json_t *event;
	size_t i;

	json_array_foreach(json_object_get(result, "notices"), i, event)
		take_event(events, event);
	json_decref(result);
	return result;
}

/* What processes say to everybody too. */
static bool listen_to_all(struct link *link, struct error *err)
{
	json_t *result = link_call(link, "ipc.watch", json_pack("{s:b}", "bus", 1), CALL_MS, err);

	json_decref(result);
	return result;
}

/* Until the connection or standard output is gone. */
static void follow_events(struct events *events, struct link *link, struct error *err)
{
	json_t *message;

	for (err->code = 0; !err->code;) {
		while ((message = link_next(link, err))) {
			const char *method = json_string_value(json_object_get(message, "method"));
			if (method && strcmp(method, "event") == 0)
				take_event(events, json_object_get(message, "params"));
			if (method && strcmp(method, "message") == 0)
				print_record(&events->style, json_object_get(message, "params"), record_bus);
			json_decref(message);
		}
		if (fflush(stdout) != 0)
			return;
		if (!err->code)
			link_wait(link, -1);
	}
}

int cli_events(struct invocation *invocation)
{
	int status = EXIT_OK;
	const char *no_colour = getenv("NO_COLOR");
	struct events events = { .style = { .json = invocation->json,
					 .colour = isatty(STDOUT_FILENO) &&
						   !(no_colour && no_colour[0]) } };
	struct error err = { 0 };
	struct link *link = cli_connect(invocation, &status);
	bool is_told = false, is_followed = link;

	while (is_followed) {
		if (subscribe_events(&events, link, &err)) {
			is_told = true;
			if (invocation->follow && listen_to_all(link, &err))
				follow_events(&events, link, &err);
		}
		is_followed = err.code && !ferror(stdout) && cli_reconnect(link, &err);
		if (!is_followed && !is_told)
			status = cli_fail(cli_status(&err), "%s", err.text);
	}
	link_close(link);
	return status;
}

/* ---- wait ---- */

static bool is_running(const struct row *row)
{
	return state_is_up(row->state);
}

static bool is_ready(const struct row *row)
{
	return row->state == STATE_READY || (row->state == STATE_RUNNING && !row->is_getting_ready);
}

static bool is_settled(const struct row *row)
{
	return !row->is_reloading && !row->is_getting_ready && row->state != STATE_STOPPING;
}

static bool is_completed(const struct row *row)
{
	return row->state == STATE_COMPLETED;
}

static bool is_over(const struct row *row)
{
	return state_is_over(row->state);
}

/* It will not leave this state by itself, unless for what the operator does. */
static bool is_dead_end(enum state state)
{
	return state == STATE_FAILED || state == STATE_FATAL || state == STATE_SKIPPED ||
	       state == STATE_DISABLED || state == STATE_COMPLETED;
}

/* It is not meant to be up now: its work is done, its time has not come, or nobody wants it. */
static bool is_at_rest(const struct row *row)
{
	return row->state == STATE_COMPLETED || row->state == STATE_SCHEDULED || row->state == STATE_STOPPED ||
	       row->state == STATE_DISABLED;
}

static const struct goal {
	const char *name;
	bool (*is_reached)(const struct row *row);
	bool is_up; /* who is at rest is waited for only when called by name */
} goals[] = {
	{ "ready", is_ready, true },
	{ "running", is_running, true },
	{ "completed", is_completed, false },
	{ "reloaded", is_settled, false },
	{ "stopped", is_over, false },
};

struct waiting {
	struct replica replica;
	json_t *instances; /* those that are meant, as `list` gave them */
	const struct goal *goal;
	bool is_anyone;         /* no instance is called by name */
	const struct row *lost; /* one that cannot reach it any more; or NULL */
};

static bool are_there(struct waiting *waiting)
{
	json_t *json;
	size_t i;
	bool all = true;

	json_array_foreach(waiting->instances, i, json)
	{
		struct replica_row *found = replica_find(&waiting->replica,
			json_string_value(json_object_get(json, "service")),
			(unsigned)json_integer_value(json_object_get(json, "instance")));
		if (!found || waiting->goal->is_reached(&found->row))
			continue;
		if (waiting->is_anyone && waiting->goal->is_up && is_at_rest(&found->row))
			continue;
		all = false;
		if (is_dead_end(found->row.state) && !found->row.deadline_us)
			waiting->lost = &found->row;
	}
	return all;
}

/* After each message: a state may last for less than the next one takes to come. */
static bool take_next(struct link *link, struct waiting *waiting, struct error *err)
{
	json_t *message = link_next(link, err);

	if (message)
		replica_apply(&waiting->replica, message);
	json_decref(message);
	return message;
}

static bool subscribe_rows(struct waiting *waiting, struct link *link, struct error *err)
{
	while (!replica_subscribe(&waiting->replica, link, NULL, CALL_MS, err))
		if (!cli_reconnect(link, err))
			return false;
	return true;
}

static int await(struct link *link, struct waiting *waiting, uint64_t timeout_ms)
{
	uint64_t until_ms = timeout_ms ? clock_monotonic_ms() + timeout_ms : UINT64_MAX;
	struct error err = { 0 };

	if (!subscribe_rows(waiting, link, &err))
		return cli_fail(cli_status(&err), "%s", err.text);
	for (;;) {
		if (are_there(waiting))
			return EXIT_OK;
		if (waiting->lost)
			return cli_fail(EXIT_FAILED, "%s/%u is %s, and will not be %s",
				waiting->lost->service, waiting->lost->instance,
				state_name(waiting->lost->state), waiting->goal->name);
		if (take_next(link, waiting, &err))
			continue;
		if (err.code) {
			if (!cli_reconnect(link, &err) || !subscribe_rows(waiting, link, &err))
				return cli_fail(EXIT_NO_ENGINE, "the engine is gone: %s", err.text);
			continue;
		}
		uint64_t now_ms = clock_monotonic_ms();
		if (now_ms >= until_ms)
			return cli_fail(EXIT_FAILED, "not within the time");
		uint64_t left_ms = until_ms - now_ms;
		link_wait(link, left_ms > INT_MAX ? -1 : (int)left_ms);
	}
}

static bool choose_goal(const struct invocation *invocation, struct waiting *waiting)
{
	const char *wanted = invocation->await ? invocation->await : "ready";

	for (size_t i = 0; i < sizeof goals / sizeof *goals; i++)
		if (strcmp(goals[i].name, wanted) == 0)
			waiting->goal = &goals[i];
	if (!waiting->goal)
		cli_fail(EXIT_USAGE, "--for takes ready, running, completed, reloaded or stopped, not '%s'",
			wanted);
	return waiting->goal;
}

static bool are_patterns(const struct invocation *invocation)
{
	for (int i = 0; i < invocation->name_count; i++)
		if (!instance_is_pattern(invocation->names[i]))
			return false;
	return true;
}

int cli_wait(struct invocation *invocation)
{
	int status = EXIT_USAGE;
	uint64_t timeout_ms = 0;
	struct waiting waiting = { .is_anyone = are_patterns(invocation) };

	if (!choose_goal(invocation, &waiting) ||
		!cli_duration("timeout", invocation->timeout, &timeout_ms))
		return EXIT_USAGE;
	struct link *link = cli_connect(invocation, &status);
	json_t *list = link ? cli_call(link, "list", cli_names(invocation), &status) : NULL;
	replica_init(&waiting.replica);
	waiting.instances = json_object_get(list, "instances");
	if (list)
		status = await(link, &waiting, timeout_ms);
	replica_finish(&waiting.replica);
	json_decref(list);
	link_close(link);
	return status;
}
