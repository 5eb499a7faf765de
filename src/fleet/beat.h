/* What an engine tells the others of itself: a key that is gone soon after its engine, and its name in a list. */
#ifndef FLEET_BEAT_H
#define FLEET_BEAT_H

#include "fleet/feed.h"
#include "gateway/door.h"

enum { BEAT_MS = 2000,
	BEAT_KEPT_MS = 5 * BEAT_MS };

/* {"engine","host","project",…,"services":[…],"pools":[…]}, as `ps --fleet --json` prints it. */
json_t *beat_describe(const struct settings *settings, const struct replica *replica, const struct feed *feeds, size_t count);

/* Tells it. */
void beat_send(const struct settings *settings, struct redis *redis, json_t *beat);
/* It is going: its key is taken away. */
void beat_end(const struct settings *settings, struct redis *redis);

#endif
