#include "lib/json.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thrum.h>

/* The most that a number or a name is looked at. */
#define SHORT_MOST 256

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What a number, true, false or null cannot have in it. */
static bool ends_word(char c)
{
	return is_space(c) || c == ',' || c == ']' || c == '}' || c == ':' || c == '"' || c == '\0';
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

/* From a quote to behind the one that ends the string; NULL if none does. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at < end ? at + 1 : NULL;
}

/* To behind a map or a list. */
static const char *skip_nest(const char *at, const char *end)
{
	size_t depth = 0;

	while (at && at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && --depth == 0)
			return at + 1;
		at++;
	}
	return NULL;
}

static const char *skip_value(const char *at, const char *end)
{
	const char *begin = at;

	if (at == end)
		return NULL;
	if (*at == '"')
		return skip_string(at, end);
	if (*at == '{' || *at == '[')
		return skip_nest(at, end);
	while (at < end && !ends_word(*at))
		at++;
	return at > begin ? at : NULL;
}

static const char *skip_char(const char *at, const char *end, char wanted)
{
	if (!at)
		return NULL;
	at = skip_space(at, end);
	return at < end && *at == wanted ? at + 1 : NULL;
}

/* -- Strings -- */

static int hex4(const char *at, const char *end)
{
	char digits[5] = "";

	if (end - at < 4)
		return -1;
	memcpy(digits, at, 4);
	return strspn(digits, "0123456789abcdefABCDEF") == 4 ? (int)strtol(digits, NULL, 16) : -1;
}

static size_t put_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* What stands after \u, and after it if it is the first half of a pair; half a pair alone becomes U+FFFD. */
static uint32_t read_code(const char **at, const char *end)
{
	int code = hex4(*at, end), low;

	if (code < 0)
		return 0xfffd;
	*at += 4;
	if (code < 0xd800 || code > 0xdfff)
		return (uint32_t)code;
	low = code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' ? hex4(*at + 2, end) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*at += 6;
	return 0x10000 + ((uint32_t)(code - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

static size_t read_escape(char *to, const char **at, const char *end)
{
	static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
	char name = *(*at)++;
	const char *known = strchr(names, name);

	if (name == 'u')
		return put_utf8(to, read_code(at, end));
	*to = name && known ? meant[known - names] : name;
	return 1;
}

/* A string without its quotes and escapes, ended with NUL; -ENOBUFS if it has no room, -EINVAL if it is none. */
static int unquote(struct piece value, char *to, size_t size, size_t *length)
{
	const char *at = value.at, *end = value.at + value.size - 1;
	char bytes[4];
	size_t count;

	*length = 0;
	if (value.size < 2 || *at++ != '"')
		return -EINVAL;
	while (at < end) {
		count = 1;
		bytes[0] = *at++;
		if (bytes[0] == '\\' && at < end)
			count = read_escape(bytes, &at, end);
		if (*length + count >= size)
			return -ENOBUFS;
		memcpy(to + *length, bytes, count);
		*length += count;
	}
	to[*length] = '\0';
	return 0;
}

bool json_is(struct piece value, const char *string)
{
	char text[SHORT_MOST];
	size_t length;

	return value.at && unquote(value, text, sizeof text, &length) == 0 && length == strlen(string) &&
	       memcmp(text, string, length) == 0;
}

bool json_goes_on(struct piece value, const char *begin)
{
	size_t size = strlen(begin);

	return value.at && value.size > size + 2 && value.at[0] == '"' && memcmp(value.at + 1, begin, size) == 0;
}

/* How many bytes the character takes; 0: it is no UTF-8. */
static size_t utf8_size(const unsigned char *at)
{
	size_t size = *at < 0x80 ? 1 : *at >= 0xc2 && *at < 0xe0 ? 2
			       : *at >= 0xe0 && *at < 0xf0       ? 3
			       : *at >= 0xf0 && *at < 0xf5       ? 4
								 : 0;

	for (size_t i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) || (*at == 0xf0 && at[1] < 0x90) ||
		(*at == 0xf4 && at[1] > 0x8f))
		return 0;
	return size;
}

size_t json_quote(char *to, size_t size, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;
	size_t have = 1, count;

	to[0] = '"';
	/* The longest that one character becomes has six bytes, and a quote follows. */
	while (*at && have + 8 < size) {
		count = utf8_size(at);
		if (*at < ' ' || count == 0)
			have += (size_t)snprintf(to + have, 7, "\\u%04x", count ? *at : 0xfffdU);
		else if (*at == '"' || *at == '\\')
			have += (size_t)snprintf(to + have, 3, "\\%c", *at);
		else
			have += (size_t)snprintf(to + have, count + 1, "%.*s", (int)count, (const char *)at);
		at += count ? count : 1;
	}
	to[have] = '"';
	return have + 1;
}

/* -- Maps -- */

bool json_map(struct piece *text)
{
	const char *end = text->at + text->size;

	text->at = skip_space(text->at, end);
	while (end > text->at && is_space(end[-1]))
		end--;
	text->size = (size_t)(end - text->at);
	return text->size >= 2 && text->at[0] == '{' && end[-1] == '}';
}

static bool is_name(struct piece key, const char *name, bool is_plain)
{
	size_t size = strlen(name);

	if (is_plain)
		return key.size == size + 2 && memcmp(key.at + 1, name, size) == 0;
	return json_is(key, name);
}

/* One member, and what follows it. */
static const char *read_member(const char *at, const char *end, struct piece *key, struct piece *value)
{
	const char *after;

	at = skip_space(at, end);
	after = at < end && *at == '"' ? skip_string(at, end) : NULL;
	if (!after)
		return NULL;
	*key = (struct piece){ at, (size_t)(after - at) };
	at = skip_char(after, end, ':');
	if (!at)
		return NULL;
	at = skip_space(at, end);
	after = skip_value(at, end);
	if (after)
		*value = (struct piece){ at, (size_t)(after - at) };
	return after;
}

void json_members(struct piece text, const char *const *names, struct piece *found, unsigned count)
{
	const char *end = text.at + text.size, *at = skip_char(text.at, end, '{');
	struct piece key, value;

	memset(found, 0, count * sizeof *found);
	while (at && (at = read_member(at, end, &key, &value))) {
		bool is_plain = !memchr(key.at, '\\', key.size);
		for (unsigned i = 0; i < count; i++)
			if (is_name(key, names[i], is_plain))
				found[i] = value;
		at = skip_char(at, end, ',');
	}
}

struct piece json_member(struct piece text, const char *name)
{
	struct piece found;

	json_members(text, &name, &found, 1);
	return found;
}

/* -- For programs -- */

int thrum_message_member(const char *text, size_t size, const char *name, const char **value, size_t *value_size)
{
	struct piece found = json_member((struct piece){ text, size }, name);

	if (!found.at)
		return -ENOENT;
	*value = found.at;
	*value_size = found.size;
	return 0;
}

int thrum_message_string(const char *text, size_t size, const char *name, char *to, size_t to_size)
{
	struct piece found = json_member((struct piece){ text, size }, name);
	size_t length;

	return found.at ? unquote(found, to, to_size, &length) : -ENOENT;
}

int thrum_message_number(const char *text, size_t size, const char *name, double *number)
{
	struct piece found = json_member((struct piece){ text, size }, name);
	char digits[SHORT_MOST], *end;

	if (!found.at)
		return -ENOENT;
	if (found.size >= sizeof digits || !strchr("-0123456789", *found.at))
		return -EINVAL;
	memcpy(digits, found.at, found.size);
	digits[found.size] = '\0';
	*number = strtod(digits, &end);
	return *end ? -EINVAL : 0;
}
