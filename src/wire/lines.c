#include "wire/lines.h"

#include <string.h>

void lines_init(struct lines *lines, size_t line_most)
{
	*lines = (struct lines){ .line_most = line_most };
	text_init(&lines->buffer, line_most + LINES_FEED_MOST);
}

void lines_finish(struct lines *lines)
{
	text_finish(&lines->buffer);
}

static void drop_taken(struct lines *lines)
{
	text_drop(&lines->buffer, lines->start);
	lines->whole -= lines->start;
	lines->start = 0;
}

/* Look for ends of lines in what is new, from `fresh` on. */
static bool measure(struct lines *lines, size_t fresh)
{
	const char *data = text_string(&lines->buffer);
	size_t size = lines->buffer.size;
	const char *end;

	while ((end = memchr(data + fresh, '\n', size - fresh)) != NULL) {
		size_t at = (size_t)(end - data);
		if (at - lines->whole > lines->line_most)
			return false;
		lines->whole = fresh = at + 1;
	}
	return size - lines->whole <= lines->line_most;
}

bool lines_feed(struct lines *lines, const char *bytes, size_t size)
{
	if (lines->is_broken)
		return false;
	drop_taken(lines);
	size_t fresh = lines->buffer.size;
	lines->is_broken = !text_append(&lines->buffer, bytes, size) ||
			   !measure(lines, fresh);
	return !lines->is_broken;
}

bool lines_next(struct lines *lines, const char **line, size_t *size)
{
	if (lines->start == lines->whole)
		return false;

	const char *begin = lines->buffer.data + lines->start;
	const char *end = memchr(begin, '\n', lines->whole - lines->start);
	*line = begin;
	*size = (size_t)(end - begin);
	lines->start += *size + 1;
	return true;
}

bool lines_bytes(struct lines *lines, size_t size, const char **bytes)
{
	if (lines->buffer.size - lines->start < size)
		return false;
	*bytes = text_string(&lines->buffer) + lines->start;
	lines->start += size;
	if (lines->whole < lines->start)
		lines->whole = lines->start; /* their newlines are none, and there is none behind them */
	return true;
}
