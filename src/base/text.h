/*
 * A growing string of bytes with a maximum given at creation. It is always
 * NUL-terminated; the bytes may hold NULs of their own.
 * What would go past the maximum is not taken, and `full` says so for ever after.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct text {
	char *data;  /* owned; never NULL after the first append */
	size_t size; /* bytes in use */
	size_t room; /* bytes allocated, of which one is for the NUL */
	size_t most; /* never more bytes than this */
	bool full;   /* something did not fit */
};

void text_init(struct text *text, size_t most);
void text_finish(struct text *text);
void text_clear(struct text *text);

/* False when it did not fit: nothing was appended then. */
bool text_append(struct text *text, const void *bytes, size_t size);
bool text_puts(struct text *text, const char *string);
bool text_putc(struct text *text, char c);
/* In figures, and then this character: where many are written, and text_format would take most of the time. */
bool text_put_number(struct text *text, uint64_t number, char after);
bool text_format(struct text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Drop this many bytes from the front. */
void text_drop(struct text *text, size_t size);

/* The string, never NULL; it stays owned by text. */
const char *text_string(const struct text *text);

/* Hand the string over: the caller frees it, text is empty again. */
char *text_take(struct text *text);

/* Append a whole file. A file of more than `most` bytes is an error. */
bool text_read_file(struct text *text, const char *path, struct error *err);
/* The same for what can still be read from an open descriptor. */
bool text_read_fd(struct text *text, int fd, struct error *err);

/* All of it, however often it is interrupted. False with errno set. Safe after a fork. */
bool text_write_all(int fd, const char *bytes, size_t size);
/* Into a new file, for its owner alone. False: there is such a file already, or it cannot be written whole. */
bool text_write_file(const struct text *text, const char *path, struct error *err);
/* In the place of a file that may be there: who reads it meanwhile reads the one or the other. False: it stays as it is. */
bool text_replace_file(const struct text *text, const char *path, struct error *err);

#endif
