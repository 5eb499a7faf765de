/*
 * Another configuration for a running project: what it would change, and the change. First the keeper
 * is given the new configuration, marked as being applied; then instances follow it. Should the engine
 * die in between, the next one finds the mark and goes on. Loop thread only.
 */
#ifndef ENGINE_APPLY_H
#define ENGINE_APPLY_H

#include <jansson.h>

#include "engine/engine.h"

/* What applying it would do, as doc/protocol.md has it; a new reference. */
json_t *apply_plan(struct engine *engine, const struct project_spec *wanted);

/* Takes wanted over, whatever comes of it. False: nothing has changed. */
bool apply_spec(struct engine *engine, struct project_spec *wanted, struct error *err);

/* Everything is as the configuration says: the marks are taken away. */
void apply_done(struct engine *engine);

/* A new engine goes on with what was being applied, scaled or launched when the former one died. */
void apply_resume(struct engine *engine);

/* Services that were taken out and have no instance any more are forgotten. */
void apply_forget(struct engine *engine);

#endif
