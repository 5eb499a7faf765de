/*
 * Measures the processes of the project: one pass over procfs at a time, in one long-lived thread
 * that is given values and returns values. Nothing is measured unless somebody asks.
 */
#ifndef ENGINE_SAMPLER_H
#define ENGINE_SAMPLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "inspect/chart.h"
#include "model/inside.h"
#include "model/sample.h"
#include "procfs/sweep.h"

struct sampler {
	uv_async_t done; /* a pass is over */
	void (*on_done)(void *context);
	void *context;
	pthread_t thread;
	bool has_thread, is_busy; /* loop thread only */
	bool is_asked_again;      /* a pass was asked for during one */
	pthread_mutex_t lock;     /* guards the rest */
	pthread_cond_t given;
	bool has_work, is_ending;
	struct sweep_target *targets;
	uint32_t *seats;        /* whose they are */
	struct sample *samples; /* what came of it; pid 0: gone */
	struct study *studies;  /* of those that are to be looked into closely: pid is set; owned, with what is in them */
	size_t count, room;
	bool wants_chart;    /* who of those that are studied talks to whom … */
	int32_t left_out[2]; /* … but for these */
	struct chart chart;  /* … and what came of it */
	struct machine_sample machine;
	bool is_ok;
};

/* on_done is called in the loop thread when a pass is over; the fields are its own until the next. */
void sampler_init(
	struct sampler *sampler, uv_loop_t *loop, void (*on_done)(void *context), void *context);
void sampler_finish(struct sampler *sampler);

/* Before sampler_start, in a pass that is not running: who is to be measured. */
void sampler_clear(struct sampler *sampler);
void sampler_add(struct sampler *sampler, uint32_t seat, int32_t pid, unsigned wants, bool is_studied, bool with_holdings);

/* Begin a pass. False: no thread can be had. */
bool sampler_start(struct sampler *sampler);

#endif
