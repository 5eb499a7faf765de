/*
 * How the kernel treats a process, changed: its nice value, its processors, its turn at disks; of all its threads, since each has its
 * own. A process is meant by pid and start time. Between the look at that and the change it may still end, and its pid be another's;
 * there is no call that takes a descriptor here.
 */
#ifndef PROCFS_TUNE_H
#define PROCFS_TUNE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { TUNE_PROCESSORS_MOST = 1024 };

/* By so much, within what there is; now: what the main thread has then. */
bool tune_nice(int32_t pid, uint64_t starttime, int by, int *now, struct error *err);

/* Of the main thread; count: that the machine may have. */
bool tune_get_processors(int32_t pid, uint64_t starttime, bool may_use[TUNE_PROCESSORS_MOST], unsigned *count, struct error *err);
bool tune_set_processors(int32_t pid, uint64_t starttime, const bool may_use[TUNE_PROCESSORS_MOST], struct error *err);

/* As ioprio_set(2) has it. */
bool tune_get_io(int32_t pid, uint64_t starttime, int *priority, struct error *err);
bool tune_set_io(int32_t pid, uint64_t starttime, int priority, struct error *err);

#endif
