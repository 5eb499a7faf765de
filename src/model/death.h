/* One ended process, and how it ended. Plain data: it is kept in shared memory as it is. */
#ifndef MODEL_DEATH_H
#define MODEL_DEATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why it ended, in the contract's words. */
enum cause {
	CAUSE_NONE,
	CAUSE_EXIT,
	CAUSE_SIGNAL,
	CAUSE_CORE,
	CAUSE_OOM,
	CAUSE_LIMIT,
	CAUSE_PROBE,
	CAUSE_WATCHDOG,
	CAUSE_MANUAL,
	CAUSE_WATCH,
	CAUSE_DEPENDENCY,
	CAUSE_RELOAD,
	CAUSE_COUNT
};

enum { DEATH_DETAIL_SIZE = 120,
	CAUSE_TEXT_SIZE = 24,
	DEATH_TEXT_SIZE = 48 };

struct death {
	uint32_t life; /* which life of the instance this was: 1, 2, … */
	int32_t pid;
	uint64_t started_us; /* wall clock */
	uint64_t ended_us;
	uint64_t uptime_ms;
	uint8_t cause;  /* of enum cause */
	int16_t code;   /* exit status, or -1 when a signal ended it */
	int16_t signal; /* or 0 */
	bool core;
	uint64_t peak_rss;              /* bytes; 0: not known */
	uint64_t cpu_ms;                /* user and system */
	char detail[DEATH_DETAIL_SIZE]; /* "exec ./api: No such file or directory", or "" */
};

/* "exit 3", "signal SEGV", "core", "manual" … */
void death_describe(char out[CAUSE_TEXT_SIZE], const struct death *death);
const char *cause_name(enum cause cause);
/* Its own doing, or the kernel's; not that of the operator or of one of our rules. */
bool cause_is_own(enum cause cause);
/* Where nobody has said which statuses mean success: by itself, and not with status 0. */
bool death_is_crash(const struct death *death);
/* The same, and how the process itself ended: "manual (TERM)", "signal SEGV (core)". */
void death_explain(char out[DEATH_TEXT_SIZE], const struct death *death);

#endif
