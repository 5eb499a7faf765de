/* An instance at run time: the model's facts and what the loop has open for it. */
#ifndef ENGINE_MEMBER_H
#define ENGINE_MEMBER_H

#include <stdbool.h>
#include <uv.h>

#include "engine/logfile.h"
#include "model/instance.h"
#include "model/project.h"
#include "model/sample.h"

struct engine;
struct recording;

enum stream { STREAM_OUT,
	STREAM_ERR,
	STREAM_COUNT };
const char *stream_name(enum stream stream); /* "stdout" "stderr" */

struct member {
	struct engine *engine; /* borrowed */
	uint32_t seat;
	struct instance now; /* the working copy; committed after each event */
	uv_timer_t timer;    /* of now.deadline_ms */
	uint64_t armed_ms;   /* what the timer is set to; 0: not running */
	struct logfile logs[STREAM_COUNT];
	bool logs_open;
	int32_t life;       /* index of the present process's life; -1: none */
	unsigned kills;     /* how often the present stop has sent SIGKILL */
	unsigned leftovers; /* processes of its tree that outlived the main one */
	struct sample sample;
	bool wants_study;            /* somebody has asked what goes on inside it … */
	bool wants_holdings;         /* … and what it holds */
	bool is_blocked_told;        /* that its event loop is blocked */
	uint32_t noted;              /* what the roster says of it, in short … */
	uint32_t noted_life;         /* … and of which life */
	uint32_t recorded_life;      /* whose last words the recorder has from us; 0: none's */
	struct study *study;         /* the last one; owned, with what is in it; NULL: none */
	struct journald *journald;   /* owned; of log.journald, the same */
	struct derived *derived;     /* owned; of log.file, once it was written */
	struct attendant *attendant; /* owned; of the present process; NULL: it needs none */
	struct channel *channel;     /* owned; to the present process; NULL: it has none */
	struct worker *worker;       /* owned; what a cluster's worker was handed; NULL: nothing */
	char *status;                /* owned; what it said of itself by sd_notify; NULL: nothing */
	struct recording *recording; /* owned; NULL: was never measured */
};

/* The member that an instance of the project's table is part of: it always is. */
struct member *member_of(struct instance *instance);

/* The service of a member; the pointer lives until a service is added. */
struct service *member_service(const struct member *member);
const struct service_spec *member_spec(const struct member *member);

struct member *member_create(struct engine *engine, uint32_t seat);
/* Closes everything; freed once the loop has let go of it. */
void member_destroy(struct member *member);

/* Open its logs, unless they are. */
bool member_open_logs(struct member *member, struct error *err);

/* Its service says otherwise when they are rotated. */
void member_limit_logs(struct member *member);
/* Before its next life: close them, if they are to be elsewhere and nobody writes to them any more. */
void member_renew_logs(struct member *member);

/* More time for what is under way: starting, running or stopping. */
void member_extend(struct member *member, uint64_t extension_ms);

/* Set the timer to what now.deadline_ms says. */
void member_arm(struct member *member);

#endif
