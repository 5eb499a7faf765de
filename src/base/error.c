#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	err->code = code;
	return false;
}

static void append(struct error *err, int used, const char *cause)
{
	if (used >= 0 && (size_t)used < sizeof err->text)
		snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", cause);
}

bool error_wrap(struct error *err, const char *fmt, ...)
{
	char cause[sizeof err->text];
	va_list args;

	memcpy(cause, err->text, sizeof cause);
	va_start(args, fmt);
	int used = vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	append(err, used, cause);
	return false;
}

bool error_errno(struct error *err, const char *fmt, ...)
{
	int code = errno;
	va_list args;

	va_start(args, fmt);
	int used = vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	append(err, used, strerror(code));
	err->code = code;
	return false;
}
