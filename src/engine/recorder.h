/*
 * The flight recorder: what a process wrote last and how it was measured last, kept with its death in
 * deaths.jsonl beside the history, one JSON line each. That file and the one before it have
 * RECORDER_MOST bytes each at the most; a death that is older is in the history without its record.
 * Nothing is measured for it: samples are those that somebody asked for. Loop thread only.
 */
#ifndef ENGINE_RECORDER_H
#define ENGINE_RECORDER_H

#include <jansson.h>

#include "base/error.h"
#include "engine/ledger.h"
#include "engine/member.h"

enum { RECORDER_MOST = 4 * 1024 * 1024,
	RECORDER_KEY_SIZE = 256,
	RECORDER_SAMPLES = 60,
	RECORDER_STEP_MS = 900,      /* samples that follow sooner are left out */
	RECORDER_SPAN_MS = 120000 }; /* samples from before that say nothing of the end */

/* Each instance that is measured has a ring of these: no larger than need be. */
struct recorded_sample {
	uint32_t tenths;  /* of a second, since the recording began */
	uint32_t rss_kib; /* UINT32_MAX: not known */
	float cpu_pct;
};

/* The newest samples of one process. */
struct recording {
	int32_t pid;
	unsigned count;    /* ever taken */
	uint64_t began_us; /* wall clock */
	struct recorded_sample samples[RECORDER_SAMPLES];
};

struct recorder {
	struct ledger ledger;
	char newest[RECORDER_KEY_SIZE]; /* how the newest line of a former engine began */
};

void recorder_open(struct recorder *recorder, const char *dir);
void recorder_close(struct recorder *recorder);

/* Its process was measured. */
void recorder_sample(struct member *member, const struct sample *sample, uint64_t now_us);

/* Keep the record of the member's last death; one that a former engine has kept is not kept again. */
bool recorder_add(struct recorder *recorder, const struct member *member, struct error *err);

/* {"lines":[…],"samples":[{"ts","cpu_pct","rss"}]}: NULL when it is not kept any more. */
json_t *recorder_read(const struct recorder *recorder, const char *service, unsigned instance,
	const struct death *death);

#endif
