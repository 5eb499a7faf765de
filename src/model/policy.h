/*
 * When a process that ended is started again, and after which pause.
 * Pure arithmetic on what is told: nothing here sleeps, allocates or asks for the time.
 */
#ifndef MODEL_POLICY_H
#define MODEL_POLICY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/death.h"

enum restart_mode {
	RESTART_NO,
	RESTART_ON_FAILURE,
	RESTART_ALWAYS,
	RESTART_UNLESS_STOPPED,  /* always: a stop by the operator wins over every mode */
	RESTART_EXIT_ON_FAILURE, /* a failure ends the whole project */
	RESTART_MODE_COUNT
};
const char *restart_mode_name(enum restart_mode mode); /* "on_failure" … */

enum { POLICY_CODES_MOST = 16,
	POLICY_CRASHES_MOST = 32 };
#define POLICY_UNLIMITED UINT_MAX /* max_restarts: unlimited */

/* Exit codes and signals: 78, or -6 for SIGABRT. */
struct exit_set {
	int16_t items[POLICY_CODES_MOST];
	unsigned count;
};

struct restart_policy {
	enum restart_mode mode;
	uint32_t initial_ms;     /* pause after the first life that was too short */
	double factor;           /* each further one in a row waits this much longer */
	uint32_t max_ms;         /* never wait longer than this */
	unsigned jitter_percent; /* spread the pause by up to this, either way */
	uint32_t min_uptime_ms;  /* a life this long is no crash loop: restart at once */
	unsigned max_restarts;   /* restarts granted within the window, the next crash is fatal; or
				    POLICY_UNLIMITED. Beyond POLICY_CRASHES_MOST the windows follow
				    each other instead of sliding */
	uint32_t window_ms;
	uint32_t fatal_retry_ms; /* 0: never try again by itself */
	struct exit_set success; /* codes that count as success; {0} */
	struct exit_set prevent; /* never restart after these */
	bool exit_on_end;        /* the end of its last life ends the whole project … */
	bool exit_on_skipped;    /* … or that it never had one */
};

void restart_policy_init(struct restart_policy *policy); /* the contract's defaults */

/* What an instance remembers of its crashes. Zeroed is "none". */
struct crash_memory {
	unsigned short_lives; /* lives under min_uptime in a row */
	unsigned evictions;   /* in the window that began … */
	uint64_t evicted_ms;  /* … then */
	unsigned count;       /* of crashes in times[] */
	/* the newest restarts granted, oldest first: the low half of the time, since there are three
	   of these for each instance, and what is older than 49 days is no news */
	uint32_t times_ms[POLICY_CRASHES_MOST];
};

enum verdict {
	VERDICT_COMPLETED, /* ended well and is not wanted again */
	VERDICT_FAILED,    /* ended badly and is not wanted again */
	VERDICT_FATAL,     /* crashed too often */
	VERDICT_AGAIN,     /* start again at once */
	VERDICT_BACKOFF,   /* start again after delay_ms */
};

struct judgement {
	enum verdict verdict;
	uint32_t delay_ms;
};

/* Is this ending a success? (A signal never is.) */
bool policy_is_success(const struct restart_policy *policy, const struct death *death);

/*
 * Judge an ending that nobody asked for, and remember it. Times are monotonic;
 * random is any number: it spreads the pause.
 */
struct judgement policy_judge(const struct restart_policy *policy,
	struct crash_memory *memory, const struct death *death,
	uint64_t now_ms, uint32_t random);

/*
 * Judge an ending that a probe, a limit or the watchdog brought about: it is a failure, whatever
 * the exit status. Counted apart from crashes, against the same max_restarts and window.
 * is_ordered: it is to be restarted whatever the mode says.
 */
struct judgement policy_judge_eviction(const struct restart_policy *policy,
	struct crash_memory *memory, const struct death *death, bool is_ordered,
	uint64_t now_ms, uint32_t random);

/* An operator's start or restart, or a retry after `fatal`, forgives everything. */
void crash_memory_reset(struct crash_memory *memory);

#endif
