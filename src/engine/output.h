/*
 * What children print: from their pipes into the logs, as it comes and never more at a time than
 * is fair to the others. Loop thread only.
 */
#ifndef ENGINE_OUTPUT_H
#define ENGINE_OUTPUT_H

#include "engine/engine.h"
#include "engine/terminal.h"

/* The reading end of one output stream of one life. */
struct output {
	struct engine *engine; /* borrowed */
	struct output *next;
	uint32_t life;
	uint32_t seat;
	enum stream stream;
	int32_t pid;
	int fd;                    /* owned; of a pipe */
	struct terminal *terminal; /* owned; whose output comes by that pipe; NULL: there is none */
	bool is_stalled;           /* the log cannot take more now; the child waits */
	bool is_wide;              /* the pipe was enlarged: its writer is fast */
	bool is_resting;           /* not watched until the timer goes off: let it fill */
	unsigned littles;          /* takes of a few bytes, one right after the other */
	uint64_t taken_us;         /* when bytes were last taken; monotonic */
	uv_timer_t *rest;          /* owned; NULL: it never needed one */
	unsigned open_handles;     /* freed when all are closed */
	bool is_closing;
	uv_poll_t poll;
};

/*
 * Watch a pipe, which is taken over; it is closed when no writer is left. terminal: whose output
 * comes by that pipe, taken over too; or NULL.
 */
void output_open(struct engine *engine, uint32_t life, enum stream stream, int fd,
	struct terminal *terminal);

/* The terminal of a member's present process; NULL: it has none. */
struct terminal *output_terminal(const struct engine *engine, const struct member *member);

/* Its instance is forgotten: close the pipe, whoever may still write. */
void output_abandon(struct output *output);

/* Try the stalled ones again. True: some still are. */
bool output_retry(struct engine *engine);
/* What could not be written, of logs and of the history, is tried again every second until it is. */
void output_retry_later(struct engine *engine);

/* Take what is in the pipes of this life now: before its end is told. */
void output_drain(struct engine *engine, uint32_t life);

#endif
