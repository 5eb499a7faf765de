/*
 * The library's memory. It is a guest in somebody's program: what cannot be had is NULL, never the end.
 */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stddef.h>

/* Zeroed; NULL with errno set when there is none. */
void *thrum__allocate(size_t count, size_t size);
/* Zeroed, at an address that is a multiple of alignment, a power of two. */
void *thrum__allocate_aligned(size_t alignment, size_t size);
/* As realloc, of count things; what is new is not zeroed. */
void *thrum__reallocate(void *block, size_t count, size_t size);
/* Accepts NULL. */
void thrum__free(void *block);

#endif
