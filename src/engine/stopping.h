/* Asking a process to end, and ending it with all that belongs to it. Loop thread only. */
#ifndef ENGINE_STOPPING_H
#define ENGINE_STOPPING_H

#include "engine/engine.h"

/*
 * By its message first, if it has one (the model says when the signal follows), or by its command (the
 * signal follows when that has ended), else by its signal at once.
 */
void stopping_ask(struct engine *engine, struct member *member);
void stopping_signal(struct engine *engine, struct member *member);

/* SIGKILL for the whole tree. What does not even end then is told, with the reason. */
void stopping_kill(struct engine *engine, struct member *member);

#endif
