#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "lib/memory.h"

static atomic_int left_before_failure = -1;

void thrum__fail_after(int count)
{
	atomic_store(&left_before_failure, count);
}

int thrum__may_fail(void)
{
	if (atomic_load_explicit(&left_before_failure, memory_order_relaxed) < 0)
		return 0;
	if (atomic_fetch_sub(&left_before_failure, 1) != 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *thrum__allocate(size_t count, size_t size)
{
	return thrum__may_fail() ? NULL : calloc(count, size);
}

void *thrum__allocate_aligned(size_t alignment, size_t size)
{
	void *block;

	if (thrum__may_fail())
		return NULL;
	block = aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
	return block ? memset(block, 0, size) : NULL;
}

void *thrum__reallocate(void *block, size_t count, size_t size)
{
	if (thrum__may_fail())
		return NULL;
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
