/*
 * Cuts a stream of bytes into lines, however the bytes come in pieces.
 * A line longer than the maximum breaks it for ever: lines before it still come out,
 * nothing after it does.
 */
#ifndef WIRE_LINES_H
#define WIRE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* The most bytes that one lines_feed takes; lines_next must have said false before the next. */
enum { LINES_FEED_MOST = 64 * 1024 };

struct lines {
	struct text buffer; /* owned */
	size_t start;       /* of the first byte that was not handed out */
	size_t whole;       /* bytes that belong to lines with an end */
	size_t line_most;   /* without its end */
	bool is_broken;
};

void lines_init(struct lines *lines, size_t line_most);
void lines_finish(struct lines *lines);

/* Take bytes in. False when a line is too long. */
bool lines_feed(struct lines *lines, const char *bytes, size_t size);

/* The next whole line without its end, valid until the next lines_feed. False: none now. */
bool lines_next(struct lines *lines, const char **line, size_t *size);

/* So many bytes as they are, behind the line handed out last, valid until the next lines_feed. False: they are not all there yet. */
bool lines_bytes(struct lines *lines, size_t size, const char **bytes);

#endif
