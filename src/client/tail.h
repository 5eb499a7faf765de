/*
 * Reads logs through the engine: every byte once, by offset, however the engine and the connection
 * come and go. The caller runs the connection; one request a stream is under way at a time.
 */
#ifndef CLIENT_TAIL_H
#define CLIENT_TAIL_H

#include <jansson.h>
#include <stdbool.h>

#include "client/assemble.h"
#include "client/link.h"

/* One stream of one instance. */
struct tail_stream {
	char service[64];
	unsigned instance;
	bool is_err;
	uint64_t offset;    /* the next byte to ask for */
	json_int_t request; /* under way; 0: none */
	bool is_grown;      /* to be asked, when nothing else is in the way */
	uint64_t until;     /* it is read no further than here, whatever else there is; 0: to its end */
	bool is_full;       /* the taker has enough of it for now: it is not asked until tail_go_on */
	struct assembly assembly;
};

/* A whole line. */
struct tail_line {
	const struct tail_stream *stream;
	int32_t pid;
	uint64_t time_us;
	const char *text;
	size_t size;
};

/*
 * Requests under way for all streams together: their replies must not wait in the engine in such
 * a number that it takes us for a client that does not read.
 */
enum { TAIL_REQUESTS_MOST = 4 };

struct tail {
	struct tail_stream *streams; /* owned */
	size_t count;
	size_t turn;   /* where to look first for who is to be asked next: all get their turn */
	bool is_held;  /* the taker has enough for now: nothing is asked */
	bool from_run; /* new streams begin where this run of the project began; else at their end */
	void (*take)(void *context, const struct tail_line *line);
	/* bytes were rotated away before they could be read; may be NULL */
	void (*lose)(void *context, const struct tail_stream *stream, uint64_t bytes);
	void *context;
};

void tail_finish(struct tail *tail);

/* The one that is described so; NULL: it is not known. */
struct tail_stream *tail_find(const struct tail *tail, const json_t *description);
/* A stream as log.list, or a `log` notification, describes it. NULL: it makes no sense. */
struct tail_stream *tail_know(struct tail *tail, const json_t *description);

/* It has grown, or may have: ask for what is new. */
void tail_ask(struct tail *tail, struct tail_stream *stream, struct link *link);

/* The taker has enough, or can take more again. */
void tail_hold(struct tail *tail, bool is_held, struct link *link);

/* The taker has room for more of this one. */
void tail_go_on(struct tail *tail, struct tail_stream *stream, struct link *link);

/* An engine that has stopped everything waits for those who still read: say that we do. */
void tail_remind(const struct tail *tail, struct link *link);

/* All of them may have grown. */
void tail_ask_all(struct tail *tail, struct link *link);

/* After a reconnection: every stream is asked again from where it was. */
void tail_resume(struct tail *tail, struct link *link);

/* A reply of log.read. False: it is not one of ours. */
bool tail_reply(struct tail *tail, const json_t *reply, struct link *link);

/* Is something of this one under way, or to be asked? */
bool tail_is_awaited(const struct tail_stream *stream);
/* Of none of them? */
bool tail_is_idle(const struct tail *tail);

/* Lines without an end come out as they are, but for those of which there is more that was not read. */
void tail_end(struct tail *tail);

#endif
