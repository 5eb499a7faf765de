/* The logs in a recording, as bytes: what log.list and log.read tell of them. */
#ifndef REPLAY_LOGS_H
#define REPLAY_LOGS_H

#include "replay/recording.h"

/* How much of each stream there was then: two for every member, in order. free() it. */
uint64_t *logs_ends(struct recording *recording, uint64_t at_us);

/* Chunks from this offset on, with so many bytes at the most; next is where the following begin. */
json_t *logs_chunks(struct recording *recording, size_t member, bool is_err, uint64_t offset, size_t most, uint64_t *next);

#endif
