#include "model/crowd.h"

uint32_t crowd_join(struct crowd *crowd, uint64_t now_ms)
{
	static const uint64_t slack_ms = CROWD_AT_ONCE * CROWD_SPACING_MS;

	if (crowd->free_ms < now_ms)
		crowd->free_ms = now_ms;
	uint64_t ahead_ms = crowd->free_ms - now_ms;
	crowd->free_ms += CROWD_SPACING_MS;
	return ahead_ms > slack_ms ? (uint32_t)(ahead_ms - slack_ms) : 0;
}
