/* What an engine would answer, by what a recording tells: the requests of the dashboard that ask. */
#ifndef REPLAY_ANSWER_H
#define REPLAY_ANSWER_H

#include "replay/recording.h"

/* A request as it came, and the whole reply. */
json_t *answer(struct recording *recording, const char *name, const json_t *request);

#endif
