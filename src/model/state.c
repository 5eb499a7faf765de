#include "model/state.h"

#include <assert.h>

/* What is not listed changes nothing: its cell is { STATE_SAME, 0 }. */
// clang-format off
#define AT_REST \
	[EVENT_START]   = { STATE_PENDING, DO_DISARM | DO_FORGIVE | DO_ASK }, \
	[EVENT_RESTART] = { STATE_PENDING, DO_DISARM | DO_FORGIVE | DO_ASK }, \
	[EVENT_SCHEDULE] = { STATE_SCHEDULED, DO_DISARM | DO_FORGIVE }

#define JUDGED_ENDINGS \
	[EVENT_ENDED_WELL]     = { STATE_COMPLETED, DO_DISARM }, \
	[EVENT_ENDED_BADLY]    = { STATE_FAILED,    DO_DISARM }, \
	[EVENT_ENDED_AGAIN]    = { STATE_STARTING,  DO_DISARM | DO_SPAWN }, \
	[EVENT_ENDED_BACKOFF]  = { STATE_BACKOFF,   DO_ARM_BACKOFF }, \
	[EVENT_ENDED_FATAL]    = { STATE_FATAL,     DO_DISARM }, \
	[EVENT_ENDED_WANTED]   = { STATE_STARTING,  DO_DISARM | DO_SPAWN }, \
	[EVENT_ENDED_UNWANTED] = { STATE_STOPPED,   DO_DISARM }, \
	[EVENT_ENDED_AWAITING] = { STATE_PENDING,   DO_DISARM | DO_ASK }, \
	[EVENT_ENDED_TILL_DUE] = { STATE_SCHEDULED, DO_DISARM }

#define ALIVE \
	[EVENT_STOP]      = { STATE_STOPPING,  DO_TERMINATE }, \
	[EVENT_RESTART]   = { STATE_STOPPING,  DO_TERMINATE | DO_FORGIVE }, \
	[EVENT_KILL]      = { STATE_STOPPING,  DO_KILL }, \
	[EVENT_EVICT]     = { STATE_STOPPING,  DO_TERMINATE }, \
	[EVENT_EVICT_NOW] = { STATE_STOPPING,  DO_KILL }, \
	[EVENT_BEHEADED]  = { STATE_STOPPING,  DO_TERMINATE }, \
	JUDGED_ENDINGS

static const struct step steps[STATE_COUNT][EVENT_COUNT] = {
	[STATE_PENDING] = {
		[EVENT_START]     = { STATE_SAME,      DO_ASK },
		[EVENT_RESTART]   = { STATE_SAME,      DO_ASK },
		[EVENT_STOP]      = { STATE_STOPPED,   DO_DISARM },
		[EVENT_KILL]      = { STATE_STOPPED,   DO_DISARM },
		[EVENT_ALLOWED]   = { STATE_STARTING,  DO_SPAWN },
		[EVENT_FORBIDDEN] = { STATE_SKIPPED,   0 },
	},
	[STATE_STARTING] = {
		[EVENT_STOP]      = { STATE_STOPPED,   DO_DISARM },
		[EVENT_KILL]      = { STATE_STOPPED,   DO_DISARM },
		[EVENT_SPAWNED]   = { STATE_RUNNING,   0 },
		[EVENT_UNSPAWNABLE] = { STATE_BACKOFF, DO_ARM_RETRY },
	},
	[STATE_RUNNING] = {
		ALIVE,
		[EVENT_READY]     = { STATE_READY,     0 },
		[EVENT_UNREADY]   = { STATE_UNHEALTHY, 0 },
	},
	[STATE_READY] = {
		ALIVE,
		[EVENT_UNREADY]   = { STATE_UNHEALTHY, 0 },
	},
	[STATE_UNHEALTHY] = {
		ALIVE,
		[EVENT_READY]     = { STATE_READY,     0 },
	},
	[STATE_BACKOFF] = {
		[EVENT_START]     = { STATE_STARTING,  DO_DISARM | DO_FORGIVE | DO_SPAWN },
		[EVENT_RESTART]   = { STATE_STARTING,  DO_DISARM | DO_FORGIVE | DO_SPAWN },
		[EVENT_STOP]      = { STATE_STOPPED,   DO_DISARM },
		[EVENT_KILL]      = { STATE_STOPPED,   DO_DISARM },
		[EVENT_TIMEOUT]   = { STATE_STARTING,  DO_SPAWN },
	},
	[STATE_STOPPING] = {
		[EVENT_KILL]      = { STATE_SAME,      DO_KILL },
		[EVENT_TIMEOUT]   = { STATE_SAME,      DO_KILL },
		[EVENT_BEHEADED]  = { STATE_SAME,      0 },
		JUDGED_ENDINGS,
	},
	[STATE_STOPPED]   = { AT_REST },
	[STATE_COMPLETED] = { AT_REST },
	[STATE_FAILED]    = { AT_REST },
	[STATE_FATAL] = {
		AT_REST,
		[EVENT_STOP]      = { STATE_SAME,      DO_DISARM },
		[EVENT_KILL]      = { STATE_SAME,      DO_DISARM },
		[EVENT_TIMEOUT]   = { STATE_STARTING,  DO_FORGIVE | DO_SPAWN },
	},
	[STATE_SKIPPED]   = { AT_REST },
	[STATE_SCHEDULED] = {
		[EVENT_START]     = { STATE_PENDING,   DO_FORGIVE | DO_ASK },
		[EVENT_RESTART]   = { STATE_PENDING,   DO_FORGIVE | DO_ASK },
		[EVENT_DUE]       = { STATE_PENDING,   DO_FORGIVE | DO_ASK },
		[EVENT_STOP]      = { STATE_STOPPED,   0 },
		[EVENT_KILL]      = { STATE_STOPPED,   0 },
	},
	[STATE_DISABLED]  = { AT_REST },
};

static const struct {
	const char *name;
	bool has_process, is_over;
} states[] = {
	[STATE_SAME]      = { "same",      false, false },
	[STATE_PENDING]   = { "pending",   false, false },
	[STATE_STARTING]  = { "starting",  false, false },
	[STATE_RUNNING]   = { "running",   true,  false },
	[STATE_READY]     = { "ready",     true,  false },
	[STATE_UNHEALTHY] = { "unhealthy", true,  false },
	[STATE_BACKOFF]   = { "backoff",   false, false },
	[STATE_STOPPING]  = { "stopping",  true,  false },
	[STATE_STOPPED]   = { "stopped",   false, true },
	[STATE_COMPLETED] = { "completed", false, true },
	[STATE_FAILED]    = { "failed",    false, true },
	[STATE_FATAL]     = { "fatal",     false, true },
	[STATE_SKIPPED]   = { "skipped",   false, true },
	[STATE_SCHEDULED] = { "scheduled", false, false },
	[STATE_DISABLED]  = { "disabled",  false, true },
};
// clang-format on
static_assert(sizeof states / sizeof *states == STATE_COUNT, "describe every state");

struct step state_step(enum state from, enum event event)
{
	struct step step = steps[from][event];

	if (step.next == STATE_SAME)
		step.next = from;
	return step;
}

const char *state_name(enum state state)
{
	return states[state].name;
}

bool state_has_process(enum state state)
{
	return states[state].has_process;
}

bool state_is_up(enum state state)
{
	return state == STATE_RUNNING || state == STATE_READY;
}

bool state_is_over(enum state state)
{
	return states[state].is_over;
}
