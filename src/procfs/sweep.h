/*
 * One pass over all processes of the machine, for the figures of a few of them and of their trees.
 * Keeps what the pass before it saw, to tell CPU % from. One thread at a time, always the same.
 */
#ifndef PROCFS_SWEEP_H
#define PROCFS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/sample.h"

struct sweep; /* defined in sweep.c */

/* The main process of a tree: it leads a session of its own pid. */
struct sweep_target {
	int32_t pid;
};

struct sweep *sweep_create(struct error *err);
void sweep_destroy(struct sweep *sweep); /* accepts NULL */

/*
 * Fill out[i] for targets[i]; its pid is 0 when there is no such process. The tree of a target is
 * every process that descends from it or is of its session.
 */
bool sweep_take(struct sweep *sweep, const struct sweep_target *targets, size_t count,
	struct sample *out, struct machine_sample *machine, struct error *err);

#endif
