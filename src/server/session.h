/*
 * One client: its requests in, replies and notifications out. Everything a session
 * sends and receives is bounded; a client that does not read is disconnected.
 */
#ifndef SERVER_SESSION_H
#define SERVER_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "engine/engine.h"
#include "wire/lines.h"

enum {
	SESSIONS_MOST = 64,
	SESSION_QUEUE_MOST = 4 * 1024 * 1024, /* bytes that may wait for a slow client */
	SESSION_LISTS_MOST = 8,               /* `list` requests that may wait for a sample */
};

struct session;

/* What all sessions share. */
struct hall {
	struct engine engine;
	struct past *past;                  /* of past.h; owned */
	struct kept *kept;                  /* of kept.h; owned */
	struct told_sample *told_samples;   /* of samples.h; owned; by seat; NULL: nobody was told */
	struct asker *askers;               /* of mail.h; linked; who wait for answers from processes */
	struct stack_reader *stack_readers; /* of stack.h; linked; who wait for stacks */
	uv_loop_t loop;
	uv_poll_t listener;
	uv_timer_t accept_timer; /* no descriptor was free: clients wait until it goes off */
	int listener_fd;
	struct session *sessions; /* linked; owned until closed */
	unsigned session_count;
	uv_timer_t sample_timer;
	uv_timer_t tidy_timer;  /* memory that requests left free goes back to the system then */
	uint64_t sample_ms;     /* what the timer runs at; 0: it does not */
	bool is_sample_due;     /* it went off: the next pass is told of */
	uv_timer_t owner_timer; /* the owner is lost: all is stopped then */
	uv_timer_t leave_timer; /* all is stopped: nobody asks for logs any more */
	uv_signal_t sigterm, sigint, sigusr2;
	uint64_t told_to_end_ms; /* by a signal, the first time; monotonic; 0: never */
	bool is_leaving;
};

/* A `list` or `inspect` that waits for the next pass of the sampler. */
struct waiting_list {
	json_t *id;                                                 /* owned */
	json_t *params;                                             /* owned */
	uint64_t pass;                                              /* the first pass that will do */
	json_t *(*answer)(struct session *session, json_t *params); /* NULL: there is none any more */
};

struct session {
	struct hall *hall;
	struct session *next;
	uv_pipe_t pipe;
	struct lines lines;
	struct text staged; /* a configuration that it sends */
	bool is_closing;
	bool is_subscribed, wants_samples, wants_logs, is_owner;
	bool wants_pieces;  /* short messages: rows one by one, of samples what has changed */
	bool knows_samples; /* of those of all instances, as they were */
	uint64_t sample_ms;
	uint8_t told[STORE_SEATS * STREAM_COUNT / 8 + 1]; /* bit: growth of this log was said */
	struct waiting_list lists[SESSION_LISTS_MOST];
	unsigned list_count;
	struct tasks *tasks;        /* of tasks.h; owned; NULL: it does not submit */
	struct mail_stream *stream; /* of mail.h; owned; NULL: its lines are requests */
	struct mail_filter *mail;   /* of mail.h; owned; NULL: it does not read messages */
};

/* Takes the descriptor over. */
void session_open(struct hall *hall, int fd);
void session_close(struct session *session);

/* Both steal the value. */
void session_notify(struct session *session, const char *method, json_t *params);
void session_reply(struct session *session, json_t *id, json_t *result);
/* … with bytes behind it, which it says how many are; they are taken over. */
void session_reply_raw(struct session *session, json_t *id, json_t *result, struct text *raw);
void session_refuse(struct session *session, json_t *id, int code, const char *text);

/* Lines that are ready to be sent. */
void session_write(struct session *session, const char *bytes, size_t size);
/* It may take lines again. */
void session_go_on(struct session *session);
/* Bytes that it has not read yet. */
size_t session_waiting(const struct session *session);

void session_told_set(struct session *session, const struct member *member, enum stream stream,
	bool is_told);
bool session_told(const struct session *session, const struct member *member, enum stream stream);

/* The sampler is to run as often as the most eager session wants. */
void hall_arrange_sampling(struct hall *hall);
/* Something large may have been answered: tidy up once it is quiet. */
void hall_tidy_later(struct hall *hall);
/* End this process once what was answered is sent; the keeper starts another engine. */
void hall_end_engine(struct hall *hall);
/* The foreground client is there, or lost. */
void hall_owner_came(struct hall *hall, uint64_t linger_ms);
void hall_owner_left(struct hall *hall);
/* The last client is gone: at the end, that is the end. */
void hall_left(struct hall *hall);
/* A client is still reading: do not leave yet. */
void hall_stay(struct hall *hall);
/* What clients are told when all is stopped. */
json_t *hall_bye(const struct hall *hall);

#endif
