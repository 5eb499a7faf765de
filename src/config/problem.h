/*
 * What is wrong with a configuration, told as "file:line:column: message" with the line and
 * a caret below. Problems are collected, so that one run shows all of them.
 */
#ifndef CONFIG_PROBLEM_H
#define CONFIG_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum { PROBLEMS_MOST = 60 };

/* Where something stands; line and column count from 1, columns in characters. 0: nowhere. */
struct position {
	const char *file;   /* borrowed */
	const char *source; /* borrowed: the whole text of the file, or NULL */
	unsigned line, column;
};

/* Zeroed is empty. */
struct problems {
	char *texts[PROBLEMS_MOST]; /* owned; each with its line and caret */
	unsigned count;             /* of texts */
	unsigned errors, warnings;  /* all of them, also those that no text was kept of */
};

void problems_init(struct problems *problems);
void problems_finish(struct problems *problems);

/* Both always return false. */
bool problem_error(struct problems *problems, struct position at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool problem_warning(struct problems *problems, struct position at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* All that were collected, ready for a terminal. */
void problems_print(const struct problems *problems, struct text *out);

/* The first of them, in one line, as an error of this code. */
void problems_first(const struct problems *problems, int code, struct error *err);

/* The name that was probably meant, out of a NULL-ended list; NULL when none is near. */
const char *problem_nearest(const char *name, const char *const *known);

#endif
