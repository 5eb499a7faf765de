/*
 * The keeper and the engine of a former run were killed at the same instant, and its processes live on; or the keeper is
 * there, and the state of its engine cannot be used. At the first
 * start afterwards those are taken over, with their output, their counters and their name; the others are ended, lest
 * there be two of anything. Loop thread only, before anything is started.
 */
#ifndef ENGINE_ADOPTION_H
#define ENGINE_ADOPTION_H

struct engine;

/* May be cut off anywhere, and done again. Takes up to two seconds when somebody has to be ended. */
void adoption_perform(struct engine *engine);

#endif
