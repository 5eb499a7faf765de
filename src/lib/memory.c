#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "lib/memory.h"

void *thrum__allocate(size_t count, size_t size)
{
	return calloc(count, size);
}

void *thrum__allocate_aligned(size_t alignment, size_t size)
{
	void *block = aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));

	return block ? memset(block, 0, size) : NULL;
}

void *thrum__reallocate(void *block, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(block, count * size);
}

void thrum__free(void *block)
{
	free(block);
}
