#include "wire/message.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* The same in each byte of a word. */
#define EACH(byte) ((uint64_t)(byte)*0x0101010101010101u)

/* Goes through the text without recursion: what is open is a stack of bounded height. */
struct scan {
	const char *at, *end;
	unsigned depth;
	char closers[MESSAGE_DEPTH_MOST]; /* '}' or ']' of each map or list that is open */
};

static const struct {
	const char *text; /* with its quotes */
	size_t size;
} names[MEMBER_COUNT] = {
#define NAME(text)                              \
	{                                       \
		"\"" text "\"", sizeof text + 1 \
	}
	[MEMBER_CMD] = NAME("cmd"),
	[MEMBER_TYPE] = NAME("type"),
	[MEMBER_REQUEST_ID] = NAME("requestId"),
	[MEMBER_TASK_ID] = NAME("taskId"),
	[MEMBER_RESULT] = NAME("result"),
	[MEMBER_ERROR] = NAME("error"),
	[MEMBER_DATA] = NAME("data"),
	[MEMBER_ACK] = NAME("ack"),
	[MEMBER_ACCEPTED] = NAME("accepted"),
#undef NAME
};

static void skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end &&
		(*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r' || *scan->at == '\n'))
		scan->at++;
}

static bool is_next(const struct scan *scan, char c)
{
	return scan->at < scan->end && *scan->at == c;
}

static bool take(struct scan *scan, char c)
{
	if (!is_next(scan, c))
		return false;
	scan->at++;
	return true;
}

static bool is_digit(const struct scan *scan)
{
	return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What follows a backslash. */
static bool read_escape(struct scan *scan)
{
	if (scan->at == scan->end || !*scan->at || !strchr("\"\\/bfnrtu", *scan->at))
		return false;
	if (*scan->at++ != 'u')
		return true;
	for (int i = 0; i < 4; i++, scan->at++)
		if (scan->at == scan->end || !is_hex(*scan->at))
			return false;
	return true;
}

/* A bit for each byte that is less than n (0..128), and perhaps for one after it. */
static uint64_t bytes_below(uint64_t word, uint64_t n)
{
	return (word - EACH(n)) & ~word & EACH(0x80);
}

/* Most of a string is plain, and that is seen eight bytes at a time. */
static void skip_plain(struct scan *scan)
{
	uint64_t word;

	for (; (size_t)(scan->end - scan->at) >= sizeof word; scan->at += sizeof word) {
		memcpy(&word, scan->at, sizeof word);
		if (bytes_below(word, ' ') | bytes_below(word ^ EACH('"'), 1) | bytes_below(word ^ EACH('\\'), 1))
			return;
	}
}

static bool read_string(struct scan *scan)
{
	if (!take(scan, '"'))
		return false;
	skip_plain(scan);
	while (scan->at < scan->end) {
		unsigned char c = (unsigned char)*scan->at++;
		if (c == '"')
			return true;
		if (c < ' ' || (c == '\\' && !read_escape(scan)))
			return false;
		if (c == '\\')
			skip_plain(scan);
	}
	return false;
}

static bool read_digits(struct scan *scan)
{
	if (!is_digit(scan))
		return false;
	while (is_digit(scan))
		scan->at++;
	return true;
}

static bool read_number(struct scan *scan)
{
	take(scan, '-');
	if (!take(scan, '0') && !read_digits(scan))
		return false;
	if (take(scan, '.') && !read_digits(scan))
		return false;
	if (take(scan, 'e') || take(scan, 'E')) {
		if (!take(scan, '+'))
			take(scan, '-');
		return read_digits(scan);
	}
	return true;
}

static bool read_word(struct scan *scan)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t size = strlen(words[i]);
		if ((size_t)(scan->end - scan->at) >= size && memcmp(scan->at, words[i], size) == 0) {
			scan->at += size;
			return true;
		}
	}
	return read_number(scan);
}

/* The name of a member and its colon. */
static bool read_name(struct scan *scan)
{
	skip_blanks(scan);
	if (!read_string(scan))
		return false;
	skip_blanks(scan);
	return take(scan, ':');
}

enum reading { READING_VALUE, /* another value is to follow */
	READING_DONE,         /* one value is complete */
	READING_BAD };

/* A value has ended: close what ends with it, down to this depth. */
static enum reading close_all(struct scan *scan, unsigned depth)
{
	while (scan->depth > depth) {
		char closer = scan->closers[scan->depth - 1];
		skip_blanks(scan);
		if (take(scan, ','))
			return closer == '}' && !read_name(scan) ? READING_BAD : READING_VALUE;
		if (!take(scan, closer))
			return READING_BAD;
		scan->depth--;
	}
	return READING_DONE;
}

/* A map or a list begins. */
static enum reading open_one(struct scan *scan, unsigned depth)
{
	char closer = *scan->at == '{' ? '}' : ']';

	if (scan->depth == MESSAGE_DEPTH_MOST)
		return READING_BAD;
	scan->at++;
	scan->closers[scan->depth++] = closer;
	skip_blanks(scan);
	if (is_next(scan, closer))
		return close_all(scan, depth);
	return closer == '}' && !read_name(scan) ? READING_BAD : READING_VALUE;
}

static bool read_value(struct scan *scan)
{
	unsigned depth = scan->depth;
	enum reading reading = READING_VALUE;

	while (reading == READING_VALUE) {
		skip_blanks(scan);
		if (is_next(scan, '{') || is_next(scan, '['))
			reading = open_one(scan, depth);
		else if (is_next(scan, '"') ? read_string(scan) : read_word(scan))
			reading = close_all(scan, depth);
		else
			reading = READING_BAD;
	}
	return reading == READING_DONE;
}

static void keep(struct message *message, struct span name, struct span value)
{
	message->has_escapes |= memchr(name.at, '\\', name.size) != NULL;
	for (enum member_name i = 0; i < MEMBER_COUNT; i++)
		if (name.size == names[i].size && name.at[1] == names[i].text[1] &&
			memcmp(name.at, names[i].text, name.size) == 0) {
			message->members[i] = value;
			message->has_escapes |= i == MEMBER_CMD && memchr(value.at, '\\', value.size);
			return;
		}
}

static bool read_member(struct scan *scan, struct message *message)
{
	struct span name, value;

	skip_blanks(scan);
	name.at = scan->at;
	if (!read_string(scan))
		return false;
	name.size = (size_t)(scan->at - name.at);
	skip_blanks(scan);
	if (!take(scan, ':'))
		return false;
	skip_blanks(scan);
	value.at = scan->at;
	if (!read_value(scan))
		return false;
	value.size = (size_t)(scan->at - value.at);
	keep(message, name, value);
	return true;
}

/* The outermost map, member by member. */
static bool read_map(struct scan *scan, struct message *message)
{
	message->is_map = true;
	scan->at++;
	scan->closers[scan->depth++] = '}';
	skip_blanks(scan);
	if (take(scan, '}'))
		return true;
	do {
		if (!read_member(scan, message))
			return false;
		skip_blanks(scan);
	} while (take(scan, ','));
	return take(scan, '}');
}

/* Most is plain ASCII. */
static bool is_text(const char *bytes, size_t size)
{
	uint64_t seen = 0, word;
	size_t i = 0;

	for (; i + sizeof word <= size; i += sizeof word) {
		memcpy(&word, bytes + i, sizeof word);
		seen |= word;
	}
	for (; i < size; i++)
		seen |= (unsigned char)bytes[i];
	return !(seen & EACH(0x80)) || utf8_is_valid(bytes, size);
}

bool message_scan(struct message *message, const char *json, size_t size)
{
	struct scan scan; /* its stack needs no zeros */

	*message = (struct message){ .whole = { json, size } };
	scan.at = json;
	scan.end = json + size;
	scan.depth = 0;
	skip_blanks(&scan);
	if (!(is_next(&scan, '{') ? read_map(&scan, message) : read_value(&scan)))
		return false;
	skip_blanks(&scan);
	return scan.at == scan.end && is_text(json, size);
}

bool span_equals(struct span one, struct span other)
{
	return one.size == other.size && (!one.size || memcmp(one.at, other.at, one.size) == 0);
}

bool message_is_internal(const struct message *message)
{
	struct span cmd = message->members[MEMBER_CMD];

	return span_begins(cmd, "NODE_") && cmd.size > sizeof "NODE_" - 1 + 2;
}
