/* What a recording tells of one moment: how all stood, what had happened, and what was said. */
#ifndef REPLAY_THEN_H
#define REPLAY_THEN_H

#include "base/pattern.h"
#include "replay/recording.h"

/* Rows, each with its `trend`; those that were not there yet, or no longer, are left out. */
json_t *then_rows(struct recording *recording, uint64_t at_us);

/* The newest events, or messages, that are not later, oldest first: as many at the most. */
json_t *then_events(struct recording *recording, uint64_t at_us, size_t most);
json_t *then_messages(struct recording *recording, uint64_t at_us, size_t most, const char *service, int instance,
	const struct pattern *filter);

/* When the next event is, after it (1) or before it (-1); at_us when there is none. */
uint64_t then_next_event(struct recording *recording, uint64_t at_us, int direction);

#endif
