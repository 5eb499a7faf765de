/* Asking a process to end, and ending it with all that belongs to it. Loop thread only. */
#ifndef ENGINE_STOPPING_H
#define ENGINE_STOPPING_H

#include "engine/engine.h"

/* By its command first, if it has one; then, or at once, by its signal. */
void stopping_ask(struct engine *engine, struct member *member);

/* SIGKILL for the whole tree. What does not even end then is told, with the reason. */
void stopping_kill(struct engine *engine, struct member *member);

#endif
