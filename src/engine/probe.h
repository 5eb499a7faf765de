/*
 * Asks a running process, again and again, whether it is well: by a command, a GET, or a connection.
 * As Kubernetes does it, but every second until the first success; until then a failure counts
 * once a period. Loop thread only.
 */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include "engine/engine.h"

struct probe; /* defined in probe.c */

struct probe *probe_start(struct member *member, enum probe_role role);
void probe_stop(struct probe *probe);

/* How it stands, for people. */
struct probe_report {
	bool was_asked, is_well;
	unsigned successes, failures; /* in a row */
	uint64_t asked_us;            /* when it was last answered; wall clock */
	const char *said;             /* the answer; lives as long as the probe */
};
void probe_tell(const struct probe *probe, struct probe_report *report);

#endif
