#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *memory)
{
	static const char last_words[] = "thrum: out of memory\n";

	if (!memory) {
		if (write(STDERR_FILENO, last_words, sizeof last_words - 1) < 0)
			abort();
		abort();
	}
	return memory;
}

void *memory_zeroed(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *memory_resize(void *old, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return checked(NULL);

	size_t bytes = count * size;

	return checked(realloc(old, bytes ? bytes : 1));
}

char *memory_copy(const char *text)
{
	return text ? checked(strdup(text)) : NULL;
}

char *memory_copy_n(const char *text, size_t length)
{
	return checked(strndup(text, length));
}

char *memory_format(const char *fmt, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, fmt);
	int length = vasprintf(&text, fmt, args);
	va_end(args);
	return checked(length < 0 ? NULL : text);
}
