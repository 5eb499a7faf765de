/*
 * Allocation that cannot fail: thrum ends with one clear line when memory runs out.
 * (The engine may end at any moment anyway: its keeper starts it again.)
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Zeroed memory for count things of this size; free() it. */
void *memory_zeroed(size_t count, size_t size);

/* realloc for count things of this size; the product is checked for overflow. */
void *memory_resize(void *old, size_t count, size_t size);

/* A copy of text, or NULL of NULL. */
char *memory_copy(const char *text);
char *memory_copy_n(const char *text, size_t length);

/* A formatted string; free() it. */
char *memory_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
