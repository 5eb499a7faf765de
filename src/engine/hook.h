/* Commands that a service wants to be run when something happens to it. Loop thread only. */
#ifndef ENGINE_HOOK_H
#define ENGINE_HOOK_H

#include "engine/engine.h"

/*
 * Run what the service has for this notice. The command is told of it in its environment (THRUM_EVENT,
 * THRUM_CAUSE …) and as JSON on its standard input. That it fails is told, and changes nothing.
 */
void hook_consider(struct engine *engine, struct member *member, const struct notice *notice);

#endif
