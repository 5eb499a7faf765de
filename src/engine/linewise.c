#include "engine/linewise.h"

#include <string.h>

static void end_line(struct linewise *lines, uint64_t next_offset)
{
	lines->is_refused = lines->is_refused || !lines->take(lines->context, lines);
	text_clear(&lines->line);
	if (!lines->is_refused)
		lines->consumed = next_offset;
}

static void take_chunk(void *context, const struct log_chunk *chunk)
{
	struct linewise *lines = context;

	for (size_t at = 0; at < chunk->size && !lines->is_refused;) {
		const char *end = memchr(chunk->data + at, '\n', chunk->size - at);
		size_t size = end ? (size_t)(end - chunk->data) - at : chunk->size - at;
		size_t room = LINEWISE_LINE_MOST - lines->line.size;
		if (lines->line.size == 0) {
			lines->time_us = chunk->time_us;
			lines->pid = chunk->pid;
		}
		text_append(&lines->line, chunk->data + at, size < room ? size : room);
		at += size > room ? room : size + (end != NULL);
		if (size > room || end)
			end_line(lines, chunk->offset + at);
	}
	if (chunk->is_final && lines->line.size && chunk->pid == lines->pid && !lines->is_refused)
		end_line(lines, chunk->offset + chunk->size);
}

bool linewise_read(struct linewise *lines, const struct logfile *log)
{
	uint64_t before = lines->consumed;

	text_init(&lines->line, LINEWISE_LINE_MOST);
	uint64_t next = logfile_read(log, before, LINEWISE_TURN_MOST, take_chunk, lines);
	text_finish(&lines->line);
	return !lines->is_refused && lines->consumed > before && next < logfile_end(log);
}
