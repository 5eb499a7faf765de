#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

/* One write a line, so that lines of several processes do not mix. */
static void put(char *line, size_t room, int used)
{
	size_t size = used < 0 ? 0 : (size_t)used;

	if (size > room - 2)
		size = room - 2;
	line[size++] = '\n';
	if (write(STDERR_FILENO, line, size) < 0)
		return; /* nowhere left to say it */
}

void log_line(const char *fmt, ...)
{
	char line[1024], now[CLOCK_TEXT_SIZE];
	va_list args;

	clock_format_local(now, clock_wall_us());
	int used = snprintf(line, sizeof line, "%s ", now);
	va_start(args, fmt);
	used += vsnprintf(line + used, sizeof line - (size_t)used, fmt, args);
	va_end(args);
	put(line, sizeof line, used);
}

noreturn void log_bug(const char *file, int line, const char *what)
{
	log_line("bug at %s:%d: %s", file, line, what);
	abort();
}
