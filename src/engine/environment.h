/*
 * The variables that a process is started with. Files of variables are read again at every start; what
 * cannot be read now is as it was the last time, and that is told. Loop thread only.
 */
#ifndef ENGINE_ENVIRONMENT_H
#define ENGINE_ENVIRONMENT_H

#include <jansson.h>

#include "engine/engine.h"

/* Read the files of a service again: its next process has what is in them now. */
void environment_refresh(struct engine *engine, struct service *service);

/* What the next process of an instance would have, as doc/protocol.md has it; a new reference. */
json_t *environment_describe(struct engine *engine, const struct member *member);

#endif
