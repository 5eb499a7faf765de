/*
 * What the operator is told: one entry of the event stream.
 * Plain data: the engine keeps the newest of them in shared memory as they are.
 */
#ifndef MODEL_NOTICE_H
#define MODEL_NOTICE_H

#include <stdint.h>

#include "model/death.h"

enum notice_kind {
	NOTICE_STARTED,
	NOTICE_READY,
	NOTICE_EXITED,
	NOTICE_BACKOFF,
	NOTICE_STOPPING,
	NOTICE_STOPPED,
	NOTICE_COMPLETED,
	NOTICE_FAILED,
	NOTICE_FATAL,
	NOTICE_SCALED,
	NOTICE_UNHEALTHY,
	NOTICE_LIMIT,
	NOTICE_SKIPPED,
	NOTICE_ENGINE,  /* the engine itself: started again, logs on a full disk … */
	NOTICE_BLOCKED, /* an event loop of its process has not gone round for a while */
	NOTICE_COUNT
};
const char *notice_name(enum notice_kind kind); /* "started" … */

struct notice {
	uint64_t seq;   /* 1, 2, 3, …: no gap, ever */
	uint64_t ts_us; /* wall clock */
	uint8_t kind;
	uint8_t cause;    /* of enum cause; CAUSE_NONE where it means nothing */
	int16_t code;     /* exit status or -1 */
	int16_t signal;   /* or 0 */
	char service[64]; /* "" for the engine */
	uint32_t instance;
	int32_t pid;        /* or 0 */
	uint32_t restarts;  /* of all kinds, so far */
	uint32_t delay_ms;  /* of backoff */
	uint64_t uptime_ms; /* of exited */
	char detail[DEATH_DETAIL_SIZE];
};

#endif
