/* What the Logs tab reads: it asks the engine for the blocks that the window of lines wants, a few at a time. */
#ifndef TUI_LOGS_FEED_H
#define TUI_LOGS_FEED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tui/log_walk.h"

struct ui;

enum { FEED_REQUESTS = 4 }; /* under way; the engine takes us for one that does not read when there are very many */

struct feed_request {
	json_int_t id; /* 0: none */
	unsigned source;
	uint64_t number, offset; /* of the block; the first byte that was asked for */
};

struct log_feed {
	char names[512];    /* whose logs they are */
	uint64_t until_us;  /* … as far as they went then; 0: all */
	bool is_anew;       /* they are others than those that are shown */
	json_int_t listing; /* the request that asks for their streams; 0: none */
	unsigned left_out;  /* streams that are too many */
	struct feed_request requests[FEED_REQUESTS];
};

/* The logs of what is selected; if they are others than before, they are asked for. */
void feed_follow(struct ui *ui);
/* They are to be asked for again, and read on: it was paused. */
void feed_go_on(struct ui *ui);
/* The engine is another one: what was asked is asked again. */
void feed_forget(struct ui *ui);
/* A reply; false: it is not one of ours. */
bool feed_reply(struct ui *ui, const json_t *message);
/* A stream has grown. */
void feed_grown(struct ui *ui, const json_t *params);
/* Some milliseconds of what is to be done. False: nothing more can be done before something comes in. */
bool feed_work(struct ui *ui);

#endif
