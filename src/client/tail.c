#include "client/tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/value.h"

void tail_finish(struct tail *tail)
{
	for (size_t i = 0; i < tail->count; i++)
		assembly_finish(&tail->streams[i].assembly);
	free(tail->streams);
	tail->streams = NULL;
	tail->count = 0;
}

static struct tail_stream *find(
	struct tail *tail, const char *service, unsigned instance, bool is_err)
{
	for (size_t i = 0; i < tail->count; i++) {
		struct tail_stream *stream = &tail->streams[i];
		if (stream->instance == instance && stream->is_err == is_err &&
			strcmp(stream->service, service) == 0)
			return stream;
	}
	return NULL;
}

static struct tail_stream *add(
	struct tail *tail, const char *service, unsigned instance, bool is_err)
{
	tail->streams = memory_resize(tail->streams, tail->count + 1, sizeof *tail->streams);
	struct tail_stream *stream = &tail->streams[tail->count++];
	*stream = (struct tail_stream){ .instance = instance, .is_err = is_err };
	snprintf(stream->service, sizeof stream->service, "%s", service);
	return stream;
}

struct tail_stream *tail_know(struct tail *tail, const json_t *description)
{
	const char *service = json_string_value(json_object_get(description, "service"));
	const char *name = json_string_value(json_object_get(description, "stream"));
	unsigned instance = (unsigned)json_integer_value(json_object_get(description, "instance"));

	if (!service || !name)
		return NULL;
	bool is_err = strcmp(name, "stderr") == 0;
	struct tail_stream *stream = find(tail, service, instance, is_err);
	if (stream)
		return stream;
	stream = add(tail, service, instance, is_err);
	const char *from = tail->from_run ? "run" : "end";
	stream->offset = (uint64_t)json_integer_value(json_object_get(description, from));
	return stream;
}

void tail_ask(struct tail *tail, struct tail_stream *stream, struct link *link)
{
	struct error err;

	(void)tail;
	if (stream->request) {
		stream->is_grown = true;
		return;
	}
	stream->is_grown = false;
	json_t *params = json_pack("{s:s,s:i,s:s,s:I}", "service", stream->service, "instance",
		(int)stream->instance, "stream", stream->is_err ? "stderr" : "stdout", "offset",
		(json_int_t)stream->offset);
	if (!link_send(link, "log.read", params, &stream->request, &err))
		stream->request = 0; /* the loss is seen where messages are read */
}

void tail_resume(struct tail *tail, struct link *link)
{
	for (size_t i = 0; i < tail->count; i++) {
		tail->streams[i].request = 0;
		tail_ask(tail, &tail->streams[i], link);
	}
}

struct delivery {
	struct tail *tail;
	const struct tail_stream *stream;
};

static void deliver(void *context, int32_t pid, uint64_t time_us, const char *text, size_t size)
{
	struct delivery *delivery = context;
	struct tail_line line = { delivery->stream, pid, time_us, text, size };

	delivery->tail->take(delivery->tail->context, &line);
}

static int digit_of(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* In place; returns the bytes. */
static size_t decode_base64(char *text)
{
	size_t size = 0;
	unsigned bits = 0, count = 0;

	for (const char *c = text; digit_of(*c) >= 0; c++) {
		bits = bits << 6 | (unsigned)digit_of(*c);
		count += 6;
		if (count >= 8) {
			count -= 8;
			text[size++] = (char)(bits >> count & 0xff);
		}
	}
	return size;
}

static void take_chunk(struct delivery *delivery, struct tail_stream *stream, const json_t *chunk)
{
	int32_t pid = (int32_t)json_integer_value(json_object_get(chunk, "pid"));
	uint64_t time_us = time_from_json(json_object_get(chunk, "time"));
	const json_t *text = json_object_get(chunk, "text"),
		     *encoded = json_object_get(chunk, "base64");

	if (json_is_true(json_object_get(chunk, "final"))) {
		assembly_end(&stream->assembly, pid, deliver, delivery);
	} else if (text) {
		assembly_feed(&stream->assembly, pid, time_us, json_string_value(text),
			json_string_length(text), deliver, delivery);
	} else if (encoded) {
		char *bytes = memory_copy(json_string_value(encoded));
		assembly_feed(&stream->assembly, pid, time_us, bytes, decode_base64(bytes), deliver,
			delivery);
		free(bytes);
	}
}

bool tail_reply(struct tail *tail, const json_t *reply, struct link *link)
{
	json_int_t id = json_integer_value(json_object_get(reply, "id"));
	const json_t *result = json_object_get(reply, "result"), *chunk;
	struct tail_stream *stream = NULL;
	size_t i;

	for (i = 0; id && i < tail->count; i++)
		if (tail->streams[i].request == id)
			stream = &tail->streams[i];
	if (!stream)
		return false;
	stream->request = 0;
	if (!result)
		return true; /* scaled away meanwhile */
	uint64_t first = (uint64_t)json_integer_value(json_object_get(result, "first"));
	if (first > stream->offset && tail->lose)
		tail->lose(tail->context, stream, first - stream->offset);
	struct delivery delivery = { tail, stream };
	json_array_foreach(json_object_get(result, "chunks"), i, chunk)
		take_chunk(&delivery, stream, chunk);
	uint64_t next = (uint64_t)json_integer_value(json_object_get(result, "next"));
	uint64_t end = (uint64_t)json_integer_value(json_object_get(result, "end"));
	stream->offset = next;
	if (next < end || stream->is_grown)
		tail_ask(tail, stream, link);
	return true;
}

bool tail_is_idle(const struct tail *tail)
{
	for (size_t i = 0; i < tail->count; i++)
		if (tail->streams[i].request)
			return false;
	return true;
}

void tail_end(struct tail *tail)
{
	for (size_t i = 0; i < tail->count; i++) {
		struct delivery delivery = { tail, &tail->streams[i] };
		assembly_end_all(&tail->streams[i].assembly, deliver, &delivery);
	}
}
