/* The processes that ended in a recording. */
#ifndef REPLAY_DEATHS_H
#define REPLAY_DEATHS_H

#include "replay/recording.h"

/* Those of the members that are wanted, oldest first: of the newest `most`, those that ended later than `since_us`. */
json_t *deaths_list(struct recording *recording, const bool *is_wanted, uint64_t since_us, size_t most);

/* One of them with its last lines and samples; NULL: there is none of that life. */
json_t *deaths_record(struct recording *recording, size_t member, uint32_t life);

#endif
