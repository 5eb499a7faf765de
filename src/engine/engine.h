/*
 * The engine: everything that happens to the project's processes goes through here.
 *
 * One road: something happens → engine_report() → queue → the pure model → effects, and what
 * changed is committed to the store and told to the listener. No callback of libuv decides anything.
 * Loop thread only; the sampling thread is given values and returns values.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "engine/cgroup.h"
#include "engine/eager.h"
#include "engine/journal.h"
#include "engine/keeper_link.h"
#include "engine/member.h"
#include "engine/notify.h"
#include "engine/recorder.h"
#include "engine/roster.h"
#include "engine/sampler.h"
#include "engine/store.h"
#include "model/crowd.h"
#include "model/project.h"

struct message; /* of wire/message.h */
struct pool;    /* of pool.h */

/* The server: it is told after the store knows. */
struct engine_listener {
	void *context;
	void (*on_changed)(void *context, struct member *member);
	void (*on_removed)(void *context, const char *service, unsigned instance);
	void (*on_notice)(void *context, const struct notice *notice);
	void (*on_logged)(void *context, struct member *member, enum stream stream);
	void (*on_sampled)(void *context);
	/* what came from its process, or went to it; only while somebody reads it */
	void (*on_mail)(void *context, struct member *member, bool is_incoming, const struct message *message);
	/* it reads again, after channel_wants_pause */
	void (*on_room)(void *context, struct member *member);
	/* it has answers, or room */
	void (*on_pool)(void *context, struct pool *pool);
	void (*on_over)(void *context); /* all is stopped */
};

struct door; /* of door.h */

/* Something that waits in the queue. */
struct happening {
	enum deed {
		DEED_EVENT,
		DEED_SPAWN,   /* its process is to be brought about */
		DEED_LOST,    /* its process is gone, and no record of its end has come */
		DEED_OVERDUE, /* a deadline has passed */
		DEED_EVICT,
		DEED_PASS, /* through a gate */
		DEED_SHUT,
		DEED_WARN,
		DEED_OVERLAP, /* its run is due, and no instance is free */
		DEED_COUNT
	} deed;
	uint32_t seat;
	uint32_t life; /* what is about one life means nothing to the next; 0: any */
	enum event event;
	enum cause cause; /* of a stop, restart or eviction */
	enum gate gate;
	bool is_ordered, at_once, is_final; /* of an eviction */
	char why[DEATH_DETAIL_SIZE];
};

struct engine {
	uv_loop_t *loop; /* borrowed */
	struct keeper_link keeper;
	struct store *store; /* borrowed from the keeper's memory */
	struct project project;
	struct member *members[STORE_SEATS]; /* owned; by seat */
	struct output *outputs;              /* all that are open, linked */
	struct helper *helpers;              /* all that run, linked */
	struct watch *watches;               /* of services' files, linked */
	struct channel *posted;              /* channels with messages that are sent at the end of the turn, linked */
	struct pool *pools;                  /* of services with `pool`, linked */
	unsigned mail_readers;               /* who want to be told of messages */
	struct door *doors[STORE_SOCKETS];   /* owned; sockets that listen for services */
	unsigned door_count;
	uint64_t cluster_serial; /* of what is said to workers */
	uv_prepare_t turn;       /* the loop is about to wait */
	struct eager eager;      /* … and is not to, as long as answers to tasks come at once */
	struct notify notify;
	struct journal journal;
	struct recorder recorder;
	struct roster roster;
	struct cgroup cgroup;
	struct sampler sampler;
	struct engine_listener listener;
	char *state_dir;         /* owned; $THRUM_STATE_DIR/PROJECT */
	char *runtime_dir;       /* owned; $THRUM_RUNTIME_DIR/PROJECT */
	struct happening *queue; /* owned */
	size_t queue_count, queue_room;
	bool is_draining, graph_dirty, is_over;
	bool is_orphaned;       /* the keeper is gone, and we could not take its place */
	uint64_t stuck_reasons; /* bit set of errnos for which logs could not be written; each said once */
	uint64_t started_us;    /* wall clock: this engine process */
	uv_poll_t wake;         /* an exit was recorded */
	uv_poll_t keeper_hangup;
	uv_timer_t retry;  /* logs that could not be written */
	uv_timer_t end;    /* all is killed then */
	uv_timer_t forget; /* services that have left */
	uv_timer_t limit_timer;
	uint64_t cap_told_us; /* that logs were over their cap; monotonic */
	uint64_t limit_ms;    /* what it runs at; 0: it does not */
	uv_poll_t clock_poll;
	int clock_fd;                       /* says that the wall clock was set; -1: nobody needs it */
	uint64_t passes_begun, passes_done; /* of the sampler */
	bool wants_chart;                   /* somebody has asked who talks to whom: for the next pass */
	struct crowd crowd;                 /* of crashes */
	uint32_t random;
};

/*
 * Take up what the keeper holds: the project as its first engine read it, or as the former one left it.
 * The listener must be set before.
 */
bool engine_open(struct engine *engine, uv_loop_t *loop, struct error *err);
/* Start what is to be started, and go on with what was under way. */
void engine_begin(struct engine *engine);
void engine_close(struct engine *engine);

/* Queue an event for an instance and see it through, with all that follows from it. */
void engine_report(struct engine *engine, struct member *member, enum event event);
void engine_report_for(struct engine *engine, struct member *member, enum event event,
	enum cause cause);

/* The end of its present life is wanted by something other than the operator. */
void engine_evict(struct engine *engine, struct member *member, const struct eviction *eviction);
/* What was waited for has come to its present life, or is gone again. */
void engine_pass(struct engine *engine, struct member *member, enum gate gate);
void engine_shut(struct engine *engine, struct member *member, enum gate gate, const char *why);
/* Tell that it is over a limit, and leave it at that. */
void engine_warn(struct engine *engine, struct member *member, const char *why);
/* A deadline of the instance has passed. */
void engine_overdue(struct engine *engine, struct member *member);
/* Put into the queue what a change of one instance means to another, without seeing it through. */
void engine_queue(struct engine *engine, const struct happening *happening);
/* … and when all that was put there is to be seen through. */
void engine_see_through(struct engine *engine);

/* Logs may have been moved away: look before the next byte is written. */
void engine_reopen_logs(struct engine *engine);

/* Measure all that run. Returns the number of the pass that will tell; 0: it cannot be done. */
uint64_t engine_sample(struct engine *engine);

/* Stop everything in reverse order, then tell on_over. timeout_ms: for all; 0: each its own. */
void engine_end(struct engine *engine, uint32_t timeout_ms);
/* The keeper is told that no other engine is to follow. */
void engine_say_goodbye(struct engine *engine);

/* A notice of the engine itself. */
void engine_tell(struct engine *engine, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL when there is none. */
struct member *engine_find(struct engine *engine, const char *service, unsigned instance);
/* By the main process that an instance has now. */
struct member *engine_find_pid(const struct engine *engine, pid_t pid);

/* Change how many instances a service has. New ones are started. */
bool engine_scale(struct engine *engine, struct service *service, unsigned count,
	struct error *err);

/* Add a service and start it. Takes the spec's contents over; it may get another name: "x-2". */
const char *engine_run(struct engine *engine, struct service_spec *spec, struct error *err);

/* Ended with a service failed or fatal? */
bool engine_is_fatal(const struct engine *engine);
/* What a run in the foreground ends with. */
int engine_status(const struct engine *engine);

/* Called by the parts. */
struct moment engine_moment(struct engine *engine);
struct member *engine_seat(struct engine *engine, struct service *service, uint32_t seat);
/* The process is there: the kernel wrote its pid into the life of this number. */
void engine_welcome(struct engine *engine, struct member *member, uint32_t life);
/* It has its slot until the process and its output have ended and nothing of its tree is left: looked at by each of them. */
void engine_settle_life(struct engine *engine, uint32_t index);
void engine_free_life(struct engine *engine, struct life *life);
void engine_write_death(struct engine *engine, struct member *member);
/* Those that could not be written; are there any still? */
bool engine_write_deaths(struct engine *engine);
struct member *engine_add_instance(struct engine *engine, struct service *service, unsigned index,
	struct error *err);
/* Begin what services want beside their processes: files and clocks that are watched. */
void engine_arrange(struct engine *engine);
void engine_logged(struct engine *engine, struct member *member, enum stream stream);
/* It rests as it did in a former run. */
void engine_recalled(struct engine *engine, struct member *member, const struct roster_row *row);
/* A process of a former run is in this life of the store now. */
void engine_adopted(
	struct engine *engine, struct member *member, uint32_t life, const struct roster_row *row, bool has_ended);
/* Its process is not there, and nobody wrote down how it ended: that is seen to next. */
void engine_lost(struct engine *engine, struct member *member);
void engine_changed(struct engine *engine, struct member *member, struct outcome *outcome);

#endif
