/* An error: what failed, told from the outside in. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

struct error {
	int code;       /* an errno value, or 0 */
	char text[512]; /* "loading web.conf: line 3: unknown key 'resart'" */
};

/* Both always return false, so that a failing function can end with them. */
bool error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool error_wrap(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* error_set with ": " and the meaning of errno behind the text. */
bool error_errno(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
