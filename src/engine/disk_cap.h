/*
 * Keeps the logs of the whole project under a size: the oldest closed segments go first, whosever
 * they are; those being written never. Loop thread only.
 */
#ifndef ENGINE_DISK_CAP_H
#define ENGINE_DISK_CAP_H

#include "engine/engine.h"

/* A segment was closed: remove what is too much now. */
void disk_cap_apply(struct engine *engine);

#endif
