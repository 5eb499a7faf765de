/*
 * The processes of an instance beyond its main one: found by descent, by session, and by the
 * mark in their environment. Loop thread only.
 */
#ifndef ENGINE_LEFTOVERS_H
#define ENGINE_LEFTOVERS_H

#include "engine/engine.h"

struct tree; /* of procfs/tree.h */

/* Its main process has ended: how many others of its tree are left? */
unsigned leftovers_count(struct engine *engine, const struct member *member);

/* Each of them, the main process first while it is there. */
void leftovers_visit(struct engine *engine, const struct member *member, void (*visit)(void *context, pid_t pid), void *context);

/* Signal all of them, those that leave meanwhile too. */
void leftovers_signal(struct engine *engine, const struct member *member, int signal);

/* A helper has ended: kill what it left behind. Returns how many that were. */
unsigned leftovers_of_helper(struct engine *engine, const struct life *helper);

/*
 * At the first start of a project: end what is still there of a former run whose keeper and engine were
 * killed together, but for those that have a life in the store; doomed are some of them, found otherwise. Takes up to
 * two seconds when there is something.
 */
void leftovers_of_former_run(struct engine *engine, const struct tree *doomed);

/*
 * All is stopped: end what had left its tree so far that nobody could tell whose it is. The keeper is its parent, so it is
 * of this project. What fell to the reaper of a former keeper is not known to be.
 */
void leftovers_of_all(struct engine *engine);

/* The control group of its process, to be freed; NULL: its tree is found by /proc alone. */
char *leftovers_cgroup(struct engine *engine, const struct member *member);

/* The value of THRUM_LIFE_ID for a life. */
enum { MARKER_SIZE = 64 };
void marker_format(char out[MARKER_SIZE], const struct life *life);

#endif
