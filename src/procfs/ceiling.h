/* What may grow in one process, how much of it there is, and how far it may go. Any thread. */
#ifndef PROCFS_CEILING_H
#define PROCFS_CEILING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/growth.h"

/* Now, by figure; what is not known is SAMPLE_UNKNOWN. False: it is gone. */
bool figures_read(uint64_t figures[GROWTH_FIGURES], int32_t pid);

/*
 * The nearest end of each: its resource limits, its cgroups, and the machine. What others of a cgroup or of the machine
 * have is taken to stay as it is.
 */
void ceilings_read(struct ceiling ceilings[GROWTH_FIGURES], int32_t pid);

#endif
