/* Says when the event loop of a process stands still. Loop thread only. */
#ifndef ENGINE_BLOCKED_H
#define ENGINE_BLOCKED_H

#include "engine/member.h"

/* It was measured. Said once, and again when its loop has gone round in between. */
void blocked_consider(struct member *member);

#endif
