/*
 * Restarts services whose files change. The kernel tells (inotify): nothing is polled. The folders
 * are looked through in libuv's threads, at most WATCH_FOLDERS of them for a service; what
 * comes is gathered until it has been quiet for the service's debounce. Loop thread only.
 */
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include "engine/engine.h"

enum { WATCH_FOLDERS = 8192 };

struct watch; /* defined in watch.c */

/* Begin for those services that want it and are not watched yet; end for those that are gone. */
void watch_arrange(struct engine *engine);
void watch_close(struct engine *engine);

#endif
