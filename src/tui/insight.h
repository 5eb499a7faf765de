/*
 * What goes on inside the process whose details are shown. It is asked for again and again, but only what
 * the tab on the screen shows, and only as long as it is there.
 */
#ifndef TUI_INSIGHT_H
#define TUI_INSIGHT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/inside.h"

struct ui;

enum { INSIGHT_QUESTIONS = 8,
	GAUGE_MOST = 60 };

/* A figure as it went of late: ring. */
struct gauge {
	double values[GAUGE_MOST];
	unsigned count; /* ever taken */
};

enum thread_order { THREADS_BY_CPU,
	THREADS_BY_TID,
	THREADS_BY_SWITCHES,
	THREADS_BY_ROLE,
	THREAD_ORDERS };

/* A process that has ended. */
struct day_life {
	unsigned instance;
	uint64_t started_us, ended_us; /* wall clock */
	bool is_crash;
};

struct insight {
	struct study study; /* owned; pid 0: not known yet */
	char why[256];      /* … since; or "" */
	json_t *pool;       /* owned; of the service, when its instances are a pool, or have some of libthrum's; else NULL */
	json_t *info;       /* owned, as the next one; NULL: not known yet */
	json_t *environment;
	json_t *map;
	json_t *peers;        /* those of all processes of the service, as in a map */
	struct day_life *day; /* owned; of the whole service in the last day, oldest first */
	size_t day_count;
	bool is_map; /* it is wanted in the IPC tab */
	struct gauge depth, busy;
	struct gauge depth_then, busy_then; /* … before the moment of the past that is shown */
	uint64_t asked_us[INSIGHT_QUESTIONS];
	bool is_waiting[INSIGHT_QUESTIONS]; /* for a reply */
	bool is_known[INSIGHT_QUESTIONS];   /* there was one */
	enum thread_order order;
};

/* Ask what is due. Called for every frame. */
void insight_follow(struct ui *ui);
/* Is there a reply still to come? */
bool insight_is_waiting(const struct insight *insight);
/* A reply, to which question; result is NULL when it was refused. False: it tells anew what was known. */
bool insight_take(struct ui *ui, unsigned question, const json_t *result, const char *why);
/* Something else is shown now: nothing of it is known yet. */
void insight_forget(struct ui *ui);

/* Are its instances a pool of processes? */
bool insight_is_pool(const struct insight *insight);
/* Libthrum's pool that number's turn it is, among those of the shown process; NULL: there is none. */
const json_t *insight_thread_pool(const struct ui *ui, int number);

void gauge_add(struct gauge *gauge, double value);
/* How many values there are, and one of them: 0 is the oldest. */
unsigned gauge_size(const struct gauge *gauge);
double gauge_at(const struct gauge *gauge, unsigned index);
double gauge_most(const struct gauge *gauge);

#endif
