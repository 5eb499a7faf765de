/*
 * Starts a project: its keeper, which starts the engine. The control socket listens before
 * either of them is there, so that a client may connect as soon as this returns.
 */
#ifndef CLIENT_LAUNCH_H
#define CLIENT_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct launch {
	const char *project; /* borrowed */
	const char *dir;     /* borrowed; absolute: where keeper and engine run */
	const char *spec;    /* borrowed; the resolved configuration */
	size_t spec_size;
	pid_t keeper;     /* set by launch_project: our child */
	off_t log_offset; /* set too: where this run begins in engine.log */
};

/* False with err set; err->code EBUSY: an engine of this project runs already. */
bool launch_project(struct launch *launch, struct error *err);

/* After its engine has said goodbye: wait until nothing of the project runs any more, if that is soon. */
bool launch_await_end(const char *project, int timeout_ms);

/* Add to err what the engine said last, if it said anything since it was launched. */
void launch_explain(const struct launch *launch, struct error *err);

#endif
