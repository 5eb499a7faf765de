#include "client/tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/chunk.h"

void tail_finish(struct tail *tail)
{
	for (size_t i = 0; i < tail->count; i++)
		assembly_finish(&tail->streams[i].assembly);
	free(tail->streams);
	tail->streams = NULL;
	tail->count = 0;
}

struct tail_stream *tail_find(const struct tail *tail, const json_t *description)
{
	const char *service = json_string_value(json_object_get(description, "service"));
	const char *name = json_string_value(json_object_get(description, "stream"));
	unsigned instance = (unsigned)json_integer_value(json_object_get(description, "instance"));

	for (size_t i = 0; service && name && i < tail->count; i++) {
		struct tail_stream *stream = &tail->streams[i];
		if (stream->instance == instance && stream->is_err == (strcmp(name, "stderr") == 0) &&
			strcmp(stream->service, service) == 0)
			return stream;
	}
	return NULL;
}

static struct tail_stream *add(struct tail *tail, const json_t *description)
{
	const char *service = json_string_value(json_object_get(description, "service"));
	const char *name = json_string_value(json_object_get(description, "stream"));

	if (!service || !name)
		return NULL;
	tail->streams = memory_resize(tail->streams, tail->count + 1, sizeof *tail->streams);
	struct tail_stream *stream = &tail->streams[tail->count++];
	*stream = (struct tail_stream){ .instance = (unsigned)json_integer_value(json_object_get(description, "instance")),
		.is_err = strcmp(name, "stderr") == 0,
		.offset = (uint64_t)json_integer_value(json_object_get(description, tail->from_run ? "run" : "end")) };
	snprintf(stream->service, sizeof stream->service, "%s", service);
	return stream;
}

struct tail_stream *tail_know(struct tail *tail, const json_t *description)
{
	struct tail_stream *stream = tail_find(tail, description);

	return stream ? stream : add(tail, description);
}

static bool is_at_its_end(const struct tail_stream *stream)
{
	return stream->until && stream->offset >= stream->until;
}

bool tail_is_awaited(const struct tail_stream *stream)
{
	return stream->request || (stream->is_grown && !is_at_its_end(stream));
}

static json_t *describe_read(const struct tail_stream *stream, size_t most)
{
	return chunk_request(stream->service, stream->instance, stream->is_err, stream->offset, most);
}

static void send_read(struct tail_stream *stream, struct link *link)
{
	struct error err;

	uint64_t left = stream->until ? stream->until - stream->offset : CHUNK_MOST;

	stream->is_grown = false;
	if (!link_send(link, "log.read", describe_read(stream, left < CHUNK_MOST ? left : CHUNK_MOST), &stream->request, &err))
		stream->request = 0; /* the loss is seen where messages are read */
}

void tail_remind(const struct tail *tail, struct link *link)
{
	struct error err;
	json_int_t nobody;

	if (tail->count)
		link_send(link, "log.read", describe_read(&tail->streams[0], 1), &nobody, &err);
}

static size_t count_requests(const struct tail *tail)
{
	size_t count = 0;

	for (size_t i = 0; i < tail->count; i++)
		count += tail->streams[i].request > 0;
	return count;
}

/* Ask whoever has grown, in turn, as many as may be under way. */
static void ask_next(struct tail *tail, struct link *link)
{
	size_t under_way = tail->is_held ? TAIL_REQUESTS_MOST : count_requests(tail);
	size_t first = tail->turn;

	for (size_t i = 0; i < tail->count && under_way < TAIL_REQUESTS_MOST; i++) {
		size_t at = (first + i) % tail->count;
		struct tail_stream *stream = &tail->streams[at];
		if (!tail_is_awaited(stream) || stream->request || stream->is_full)
			continue;
		send_read(stream, link);
		tail->turn = at + 1;
		under_way++;
	}
}

void tail_ask(struct tail *tail, struct tail_stream *stream, struct link *link)
{
	stream->is_grown = true;
	if (!stream->request)
		ask_next(tail, link);
}

void tail_hold(struct tail *tail, bool is_held, struct link *link)
{
	if (tail->is_held == is_held)
		return;
	tail->is_held = is_held;
	ask_next(tail, link);
}

void tail_go_on(struct tail *tail, struct tail_stream *stream, struct link *link)
{
	stream->is_full = false;
	ask_next(tail, link);
}

void tail_ask_all(struct tail *tail, struct link *link)
{
	for (size_t i = 0; i < tail->count; i++)
		tail->streams[i].is_grown = true;
	ask_next(tail, link);
}

void tail_resume(struct tail *tail, struct link *link)
{
	for (size_t i = 0; i < tail->count; i++)
		tail->streams[i].request = 0;
	tail_ask_all(tail, link);
}

struct delivery {
	struct tail *tail;
	const struct tail_stream *stream;
};

static void deliver(void *context, int32_t pid, uint64_t time_us, const char *text, size_t size)
{
	struct delivery *delivery = context;

	if (size && text[size - 1] == '\r')
		size--; /* a terminal ends its lines so */
	struct tail_line line = { delivery->stream, pid, time_us, text, size };

	delivery->tail->take(delivery->tail->context, &line);
}

static void take_chunk(struct delivery *delivery, struct tail_stream *stream, const json_t *json,
	struct text *room)
{
	struct chunk chunk;
	struct error err;

	if (!chunk_from_json(&chunk, json, room, &err))
		return; /* the engine always sends them well */
	assembly_feed(&stream->assembly, chunk.pid, chunk.time_us, chunk.bytes, chunk.size, deliver,
		delivery);
	if (chunk.is_final)
		assembly_end(&stream->assembly, chunk.pid, deliver, delivery);
}

static void take_chunks(struct delivery *delivery, struct tail_stream *stream, const json_t *chunks)
{
	const json_t *chunk;
	struct text room;
	size_t i;

	text_init(&room, CHUNK_MOST);
	json_array_foreach(chunks, i, chunk)
		take_chunk(delivery, stream, chunk, &room);
	text_finish(&room);
}

bool tail_reply(struct tail *tail, const json_t *reply, struct link *link)
{
	json_int_t id = json_integer_value(json_object_get(reply, "id"));
	const json_t *result = json_object_get(reply, "result");
	struct tail_stream *stream = NULL;

	for (size_t i = 0; id && i < tail->count; i++)
		if (tail->streams[i].request == id)
			stream = &tail->streams[i];
	if (!stream)
		return false;
	stream->request = 0;
	if (!result) { /* scaled away meanwhile */
		ask_next(tail, link);
		return true;
	}
	uint64_t first = (uint64_t)json_integer_value(json_object_get(result, "first"));
	if (first > stream->offset && tail->lose)
		tail->lose(tail->context, stream, first - stream->offset);
	struct delivery delivery = { tail, stream };
	take_chunks(&delivery, stream, json_object_get(result, "chunks"));
	uint64_t next = (uint64_t)json_integer_value(json_object_get(result, "next"));
	uint64_t end = (uint64_t)json_integer_value(json_object_get(result, "end"));
	stream->offset = next;
	stream->is_grown = stream->is_grown || next < end;
	ask_next(tail, link);
	return true;
}

bool tail_is_idle(const struct tail *tail)
{
	for (size_t i = 0; i < tail->count; i++)
		if (tail_is_awaited(&tail->streams[i]))
			return false;
	return true;
}

void tail_end(struct tail *tail)
{
	for (size_t i = 0; i < tail->count; i++) {
		struct delivery delivery = { tail, &tail->streams[i] };
		if (!tail->streams[i].is_grown)
			assembly_end_all(&tail->streams[i].assembly, deliver, &delivery);
	}
}
