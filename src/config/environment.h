/* Variables: ${NAME} in values, and files of NAME=value lines. */
#ifndef CONFIG_ENVIRONMENT_H
#define CONFIG_ENVIRONMENT_H

#include "config/problem.h"
#include "model/spec.h"

/*
 * A copy of text with ${NAME} replaced: from variables, else from our own environment. As in the shell,
 * ${NAME:-default}, ${NAME:+instead} and ${NAME:?message} say what else is to stand there; without the
 * colon an empty value counts as one. "$$" is one "$"; any other "$" stays. NULL: a variable is
 * unset and has no default; the problem is told. free() it. is_loose, as process-compose: $NAME is replaced
 * too, and what is unset is empty.
 */
char *environment_expand(const char *text, const struct strings *variables, bool is_loose,
	struct position at, struct problems *problems);

/*
 * Reads NAME=value lines into variables: `export ` before, # comments, 'single' and "double"
 * quotes (\n \t \" \\ \$ in double ones). is_optional: it may be missing. Nothing but a regular file is
 * read, so that nobody can make the reader wait.
 */
bool environment_load(struct strings *variables, const char *path, bool is_optional,
	struct position at, struct problems *problems);

/* Letters, digits and '_', not beginning with a digit. */
bool variable_name_is_valid(const char *name);

#endif
