/* Rolling reloads at run time: what model/rolling.h says is done. Loop thread only. */
#ifndef ENGINE_RELOAD_H
#define ENGINE_RELOAD_H

#include "engine/engine.h"

/* Begin one, or begin it again from the first. False: nothing of it runs, or it cannot be. */
bool reload_begin(struct engine *engine, struct service *service, struct error *err);

/* After a start: go on with those that were under way. */
void reload_resume(struct engine *engine);

/* Something of this service has changed: go on with it. */
void reload_consider(struct engine *engine, struct service *service);

#endif
