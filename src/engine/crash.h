/*
 * Why an engine ended that ended by a fault of its own: a small file `crash` in the project's state folder, with the
 * signal and where it was, to which the next engine adds the last events. One file: the newest crash.
 */
#ifndef ENGINE_CRASH_H
#define ENGINE_CRASH_H

struct engine;

/* From now on a fault of this process is written down. */
void crash_prepare(const struct engine *engine);

/* The engine before this one has left a report: complete it, and tell. */
void crash_tell(struct engine *engine);

#endif
