#include "model/instance.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "model/cron.h"

/* Pause before the next try when the system had no process or descriptor to give. */
enum { RETRY_MS = 1000,
	KILL_AGAIN_MS = 1000 };

/* A clock put back by no more than this is no reason to run twice what has run. */
static const uint64_t CLOCK_STEP_US = 25ull * 3600 * 1000000;

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
	if (effects & DO_TERMINATE && (spec->shutdown.message || service_is_told_to_leave(spec)))
		instance->signal_by_ms = now->monotonic_ms + delay_ms / 2;
	if (effects & (DO_ARM_BACKOFF | DO_ARM_RETRY | DO_TERMINATE | DO_KILL))
		instance->deadline_ms = now->monotonic_ms + delay_ms;
}

/* What ended the life before the pause. */
static void tell_why(struct notice *notice, const struct instance *instance)
{
	const struct death *death = &instance->death;

	notice->cause = death->cause;
	notice->code = death->code;
	notice->signal = death->signal;
	if (!notice->detail[0])
		memcpy(notice->detail, death->detail, sizeof notice->detail);
}

static void enter(struct instance *instance, enum state next, uint32_t delay_ms,
	struct outcome *outcome, const struct moment *now)
{
	if (next == instance->state)
		return;
	instance->state = (uint8_t)next;
	instance->is_recalled &= next == STATE_STOPPING || state_is_over(next);
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
	if (next == STATE_BACKOFF && instance->has_death)
		tell_why(notice, instance);
}

static bool is_scheduled(const struct service_spec *spec)
{
	return spec->schedule.cron || spec->schedule.interval_ms;
}

/* After its last time, lest one comes twice when the clock is put back a little. */
static uint64_t due_after(const struct instance *instance, const struct moment *now)
{
	bool was_put_back = instance->ran_us > now->wall_us &&
			    instance->ran_us - now->wall_us < CLOCK_STEP_US;

	return was_put_back ? instance->ran_us : now->wall_us;
}

/* Of several that run side by side the first keeps the time for all. */
static bool keeps_time(const struct instance *instance, const struct service_spec *spec)
{
	return spec->schedule.concurrent <= 1 || instance->index == 0;
}

static void find_due(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	const struct schedule_spec *schedule = &spec->schedule;
	struct cron cron;
	struct error err;

	instance->due_ms = 0;
	if (!keeps_time(instance, spec))
		return;
	if (schedule->interval_ms) {
		instance->due_ms = now->monotonic_ms + schedule->interval_ms;
		instance->due_us = now->wall_us + schedule->interval_ms * 1000ull;
	} else if (schedule->cron && cron_parse(&cron, schedule->cron, &err)) {
		uint64_t next_us =
			cron_next(&cron, schedule->timezone, due_after(instance, now));
		if (next_us)
			instance->due_ms =
				now->monotonic_ms + (next_us - now->wall_us + 999) / 1000;
		instance->due_us = next_us;
	}
}

void instance_reschedule(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	if (instance->due_ms && spec->schedule.cron)
		find_due(instance, spec, now);
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
	if (step.next == STATE_SCHEDULED && !instance->due_ms)
		find_due(instance, spec, now);
	if (step.next == STATE_STOPPED)
		instance->due_ms = 0;
}

/* What an event says of the operator's wish, and of who wanted it. */
static enum event hear(struct instance *instance, enum event event, enum cause cause)
{
	bool was_wanted = instance->wanted;
	bool is_stopping = instance->state == STATE_STOPPING;

	switch (event) {
	case EVENT_START:
	case EVENT_SCHEDULE:
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
	enum event event, enum cause cause, const char *why, const struct moment *now)
{
	struct outcome outcome = { 0 };
	bool is_running = state_has_process(instance->state);

	bool is_first_start = event == EVENT_START && is_scheduled(spec) && instance->state == STATE_STOPPED;
	if (is_first_start && spec->schedule.runs_on_start && keeps_time(instance, spec))
		find_due(instance, spec, now);
	else if (is_first_start)
		event = EVENT_SCHEDULE; /* a further start means now */
	event = hear(instance, event, cause);
	snprintf(instance->detail, sizeof instance->detail, "%s", why);
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
		return instance_stop_for(instance, spec, event, CAUSE_MANUAL, "", now);
	step(instance, spec, event, 0, &outcome, now);
	return outcome;
}

/* A cluster's worker listens, unless it says otherwise how it gets ready. */
static bool listens_to_be_ready(const struct service_spec *spec)
{
	const struct ready_spec *ready = &spec->ready;

	return spec->exec_mode == EXEC_CLUSTER && !ready->log && !ready->message && !ready->notifies && !ready->fd;
}

/* What it has to show before it is ready. */
static uint8_t gates_of(const struct service_spec *spec)
{
	const struct ready_spec *ready = &spec->ready;

	return (uint8_t)((ready->log ? GATE_LOG : 0) | (ready->message ? GATE_MESSAGE : 0) |
			 (ready->notifies ? GATE_NOTIFY : 0) | (ready->fd ? GATE_FD : 0) |
			 (listens_to_be_ready(spec) ? GATE_LISTENING : 0) |
			 (spec->probes[PROBE_STARTUP].kind ? GATE_STARTUP : 0) |
			 (spec->probes[PROBE_READINESS].kind ? GATE_READINESS : 0));
}

static void begin_watch(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	instance->gates = gates_of(spec);
	uint32_t patience_ms = instance->gates & GATE_LISTENING ? spec->listen_timeout_ms : spec->ready.timeout_ms;

	if (instance->gates & GATES_OF_READY && patience_ms)
		instance->ready_by_ms = now->monotonic_ms + patience_ms;
	if (spec->max_runtime_ms)
		instance->over_by_ms = now->monotonic_ms + spec->max_runtime_ms;
	if (spec->watchdog_ms && !instance->gates)
		instance->alive_by_ms = now->monotonic_ms + spec->watchdog_ms;
}

static void end_watch(struct instance *instance)
{
	instance->gates = 0;
	instance->ready_by_ms = instance->alive_by_ms = 0;
	instance->signal_by_ms = instance->over_by_ms = 0;
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
	instance->is_evicted = instance->is_ordered = false;
	instance->detail[0] = '\0';
	begin_watch(instance, spec, now);
	step(instance, spec, EVENT_SPAWNED, 0, &outcome, now);
	tell(&outcome, instance, NOTICE_STARTED, now);
	return outcome;
}

static void inherit(struct instance *instance, const struct heritage *heritage)
{
	instance->wanted = heritage->wanted;
	instance->life = heritage->life;
	instance->restarts = heritage->restarts;
	instance->has_death = heritage->has_death;
	instance->death_unwritten = heritage->death_unwritten;
	instance->death = heritage->death;
}

/* Nobody is told that it has started: it had long before. */
struct outcome instance_adopted(struct instance *instance, const struct service_spec *spec,
	const struct heritage *heritage, const struct moment *now)
{
	inherit(instance, heritage);
	instance->state = STATE_STARTING;
	instance->life--;
	struct outcome outcome = instance_spawned(instance, spec, heritage->pid, now);
	instance->started_us = heritage->started_us;
	instance->is_recalled = !heritage->wanted || heritage->has_ended; /* it is to rest, or may come to */
	outcome.notice_count = 0;
	if (heritage->state == STATE_READY && instance->gates & GATES_OF_READY)
		outcome.effects |= instance_pass(instance, spec, GATES_OF_READY, now).effects;
	return outcome;
}

void instance_recalled(struct instance *instance, const struct service_spec *spec,
	const struct heritage *heritage, const struct moment *now)
{
	enum state state = heritage->state;
	bool is_at_rest = state == STATE_STOPPED || state == STATE_COMPLETED || state == STATE_FAILED || state == STATE_FATAL;

	inherit(instance, heritage);
	instance->is_recalled = is_at_rest || !heritage->wanted;
	instance->state = (uint8_t)(is_at_rest ? state : STATE_STOPPED);
	instance->wanted &= is_at_rest;
	instance->since_us = now->wall_us;
	if (state == STATE_FATAL && spec->restart.fatal_retry_ms)
		instance->deadline_ms = now->monotonic_ms + spec->restart.fatal_retry_ms;
}

static void add_outcome(struct outcome *outcome, const struct outcome *more)
{
	outcome->effects |= more->effects;
	for (unsigned i = 0; i < more->notice_count; i++)
		outcome->notices[outcome->notice_count++] = more->notices[i];
}

struct outcome instance_evict(struct instance *instance, const struct service_spec *spec,
	const struct eviction *eviction, const struct moment *now)
{
	struct outcome outcome = { 0 };

	if (!state_has_process(instance->state) || instance->state == STATE_STOPPING)
		return outcome;
	instance->stop_cause = (uint8_t)eviction->cause;
	instance->is_evicted = true;
	instance->is_ordered = eviction->is_ordered;
	instance->wanted &= !eviction->is_final;
	snprintf(instance->detail, sizeof instance->detail, "%s", eviction->why);
	if (eviction->cause == CAUSE_LIMIT)
		tell(&outcome, instance, NOTICE_LIMIT, now);
	step(instance, spec, eviction->at_once ? EVENT_EVICT_NOW : EVENT_EVICT, 0, &outcome, now);
	return outcome;
}

struct outcome instance_warn(struct instance *instance, const char *why, const struct moment *now)
{
	struct outcome outcome = { 0 };
	struct notice *notice = tell(&outcome, instance, NOTICE_LIMIT, now);

	snprintf(notice->detail, sizeof notice->detail, "%s", why);
	return outcome;
}

struct outcome instance_pass(struct instance *instance, const struct service_spec *spec,
	enum gate gate, const struct moment *now)
{
	struct outcome outcome = { 0 };

	instance->gates &= (uint8_t)~gate;
	if (!(instance->gates & GATES_OF_READY))
		instance->ready_by_ms = 0;
	if (instance->gates || instance->state == STATE_READY)
		return outcome;
	instance->detail[0] = '\0';
	step(instance, spec, EVENT_READY, 0, &outcome, now);
	if (spec->watchdog_ms && !instance->alive_by_ms)
		instance_kept_alive(instance, spec, now);
	return outcome;
}

struct outcome instance_shut(struct instance *instance, const struct service_spec *spec,
	enum gate gate, const char *why, const struct moment *now)
{
	struct outcome outcome = { 0 };

	instance->gates |= (uint8_t)gate;
	if (instance->state != STATE_STOPPING)
		snprintf(instance->detail, sizeof instance->detail, "%s", why);
	step(instance, spec, EVENT_UNREADY, 0, &outcome, now);
	return outcome;
}

void instance_kept_alive(
	struct instance *instance, const struct service_spec *spec, const struct moment *now)
{
	if (spec->watchdog_ms && instance->pid && instance->state != STATE_STOPPING)
		instance->alive_by_ms = now->monotonic_ms + spec->watchdog_ms;
}

static void extend(uint64_t *deadline_ms, uint64_t until_ms)
{
	if (*deadline_ms && *deadline_ms < until_ms)
		*deadline_ms = until_ms;
}

void instance_extend(struct instance *instance, uint64_t extension_ms, const struct moment *now)
{
	uint64_t until_ms = now->monotonic_ms + extension_ms;

	if (instance->state == STATE_STOPPING)
		extend(&instance->deadline_ms, until_ms);
	extend(&instance->ready_by_ms, until_ms);
	extend(&instance->over_by_ms, until_ms);
}

/* ---- deadlines ---- */

static struct outcome be_late(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	char why[DEATH_DETAIL_SIZE];
	struct eviction eviction = { .cause = CAUSE_PROBE, .why = why };

	if ((instance->gates & GATES_OF_READY) == GATE_LISTENING)
		return instance_pass(instance, spec, GATE_LISTENING, now);
	snprintf(why, sizeof why, "not ready within %.1f s", spec->ready.timeout_ms / 1000.0);
	return instance_evict(instance, spec, &eviction, now);
}

static struct outcome be_silent(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	char why[DEATH_DETAIL_SIZE];
	struct eviction eviction = { .cause = CAUSE_WATCHDOG, .why = why };

	snprintf(why, sizeof why, "no WATCHDOG=1 for %.1f s", spec->watchdog_ms / 1000.0);
	return instance_evict(instance, spec, &eviction, now);
}

static struct outcome outstay(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	char why[DEATH_DETAIL_SIZE];
	struct eviction eviction = { .cause = CAUSE_LIMIT, .why = why };

	snprintf(why, sizeof why, "max_runtime of %.1f s is over", spec->max_runtime_ms / 1000.0);
	return instance_evict(instance, spec, &eviction, now);
}

static struct outcome time_out(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	return instance_report(instance, spec, EVENT_TIMEOUT, now);
}

/* The message did not do it. */
static struct outcome press(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	(void)spec;
	(void)now;
	return (struct outcome){ .effects = instance->state == STATE_STOPPING ? DO_SIGNAL : 0 };
}

/* The next time is found first: it comes whatever becomes of this one. */
static struct outcome be_due(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	instance->ran_us = instance->due_us;
	find_due(instance, spec, now);
	if (instance->state == STATE_SCHEDULED)
		return instance_report(instance, spec, EVENT_DUE, now);
	if (spec->schedule.concurrent > 1)
		return (struct outcome){ .effects = DO_HAND_ON };
	return instance_overlap(instance, spec, now);
}

struct outcome instance_overlap(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	struct eviction eviction = { .cause = CAUSE_RELOAD, .why = "its next run is due", .is_ordered = true };
	struct outcome outcome = { 0 };

	if (spec->schedule.overlap == OVERLAP_REPLACE)
		return instance_evict(instance, spec, &eviction, now);
	if (spec->schedule.overlap == OVERLAP_QUEUE)
		instance->is_due_again = true;
	struct notice *notice = tell(&outcome, instance, NOTICE_SKIPPED, now);
	snprintf(notice->detail, sizeof notice->detail, "the former run is still there; %s",
		instance->is_due_again ? "it is due again after it" : "this one is left out");
	return outcome;
}

static const struct {
	size_t offset; /* of the deadline in the instance */
	struct outcome (*pass)(struct instance *instance, const struct service_spec *spec,
		const struct moment *now);
} deadlines[] = {
	{ offsetof(struct instance, deadline_ms), time_out },
	{ offsetof(struct instance, ready_by_ms), be_late },
	{ offsetof(struct instance, alive_by_ms), be_silent },
	{ offsetof(struct instance, over_by_ms), outstay },
	{ offsetof(struct instance, signal_by_ms), press },
	{ offsetof(struct instance, due_ms), be_due },
};

enum { DEADLINE_COUNT = sizeof deadlines / sizeof *deadlines };

static uint64_t *deadline_of(const struct instance *instance, size_t which)
{
	return (uint64_t *)((char *)(uintptr_t)instance + deadlines[which].offset);
}

static int next_deadline(const struct instance *instance)
{
	int next = -1;

	for (int i = 0; i < DEADLINE_COUNT; i++) {
		uint64_t at_ms = *deadline_of(instance, (size_t)i);
		if (at_ms && (next < 0 || at_ms < *deadline_of(instance, (size_t)next)))
			next = i;
	}
	return next;
}

uint64_t instance_next_deadline(const struct instance *instance)
{
	int next = next_deadline(instance);

	return next < 0 ? 0 : *deadline_of(instance, (size_t)next);
}

bool instance_is_overdue(const struct instance *instance, const struct moment *now)
{
	uint64_t next_ms = instance_next_deadline(instance);

	return next_ms && next_ms <= now->monotonic_ms;
}

struct outcome instance_overdue(
	struct instance *instance, const struct service_spec *spec, const struct moment *now)
{
	int next = next_deadline(instance);

	*deadline_of(instance, (size_t)next) = 0;
	return deadlines[next].pass(instance, spec, now);
}

bool instance_is_ready(const struct instance *instance, const struct service_spec *spec)
{
	if (!service_spec_tells_ready(spec))
		return instance->life > 0;
	return instance->state == STATE_READY;
}

static void remember(struct instance *instance, const struct death *death,
	const struct moment *now)
{
	instance->death = *death;
	instance->death.life = instance->life;
	instance->death.pid = instance->pid;
	instance->death.started_us = instance->started_us;
	instance->death.ended_us = now->wall_us;
	instance->death.uptime_ms =
		now->monotonic_ms > instance->started_ms ? now->monotonic_ms - instance->started_ms : 0;
	if (instance->stop_cause != CAUSE_NONE)
		instance->death.cause = instance->stop_cause;
	if (instance->detail[0] && instance->stop_cause != CAUSE_NONE)
		memcpy(instance->death.detail, instance->detail, sizeof instance->death.detail);
	instance->has_death = true;
	instance->death_unwritten = true;
	instance->pid = 0;
}

struct outcome instance_ended(struct instance *instance, const struct service_spec *spec,
	const struct death *death, bool has_leftovers, const struct moment *now)
{
	struct outcome outcome = { 0 };

	remember(instance, death, now);
	end_watch(instance);
	tell_death(&outcome, instance, NOTICE_EXITED, now);
	instance->beheaded = has_leftovers;
	if (has_leftovers) {
		step(instance, spec, EVENT_BEHEADED, 0, &outcome, now);
		return outcome;
	}
	struct outcome rest = instance_gone(instance, spec, now);
	add_outcome(&outcome, &rest);
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

/* What was asked of it, not what it did: unless its policy has a say. */
static enum event obey(const struct instance *instance)
{
	if (!instance->wanted)
		return EVENT_ENDED_UNWANTED;
	return instance->stop_cause == CAUSE_DEPENDENCY ? EVENT_ENDED_AWAITING : EVENT_ENDED_WANTED;
}

/* Whatever its own pause: many that crash at once are not all started at once. */
static void wait_in_crowd(struct judgement *judgement, const struct moment *now)
{
	bool is_restarted = judgement->verdict == VERDICT_AGAIN || judgement->verdict == VERDICT_BACKOFF;

	if (is_restarted && judgement->delay_ms < now->crowd_ms)
		*judgement = (struct judgement){ VERDICT_BACKOFF, now->crowd_ms };
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

	if (instance->stop_cause != CAUSE_NONE && (!instance->is_evicted || !instance->wanted))
		return obey(instance);
	struct judgement judgement =
		instance->is_evicted
			? policy_judge_eviction(&spec->restart, &instance->crashes, &instance->death,
				  instance->is_ordered, now->monotonic_ms, now->random)
			: policy_judge(&spec->restart, &instance->crashes, &instance->death,
				  now->monotonic_ms, now->random);
	wait_in_crowd(&judgement, now);
	*delay_ms = judgement.delay_ms;
	return events[judgement.verdict];
}

/* A run that its schedule will repeat is over, not finished: it is told how it ended, and waits. */
static enum event await_due(struct instance *instance, enum event event, struct outcome *outcome,
	const struct moment *now)
{
	static const uint8_t kinds[EVENT_COUNT] = {
		[EVENT_ENDED_WELL] = NOTICE_COMPLETED,
		[EVENT_ENDED_BADLY] = NOTICE_FAILED,
		[EVENT_ENDED_FATAL] = NOTICE_FATAL,
	};

	if (!kinds[event])
		return event;
	tell_death(outcome, instance, kinds[event], now);
	bool is_due = instance->is_due_again;
	instance->is_due_again = false;
	return is_due ? EVENT_ENDED_AWAITING : EVENT_ENDED_TILL_DUE;
}

struct outcome instance_gone(struct instance *instance, const struct service_spec *spec,
	const struct moment *now)
{
	struct outcome outcome = { 0 };
	uint32_t delay_ms = 0;
	enum event event = judge(instance, spec, &delay_ms, now);

	instance->beheaded = false;
	if (is_scheduled(spec))
		event = await_due(instance, event, &outcome, now);
	if (event == EVENT_ENDED_AGAIN || event == EVENT_ENDED_BACKOFF ||
		event == EVENT_ENDED_WANTED ||
		(event == EVENT_ENDED_AWAITING && instance->stop_cause != CAUSE_NONE))
		count_restart(instance);
	step(instance, spec, event, delay_ms, &outcome, now);
	instance->stop_cause = CAUSE_NONE;
	instance->is_evicted = instance->is_ordered = false;
	return outcome;
}

bool instance_is_finished(const struct instance *instance)
{
	return state_is_over(instance->state);
}
