/*
 * One pass over all processes of the machine, for the figures of a few of them and of their trees.
 * Keeps what earlier passes saw, to tell CPU % from. One thread at a time, always the same.
 */
#ifndef PROCFS_SWEEP_H
#define PROCFS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/sample.h"

struct sweep; /* defined in sweep.c */

/* Figures of a tree that are dear: measured for who wants them. */
enum sweep_want { SWEEP_TREE_FDS = 1 << 0,
	SWEEP_TREE_PSS = 1 << 1 };

/* The main process of a tree. No two targets of a pass are the same. */
struct sweep_target {
	int32_t pid;
	int32_t session;    /* that it leads; 0: the one of its pid */
	uint64_t starttime; /* ticks since boot; 0: whoever has the pid */
	unsigned wants;     /* of enum sweep_want */
};

struct sweep *sweep_create(struct error *err);
void sweep_destroy(struct sweep *sweep); /* accepts NULL */

/* Under another root: fixtures in tests, which are read without libproc2. */
struct sweep *sweep_create_at(const char *root, struct error *err);

/*
 * Fill out[i] for targets[i]; its pid is 0 when there is no such process, or another one has its
 * pid. The tree of a target is every process that descends from it or is of its session; one
 * that could be of two trees is in the nearer one.
 * CPU % is since the pass before, or since an earlier one when that is not long ago, so that a
 * pass soon after another does not count ticks by the handful; for a process that was not
 * there then, and in the first pass, since its start (the machine's: since boot).
 * What is not known is SAMPLE_UNKNOWN, and -1 for the machine's CPU.
 */
bool sweep_take(struct sweep *sweep, const struct sweep_target *targets, size_t count,
	struct sample *out, struct machine_sample *machine, struct error *err);

/*
 * Call visit for each process of the tree of targets[target] of the last pass, itself included.
 */
void sweep_visit_tree(const struct sweep *sweep, size_t target,
	void (*visit)(void *context, int32_t pid, uint64_t starttime, uint64_t threads), void *context);

/* The time of a pass, in both clocks. */
struct sweep_time {
	uint64_t monotonic_us;
	uint64_t boot_us; /* with the time spent suspended: as the start of a process is counted */
};

/* sweep_take with the clocks held: for tests. */
bool sweep_take_at(struct sweep *sweep, const struct sweep_time *now,
	const struct sweep_target *targets, size_t count, struct sample *out,
	struct machine_sample *machine, struct error *err);

#endif
