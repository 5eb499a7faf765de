/*
 * One instance as every client sees it: the row of `ps`, of the dashboard's table and of
 * `update` on the control socket, both directions. Unknown figures are null, never 0.
 */
#ifndef PROTOCOL_ROW_H
#define PROTOCOL_ROW_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "model/death.h"
#include "model/instance.h"
#include "model/metric.h"
#include "model/notice.h"
#include "model/sample.h"
#include "model/state.h"

enum { ROW_NAMESPACES_SIZE = 96 /* what is more is left out */ };

struct row {
	char service[64];
	unsigned instance;
	enum state state;
	char namespaces[ROW_NAMESPACES_SIZE]; /* with commas between; or "" */
	bool wanted;                          /* up */
	bool is_reloading;                    /* its turn in a rolling reload has still to come, or it stands in for others meanwhile */
	bool is_getting_ready;                /* it runs, and something that tells when it is ready has still to come */
	bool is_pool;                         /* a worker of a pool of processes … */
	bool is_draining;                     /* … which takes no more tasks */
	int32_t pid;                          /* 0: none */
	uint32_t life;                        /* 1 for the first process of this instance; 0: none yet */
	uint64_t since_us;                    /* wall clock: in this state since */
	uint64_t started_us;                  /* wall clock: this process, or 0 */
	uint64_t uptime_ms;                   /* at the time of sending; 0 without a process */
	uint64_t
		deadline_us; /* wall clock: when the timer of this state goes off (backoff: next try;
				 stopping: KILL), or 0 */
	uint32_t leftovers;  /* processes of the tree that outlived the main one */
	struct restart_counts restarts;
	struct sample sample; /* pid 0: never sampled */
	bool has_last_death;
	struct death last_death;
	struct traffic {
		bool is_known;                         /* it has a channel */
		uint64_t in, out, in_bytes, out_bytes; /* messages and bytes; in: from the process */
		uint64_t queued;                       /* bytes that it has not read */
		uint64_t errors;                       /* lines that were no JSON */
		double in_rate, out_rate;              /* messages a second of late; below 0: not known */
		uint64_t connections;                  /* that it was handed, as a cluster's worker */
		struct metrics metrics;                /* that it tells of itself */
	} ipc;
	char detail[DEATH_DETAIL_SIZE]; /* why it is in this state, where that helps; or "" */
};

/* The identity of a process as a client saw it: an action on it never hits a successor. */
struct identity {
	char service[64];
	unsigned instance;
	uint32_t life;
};

/* If there is room for it, whole. */
void row_add_namespace(struct row *row, const char *name);
/* Is it in this one? */
bool row_is_in_namespace(const struct row *row, const char *name);

json_t *row_to_json(const struct row *row);
bool row_from_json(struct row *row, const json_t *json, struct error *err);

/* The part of a row that a `sample` notification carries: {"service","instance","pid","cpu_pct",…}; ipc may be NULL. */
json_t *sample_to_json(const char *service, unsigned instance, const struct sample *sample, const struct traffic *ipc);
/* Takes what is there into row->sample. */
void sample_from_json(struct row *row, const json_t *json);

json_t *death_to_json(const char *service, unsigned instance, const struct death *death);
/* How many of them a request for the history asks for. */
size_t deaths_asked_for(const json_t *params);
bool death_from_json(struct death *death, const json_t *json, struct error *err);

/* {"ts","kind":"event","event",…,"seq"}: as in headless output. Fields that mean nothing are null. */
json_t *notice_to_json(const struct notice *notice);
bool notice_from_json(struct notice *notice, const json_t *json, struct error *err);

#endif
