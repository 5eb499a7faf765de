/*
 * Why an engine ended that ended by a fault of its own: a small file `crash` in the project's state folder, with the
 * signal and where it was, to which the next engine adds the last events. One file: the newest crash.
 */
#ifndef ENGINE_CRASH_H
#define ENGINE_CRASH_H

#include <stdbool.h>

struct engine;

/* From now on a fault of this process is written down. */
void crash_prepare(const struct engine *engine);

/* Is it by such a signal that an engine ends when something is wrong in it? */
bool crash_is_fault(int signal_number);

/* The engine before this one has left a report: complete it, and tell. */
void crash_tell(struct engine *engine);

#endif
