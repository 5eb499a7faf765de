/*
 * The keeper and the engine of a former run were killed at the same instant, and its processes live on; or the keeper is
 * there, and the state of its engine cannot be used. At the first
 * start afterwards those are taken over, with their output, their counters and their name; the others are ended, lest
 * there be two of anything. Loop thread only, before anything is started.
 */
#ifndef ENGINE_ADOPTION_H
#define ENGINE_ADOPTION_H

#include <stdbool.h>

struct engine;
struct service_spec;

/* May be cut off anywhere, and done again. Takes up to two seconds when somebody has to be ended. */
void adoption_perform(struct engine *engine);

/*
 * What went with the keeper of a process of that service, and cannot be had again from outside; NULL: nothing that it
 * needs. kinds: bit set of enum keeper_kind, what this keeper still holds of it; 0: it is another one.
 */
const char *adoption_missing(const struct service_spec *spec, bool is_ready, unsigned kinds);

#endif
