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

enum { UTF8_BAD = 0xFFFD };

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

/* As much of the beginning of it as has room in out, made safe as above: for messages that quote it. */
void utf8_excerpt(char *out, size_t room, const char *bytes, size_t size);

#endif
