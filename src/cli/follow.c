/* Commands that read what comes: logs, events, wait. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/record.h"
#include "client/tail.h"
#include "client/replica.h"
#include "protocol/value.h"

enum {
	DEFAULT_LINES = 100,
	MATCH_LIMIT = 100000, /* an evil pattern costs a millisecond a line, not a day */
	KEPT_MOST = 256 * 1024 * 1024,
};

/* A printed line waiting for its place in time. */
struct kept_line {
	uint64_t time_us;
	size_t order;
	char *text; /* owned */
};

struct logs {
	struct invocation *invocation;
	struct link *link;
	struct tail tail;
	struct record_style style;
	pcre2_code *pattern;
	pcre2_match_data *match;
	bool is_merging;        /* what was there before: sorted by time before it is printed */
	struct kept_line *kept; /* owned */
	size_t count, room, size;
	uint64_t most; /* lines; 0: all */
};

static bool is_wanted(struct logs *logs, const struct tail_line *line)
{
	const char *stream = logs->invocation->stream;

	if (stream && (stream[0] == 'e') != line->stream->is_err)
		return false;
	if (!logs->pattern)
		return true;
	return pcre2_match(logs->pattern, (PCRE2_SPTR)line->text, line->size, 0, 0, logs->match,
		       NULL) >= 0;
}

static void print_line(struct logs *logs, const struct tail_line *line)
{
	struct text text;

	text_init(&text, ASSEMBLE_LINE_MOST * 8);
	record_line(&text, &logs->style, line);
	if (logs->is_merging && logs->size < KEPT_MOST) {
		if (logs->count == logs->room) {
			logs->room = logs->room ? logs->room * 2 : 256;
			logs->kept = memory_resize(logs->kept, logs->room, sizeof *logs->kept);
		}
		logs->size += text.size;
		logs->kept[logs->count] =
			(struct kept_line){ line->time_us, logs->count, text_take(&text) };
		logs->count++;
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

static int compare_lines(const void *a, const void *b)
{
	const struct kept_line *one = a, *other = b;

	if (one->time_us != other->time_us)
		return one->time_us < other->time_us ? -1 : 1;
	return one->order < other->order ? -1 : 1;
}

/* All at once, by time; then lines are printed as they come. */
static void print_kept(struct logs *logs)
{
	size_t from = logs->most && logs->count > logs->most ? logs->count - logs->most : 0;

	qsort(logs->kept, logs->count, sizeof *logs->kept, compare_lines);
	for (size_t i = 0; i < logs->count; i++) {
		if (i >= from)
			fputs(logs->kept[i].text, stdout);
		free(logs->kept[i].text);
	}
	free(logs->kept);
	logs->kept = NULL;
	logs->count = logs->room = 0;
	logs->is_merging = false;
}

static bool compile_pattern(struct logs *logs)
{
	const char *pattern = logs->invocation->grep;
	int code;
	size_t at;
	unsigned char why[128];

	if (!pattern)
		return true;
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(limits, MATCH_LIMIT);
	logs->pattern = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
		PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	pcre2_match_context_free(limits);
	if (!logs->pattern) {
		pcre2_get_error_message(code, why, sizeof why);
		cli_fail(EXIT_USAGE, "--grep: %s at offset %zu of '%s'", (const char *)why, at,
			pattern);
		return false;
	}
	pcre2_jit_compile(logs->pattern, PCRE2_JIT_COMPLETE);
	logs->match = pcre2_match_data_create_from_pattern(logs->pattern, NULL);
	return true;
}

/* "10m" ago, or a moment. */
static bool parse_since(const char *text, uint64_t *since_us)
{
	uint64_t ago_ms;

	if (units_parse_duration(text, &ago_ms)) {
		*since_us = clock_wall_us() - ago_ms * 1000;
		return true;
	}
	return time_parse(text, since_us);
}

static bool find_start(
	struct logs *logs, struct tail_stream *stream, const json_t *description, int *status)
{
	uint64_t since_us = 0;
	json_t *params = json_pack("{s:s,s:i,s:s}", "service", stream->service, "instance",
		(int)stream->instance, "stream", stream->is_err ? "stderr" : "stdout");

	if (logs->invocation->since && parse_since(logs->invocation->since, &since_us)) {
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
	return ok;
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

static int serve_logs(struct logs *logs)
{
	struct error err = { 0 };
	json_t *message;

	for (;;) {
		while ((message = link_next(logs->link, &err))) {
			take_message(logs, message);
			json_decref(message);
		}
		if (logs->is_merging && tail_is_idle(&logs->tail)) {
			if (!logs->invocation->follow)
				tail_end(&logs->tail);
			print_kept(logs);
		}
		fflush(stdout);
		if (ferror(stdout))
			return EXIT_OK;
		if (!logs->invocation->follow && tail_is_idle(&logs->tail))
			return EXIT_OK;
		if (err.code)
			return logs->invocation->follow ? EXIT_OK
							: cli_fail(EXIT_NO_ENGINE, "%s", err.text);
		link_wait(logs->link, -1);
	}
}

int cli_logs(struct invocation *invocation)
{
	int status = EXIT_OK;
	uint64_t ignored;
	const char *no_colour = getenv("NO_COLOR");
	bool is_terminal = isatty(STDOUT_FILENO);
	struct logs logs = {
		.invocation = invocation,
		.is_merging = true,
		.most = invocation->lines ? strtoull(invocation->lines, NULL, 10) : DEFAULT_LINES,
		.style = { invocation->json, is_terminal && !(no_colour && no_colour[0]),
			is_terminal },
	};

	if (invocation->since && !parse_since(invocation->since, &ignored))
		return cli_fail(EXIT_USAGE,
			"--since takes a duration such as 10m or a time such as 2026-11-23T12:00:00Z, not '%s'",
			invocation->since);
	if (invocation->since && !invocation->lines)
		logs.most = 0;
	logs.tail = (struct tail){ .from_run = true, .take = on_line, .context = &logs };
	if (!compile_pattern(&logs))
		return EXIT_USAGE;
	logs.link = cli_connect(invocation, &status);
	json_t *subscribed =
		logs.link ? cli_call(logs.link, "subscribe",
				    json_pack("{s:b}", "logs", invocation->follow), &status)
			  : NULL;
	if (subscribed && begin_streams(&logs, &status)) {
		tail_resume(&logs.tail, logs.link);
		status = serve_logs(&logs);
	}
	json_decref(subscribed);
	link_close(logs.link);
	tail_finish(&logs.tail);
	pcre2_match_data_free(logs.match);
	pcre2_code_free(logs.pattern);
	return status;
}

/* ---- events ---- */

static void print_event(const struct record_style *style, const json_t *event)
{
	struct text text;

	text_init(&text, ASSEMBLE_LINE_MOST);
	record_event(&text, style, event);
	fputs(text_string(&text), stdout);
	text_finish(&text);
}

int cli_events(struct invocation *invocation)
{
	int status = EXIT_OK;
	struct record_style style = { .json = invocation->json,
		.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") };
	struct link *link = cli_connect(invocation, &status);
	json_t *result = link ? cli_call(link, "subscribe", json_pack("{s:i}", "since", 0), &status)
			      : NULL,
	       *event, *message;
	struct error err = { 0 };
	size_t i;

	json_array_foreach(json_object_get(result, "notices"), i, event)
		print_event(&style, event);
	while (result && invocation->follow && !err.code && !ferror(stdout)) {
		while ((message = link_next(link, &err))) {
			const char *method = json_string_value(json_object_get(message, "method"));
			if (method && strcmp(method, "event") == 0)
				print_event(&style, json_object_get(message, "params"));
			json_decref(message);
		}
		fflush(stdout);
		if (!err.code)
			link_wait(link, -1);
	}
	json_decref(result);
	link_close(link);
	return status;
}

/* ---- wait ---- */

static bool is_running(enum state state)
{
	return state == STATE_RUNNING || state == STATE_READY;
}

static bool is_completed(enum state state)
{
	return state == STATE_COMPLETED;
}

static const struct {
	const char *name;
	bool (*is_reached)(enum state state);
} goals[] = {
	{ "ready", is_running },
	{ "running", is_running },
	{ "completed", is_completed },
	{ "stopped", state_is_over },
};

struct waiting {
	struct replica replica;
	json_t *instances; /* those that are meant, as `list` gave them */
	bool (*is_reached)(enum state state);
	bool never; /* one of them cannot reach it any more by itself */
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
		if (!found || waiting->is_reached(found->row.state))
			continue;
		all = false;
		waiting->never = waiting->never || found->row.state == STATE_FATAL ||
				 found->row.state == STATE_FAILED ||
				 found->row.state == STATE_SKIPPED;
	}
	return all;
}

static int await(struct link *link, struct waiting *waiting, uint64_t timeout_ms)
{
	uint64_t until_ms = timeout_ms ? clock_monotonic_ms() + timeout_ms : UINT64_MAX;
	struct error err = { 0 };
	json_t *message;

	for (;;) {
		if (are_there(waiting))
			return EXIT_OK;
		if (waiting->never)
			return cli_fail(EXIT_FAILED,
				"it ended failed, fatal or skipped, and will not get there");
		uint64_t now_ms = clock_monotonic_ms();
		if (now_ms >= until_ms)
			return cli_fail(EXIT_FAILED, "not within the time");
		link_wait(link, until_ms == UINT64_MAX ? -1 : (int)(until_ms - now_ms));
		while ((message = link_next(link, &err))) {
			replica_apply(&waiting->replica, message);
			json_decref(message);
		}
		if (err.code)
			return cli_fail(EXIT_NO_ENGINE, "%s", err.text);
	}
}

static bool choose_goal(const struct invocation *invocation, struct waiting *waiting)
{
	const char *wanted = invocation->await ? invocation->await : "ready";

	for (size_t i = 0; i < sizeof goals / sizeof *goals; i++)
		if (strcmp(goals[i].name, wanted) == 0)
			waiting->is_reached = goals[i].is_reached;
	if (!waiting->is_reached)
		cli_fail(EXIT_USAGE, "--for takes ready, running, completed or stopped, not '%s'",
			wanted);
	return waiting->is_reached;
}

int cli_wait(struct invocation *invocation)
{
	int status = EXIT_USAGE;
	uint64_t timeout_ms = 0;
	struct waiting waiting = { 0 };
	struct error err;

	if (!choose_goal(invocation, &waiting) ||
		!cli_duration("timeout", invocation->timeout, &timeout_ms))
		return EXIT_USAGE;
	struct link *link = cli_connect(invocation, &status);
	json_t *list = link ? cli_call(link, "list", cli_names(invocation), &status) : NULL;
	json_t *snapshot = list ? cli_call(link, "subscribe", NULL, &status) : NULL;
	replica_init(&waiting.replica);
	waiting.instances = json_object_get(list, "instances");
	if (snapshot && replica_load(&waiting.replica, snapshot, &err))
		status = await(link, &waiting, timeout_ms);
	replica_finish(&waiting.replica);
	json_decref(snapshot);
	json_decref(list);
	link_close(link);
	return status;
}
