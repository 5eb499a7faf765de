/*
 * Looks into processes that know nothing of thrum, from outside and without stopping them. Keeps what it
 * found of each, so that the next look is cheap: a process whose CPU clock has not moved since it was idle
 * costs one system call. One thread at a time.
 */
#ifndef INSPECT_INSPECTOR_H
#define INSPECT_INSPECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/inside.h"

struct inspector; /* defined in inspector.c */

struct inspector *inspector_create(void);
void inspector_destroy(struct inspector *inspector); /* accepts NULL */

/* The sums of one process; starttime as /proc/PID/stat has it. What cannot be known is unknown. */
void inspector_sum(struct inspector *inspector, int32_t pid, uint64_t starttime, uint64_t threads,
	struct inside *inside);

/* Several are studied in a row: what has to be asked of the whole machine is asked once for all of them. */
void inspector_begin_round(struct inspector *inspector);
void inspector_end_round(struct inspector *inspector);

/*
 * Everything about one process. Rates are since the study before; in the first one they are unknown.
 * False: there is no such process.
 */
bool inspector_study(struct inspector *inspector, int32_t pid, struct study *study, struct error *err);

#endif
