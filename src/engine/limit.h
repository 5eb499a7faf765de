/*
 * Measures those that have limits, as often as they want it, and acts when one is over its limit
 * for too long. Without a limit nothing is measured. Loop thread only.
 */
#ifndef ENGINE_LIMIT_H
#define ENGINE_LIMIT_H

#include "engine/engine.h"

/* Somebody with limits has come or gone: measure as often as is needed now. */
void limit_arrange(struct engine *engine);
/* A pass of the sampler is over. */
void limit_check(struct engine *engine);
/* What beyond the usual figures is to be measured for it: of enum sweep_want. */
unsigned limit_wants(const struct member *member);

#endif
