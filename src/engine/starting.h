/* Bringing a process of a service about, with all that it is given. Loop thread only. */
#ifndef ENGINE_STARTING_H
#define ENGINE_STARTING_H

#include "engine/child.h"
#include "engine/engine.h"

/* A new life of the instance. Where none can be had the model is told, with the reason: it is tried again. */
void starting_spawn(struct engine *engine, struct member *member);

/* Whom a process of this instance is told that it is; marker is borrowed. */
void starting_introduce(struct engine *engine, const struct member *member, const char *marker, struct newborn *who);

#endif
