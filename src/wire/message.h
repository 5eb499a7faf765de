/*
 * One message of a channel: a JSON text, looked through once without building anything.
 * What a channel has to know of it are a few members of the outermost map; the rest is only
 * found to be JSON (RFC 8259), in UTF-8, and no deeper than a bound.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { MESSAGE_DEPTH_MOST = 512 }; /* of maps and lists in each other */

/* The members that are found. */
enum member_name {
	MEMBER_CMD,
	MEMBER_TYPE,
	MEMBER_REQUEST_ID,
	MEMBER_TASK_ID,
	MEMBER_RESULT,
	MEMBER_ERROR,
	MEMBER_DATA,
	MEMBER_ACK, /* these two of Node's own */
	MEMBER_ACCEPTED,
	MEMBER_COUNT
};

/* JSON text that somebody else owns; a string has its quotes. Absent: size is 0. */
struct span {
	const char *at;
	size_t size;
};

struct message {
	struct span whole;
	bool is_map;
	bool has_escapes;                  /* a name of a member, or cmd, is written with escapes */
	struct span members[MEMBER_COUNT]; /* of a map; the last of that name counts */
};

/* False: it is no JSON, or deeper than it may be. The views are into json. */
bool message_scan(struct message *message, const char *json, size_t size);

/* Is it a string that begins so? In the header, as the next, for each message is asked this by many: the length is known then. */
static inline bool span_begins(struct span span, const char *string)
{
	size_t size = strlen(string);

	return span.size >= size + 2 && span.at[0] == '"' && memcmp(span.at + 1, string, size) == 0;
}

/* Is it this string, written without escapes? */
static inline bool span_is(struct span span, const char *string)
{
	return span.size == strlen(string) + 2 && span_begins(span, string);
}

bool span_equals(struct span one, struct span other);

/* Node's own: a map whose cmd begins with NODE_ and goes on. */
bool message_is_internal(const struct message *message);

#endif
