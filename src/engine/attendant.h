/*
 * What stands beside a running process: it waits for the signs that the process is ready, keeps its
 * probes and counts how often it was over its limits. There is none for a process that needs none.
 * Loop thread only.
 */
#ifndef ENGINE_ATTENDANT_H
#define ENGINE_ATTENDANT_H

#include "engine/engine.h"
#include "engine/probe.h"

struct attendant {
	struct member *member; /* borrowed; it is gone before the member is */
	uint32_t life;
	bool has_limits;
	struct probe *probes[PROBE_ROLE_COUNT]; /* owned; NULL: not asked now */
	struct pattern *pattern;                /* owned; of ready.log, until it was seen */
	struct log_search *searches;            /* owned; one a stream, with the pattern */
	struct ready_pipe *pipe;                /* owned; of ready.notify: fd */
	struct limit_count {
		unsigned streak;     /* samples in a row that were over */
		uint64_t counted_us; /* the last of them; monotonic */
		bool is_told;        /* of a warning: once for each time it goes over */
	} limits[LIMITS_MOST];
};

/*
 * The member's process has begun, or a new engine takes it up. ready_fd: the reading end
 * on which it says that it is ready, or -1; taken over. is_new: what it printed before does not count.
 */
void attendant_begin(struct member *member, int ready_fd, bool is_new);
/* Something about the member has changed: ask what is to be asked now, or end. */
void attendant_update(struct member *member);
void attendant_end(struct member *member);
/* Its service may have other limits or probes now. */
void attendant_renew(struct member *member);

/* Its log has grown. */
void attendant_logged(struct member *member, enum stream stream);

#endif
