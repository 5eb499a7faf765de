/* A PCRE2 pattern or a glob, matched with bounds: no text makes a match run for long. */
#ifndef BASE_PATTERN_H
#define BASE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct pattern; /* defined in pattern.c */

/* NULL: err says what is wrong with it, and its code is the offset where. */
struct pattern *pattern_create(const char *text, struct error *err);

/* "src/?.c", two stars for any number of folders; matches a whole path. */
struct pattern *pattern_create_glob(const char *glob, struct error *err);

/* A match that would take too long is none. */
bool pattern_matches(const struct pattern *pattern, const char *text, size_t size);

/* The first match that begins at `from` or later, and is not empty. */
bool pattern_find(const struct pattern *pattern, const char *text, size_t size, size_t from, size_t *begin, size_t *end);

void pattern_destroy(struct pattern *pattern); /* accepts NULL */

#endif
