/* A piece of a log: consecutive bytes of one process that came at one time. */
#ifndef PROTOCOL_CHUNK_H
#define PROTOCOL_CHUNK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum { CHUNK_MOST = 64 * 1024 };

struct chunk {
	uint64_t offset;  /* in the log of its stream */
	uint64_t time_us; /* wall clock */
	int32_t pid;
	const char *bytes; /* borrowed */
	size_t size;
	bool is_final; /* this process has closed this stream */
};

json_t *chunk_to_json(const struct chunk *chunk);
/* The same without its bytes, which are appended to raw: they follow the message that it is in, as they are. */
json_t *chunk_to_raw(const struct chunk *chunk, struct text *raw);
/* Give the chunks of a result what followed it. False: it is not as much as they say. */
bool chunks_fill(json_t *result, const char *raw, size_t size);
/* What log.read is asked with, for raw bytes. */
json_t *chunk_request(const char *service, unsigned instance, bool is_err, uint64_t offset, size_t most);

/* The bytes are borrowed from json, or from room, which is overwritten. */
bool chunk_from_json(struct chunk *chunk, const json_t *json, struct text *room,
	struct error *err);

#endif
