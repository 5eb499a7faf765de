/*
 * What a change of one instance means to others: those that depend on it and want to be restarted
 * with it, and those of its group. Loop thread only; it puts into the queue.
 */
#ifndef ENGINE_RIPPLE_H
#define ENGINE_RIPPLE_H

#include "engine/engine.h"

void ripple_consider(struct engine *engine, struct member *member, const struct notice *notice);

#endif
