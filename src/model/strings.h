/* Lists of strings, and those that are an environment. */
#ifndef MODEL_STRINGS_H
#define MODEL_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

/* A NULL-ended list of owned strings. */
struct strings {
	char **items; /* never NULL once something was added */
	size_t count;
};

void strings_add(struct strings *list, const char *text);
void strings_finish(struct strings *list);
/* Set "NAME=value" in an environment: replaces an older NAME, else adds. */
void strings_set_variable(struct strings *list, const char *name, const char *value);
/* The value of NAME in an environment, or NULL. */
const char *strings_get_variable(const struct strings *list, const char *name);

bool strings_are_equal(const struct strings *one, const struct strings *other);

#endif
