/*
 * Processes that carry some entries in their environment: those of a project whose supervisor is gone.
 * Looks at every process of the machine that may be looked at, so not often.
 */
#ifndef PROCFS_SURVIVORS_H
#define PROCFS_SURVIVORS_H

#include "procfs/tree.h"

/* Appends every process that has all of these "NAME=value", and a mark that is not known. Who must be sure asks again
   until nobody is found, and the tree is not unsure. */
struct survivor_search {
	const char *const *entries; /* NULL-ended */
	const char *mark;           /* "NAME=" */
	bool (*is_known)(void *context, const char *mark);
	void *context;
};
void survivors_find(struct tree *tree, const struct survivor_search *search);

#endif
