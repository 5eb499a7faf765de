#include "cli/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/line.h"
#include "base/units.h"
#include "base/utf8.h"
#include "protocol/value.h"

enum { NAME_MOST = 96 };

static void put_json(struct text *out, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	if (text)
		text_puts(out, text);
	text_putc(out, '\n');
	free(text);
}

/* The same name has always the same colour. */
static void put_name(
	struct text *out, const struct record_style *style, const char *service, int64_t instance)
{
	static const char *const colours[] = { "36", "33", "32", "35", "34", "96", "93", "92", "95",
		"94" };
	unsigned hash = 0;

	for (const char *c = service; *c; c++)
		hash = hash * 31 + (unsigned char)*c;
	if (style->colour)
		text_format(out, "\033[%sm", colours[hash % (sizeof colours / sizeof *colours)]);
	if (instance >= 0)
		text_format(out, "%s/%lld", service, (long long)instance);
	else
		text_puts(out, *service ? service : "thrum");
	if (style->colour)
		text_puts(out, "\033[0m");
}

static void put_time(struct text *out, uint64_t time_us)
{
	char local[CLOCK_TEXT_SIZE];

	clock_format_local(local, time_us);
	text_format(out, "%s ", local);
}

/* A character that JSON does not take as it is. */
static void put_escape(struct text *out, unsigned char c)
{
	static const char letters[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *at = c ? strchr(letters, c) : NULL;

	if (at)
		text_format(out, "\\%c", names[at - letters]);
	else
		text_format(out, "\\u%04x", c);
}

/* bytes are UTF-8. Lines are by far the most of what is printed, so they are written straight. */
static void put_json_string(struct text *out, const char *bytes, size_t size)
{
	size_t clean = 0;

	text_putc(out, '"');
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		text_append(out, bytes + clean, i - clean);
		put_escape(out, c);
		clean = i + 1;
	}
	text_append(out, bytes + clean, size - clean);
	text_putc(out, '"');
}

static void put_json_text(struct text *out, const char *bytes, size_t size)
{
	struct text valid;

	if (utf8_is_valid(bytes, size)) {
		put_json_string(out, bytes, size);
		return;
	}
	text_init(&valid, size * 3); /* U+FFFD is three bytes long */
	utf8_append_valid(&valid, bytes, size);
	put_json_string(out, valid.data, valid.size);
	text_finish(&valid);
}

static void put_json_line(struct text *out, const struct tail_line *line)
{
	const struct tail_stream *stream = line->stream;
	char ts[CLOCK_TEXT_SIZE];

	clock_format_iso(ts, line->time_us);
	text_format(out,
		"{\"ts\":\"%s\",\"kind\":\"log\",\"service\":\"%s\",\"instance\":%u,\"pid\":%d,"
		"\"stream\":\"%s\",\"text\":",
		ts, stream->service, stream->instance, (int)line->pid,
		stream->is_err ? "stderr" : "stdout");
	put_json_text(out, line->text, line->size);
	text_puts(out, "}\n");
}

void record_line(struct text *out, const struct record_style *style, const struct tail_line *line)
{
	const struct tail_stream *stream = line->stream;

	if (style->json) {
		put_json_line(out, line);
		return;
	}
	put_time(out, line->time_us);
	put_name(out, style, stream->service, stream->instance);
	text_puts(out, " | ");
	if (style->safe)
		line_append_safe(out, line->text, line->size, style->colour);
	else
		text_append(out, line->text, line->size);
	if (style->colour)
		text_puts(out, "\033[0m");
	text_putc(out, '\n');
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static void put_duration(struct text *out, const char *before, const json_t *ms)
{
	char duration[UNITS_TEXT_SIZE];

	if (!json_is_integer(ms))
		return;
	units_format_duration(duration, (uint64_t)json_integer_value(ms));
	text_format(out, "%s%s", before, duration);
}

void record_event(struct text *out, const struct record_style *style, const json_t *event)
{
	const json_t *instance = json_object_get(event, "instance"),
		     *pid = json_object_get(event, "pid");
	const char *service = string_of(event, "service"), *cause = string_of(event, "cause");
	const char *detail = string_of(event, "detail");

	if (style->json) {
		put_json(out, json_deep_copy(event));
		return;
	}
	put_time(out, time_from_json(json_object_get(event, "ts")));
	bool is_of_instance = json_is_integer(instance) &&
			      strcmp(string_of(event, "event"), "scaled") != 0 && *service;
	put_name(out, style, service, is_of_instance ? json_integer_value(instance) : -1);
	text_format(out, " · %s", string_of(event, "event"));
	if (json_is_integer(pid))
		text_format(out, " pid %lld", (long long)json_integer_value(pid));
	if (*cause)
		text_format(out, ", %s", cause);
	put_duration(out, ", after ", json_object_get(event, "uptime_ms"));
	put_duration(out, ", again in ", json_object_get(event, "delay_ms"));
	if (*detail) {
		text_puts(out, ": ");
		utf8_append_safe(out, detail, strlen(detail), false);
	}
	text_putc(out, '\n');
}

/* The message itself is JSON, and is passed on as it is, unless it is only the beginning of one. */
static void put_json_message(struct text *out, const json_t *message)
{
	const char *text = string_of(message, "text");
	bool is_cut = json_is_true(json_object_get(message, "cut"));

	if (!json_object_get(message, "text")) {
		text_format(out, "{\"ts\":\"%s\",\"kind\":\"ipc\",\"dropped\":%lld}\n", string_of(message, "ts"),
			(long long)json_integer_value(json_object_get(message, "dropped")));
		return;
	}
	text_format(out, "{\"ts\":\"%s\",\"kind\":\"ipc\",\"service\":\"%s\",\"instance\":%lld,\"dir\":\"%s\",\"bytes\":%lld,",
		string_of(message, "ts"), string_of(message, "service"),
		(long long)json_integer_value(json_object_get(message, "instance")), string_of(message, "dir"),
		(long long)json_integer_value(json_object_get(message, "bytes")));
	if (json_object_get(message, "dropped"))
		text_format(out, "\"dropped\":%lld,", (long long)json_integer_value(json_object_get(message, "dropped")));
	text_puts(out, is_cut ? "\"message\":null,\"beginning\":" : "\"message\":");
	if (is_cut)
		put_json_string(out, text, strlen(text));
	else
		text_puts(out, text);
	text_puts(out, "}\n");
}

void record_message(struct text *out, const struct record_style *style, const json_t *message)
{
	const char *text = string_of(message, "text");
	const json_t *dropped = json_object_get(message, "dropped");

	if (style->json) {
		put_json_message(out, message);
		return;
	}
	put_time(out, time_from_json(json_object_get(message, "ts")));
	if (!json_object_get(message, "text")) {
		text_format(out, "(%lld messages were left out)\n", (long long)json_integer_value(dropped));
		return;
	}
	put_name(out, style, string_of(message, "service"), json_integer_value(json_object_get(message, "instance")));
	text_puts(out, strcmp(string_of(message, "dir"), "in") == 0 ? " → " : " ← ");
	utf8_append_safe(out, text, strlen(text), false);
	if (json_is_true(json_object_get(message, "cut")))
		text_format(out, " … (%lld bytes)", (long long)json_integer_value(json_object_get(message, "bytes")));
	if (dropped)
		text_format(out, " (%lld before it were left out)", (long long)json_integer_value(dropped));
	text_putc(out, '\n');
}

void record_bus(struct text *out, const struct record_style *style, const json_t *message)
{
	const char *said = string_of(message, "text");
	if (!json_object_get(message, "text")) {
		record_message(out, style, message); /* some were left out */
		return;
	}
	json_t *json = json_loads(said, JSON_ALLOW_NUL, NULL);
	const char *type = string_of(json, "type");

	if (style->json) {
		put_json(out, json_pack("{s:O,s:s,s:O,s:O,s:s,s:O?}", "ts", json_object_get(message, "ts"), "kind", "bus",
				      "service", json_object_get(message, "service"), "instance",
				      json_object_get(message, "instance"), "type", type, "data", json_object_get(json, "data")));
	} else {
		char *data = json_dumps(json_object_get(json, "data"), JSON_COMPACT | JSON_ENCODE_ANY);
		put_time(out, time_from_json(json_object_get(message, "ts")));
		put_name(out, style, string_of(message, "service"), json_integer_value(json_object_get(message, "instance")));
		text_puts(out, " · ");
		utf8_append_safe(out, type, strlen(type), false);
		text_puts(out, ": ");
		utf8_append_safe(out, data ? data : said, strlen(data ? data : said), false);
		text_putc(out, '\n');
		free(data);
	}
	json_decref(json);
}

static void record_sample(
	struct text *out, const struct record_style *style, json_t *ts, const json_t *sample)
{
	char rss[UNITS_TEXT_SIZE] = "?";
	const json_t *bytes = json_object_get(sample, "rss");

	if (style->json) {
		json_t *record = json_pack("{s:O,s:s}", "ts", ts, "kind", "sample");
		json_object_update_missing(record, (json_t *)sample);
		const json_t *ipc = json_object_get(record, "ipc");
		json_object_update_missing_new(record,
			json_pack("{s:n,s:n,s:O?,s:O?}", "queue", "busy", "ipc_in", json_object_get(ipc, "in"), "ipc_out",
				json_object_get(ipc, "out")));
		put_json(out, record);
		return;
	}
	if (json_is_integer(bytes))
		units_format_size(rss, (uint64_t)json_integer_value(bytes));
	put_time(out, time_from_json(ts));
	put_name(out, style, string_of(sample, "service"),
		json_integer_value(json_object_get(sample, "instance")));
	text_format(out, " · cpu %.1f%%, rss %s, %lld threads, %lld descriptors\n",
		json_number_value(json_object_get(sample, "cpu_pct")), rss,
		(long long)json_integer_value(json_object_get(sample, "threads")),
		(long long)json_integer_value(json_object_get(sample, "fds")));
}

void record_samples(struct text *out, const struct record_style *style, const json_t *samples)
{
	const json_t *sample;
	size_t i;

	json_array_foreach(json_object_get(samples, "instances"), i, sample)
		record_sample(out, style, json_object_get(samples, "ts"), sample);
}
