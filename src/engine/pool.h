/*
 * Process pools at run time: tasks come from submissions, go down the channels of a service's instances, and their
 * answers go back to who submitted them. What was taken is in a file (pool-NAME.tasks in the state
 * folder) before anybody is told that it was, and so is each answer: after a sudden death of the engine tasks that are not answered run,
 * perhaps once more, and no submitter gets a second answer. The message format is that of Node's usual pools:
 *   {"type":"task","payload":{…,"id":N}} → {"type":"task_complete","taskId":N,"result":…}
 *                                        or {"type":"task_error","taskId":N,"error":"…"}
 * Loop thread only.
 */
#ifndef ENGINE_POOL_H
#define ENGINE_POOL_H

#include "base/text.h"
#include "engine/engine.h"
#include "model/task_pool.h"
#include "wire/message.h"

enum {
	SUBMISSION_ID_SIZE = 64,
	POOL_RESULTS_MOST = 64 * 1024 * 1024, /* bytes of answers that are kept for one submitter */
	POOL_LOST_MS = 60 * 1000,             /* a submitter that is gone may come back for so long */
};

struct pool;

/* Tasks of one client; it survives both its client's connection and the engine. */
struct submission {
	struct submission *next;
	struct pool *pool;
	uint32_t number;
	char id[SUBMISSION_ID_SIZE];
	uint64_t accepted, answered, failed;
	bool is_ended;     /* no more tasks come */
	bool is_told;      /* … which its client knows: nobody comes back for it */
	bool is_cancelled; /* those that come are not run */
	bool wants_results;
	bool is_overfull;    /* some answers were dropped: nobody took them */
	struct text results; /* lines, as its client gets them */
	size_t told;         /* bytes of them that were handed to the reader */
	void *reader;        /* the server's; NULL: nobody is there */
	uint64_t lost_ms;    /* since then; monotonic */
};

struct pool {
	struct pool *next;
	struct engine *engine;
	char service[64];
	struct task_pool tasks;
	struct submission *submissions; /* linked, owned */
	int fd;                         /* of the file; -1: it cannot be written */
	struct text journal;            /* what is still to be written to it */
	uint64_t journal_size;
	struct origin origin; /* the run whose tasks are counted */
	uint64_t dropped;     /* of those that failed: nobody had begun with them */
	uint64_t last_id;
	uint32_t last_submission;
	struct handed_out {
		uint64_t id;
		uint32_t seat;
	} * fresh; /* in this turn; owned */
	size_t fresh_count, fresh_room;
	bool is_dirty, has_complained;
	uint64_t held_us; /* something waits to be written and told since; 0: nothing does */
	uv_timer_t hold;  /* … and is, when this goes off */
	uv_timer_t timer;
};

/* The pool of a service; made when it is needed. NULL: it is none. */
struct pool *pool_of(struct engine *engine, struct service *service);

/* After a start, before any message is acted on. */
void pool_restore_all(struct engine *engine);
/* An instance has changed: it takes tasks now, or no more. */
void pool_consider(struct member *member);
/* Its channel is being closed. */
void pool_ended(struct member *member);
/* A taker of mail. */
bool pool_take(struct member *member, const struct message *message);
/* All that has come from it is acted on: what it has room for is sent now, and it works while others are listened to. */
void pool_refill(struct member *member);
/* What a worker of a pool has to do; what waits is told of the first one alone, so that sums are right. */
void pool_measure(const struct member *member, struct inside *inside);
/* Its instances can do without it: the service is not there any more. */
void pool_close_all(struct engine *engine);

/* Around the sending of what was posted in a turn: hand out and write down; then tell. */
void pool_before_sending(struct engine *engine);
void pool_after_sending(struct engine *engine);
/* Has anything come of that which is to be seen to in this turn too? */
bool pool_is_dirty(const struct engine *engine);

/* Begin one, or, with an id that is known, go on with it. */
struct submission *pool_submit(struct pool *pool, const char *id, bool wants_results, struct error *err);
/* A task of it; payload is JSON. timeout_ms 0: the pool's. False: refused, with the reason. */
bool pool_add(struct submission *submission, struct span payload, unsigned priority, uint32_t timeout_ms,
	struct error *err);
void pool_end_submission(struct submission *submission);
/* Is all of it written down, as far as it was to be? */
bool pool_is_kept(const struct pool *pool);
/* Its reader has gone. */
void pool_lose(struct submission *submission);
/* All is told; or nobody wants to know. */
void pool_forget(struct submission *submission);
/* So many bytes of its results were handed on. */
void pool_told(struct submission *submission, size_t size);
/*
 * What waits of these tasks is answered with an error, and so is what still comes of a submission. How many there were;
 * running: how many are being worked on, which goes on.
 */
uint64_t pool_cancel(struct pool *pool, const struct task_filter *filter, uint64_t *running);
/* The one of that id that is under way; or NULL. */
struct submission *pool_find_submission(const struct pool *pool, const char *id);
/* Take no more tasks, or some again; the listener is told of its workers. */
void pool_drain(struct pool *pool, bool is_on);
/* Of the pool that this is a worker of. */
bool pool_is_draining(const struct member *member);

#endif
