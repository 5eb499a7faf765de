/*
 * What the operator must know, one line each on standard error: "12:00:01.123 text".
 * The engine's standard error is the project's engine.log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdnoreturn.h>

void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

noreturn void log_bug(const char *file, int line, const char *what);

/* A bug if false; stays in every build. */
#define CHECK(condition) \
	((condition) ? (void)0 : log_bug(__FILE__, __LINE__, #condition))

#endif
