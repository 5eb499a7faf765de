/* The processes that ended in a recording. */
#ifndef REPLAY_DEATHS_H
#define REPLAY_DEATHS_H

#include "replay/recording.h"

/* Those of a member, oldest first: the newest `most`, of those that ended later than `since_us`. */
void deaths_append(struct recording *recording, size_t member, uint64_t since_us, size_t most, json_t *list);

/* One of them with its last lines and samples; NULL: there is none of that life. */
json_t *deaths_record(struct recording *recording, size_t member, uint32_t life);

#endif
