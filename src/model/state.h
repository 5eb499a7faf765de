/*
 * The life of one instance: its states, what can happen to it, and what is then to be done.
 * The table in state.c is the whole of it; it performs nothing itself.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include <stdbool.h>

/* The facts, in the contract's words. */
enum state {
	STATE_SAME,     /* only in the table: stay where you are */
	STATE_PENDING,  /* wanted up; waits for what it depends on */
	STATE_STARTING, /* to be spawned now */
	STATE_RUNNING,
	STATE_READY,
	STATE_UNHEALTHY,
	STATE_BACKOFF,   /* crashed; waits for its pause to pass */
	STATE_STOPPING,  /* told to end, or its leftovers are */
	STATE_STOPPED,   /* the operator's wish */
	STATE_COMPLETED, /* ended well, by itself */
	STATE_FAILED,    /* ended badly and is not to be restarted */
	STATE_FATAL,     /* crashed too often; waits for the operator */
	STATE_SKIPPED,   /* what it depends on will never be there */
	STATE_SCHEDULED, /* waits for the time of its next run */
	STATE_DISABLED,
	STATE_COUNT
};

enum event {
	EVENT_START, /* the operator, or the start of the project */
	EVENT_STOP,  /* the operator, or the end of the project */
	EVENT_KILL,  /* the operator; also a second stop */
	EVENT_RESTART,
	EVENT_ALLOWED,   /* everything it depends on is there */
	EVENT_FORBIDDEN, /* something it depends on will never be */
	EVENT_SPAWNED,
	EVENT_UNSPAWNABLE, /* the system had no process, memory or descriptor for it */
	EVENT_READY,
	EVENT_UNREADY,
	EVENT_EVICT,      /* a probe, limit, watchdog, watched file … wants its end */
	EVENT_EVICT_NOW,  /* … without being asked */
	EVENT_BEHEADED,   /* the process ended, and others of its tree are left */
	EVENT_ENDED_WELL, /* these five: gone with its whole tree, and judged */
	EVENT_ENDED_BADLY,
	EVENT_ENDED_AGAIN,
	EVENT_ENDED_BACKOFF,
	EVENT_ENDED_FATAL,
	EVENT_ENDED_WANTED,   /* gone with its whole tree, as it was asked to, and wanted up again */
	EVENT_ENDED_UNWANTED, /* gone with its whole tree, as it was asked to */
	EVENT_ENDED_AWAITING, /* … and wanted up again once what it depends on is there */
	EVENT_ENDED_TILL_DUE, /* … and wanted up again when its schedule says so */
	EVENT_SCHEDULE,       /* wanted up whenever its schedule says so */
	EVENT_DUE,            /* its schedule says so now */
	EVENT_TIMEOUT,        /* the timer of this state */
	EVENT_COUNT
};

enum effect {
	DO_SPAWN = 1 << 0,
	DO_TERMINATE = 1 << 1, /* the stop signal to the tree, and arm its timeout */
	DO_KILL = 1 << 2,      /* SIGKILL to the tree; keeps on until it is gone */
	DO_ARM_BACKOFF = 1 << 3,
	DO_ARM_RETRY = 1 << 4, /* no process to be had: try again soon */
	DO_DISARM = 1 << 5,
	DO_FORGIVE = 1 << 6, /* forget former crashes */
	DO_SIGNAL = 1 << 8,  /* the stop signal, to one that was asked by message before */
	DO_ASK = 1 << 7,     /* ask the graph whether it may start */
	DO_HAND_ON = 1 << 9, /* its run is due and it is not free: another instance may be */
};

struct step {
	enum state next;
	unsigned effects; /* of enum effect */
};

/* What becomes of an instance in this state when this happens to it. */
struct step state_step(enum state from, enum event event);

const char *state_name(enum state state);
bool state_has_process(enum state state); /* running ready unhealthy stopping */
bool state_is_up(enum state state);       /* running ready */
bool state_is_over(enum state state);     /* completed failed fatal skipped stopped disabled */

#endif
