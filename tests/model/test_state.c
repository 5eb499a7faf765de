#include <check.h>

#include "model/state.h"

/* Every state × every event, written down a second time: a changed cell shows up here. */
struct cell {
	enum state from;
	enum event event;
	enum state next;
	unsigned effects;
};

#define AT_REST(state)                                                               \
	{ state, EVENT_START, STATE_PENDING, DO_DISARM | DO_FORGIVE | DO_ASK },      \
		{ state, EVENT_SCHEDULE, STATE_SCHEDULED, DO_DISARM | DO_FORGIVE },  \
	{                                                                            \
		state, EVENT_RESTART, STATE_PENDING, DO_DISARM | DO_FORGIVE | DO_ASK \
	}

#define ENDINGS(state)                                                               \
	{ state, EVENT_ENDED_WELL, STATE_COMPLETED, DO_DISARM },                     \
		{ state, EVENT_ENDED_BADLY, STATE_FAILED, DO_DISARM },               \
		{ state, EVENT_ENDED_AGAIN, STATE_STARTING, DO_DISARM | DO_SPAWN },  \
		{ state, EVENT_ENDED_BACKOFF, STATE_BACKOFF, DO_ARM_BACKOFF },       \
		{ state, EVENT_ENDED_FATAL, STATE_FATAL, DO_DISARM },                \
		{ state, EVENT_ENDED_WANTED, STATE_STARTING, DO_DISARM | DO_SPAWN }, \
		{ state, EVENT_ENDED_AWAITING, STATE_PENDING, DO_DISARM | DO_ASK },  \
		{ state, EVENT_ENDED_TILL_DUE, STATE_SCHEDULED, DO_DISARM },         \
	{                                                                            \
		state, EVENT_ENDED_UNWANTED, STATE_STOPPED, DO_DISARM                \
	}

#define ALIVE(state)                                                                 \
	{ state, EVENT_STOP, STATE_STOPPING, DO_TERMINATE },                         \
		{ state, EVENT_RESTART, STATE_STOPPING, DO_TERMINATE | DO_FORGIVE }, \
		{ state, EVENT_KILL, STATE_STOPPING, DO_KILL },                      \
		{ state, EVENT_EVICT, STATE_STOPPING, DO_TERMINATE },                \
		{ state, EVENT_EVICT_NOW, STATE_STOPPING, DO_KILL },                 \
		{ state, EVENT_BEHEADED, STATE_STOPPING, DO_TERMINATE },             \
		ENDINGS(state)

static const struct cell cells[] = {
	{ STATE_PENDING, EVENT_START, STATE_PENDING, DO_ASK },
	{ STATE_PENDING, EVENT_RESTART, STATE_PENDING, DO_ASK },
	{ STATE_PENDING, EVENT_STOP, STATE_STOPPED, DO_DISARM },
	{ STATE_PENDING, EVENT_KILL, STATE_STOPPED, DO_DISARM },
	{ STATE_PENDING, EVENT_ALLOWED, STATE_STARTING, DO_SPAWN },
	{ STATE_PENDING, EVENT_FORBIDDEN, STATE_SKIPPED, 0 },
	{ STATE_STARTING, EVENT_STOP, STATE_STOPPED, DO_DISARM },
	{ STATE_STARTING, EVENT_KILL, STATE_STOPPED, DO_DISARM },
	{ STATE_STARTING, EVENT_SPAWNED, STATE_RUNNING, 0 },
	{ STATE_STARTING, EVENT_UNSPAWNABLE, STATE_BACKOFF, DO_ARM_RETRY },
	ALIVE(STATE_RUNNING),
	{ STATE_RUNNING, EVENT_READY, STATE_READY, 0 },
	{ STATE_RUNNING, EVENT_UNREADY, STATE_UNHEALTHY, 0 },
	ALIVE(STATE_READY),
	{ STATE_READY, EVENT_UNREADY, STATE_UNHEALTHY, 0 },
	ALIVE(STATE_UNHEALTHY),
	{ STATE_UNHEALTHY, EVENT_READY, STATE_READY, 0 },
	{ STATE_BACKOFF, EVENT_START, STATE_STARTING, DO_DISARM | DO_FORGIVE | DO_SPAWN },
	{ STATE_BACKOFF, EVENT_RESTART, STATE_STARTING, DO_DISARM | DO_FORGIVE | DO_SPAWN },
	{ STATE_BACKOFF, EVENT_STOP, STATE_STOPPED, DO_DISARM },
	{ STATE_BACKOFF, EVENT_KILL, STATE_STOPPED, DO_DISARM },
	{ STATE_BACKOFF, EVENT_TIMEOUT, STATE_STARTING, DO_SPAWN },
	{ STATE_STOPPING, EVENT_KILL, STATE_STOPPING, DO_KILL },
	{ STATE_STOPPING, EVENT_TIMEOUT, STATE_STOPPING, DO_KILL },
	{ STATE_STOPPING, EVENT_BEHEADED, STATE_STOPPING, 0 },
	ENDINGS(STATE_STOPPING),
	AT_REST(STATE_STOPPED),
	AT_REST(STATE_COMPLETED),
	AT_REST(STATE_FAILED),
	AT_REST(STATE_FATAL),
	{ STATE_FATAL, EVENT_STOP, STATE_FATAL, DO_DISARM },
	{ STATE_FATAL, EVENT_KILL, STATE_FATAL, DO_DISARM },
	{ STATE_FATAL, EVENT_TIMEOUT, STATE_STARTING, DO_FORGIVE | DO_SPAWN },
	AT_REST(STATE_SKIPPED),
	{ STATE_SCHEDULED, EVENT_START, STATE_PENDING, DO_FORGIVE | DO_ASK },
	{ STATE_SCHEDULED, EVENT_RESTART, STATE_PENDING, DO_FORGIVE | DO_ASK },
	{ STATE_SCHEDULED, EVENT_DUE, STATE_PENDING, DO_FORGIVE | DO_ASK },
	{ STATE_SCHEDULED, EVENT_STOP, STATE_STOPPED, 0 },
	{ STATE_SCHEDULED, EVENT_KILL, STATE_STOPPED, 0 },
	AT_REST(STATE_DISABLED),
};

static struct step expected(enum state from, enum event event)
{
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		if (cells[i].from == from && cells[i].event == event)
			return (struct step){ cells[i].next, cells[i].effects };
	return (struct step){ from, 0 };
}

START_TEST(every_state_meets_every_event)
{
	for (enum state from = STATE_PENDING; from < STATE_COUNT; from++) {
		for (enum event event = 0; event < EVENT_COUNT; event++) {
			struct step step = state_step(from, event), want = expected(from, event);
			ck_assert_msg(step.next == want.next && step.effects == want.effects,
				"%s × event %d → %s, effects %x", state_name(from), event,
				state_name(step.next), step.effects);
		}
	}
}
END_TEST

START_TEST(a_process_is_only_made_in_starting)
{
	for (enum state from = STATE_PENDING; from < STATE_COUNT; from++) {
		for (enum event event = 0; event < EVENT_COUNT; event++) {
			struct step step = state_step(from, event);
			if (step.effects & DO_SPAWN)
				ck_assert_int_eq(step.next, STATE_STARTING);
		}
	}
}
END_TEST

START_TEST(a_stop_never_leads_to_a_start)
{
	for (enum state from = STATE_PENDING; from < STATE_COUNT; from++) {
		ck_assert(!(state_step(from, EVENT_STOP).effects & DO_SPAWN));
		ck_assert(!(state_step(from, EVENT_KILL).effects & DO_SPAWN));
	}
}
END_TEST

START_TEST(what_is_over_has_no_process)
{
	for (enum state state = STATE_PENDING; state < STATE_COUNT; state++) {
		ck_assert_ptr_nonnull(state_name(state));
		ck_assert(!(state_is_over(state) && state_has_process(state)));
	}
}
END_TEST

Suite *state_suite(void)
{
	Suite *suite = suite_create("state");
	TCase *table = tcase_create("the table");

	tcase_add_test(table, every_state_meets_every_event);
	tcase_add_test(table, a_process_is_only_made_in_starting);
	tcase_add_test(table, a_stop_never_leads_to_a_start);
	tcase_add_test(table, what_is_over_has_no_process);
	suite_add_tcase(suite, table);
	return suite;
}
