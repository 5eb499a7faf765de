#include "model/instance.h"

#include <stdio.h>
#include <string.h>

/* Pause before the next try when the system had no process or descriptor to give. */
enum { RETRY_MS = 1000,
	KILL_AGAIN_MS = 1000 };

/* Entering a state is told as … */
static const struct {
	bool is_told;
	uint8_t kind;
} tellings[STATE_COUNT] = {
	[STATE_READY] = { true, NOTICE_READY },
	[STATE_UNHEALTHY] = { true, NOTICE_UNHEALTHY },
	[STATE_BACKOFF] = { true, NOTICE_BACKOFF },
	[STATE_STOPPING] = { true, NOTICE_STOPPING },
	[STATE_STOPPED] = { true, NOTICE_STOPPED },
	[STATE_COMPLETED] = { true, NOTICE_COMPLETED },
	[STATE_FAILED] = { true, NOTICE_FAILED },
	[STATE_FATAL] = { true, NOTICE_FATAL },
	[STATE_SKIPPED] = { true, NOTICE_SKIPPED },
};

void instance_init(struct instance *instance, const char *service, unsigned index,
	bool is_disabled)
{
	*instance = (struct instance){
		.index = index,
		.state = is_disabled ? STATE_DISABLED : STATE_STOPPED,
	};
	snprintf(instance->service, sizeof instance->service, "%s", service);
}

uint32_t restart_counts_sum(const struct restart_counts *counts)
{
	return counts->crash + counts->manual + counts->limit + counts->probe + counts->watch;
}

static struct notice *tell(struct outcome *outcome, const struct instance *instance,
	enum notice_kind kind, const struct moment *now)
{
	struct notice *notice = &outcome->notices[outcome->notice_count++];

	*notice = (struct notice){
		.ts_us = now->wall_us,
		.kind = (uint8_t)kind,
		.code = -1,
		.instance = instance->index,
		.pid = instance->pid,
		.restarts = restart_counts_sum(&instance->restarts),
	};
	memcpy(notice->service, instance->service, sizeof notice->service);
	memcpy(notice->detail, instance->detail, sizeof notice->detail);
	return notice;
}

static void tell_death(struct outcome *outcome, const struct instance *instance,
	enum notice_kind kind, const struct moment *now)
{
	const struct death *death = &instance->death;
	struct notice *notice = tell(outcome, instance, kind, now);

	notice->pid = death->pid;
	notice->cause = death->cause;
	notice->code = death->code;
	notice->signal = death->signal;
	notice->uptime_ms = death->uptime_ms;
	memcpy(notice->detail, death->detail, sizeof notice->detail);
}

static void arm(struct instance *instance, unsigned effects, uint32_t delay_ms,
	const struct service_spec *spec, const struct moment *now)
{
	if (effects & DO_DISARM)
		instance->deadline_ms = 0;
	if (effects & DO_ARM_RETRY)
		delay_ms = RETRY_MS;
	if (effects & DO_TERMINATE)
		delay_ms = spec->shutdown.timeout_ms;
	if (effects & DO_KILL)
		delay_ms = KILL_AGAIN_MS;
	if (effects & (DO_ARM_BACKOFF | DO_ARM_RETRY | DO_TERMINATE | DO_KILL))
		instance->deadline_ms = now->monotonic_ms + delay_ms;
}

static void enter(struct instance *instance, enum state next, uint32_t delay_ms,
	struct outcome *outcome, const struct moment *now)
{
	if (next == instance->state)
		return;
	instance->state = (uint8_t)next;
	instance->since_us = now->wall_us;
	if (!tellings[next].is_told)
		return;
	if (next == STATE_FAILED || next == STATE_FATAL || next == STATE_COMPLETED) {
		tell_death(outcome, instance, tellings[next].kind, now);
		return;
	}
	struct notice *notice = tell(outcome, instance, tellings[next].kind, now);
	notice->delay_ms = next == STATE_BACKOFF ? delay_ms : 0;
	notice->cause = next == STATE_STOPPING ? instance->stop_cause : CAUSE_NONE;
}

/* The one place where an instance moves. delay_ms: of a backoff, or of a retry after `fatal`. */
static void step(struct instance *instance, const struct service_spec *spec,
	enum event event, uint32_t delay_ms, struct outcome *outcome,
	const struct moment *now)
{
	struct step step = state_step(instance->state, event);

	outcome->effects |= step.effects;
	arm(instance, step.effects, delay_ms, spec, now);
	if (event == EVENT_ENDED_FATAL && delay_ms)
		instance->deadline_ms = now->monotonic_ms + delay_ms;
	if (step.effects & DO_FORGIVE)
		crash_memory_reset(&instance->crashes);
	if (step.effects & DO_ARM_RETRY)
		delay_ms = RETRY_MS;
	enter(instance, step.next, delay_ms, outcome, now);
}

/* What an event says of the operator's wish, and of who wanted it. */
static enum event hear(struct instance *instance, enum event event, enum cause cause)
{
	bool was_wanted = instance->wanted;
	bool is_stopping = instance->state == STATE_STOPPING;

	switch (event) {
	case EVENT_START:
		instance->wanted = true;
		break;
	case EVENT_RESTART:
		instance->wanted = true;
		instance->stop_cause = (uint8_t)cause;
		break;
	case EVENT_STOP:
	case EVENT_KILL:
		instance->wanted = false;
		instance->stop_cause = (uint8_t)cause;
		if (event == EVENT_STOP && is_stopping && !was_wanted)
			return EVENT_KILL; /* a second stop kills now */
		break;
	default:
		break;
	}
	return event;
}

struct outcome instance_stop_for(struct instance *instance, const struct service_spec *spec,
	enum event event, enum cause cause, const struct moment *now)
{
	struct outcome outcome = { 0 };
	bool is_running = state_has_process(instance->state);

	event = hear(instance, event, cause);
	instance->detail[0] = '\0';
	step(instance, spec, event, 0, &outcome, now);
	if (!is_running)
		instance->stop_cause = CAUSE_NONE;
	return outcome;
}

struct outcome instance_report(struct instance *instance, const struct service_spec *spec,
	enum event event, const struct moment *now)
{
	struct outcome outcome = { 0 };

	if (event == EVENT_START || event == EVENT_STOP || event == EVENT_KILL ||
		event == EVENT_RESTART)
		return instance_stop_for(instance, spec, event, CAUSE_MANUAL, now);
	step(instance, spec, event, 0, &outcome, now);
	return outcome;
}

struct outcome instance_spawned(struct instance *instance, const struct service_spec *spec,
	int32_t pid, const struct moment *now)
{
	struct outcome outcome = { 0 };

	instance->pid = pid;
	instance->life++;
	instance->started_us = now->wall_us;
	instance->started_ms = now->monotonic_ms;
	instance->beheaded = false;
	instance->stop_cause = CAUSE_NONE;
	instance->detail[0] = '\0';
	step(instance, spec, EVENT_SPAWNED, 0, &outcome, now);
	tell(&outcome, instance, NOTICE_STARTED, now);
	return outcome;
}

static void remember(struct instance *instance, const struct death *death,
	const struct moment *now)
{
	instance->death = *death;
	instance->death.life = instance->life;
	instance->death.pid = instance->pid;
	instance->death.started_us = instance->started_us;
	instance->death.ended_us = now->wall_us;
	instance->death.uptime_ms = now->monotonic_ms - instance->started_ms;
	if (instance->stop_cause != CAUSE_NONE)
		instance->death.cause = instance->stop_cause;
	instance->has_death = true;
	instance->death_unwritten = true;
	instance->pid = 0;
}

struct outcome instance_ended(struct instance *instance, const struct service_spec *spec,
	const struct death *death, bool has_leftovers, const struct moment *now)
{
	struct outcome outcome = { 0 };

	remember(instance, death, now);
	tell_death(&outcome, instance, NOTICE_EXITED, now);
	instance->beheaded = has_leftovers;
	if (has_leftovers) {
		step(instance, spec, EVENT_BEHEADED, 0, &outcome, now);
		return outcome;
	}
	struct outcome rest = instance_gone(instance, spec, now);
	outcome.effects |= rest.effects;
	for (unsigned i = 0; i < rest.notice_count; i++)
		outcome.notices[outcome.notice_count++] = rest.notices[i];
	return outcome;
}

/* Who is to be thanked for the next life. */
static void count_restart(struct instance *instance)
{
	switch (instance->stop_cause) {
	case CAUSE_NONE:
		instance->restarts.crash++;
		break;
	case CAUSE_LIMIT:
		instance->restarts.limit++;
		break;
	case CAUSE_PROBE:
	case CAUSE_WATCHDOG:
		instance->restarts.probe++;
		break;
	case CAUSE_WATCH:
		instance->restarts.watch++;
		break;
	default:
		instance->restarts.manual++;
	}
}

static enum event judge(struct instance *instance, const struct service_spec *spec,
	uint32_t *delay_ms, const struct moment *now)
{
	static const enum event events[] = {
		[VERDICT_COMPLETED] = EVENT_ENDED_WELL,
		[VERDICT_FAILED] = EVENT_ENDED_BADLY,
		[VERDICT_FATAL] = EVENT_ENDED_FATAL,
		[VERDICT_AGAIN] = EVENT_ENDED_AGAIN,
		[VERDICT_BACKOFF] = EVENT_ENDED_BACKOFF,
	};

	if (instance->stop_cause != CAUSE_NONE)
		return instance->wanted ? EVENT_ENDED_WANTED : EVENT_ENDED_UNWANTED;
	struct judgement judgement = policy_judge(&spec->restart, &instance->crashes,
		&instance->death, now->monotonic_ms, now->random);
	*delay_ms = judgement.delay_ms;
	return events[judgement.verdict];
}

struct outcome instance_gone(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	struct outcome outcome = { 0 };
	uint32_t delay_ms = 0;
	enum event event = judge(instance, spec, &delay_ms, now);

	instance->beheaded = false;
	if (event == EVENT_ENDED_AGAIN || event == EVENT_ENDED_BACKOFF ||
		event == EVENT_ENDED_WANTED)
		count_restart(instance);
	step(instance, spec, event, delay_ms, &outcome, now);
	instance->stop_cause = CAUSE_NONE;
	return outcome;
}

bool instance_is_finished(const struct instance *instance)
{
	return state_is_over(instance->state);
}
