/*
 * One slot of a service and everything that is known of it between two events.
 * Plain data without pointers: the engine keeps it in shared memory, where it outlives
 * the engine. Pure: it is told what happened and when, and says what is to be done.
 */
#ifndef MODEL_INSTANCE_H
#define MODEL_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/death.h"
#include "model/notice.h"
#include "model/policy.h"
#include "model/spec.h"
#include "model/state.h"

/* Lives after the first, counted apart by who or what caused them. */
struct restart_counts {
	uint32_t crash, manual, limit, probe, watch;
};

/* What has still to come before it is ready. */
enum gate {
	GATE_LOG = 1 << 0,
	GATE_MESSAGE = 1 << 1,
	GATE_NOTIFY = 1 << 2,
	GATE_FD = 1 << 3,
	GATE_STARTUP = 1 << 4,
	GATE_READINESS = 1 << 5,
	GATE_LISTENING = 1 << 6, /* a cluster's worker; it may never, and that is no failure */
	GATES_OF_READY = GATE_LOG | GATE_MESSAGE | GATE_NOTIFY | GATE_FD | GATE_LISTENING,
};

struct instance {
	char service[64];
	uint32_t index;
	uint8_t state;         /* of enum state */
	bool wanted;           /* up; always wins over a restart policy */
	bool removing;         /* scaled away: to be forgotten when it is over */
	bool beheaded;         /* the process ended, others of its tree have not */
	bool has_death;        /* death is set */
	bool death_unwritten;  /* … and not yet in the journal */
	bool is_evicted;       /* the end under way is a failure, whatever the exit status */
	bool is_ordered;       /* … after which it is restarted whatever the policy says */
	bool is_due_again;     /* its schedule came while it ran: once more, after this */
	bool is_to_reload;     /* its turn in a rolling reload has still to come */
	bool is_spare;         /* stands in for the others while they are reloaded */
	bool is_recalled;      /* rests as it did in a former run, or is to: a start of the project is none of it */
	uint8_t gates;         /* of enum gate; shut ones */
	uint8_t stop_cause;    /* of enum cause: who asked for the end that is under way, or NONE */
	uint32_t life;         /* of the present process, or of the last */
	int32_t pid;           /* 0: no process */
	uint64_t since_us;     /* in this state since; wall clock */
	uint64_t started_us;   /* this process; wall clock */
	uint64_t started_ms;   /* this process; monotonic */
	uint64_t deadline_ms;  /* when this state's timer goes off; monotonic, 0: not armed; so are … */
	uint64_t ready_by_ms;  /* … when it must be ready */
	uint64_t alive_by_ms;  /* … when its watchdog must have been told */
	uint64_t signal_by_ms; /* … when a message to end is followed by the signal */
	uint64_t over_by_ms;   /* … when it has run for long enough */
	uint64_t due_ms;       /* … when its schedule starts it next */
	uint64_t due_us;       /* the same by the wall clock */
	uint64_t ran_us;       /* when its schedule last came; wall clock */
	struct restart_counts restarts;
	struct crash_memory crashes;
	struct death death;             /* the last one */
	char detail[DEATH_DETAIL_SIZE]; /* why it is in this state, or "" */
};

/* The moment of an event: told, never asked for. */
struct moment {
	uint64_t monotonic_ms;
	uint64_t wall_us;
	uint32_t random;   /* any number: spreads backoff */
	uint32_t crowd_ms; /* so many end of late that a restart is to wait this long at least */
};

/* What came of an event: the effects to perform, in order of their bits, and what to tell. */
struct outcome {
	unsigned effects; /* of enum effect */
	unsigned notice_count;
	struct notice notices[3]; /* seq not set yet */
};

void instance_init(struct instance *instance, const char *service, unsigned index,
	bool is_disabled);

/* START, STOP, KILL and RESTART, ALLOWED, READY, TIMEOUT and the like. */
struct outcome instance_report(struct instance *instance, const struct service_spec *spec,
	enum event event, const struct moment *now);

/* A stop or restart with another cause than the operator: watch, dependency … */
struct outcome instance_stop_for(struct instance *instance, const struct service_spec *spec,
	enum event event, enum cause cause, const char *why, const struct moment *now);

/*
 * A probe, a limit or the watchdog wants its end: a failure, told as why. How it goes on is its
 * restart policy's to say, unless is_ordered: then it is restarted.
 */
struct eviction {
	enum cause cause;
	const char *why;
	bool is_ordered;
	bool at_once;  /* SIGKILL */
	bool is_final; /* it is not wanted up any more */
};
struct outcome instance_evict(struct instance *instance, const struct service_spec *spec,
	const struct eviction *eviction, const struct moment *now);

/* It is over a limit that is only to be told. */
struct outcome instance_warn(struct instance *instance, const char *why, const struct moment *now);

/* What was waited for has come; with the last of it the instance is ready. */
struct outcome instance_pass(struct instance *instance, const struct service_spec *spec,
	enum gate gate, const struct moment *now);
/* … or is no longer so: its readiness probe fails. */
struct outcome instance_shut(struct instance *instance, const struct service_spec *spec,
	enum gate gate, const char *why, const struct moment *now);

/* Its watchdog was told. */
void instance_kept_alive(struct instance *instance, const struct service_spec *spec,
	const struct moment *now);
/* It asks for more time for what is under way: starting, running or stopping. */
void instance_extend(struct instance *instance, uint64_t extension_ms, const struct moment *now);

/* The wall clock was set: when a schedule comes next is found anew. */
void instance_reschedule(struct instance *instance, const struct service_spec *spec,
	const struct moment *now);

/* The next of its deadlines; monotonic, 0: none. */
uint64_t instance_next_deadline(const struct instance *instance);
/* Sees to one deadline that has passed; the caller asks again until none has. */
bool instance_is_overdue(const struct instance *instance, const struct moment *now);
struct outcome instance_overdue(struct instance *instance, const struct service_spec *spec,
	const struct moment *now);

/* Its schedule came while it, and each that could take its place, still runs: `overlap` decides. */
struct outcome instance_overlap(struct instance *instance, const struct service_spec *spec,
	const struct moment *now);

/* Is it as ready as can be known? */
bool instance_is_ready(const struct instance *instance, const struct service_spec *spec);

/* The process of its next life is there. */
struct outcome instance_spawned(struct instance *instance, const struct service_spec *spec,
	int32_t pid, const struct moment *now);

/* What a former run, which was cut off, knew of it. */
struct heritage {
	int32_t pid; /* of its process, which is its process now; 0: it had none */
	uint32_t life;
	uint8_t state; /* of enum state; of a process RUNNING or READY: it has said so, if it is one that says so */
	bool wanted, has_death, death_unwritten;
	bool has_ended;      /* its process has: that comes to be known next */
	uint64_t started_us; /* wall clock */
	struct restart_counts restarts;
	struct death death;
};
/* It goes on with its process. */
struct outcome instance_adopted(struct instance *instance, const struct service_spec *spec,
	const struct heritage *heritage, const struct moment *now);
/* It had none: it rests as it did, or is to be started anew with what it had counted. */
void instance_recalled(struct instance *instance, const struct service_spec *spec,
	const struct heritage *heritage, const struct moment *now);

/*
 * Its process ended: death as the kernel tells it (code, signal, core, cpu, detail are set).
 * has_leftovers: others of its tree are still there; then the ending is judged by
 * instance_gone, once they are not.
 */
struct outcome instance_ended(struct instance *instance, const struct service_spec *spec,
	const struct death *death, bool has_leftovers, const struct moment *now);
struct outcome instance_gone(struct instance *instance, const struct service_spec *spec,
	const struct moment *now);

/* Nothing of it is left and it is not to come back. */
bool instance_is_finished(const struct instance *instance);
/* Restarts of all kinds. */
uint32_t restart_counts_sum(const struct restart_counts *counts);

#endif
