/*
 * Random events at a random graph: whatever happens in whatever order, no instance has two processes,
 * none waits for ever for what is there, and a stop is a stop.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/project.h"

enum { SERVICES = 12,
	STEPS = 400,
	SEEDS = 200 };

static struct project project;
static struct instance instances[SERVICES];
static bool is_spawning[SERVICES]; /* asked for, not yet there */
static int processes[SERVICES];
static unsigned seed;
static struct moment now;
static int next_pid;

static unsigned pick(unsigned most)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % most;
}

static struct service *service_of(int i)
{
	return &project.services[i];
}

static void apply(int i, const struct outcome *outcome)
{
	if (outcome->effects & DO_SPAWN) {
		ck_assert_msg(processes[i] == 0, "asked for a second process");
		is_spawning[i] = true;
	}
	/* what has restart: true is restarted with it, as the engine does */
	for (unsigned n = 0; n < outcome->notice_count; n++) {
		if (outcome->notices[n].kind != NOTICE_STARTED || instances[i].life < 2)
			continue;
		for (size_t k = 0; k < service_of(i)->dependent_count; k++) {
			size_t other = service_of(i)->dependents[k];
			if (instances[other].pid && instances[other].state != STATE_STOPPING)
				instance_stop_for(&instances[other], project.services[other].spec, EVENT_RESTART,
					CAUSE_DEPENDENCY, "", &now);
		}
	}
}

static void report(int i, enum event event)
{
	struct outcome outcome = instance_report(&instances[i], service_of(i)->spec, event, &now);

	apply(i, &outcome);
}

static void make_graph(void)
{
	static const enum condition conditions[] = { CONDITION_STARTED, CONDITION_HEALTHY,
		CONDITION_COMPLETED, CONDITION_COMPLETED_SUCCESSFULLY, CONDITION_LOG_READY };
	struct project_spec *spec = project_spec_create();
	char name[8];

	for (int i = 0; i < SERVICES; i++) {
		snprintf(name, sizeof name, "s%d", i);
		struct service_spec *service = project_spec_add(spec, name);
		service->restart.mode = (enum restart_mode)pick(RESTART_EXIT_ON_FAILURE);
		service->restart.max_restarts = pick(4);
		if (pick(2))
			service->ready.log = strdup("up");
		for (int on = 0; on < i; on++) {
			if (pick(4))
				continue;
			service->depends_on = realloc(service->depends_on,
				(service->depends_count + 1) * sizeof *service->depends_on);
			snprintf(name, sizeof name, "s%d", on);
			service->depends_on[service->depends_count++] = (struct dependency){
				strdup(name), conditions[pick(5)], pick(2)
			};
		}
	}
	project_init(&project, spec);
	for (int i = 0; i < SERVICES; i++) {
		instance_init(&instances[i], service_of(i)->spec->name, 0, false);
		service_add(service_of(i), &instances[i]);
		is_spawning[i] = false;
		processes[i] = 0;
	}
}

static void spawn(int i)
{
	if (!is_spawning[i])
		return;
	is_spawning[i] = false;
	if (instances[i].state != STATE_STARTING)
		return; /* stopped meanwhile */
	struct outcome outcome = instance_spawned(&instances[i], service_of(i)->spec, ++next_pid, &now);
	ck_assert_int_eq(++processes[i], 1);
	apply(i, &outcome);
}

static void end(int i, int code)
{
	struct death death = { .code = (int16_t)code, .cause = CAUSE_EXIT };

	if (!processes[i])
		return;
	processes[i] = 0;
	struct outcome outcome = instance_ended(&instances[i], service_of(i)->spec, &death, false, &now);
	apply(i, &outcome);
}

static void ask(int i)
{
	char reason[DEATH_DETAIL_SIZE];

	if (instances[i].state != STATE_PENDING)
		return;
	enum permission permission = project_may_start(&project, service_of(i), reason, sizeof reason);
	if (permission != PERMISSION_WAIT)
		report(i, permission == PERMISSION_GRANTED ? EVENT_ALLOWED : EVENT_FORBIDDEN);
}

static void pass_time(int i)
{
	uint64_t next_ms = instance_next_deadline(&instances[i]);

	if (!next_ms)
		return;
	if (next_ms > now.monotonic_ms)
		now.monotonic_ms = next_ms;
	struct outcome outcome = instance_overdue(&instances[i], service_of(i)->spec, &now);
	apply(i, &outcome);
}

static void open_gate(int i)
{
	if (!processes[i] || instances[i].state == STATE_STOPPING)
		return;
	struct outcome outcome = instance_pass(&instances[i], service_of(i)->spec, GATE_LOG, &now);
	apply(i, &outcome);
}

static void check(int i)
{
	const struct instance *instance = &instances[i];

	ck_assert_int_eq(processes[i], instance->pid != 0);
	ck_assert_int_eq(processes[i], state_has_process(instance->state));
	ck_assert(!is_spawning[i] || instance->state != STATE_BACKOFF);
}

static void happen(int i)
{
	static const enum event wishes[] = { EVENT_START, EVENT_STOP, EVENT_RESTART, EVENT_KILL };

	switch (pick(8)) {
	case 0:
		report(i, wishes[pick(4)]);
		break;
	case 1:
		end(i, (int)pick(2));
		break;
	case 2:
		pass_time(i);
		break;
	case 3:
		open_gate(i);
		break;
	case 4:
		ask(i);
		break;
	default:
		spawn(i);
	}
	check(i);
}

/* From now on the world does what it is asked: everything must come to an end. */
static void settle(void)
{
	for (int round = 0; round < SERVICES * 8; round++)
		for (int i = 0; i < SERVICES; i++) {
			ask(i);
			spawn(i);
			open_gate(i);
			if (instances[i].state == STATE_STOPPING)
				end(i, 0);
			if (instances[i].state == STATE_BACKOFF)
				pass_time(i);
			check(i);
		}
}

static bool waits_for_somebody_alive(int i)
{
	const struct service_spec *spec = service_of(i)->spec;

	for (size_t k = 0; k < spec->depends_count; k++) {
		const struct instance *on = project_find(&project, spec->depends_on[k].service)->instances[0];
		bool may_come = state_has_process(on->state) || on->state == STATE_PENDING ||
				on->state == STATE_STOPPED;
		if (may_come)
			return true;
	}
	return false;
}

START_TEST(random_events_wedge_and_double_nothing)
{
	seed = (unsigned)_i * 7919 + 1;
	now = (struct moment){ .monotonic_ms = 1000, .wall_us = 1000000 };
	make_graph();
	for (int i = 0; i < SERVICES; i++)
		report(i, EVENT_START);
	for (int step = 0; step < STEPS; step++) {
		happen((int)pick(SERVICES));
		now.monotonic_ms += pick(500);
	}
	settle();
	for (int i = 0; i < SERVICES; i++) {
		enum state state = instances[i].state;
		ck_assert_msg(state != STATE_STARTING && state != STATE_STOPPING && state != STATE_BACKOFF,
			"seed %d: s%d is wedged: %s", _i, i, state_name(state));
		ck_assert_msg(state != STATE_PENDING || waits_for_somebody_alive(i),
			"seed %d: s%d waits for nobody", _i, i);
		ck_assert_msg(instances[i].wanted || !processes[i], "seed %d: s%d runs unwanted", _i, i);
	}
	for (int i = 0; i < SERVICES; i++)
		report(i, EVENT_STOP);
	settle();
	for (int i = 0; i < SERVICES; i++)
		ck_assert_int_eq(processes[i], 0);
	project_finish(&project);
}
END_TEST

Suite *graph_suite(void)
{
	Suite *suite = suite_create("graph");
	TCase *random = tcase_create("random");

	tcase_add_loop_test(random, random_events_wedge_and_double_nothing, 0, SEEDS);
	suite_add_tcase(suite, random);
	return suite;
}
