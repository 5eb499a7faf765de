#include "replay/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/chunk.h"
#include "protocol/method.h"
#include "protocol/value.h"
#include "replay/deaths.h"
#include "replay/logs.h"
#include "replay/then.h"

enum { EVENTS_TOLD = 256,
	MESSAGES_TOLD = 500 };

struct question {
	struct recording *recording;
	const char *name; /* of what is replayed */
	const json_t *params;
	struct error err; /* of a refusal, with the protocol's code */
};

static json_t *refuse(struct question *question, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static json_t *refuse(struct question *question, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(question->err.text, sizeof question->err.text, fmt, args);
	va_end(args);
	question->err.code = code;
	return NULL;
}

/* ---- who is meant ---- */

/* "web" or "web/0"; instance below 0: all of it. */
static void split_name(const char *name, char service[64], int *instance)
{
	const char *slash = strrchr(name, '/');

	*instance = slash ? atoi(slash + 1) : -1;
	snprintf(service, 64, "%.*s", (int)(slash ? (size_t)(slash - name) : strlen(name)), name);
}

static bool is_named(const struct question *question, const struct row *row)
{
	const json_t *names = json_object_get(question->params, "names"), *name;
	char service[64];
	int instance;
	size_t i;

	json_array_foreach(names, i, name)
	{
		split_name(json_is_string(name) ? json_string_value(name) : "", service, &instance);
		if (strcmp(service, row->service) == 0 && (instance < 0 || (unsigned)instance == row->instance))
			return true;
	}
	return !names;
}

/* By `service` and `instance`; below 0: refused. */
static int member_of(struct question *question)
{
	const char *service = json_string_value(json_object_get(question->params, "service"));
	json_int_t instance = json_integer_value(json_object_get(question->params, "instance"));
	int found = service && instance >= 0 ? recording_find(question->recording, service, (unsigned)instance) : -1;

	if (found < 0)
		refuse(question, PROTOCOL_NO_SUCH_SERVICE, "the recording has no such instance");
	return found;
}

static uint64_t moment_of(const struct question *question, const char *key)
{
	uint64_t at_us = time_from_json(json_object_get(question->params, key)), last_us = question->recording->last_us;

	return at_us && at_us < last_us ? at_us : last_us;
}

/* ---- requests ---- */

/* Nothing comes by itself: the end of the recording is all there is. */
static json_t *subscribe(struct question *question)
{
	struct recording *recording = question->recording;
	json_t *events = then_events(recording, recording->last_us, EVENTS_TOLD);
	json_t *rows = then_rows(recording, recording->last_us);
	json_t *name = text_to_json(question->name, strlen(question->name));

	return json_pack("{s:o,s:s,s:o,s:o,s:o,s:I,s:b}", "project", name, "dir", "", "started", time_to_json(recording->first_us),
		"instances", rows, "notices", events, "seq", (json_int_t)json_array_size(events), "over", 0);
}

/* From event to event, if that is asked for. */
static json_t *past(struct question *question)
{
	struct recording *recording = question->recording;
	const char *event = json_string_value(json_object_get(question->params, "event"));
	uint64_t asked_us = moment_of(question, "at"), at_us = asked_us;

	if (event)
		at_us = then_next_event(recording, at_us, strcmp(event, "before") == 0 ? -1 : 1);
	if (at_us < recording->first_us)
		at_us = recording->first_us;
	return json_pack("{s:o*,s:o,s:o,s:o,s:o}", "moved", event ? json_boolean(at_us != asked_us) : NULL, "ts", time_to_json(at_us),
		"first", time_to_json(recording->first_us), "instances", then_rows(recording, at_us),
		"notices", then_events(recording, at_us, EVENTS_TOLD));
}

static json_t *messages(struct question *question)
{
	const char *name = json_string_value(json_array_get(json_object_get(question->params, "names"), 0));
	const char *filter = json_string_value(json_object_get(question->params, "filter"));
	struct pattern *pattern = filter && *filter ? pattern_create(filter, &question->err) : NULL;
	char service[64];
	int instance;

	if (filter && *filter && !pattern)
		return refuse(question, PROTOCOL_INVALID_PARAMS, "%s", question->err.text);
	split_name(name ? name : "", service, &instance);
	json_t *found = then_messages(question->recording, moment_of(question, "at"), MESSAGES_TOLD, service, instance, pattern);
	pattern_destroy(pattern);
	return json_pack("{s:o}", "messages", found);
}

static json_t *history(struct question *question)
{
	uint64_t since_us = time_from_json(json_object_get(question->params, "since"));
	struct recording *recording = question->recording;
	bool *is_wanted = memory_zeroed(recording->member_count + 1, sizeof *is_wanted);

	for (size_t i = 0; i < recording->member_count; i++)
		is_wanted[i] = is_named(question, &recording->members[i].standing.row);
	json_t *deaths = deaths_list(recording, is_wanted, since_us, deaths_asked_for(question->params));
	free(is_wanted);
	return json_pack("{s:o}", "deaths", deaths);
}

static json_t *death(struct question *question)
{
	int member = member_of(question);
	json_int_t life = json_integer_value(json_object_get(question->params, "life"));
	json_t *record = member < 0 ? NULL : deaths_record(question->recording, (size_t)member, (uint32_t)life);

	return record || member < 0 ? record : refuse(question, PROTOCOL_REFUSED, "the recording has no such death");
}

static json_t *describe_stream(const struct row *row, bool is_err, uint64_t end)
{
	return json_pack("{s:s,s:i,s:s,s:i,s:I,s:i}", "service", row->service, "instance", (int)row->instance, "stream",
		is_err ? "stderr" : "stdout", "first", 0, "end", (json_int_t)end, "run", 0);
}

static json_t *log_list(struct question *question)
{
	struct recording *recording = question->recording;
	uint64_t *ends = logs_ends(recording, moment_of(question, "until"));
	json_t *streams = json_array();

	for (size_t i = 0; i < recording->member_count * 2; i++)
		if (is_named(question, &recording->members[i / 2].standing.row))
			json_array_append_new(streams, describe_stream(&recording->members[i / 2].standing.row, i % 2, ends[i]));
	free(ends);
	return json_pack("{s:o}", "streams", streams);
}

static json_t *log_read(struct question *question)
{
	const char *stream = json_string_value(json_object_get(question->params, "stream"));
	json_int_t offset = json_integer_value(json_object_get(question->params, "offset"));
	json_int_t most = json_integer_value(json_object_get(question->params, "most"));
	bool is_err = stream && strcmp(stream, "stderr") == 0;
	int member = member_of(question);
	uint64_t next;

	if (member < 0)
		return NULL;
	json_t *chunks = logs_chunks(question->recording, (size_t)member, is_err, offset > 0 ? (uint64_t)offset : 0,
		most > 0 && most < CHUNK_MOST ? (size_t)most : CHUNK_MOST, &next);
	return json_pack("{s:o,s:I,s:I,s:I}", "chunks", chunks, "next", (json_int_t)next, "first", (json_int_t)0, "end",
		(json_int_t)question->recording->members[member].streams[is_err].end);
}

static const struct {
	const char *name;
	json_t *(*answer)(struct question *question);
} methods[] = {
	{ "death", death },
	{ "history", history },
	{ "log.list", log_list },
	{ "log.read", log_read },
	{ "messages", messages },
	{ "past", past },
	{ "subscribe", subscribe },
};

static json_t *perform(struct question *question, const char *method)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (method && strcmp(methods[i].name, method) == 0)
			return methods[i].answer(question);
	return refuse(question, PROTOCOL_REFUSED, "that is not in a recording");
}

json_t *answer(struct recording *recording, const char *name, const json_t *request)
{
	struct question question = { .recording = recording, .name = name, .params = json_object_get(request, "params") };
	json_t *result = perform(&question, json_string_value(json_object_get(request, "method")));
	json_t *id = json_object_get(request, "id");

	if (result)
		return json_pack("{s:s,s:O,s:o}", "jsonrpc", "2.0", "id", id ? id : json_null(), "result", result);
	return json_pack("{s:s,s:O,s:{s:i,s:s}}", "jsonrpc", "2.0", "id", id ? id : json_null(), "error", "code", question.err.code,
		"message", question.err.text);
}
