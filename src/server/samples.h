/*
 * What sessions are told of a pass of the sampler: everything in one message, or, to those that want it in pieces, what
 * has changed since the pass before, in short ones: a thousand instances that rest cost nobody anything.
 */
#ifndef SERVER_SAMPLES_H
#define SERVER_SAMPLES_H

#include "server/session.h"

/* Of each seat, what was told of it last. */
struct told_sample;

void samples_tell(struct hall *hall);

#endif
