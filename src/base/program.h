/* Programs of this machine. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

#define PROGRAM_PLACES "/usr/local/bin:/usr/bin:/bin" /* where there is no PATH */

/* A file that we may execute. */
bool program_is(const char *path);

/*
 * The next one of that name in these folders, which are written as PATH is and move on behind the one where it was. An
 * empty one would be the current folder: a trap.
 */
bool program_next(char out[PATH_MAX], const char *name, const char **places);

/* The first in PATH. */
bool program_find(char out[PATH_MAX], const char *name);

#endif
