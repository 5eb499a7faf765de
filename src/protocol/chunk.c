#include "protocol/chunk.h"

#include "base/utf8.h"
#include "protocol/base64.h"
#include "protocol/value.h"

static json_t *base64_to_json(const char *bytes, size_t size)
{
	struct text encoded;

	text_init(&encoded, (size + 2) / 3 * 4);
	base64_encode(&encoded, bytes, size);
	json_t *json = json_stringn(text_string(&encoded), encoded.size);
	text_finish(&encoded);
	return json;
}

static json_t *describe(const struct chunk *chunk)
{
	return json_pack("{s:I, s:I, s:o, s:i, s:b}", "offset", (json_int_t)chunk->offset, "size", (json_int_t)chunk->size, "time",
		time_to_json(chunk->time_us), "pid", (int)chunk->pid, "final", (int)chunk->is_final);
}

json_t *chunk_to_json(const struct chunk *chunk)
{
	bool is_text = utf8_is_valid(chunk->bytes, chunk->size);
	json_t *json = describe(chunk);

	json_object_set_new(json, is_text ? "text" : "base64",
		is_text ? json_stringn(chunk->bytes, chunk->size) : base64_to_json(chunk->bytes, chunk->size));
	return json;
}

json_t *chunk_to_raw(const struct chunk *chunk, struct text *raw)
{
	text_append(raw, chunk->bytes, chunk->size);
	return describe(chunk);
}

bool chunks_fill(json_t *result, const char *raw, size_t size)
{
	json_t *chunk;
	size_t i;

	json_array_foreach(json_object_get(result, "chunks"), i, chunk)
	{
		json_int_t part = json_integer_value(json_object_get(chunk, "size"));
		if (part < 0 || (size_t)part > size)
			return false;
		json_object_set_new(chunk, "text", json_stringn_nocheck(raw, (size_t)part));
		raw += part;
		size -= (size_t)part;
	}
	return size == 0;
}

json_t *chunk_request(const char *service, unsigned instance, bool is_err, uint64_t offset, size_t most)
{
	return json_pack("{s:s,s:i,s:s,s:I,s:I,s:b}", "service", service, "instance", (int)instance, "stream", is_err ? "stderr" : "stdout",
		"offset", (json_int_t)offset, "most", (json_int_t)most, "raw", 1);
}

static bool get_bytes(struct chunk *chunk, const json_t *json, struct text *room)
{
	const json_t *text = json_object_get(json, "text");
	const json_t *encoded = json_object_get(json, "base64");

	if (json_is_string(text)) {
		chunk->bytes = json_string_value(text);
		chunk->size = json_string_length(text);
		return true;
	}
	text_clear(room);
	bool ok = !encoded ||
		  (json_is_string(encoded) && base64_decode(room, json_string_value(encoded),
						      json_string_length(encoded)));
	chunk->bytes = text_string(room);
	chunk->size = room->size;
	return ok;
}

bool chunk_from_json(struct chunk *chunk, const json_t *json, struct text *room,
	struct error *err)
{
	*chunk = (struct chunk){
		.offset = (uint64_t)json_integer_value(json_object_get(json, "offset")),
		.time_us = time_from_json(json_object_get(json, "time")),
		.pid = (int32_t)json_integer_value(json_object_get(json, "pid")),
		.is_final = json_is_true(json_object_get(json, "final")),
	};
	if (!json_is_object(json) || !get_bytes(chunk, json, room))
		return error_set(err, 0, "the engine sent a piece of log that is none");
	return true;
}
