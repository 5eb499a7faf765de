/*
 * Text from children and clients: decoding, validity, and making it safe for any terminal.
 * Nothing in here depends on the locale.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { UTF8_BAD = 0xFFFD,
	UTF8_TAB_STOP = 8,
	UTF8_MARKS_MOST = 2 /* on a character */ };

/*
 * Decode one character from size > 0 bytes; returns how many bytes it took (at least 1).
 * Anything malformed (overlong, surrogate, cut off, > U+10FFFF) is UTF8_BAD and takes 1 byte.
 */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *character);

/* Encode; returns 1 to 4, the bytes written. */
size_t utf8_encode(char out[4], uint32_t character);

bool utf8_is_valid(const char *bytes, size_t size);

/* Columns a terminal gives it: 0 for combining marks, 2 for wide ones, else 1. */
unsigned utf8_width(uint32_t character);

/* Append bytes with every malformed byte as U+FFFD, so that the result is valid UTF-8. */
bool utf8_append_valid(struct text *out, const char *bytes, size_t size);

/*
 * Append one line of child text as it may be shown on any terminal: control strings
 * (CSI, OSC, DCS, …) are dropped whole, other C0 and DEL become ^X, tabs go to the next
 * eighth column, C1, bidi and invisible format characters become U+FFFD, and
 * malformed bytes too; what joins pictures is dropped. With keep_colour, SGR sequences (digits, ';', ':') are kept.
 */
bool utf8_append_safe(struct text *out, const char *bytes, size_t size, bool keep_colour);

/*
 * What comes first in text from children. Returns how many bytes it covers; a control string is one piece, whether it is whole
 * or not.
 */
enum utf8_kind { UTF8_CHARACTER, /* one that is safe, UTF8_BAD in the place of one that is not */
	UTF8_CONTROL,            /* a C0 character, or DEL */
	UTF8_CSI,                /* a whole ESC [ … */
	UTF8_NOTHING };          /* to be left out */
struct utf8_piece {
	enum utf8_kind kind;
	uint32_t character;     /* of CSI the last one, which says what it does */
	const char *parameters; /* of CSI: what lies between */
	size_t parameters_size;
};
size_t utf8_next(const char *bytes, size_t size, struct utf8_piece *piece);
/* Of a CSI: a colour, or another look? */
bool utf8_is_sgr(const struct utf8_piece *piece);

/* As much of the beginning of it as has room in out, made safe as above: for messages that quote it. */
void utf8_excerpt(char *out, size_t room, const char *bytes, size_t size);

#endif
