/*
 * Processes that carry some entries in their environment: those of a project whose supervisor is gone.
 * Looks at every process of the machine that may be looked at, so not often.
 */
#ifndef PROCFS_SURVIVORS_H
#define PROCFS_SURVIVORS_H

#include "procfs/tree.h"

/*
 * Appends every process that has all of these "NAME=value", NULL-ended, and the variable of without, a "NAME=prefix",
 * with a value of another prefix.
 */
void survivors_find(struct tree *tree, const char *const *entries, const char *without);

#endif
