#include "engine/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/adoption.h"
#include "engine/apply.h"
#include "engine/attendant.h"
#include "engine/blocked.h"
#include "engine/channel.h"
#include "engine/cluster.h"
#include "engine/derived.h"
#include "engine/crash.h"
#include "engine/door.h"
#include "engine/exits.h"
#include "engine/helper.h"
#include "engine/hook.h"
#include "engine/journald.h"
#include "engine/leftovers.h"
#include "engine/limit.h"
#include "engine/output.h"
#include "engine/pool.h"
#include "engine/reload.h"
#include "engine/resuming.h"
#include "engine/ripple.h"
#include "engine/schedule.h"
#include "engine/starting.h"
#include "engine/stopping.h"
#include "engine/watch.h"

enum { FAULTS_MOST = 5,
	FAULTS_US = 60 * 1000000,
	QUEUE_FIRST = 64 };

struct moment engine_moment(struct engine *engine)
{
	engine->random = engine->random * 1664525 + 1013904223;
	return (struct moment){ .monotonic_ms = clock_monotonic_ms(),
		.wall_us = clock_wall_us(),
		.random = engine->random };
}

void engine_tell(struct engine *engine, const char *fmt, ...)
{
	struct notice notice = { .ts_us = clock_wall_us(), .kind = NOTICE_ENGINE, .code = -1 };
	va_list args;

	va_start(args, fmt);
	vsnprintf(notice.detail, sizeof notice.detail, fmt, args);
	va_end(args);
	log_line("%s", notice.detail);
	store_tell(engine->store, &notice);
	engine->listener.on_notice(engine->listener.context, &notice);
}

struct member *engine_find(struct engine *engine, const char *service, unsigned instance)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		struct member *member = engine->members[seat];
		if (member && member->now.index == instance &&
			strcmp(member->now.service, service) == 0)
			return member;
	}
	return NULL;
}

struct member *engine_find_pid(const struct engine *engine, pid_t pid)
{
	for (uint32_t seat = 0; pid && seat < engine->store->seat_top; seat++)
		if (engine->members[seat] && engine->members[seat]->now.pid == pid)
			return engine->members[seat];
	return NULL;
}

/*
 * Deaths go to the journal once: the store remembers that one is still to be written. The record
 * comes first, so that a death in the history has it, wherever we die.
 */
void engine_write_death(struct engine *engine, struct member *member)
{
	struct error err;

	if (!member->now.death_unwritten)
		return;
	roster_note(engine, member); /* the next run, too, is to look whether it is there */
	bool is_recorded = member->recorded_life == member->now.death.life || recorder_add(&engine->recorder, member, &err);
	if (is_recorded)
		member->recorded_life = member->now.death.life;
	else
		log_line("%s/%u: its last lines are not kept: %s", member->now.service,
			member->now.index, err.text);
	if (!journal_add(&engine->journal, member->now.service, member->now.index, &member->now.death, &err)) {
		log_line("%s/%u: its death is not in the history yet: %s", member->now.service, member->now.index, err.text);
		output_retry_later(engine);
		return;
	}
	member->now.death_unwritten = false;
	store_commit(engine->store, member->seat, &member->now, NULL, 0);
}

bool engine_write_deaths(struct engine *engine)
{
	bool is_any_left = false;

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		struct member *member = engine->members[seat];
		if (!member || !member->now.death_unwritten)
			continue;
		engine_write_death(engine, member);
		is_any_left |= member->now.death_unwritten;
	}
	return is_any_left;
}

static void push(struct engine *engine, struct happening happening)
{
	if (engine->queue_count == engine->queue_room) {
		engine->queue_room = engine->queue_room ? engine->queue_room * 2 : QUEUE_FIRST;
		engine->queue =
			memory_resize(engine->queue, engine->queue_room, sizeof *engine->queue);
	}
	engine->queue[engine->queue_count++] = happening;
}

/* The first that waits takes the run. */
static void hand_on(struct engine *engine, struct member *member)
{
	const struct service *service = member_service(member);

	for (size_t i = 0; i < service->count; i++) {
		struct member *other = member_of(service->instances[i]);
		if (other->now.state == STATE_SCHEDULED) {
			push(engine, (struct happening){ .seat = other->seat, .event = EVENT_DUE, .cause = CAUSE_NONE });
			return;
		}
	}
	push(engine, (struct happening){ .deed = DEED_OVERLAP, .seat = member->seat });
}

static void perform(struct engine *engine, struct member *member, unsigned effects)
{
	if (effects & DO_HAND_ON)
		hand_on(engine, member);
	if (effects & DO_SPAWN)
		push(engine, (struct happening){ .deed = DEED_SPAWN, .seat = member->seat });
	if (effects & DO_TERMINATE)
		stopping_ask(engine, member);
	if (effects & DO_SIGNAL)
		stopping_signal(engine, member);
	if (effects & DO_KILL)
		stopping_kill(engine, member);
}

void engine_changed(struct engine *engine, struct member *member, struct outcome *outcome)
{
	struct engine_listener *listener = &engine->listener;

	store_commit(
		engine->store, member->seat, &member->now, outcome->notices, outcome->notice_count);
	engine_write_death(engine, member);
	member_arm(member);
	perform(engine, member, outcome->effects);
	roster_note(engine, member);
	attendant_update(member);
	for (unsigned i = 0; i < outcome->notice_count; i++) {
		listener->on_notice(listener->context, &outcome->notices[i]);
		ripple_consider(engine, member, &outcome->notices[i]);
		hook_consider(engine, member, &outcome->notices[i]);
	}
	listener->on_changed(listener->context, member);
	project_ask_about(&engine->project, member_service(member));
	pool_consider(member);
	door_consider(engine, member);
	reload_consider(engine, member_service(member));
	engine->graph_dirty = true;
}

/* Every life has its slot until the process and its output have ended and nothing of its tree is left. */
void engine_free_life(struct engine *engine, struct life *life)
{
	char marker[MARKER_SIZE];

	marker_format(marker, life);
	cgroup_remove(&engine->cgroup, marker);
	atomic_store(&life->state, LIFE_FREE);
}

void engine_settle_life(struct engine *engine, uint32_t index)
{
	struct life *life = &engine->store->lives[index];
	struct member *member = engine->members[life->seat];
	bool is_looked_for = member && member->now.beheaded && member->life == (int32_t)index;

	if (life->state != LIFE_EXITED || life->closed != (1u << STREAM_COUNT) - 1 || is_looked_for)
		return;
	if (member && member->life == (int32_t)index)
		member->life = -1;
	keeper_link_delete(&engine->keeper, STORE_LIFE_SLOT + index);
	engine_free_life(engine, life);
}

void engine_logged(struct engine *engine, struct member *member, enum stream stream)
{
	attendant_logged(member, stream);
	derived_follow(member, stream);
	journald_follow(member);
	engine->listener.on_logged(engine->listener.context, member, stream);
}

/* Services move in their table then: nobody who has a pointer to one is under way now. */
static void on_forget(uv_timer_t *timer)
{
	apply_forget(timer->data);
}

static void forget_member(struct engine *engine, struct member *member)
{
	char service[sizeof member->now.service];
	unsigned index = member->now.index;

	memcpy(service, member->now.service, sizeof service);
	for (struct output *output = engine->outputs, *next; output; output = next) {
		next = output->next;
		if (output->seat == member->seat)
			output_abandon(output);
	}
	struct service *former = member_service(member);
	service_remove(former, &member->now);
	if (former->spec->is_leaving)
		uv_timer_start(&engine->forget, on_forget, 0, 0);
	roster_forget(engine, member);
	store_free_seat(engine->store, member->seat);
	keeper_link_delete(&engine->keeper, STORE_SEAT_SLOT + member->seat);
	engine->members[member->seat] = NULL;
	member_destroy(member);
	door_tidy(engine);
	engine->listener.on_removed(engine->listener.context, service, index);
}

/* Pending instances are allowed to start, or never will be. */
static void ask_graph(struct engine *engine, struct member *member)
{
	char reason[DEATH_DETAIL_SIZE];

	if (member->now.state != STATE_PENDING)
		return;
	enum permission permission = project_may_start(&engine->project, member_service(member),
		reason, sizeof reason);
	if (strcmp(reason, member->now.detail) != 0) {
		memcpy(member->now.detail, reason, sizeof reason);
		engine->listener.on_changed(engine->listener.context, member);
	}
	if (permission != PERMISSION_WAIT)
		push(engine,
			(struct happening){ .seat = member->seat,
				.event = permission == PERMISSION_GRANTED ? EVENT_ALLOWED : EVENT_FORBIDDEN });
}

/* At the end, and when they are taken out: what nothing depends on any more is stopped next. */
static void stop_next(struct engine *engine, struct member *member)
{
	if (state_is_over(member->now.state) || !member->now.wanted)
		return;
	if (project_may_stop(&engine->project, member_service(member)))
		push(engine, (struct happening){ .seat = member->seat, .event = EVENT_STOP, .cause = CAUSE_MANUAL });
}

bool engine_is_fatal(const struct engine *engine)
{
	if (engine->is_orphaned)
		return true;
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		const struct member *member = engine->members[seat];
		if (member &&
			(member->now.state == STATE_FATAL || member->now.state == STATE_FAILED))
			return true;
	}
	return false;
}

static void end_if_over(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat] && !instance_is_finished(&engine->members[seat]->now))
			return;
	if (engine->is_over || engine->helpers) /* a hook of the last stop has its time, too */
		return;
	engine->is_over = true;
	leftovers_of_all(engine);
	engine->listener.on_over(engine->listener.context);
}

/* Its end, or only a failure, is that of the project. */
static bool ends_project(const struct member *member)
{
	const struct restart_policy *policy = &member_spec(member)->restart;
	enum state state = member->now.state;
	bool is_failure = state == STATE_FAILED || state == STATE_FATAL;

	return (policy->mode == RESTART_EXIT_ON_FAILURE && is_failure) ||
	       (policy->exit_on_end && (is_failure || state == STATE_COMPLETED)) ||
	       (policy->exit_on_skipped && state == STATE_SKIPPED);
}

/* As a shell has it; a failure is never 0. */
static int status_of(const struct instance *instance)
{
	const struct death *death = &instance->death;
	int status = instance->state == STATE_SKIPPED ? 1 : death->signal ? 128 + death->signal
									  : death->code;

	return status == 0 && instance->state != STATE_COMPLETED ? 1 : status;
}

int engine_status(const struct engine *engine)
{
	const struct member *first = NULL;

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		const struct member *member = engine->members[seat];
		if (member && ends_project(member) && (!first || member->now.since_us < first->now.since_us))
			first = member;
	}
	return first ? status_of(&first->now) : engine_is_fatal(engine);
}

/* Those whose dependencies have changed. */
static void ask_services(struct engine *engine)
{
	for (size_t i = 0; i < engine->project.count; i++) {
		struct service *service = &engine->project.services[i];
		if (!service->is_asked)
			continue;
		service->is_asked = false;
		for (size_t k = 0; k < service->count; k++)
			ask_graph(engine, member_of(service->instances[k]));
	}
}

static void consult_graph(struct engine *engine)
{
	bool is_ending = engine->store->is_ending;

	engine->graph_dirty = false;
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		struct member *member = engine->members[seat];
		if (!member)
			continue;
		if (!is_ending && ends_project(member)) {
			atomic_store(&engine->store->is_ending, 1);
			engine->graph_dirty = true; /* now the other way round, from the first */
			return;
		}
		if (member->now.removing && instance_is_finished(&member->now))
			forget_member(engine, member);
		else if (is_ending || (member->now.removing && member_spec(member)->is_leaving))
			stop_next(engine, member);
	}
	if (!is_ending)
		ask_services(engine);
	else if (!engine->queue_count)
		end_if_over(engine);
}

static struct outcome do_event(
	struct member *member, const struct happening *happening, const struct moment *now)
{
	const struct service_spec *spec = member_spec(member);

	if (happening->cause == CAUSE_NONE)
		return instance_report(&member->now, spec, happening->event, now);
	return instance_stop_for(
		&member->now, spec, happening->event, happening->cause, happening->why, now);
}

static struct outcome do_overdue(
	struct member *member, const struct happening *happening, const struct moment *now)
{
	(void)happening;
	if (!instance_is_overdue(&member->now, now))
		return (struct outcome){ 0 }; /* it was granted more time; the timer is set anew */
	return instance_overdue(&member->now, member_spec(member), now);
}

static struct outcome do_evict(
	struct member *member, const struct happening *happening, const struct moment *now)
{
	struct eviction eviction = { happening->cause, happening->why, happening->is_ordered,
		happening->at_once, happening->is_final };

	return instance_evict(&member->now, member_spec(member), &eviction, now);
}

static struct outcome do_pass(
	struct member *member, const struct happening *happening, const struct moment *now)
{
	return instance_pass(&member->now, member_spec(member), happening->gate, now);
}

static struct outcome do_shut(
	struct member *member, const struct happening *happening, const struct moment *now)
{
	return instance_shut(
		&member->now, member_spec(member), happening->gate, happening->why, now);
}

static struct outcome do_warn(
	struct member *member, const struct happening *happening, const struct moment *now)
{
	return instance_warn(&member->now, happening->why, now);
}

static struct outcome do_overlap(
	struct member *member, const struct happening *happening, const struct moment *now)
{
	(void)happening;
	return instance_overlap(&member->now, member_spec(member), now);
}

static struct outcome (*const deeds[DEED_COUNT])(
	struct member *member, const struct happening *happening, const struct moment *now) = {
	[DEED_EVENT] = do_event,
	[DEED_OVERDUE] = do_overdue,
	[DEED_EVICT] = do_evict,
	[DEED_PASS] = do_pass,
	[DEED_SHUT] = do_shut,
	[DEED_WARN] = do_warn,
	[DEED_OVERLAP] = do_overlap,
};

static void handle(struct engine *engine, const struct happening *happening)
{
	struct member *member = engine->members[happening->seat];

	if (!member || (happening->life && happening->life != member->now.life))
		return;
	if (happening->deed == DEED_SPAWN) {
		if (member->now.state == STATE_STARTING)
			starting_spawn(engine, member);
		return;
	}
	if (happening->deed == DEED_LOST) {
		exits_lose(engine, member);
		return;
	}
	struct moment now = engine_moment(engine);
	struct outcome outcome = deeds[happening->deed](member, happening, &now);
	engine_changed(engine, member, &outcome);
}

static void drain(struct engine *engine)
{
	if (engine->is_draining)
		return;
	engine->is_draining = true;
	do {
		for (size_t i = 0; i < engine->queue_count; i++) {
			struct happening next = engine->queue[i];
			handle(engine, &next);
		}
		engine->queue_count = 0;
		if (engine->graph_dirty)
			consult_graph(engine);
	} while (engine->queue_count || engine->graph_dirty);
	engine->is_draining = false;
}

void engine_queue(struct engine *engine, const struct happening *happening)
{
	push(engine, *happening);
}

static void see_through(struct engine *engine, struct happening happening)
{
	push(engine, happening);
	drain(engine);
}

void engine_report_for(struct engine *engine, struct member *member, enum event event,
	enum cause cause)
{
	see_through(engine,
		(struct happening){ .seat = member->seat, .event = event, .cause = cause });
}

void engine_report(struct engine *engine, struct member *member, enum event event)
{
	engine_report_for(engine, member, event, CAUSE_NONE);
}

void engine_evict(struct engine *engine, struct member *member, const struct eviction *eviction)
{
	struct happening happening = { .deed = DEED_EVICT,
		.seat = member->seat,
		.life = member->now.life,
		.cause = eviction->cause,
		.is_ordered = eviction->is_ordered,
		.at_once = eviction->at_once,
		.is_final = eviction->is_final };

	snprintf(happening.why, sizeof happening.why, "%s", eviction->why);
	see_through(engine, happening);
}

void engine_pass(struct engine *engine, struct member *member, enum gate gate)
{
	see_through(engine, (struct happening){ .deed = DEED_PASS,
				    .seat = member->seat,
				    .life = member->now.life,
				    .gate = gate });
}

void engine_shut(struct engine *engine, struct member *member, enum gate gate, const char *why)
{
	struct happening happening = {
		.deed = DEED_SHUT, .seat = member->seat, .life = member->now.life, .gate = gate
	};

	snprintf(happening.why, sizeof happening.why, "%s", why);
	see_through(engine, happening);
}

void engine_warn(struct engine *engine, struct member *member, const char *why)
{
	struct happening happening = { .deed = DEED_WARN, .seat = member->seat, .life = member->now.life };

	snprintf(happening.why, sizeof happening.why, "%s", why);
	see_through(engine, happening);
}

void engine_see_through(struct engine *engine)
{
	drain(engine);
}

void engine_overdue(struct engine *engine, struct member *member)
{
	/* nobody tells when those end whom a former keeper left to somebody above us */
	if (member->now.beheaded)
		exits_check_beheaded(engine);
	see_through(engine, (struct happening){ .deed = DEED_OVERDUE, .seat = member->seat });
}

/* The process is there: the kernel wrote its pid. */
void engine_welcome(struct engine *engine, struct member *member, uint32_t index)
{
	struct life *life = &engine->store->lives[index];
	struct moment now = engine_moment(engine);
	uint64_t age_us = clock_monotonic_us() - life->began_us;

	now.monotonic_ms = life->began_us / 1000;
	now.wall_us -= age_us;
	life->there_boot_us = clock_boot_us();
	member->life = (int32_t)index;
	member->leftovers = 0;
	free(member->status);
	member->status = NULL;
	member->sample = (struct sample){ 0 };
	struct outcome outcome =
		instance_spawned(&member->now, member_spec(member), life->pid, &now);
	atomic_store(&life->state, LIFE_RUNNING);
	engine_changed(engine, member, &outcome);
}

static struct heritage inherit(struct engine *engine, const struct member *member, const struct roster_row *row)
{
	memcpy(engine->store->seats[member->seat].launched_as, row->launched_as, DIGEST_SIZE);
	/* the row is written before the history is: whoever wrote it may have come to do both */
	bool is_unwritten = row->death_unwritten && !journal_has(&engine->journal, member->now.service, member->now.index, &row->death);
	return (struct heritage){ .pid = row->pid,
		.life = row->life,
		.state = row->state,
		.wanted = row->wanted,
		.has_death = row->has_death,
		.death_unwritten = is_unwritten,
		.started_us = row->started_us,
		.restarts = row->restarts,
		.death = row->death };
}

void engine_adopted(
	struct engine *engine, struct member *member, uint32_t index, const struct roster_row *row, bool has_ended)
{
	struct heritage heritage = inherit(engine, member, row);
	struct moment now = engine_moment(engine);

	if (member->now.life >= row->life)
		return; /* that was done before, and cut off */
	now.monotonic_ms = engine->store->lives[index].began_us / 1000;
	heritage.has_ended = has_ended;
	member->life = (int32_t)index;
	struct outcome outcome = instance_adopted(&member->now, member_spec(member), &heritage, &now);
	engine_changed(engine, member, &outcome);
}

void engine_recalled(struct engine *engine, struct member *member, const struct roster_row *row)
{
	const struct heritage heritage = inherit(engine, member, row);
	struct moment now = engine_moment(engine);

	instance_recalled(&member->now, member_spec(member), &heritage, &now);
	roster_know(member);
	/* nobody starts the project: it never was stopped */
	bool is_due = engine->store->cold && row->wanted && !member->now.is_recalled;
	struct outcome outcome = { 0 };
	if (is_due)
		outcome = instance_report(&member->now, member_spec(member), EVENT_START, &now);
	engine_changed(engine, member, &outcome);
}

void engine_lost(struct engine *engine, struct member *member)
{
	push(engine, (struct happening){ .deed = DEED_LOST, .seat = member->seat, .life = member->now.life });
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	struct engine *engine = poll->data;
	uint64_t ignored;

	(void)status;
	(void)events;
	while (read(engine->keeper.page->wake_fd, &ignored, sizeof ignored) < 0 && errno == EINTR)
		continue;
	exits_take(engine);
	drain(engine);
}

static uint32_t list_running(const struct engine *engine, int32_t *pids)
{
	const struct store *store = engine->store;
	uint32_t count = 0;

	for (uint32_t i = 0; i < store->life_top; i++) {
		bool runs = store->lives[i].state == LIFE_SPAWNING || store->lives[i].state == LIFE_RUNNING;
		if (runs && store->lives[i].pid)
			pids[count++] = store->lives[i].pid;
	}
	for (uint32_t i = 0; i < STORE_HELPERS; i++)
		if (store->helpers[i].state != LIFE_FREE && store->helpers[i].pid)
			pids[count++] = store->helpers[i].pid;
	return count;
}

/* Without a keeper nobody tells how children end: we take its place, and it starts an engine anew. */
static void on_keeper_gone(uv_poll_t *poll, int status, int events)
{
	static int32_t pids[STORE_LIVES + STORE_HELPERS];
	struct engine *engine = poll->data;
	struct error err = { 0 };

	(void)status;
	(void)events;
	uv_poll_stop(poll);
	exits_take(engine);
	drain(engine);
	engine_tell(engine, "the keeper was killed (pid %d): this engine takes its place",
		(int)engine->keeper.page->keeper_pid);
	keeper_link_promote(&engine->keeper, engine->project.spec->name, engine->store->exits_seen,
		pids, list_running(engine, pids), &err);
	engine_tell(engine, "%s: children run on without a supervisor", err.text);
	engine->is_over = engine->is_orphaned = true;
	engine->listener.on_over(engine->listener.context);
}

struct member *engine_seat(struct engine *engine, struct service *service, uint32_t seat)
{
	struct member *member = member_create(engine, seat);

	engine->members[seat] = member;
	service_add(service, &member->now);
	return member;
}

struct member *engine_add_instance(struct engine *engine, struct service *service,
	unsigned index, struct error *err)
{
	struct instance instance;

	instance_init(&instance, service->spec->name, index, service->spec->disabled);
	instance.since_us = clock_wall_us();
	int seat = store_take_seat(engine->store, &instance);
	if (seat < 0) {
		error_set(err, 0, "no room for more than %d instances", STORE_SEATS);
		return NULL;
	}
	return engine_seat(engine, service, (uint32_t)seat);
}

static char *project_folder(const char *variable, const char *project)
{
	const char *base = getenv(variable);

	return memory_format("%s/%s", base ? base : ".", project);
}

static void add_to_pass(struct engine *engine, struct member *member)
{
	bool is_studied = member->wants_study || engine->wants_chart;

	sampler_add(&engine->sampler, member->seat, member->now.pid, limit_wants(member), is_studied, member->wants_holdings);
	member->wants_study = member->wants_holdings = false;
}

static void take_study(struct member *member, struct study *study)
{
	if (!study->pid)
		return;
	if (member->study)
		study_finish(member->study);
	else
		member->study = memory_zeroed(1, sizeof *member->study);
	*member->study = *study;
	*study = (struct study){ 0 };
}

static bool begin_pass(struct engine *engine)
{
	sampler_clear(&engine->sampler);
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat] && engine->members[seat]->now.pid)
			add_to_pass(engine, engine->members[seat]);
	engine->sampler.wants_chart = engine->wants_chart;
	engine->sampler.left_out[1] = engine->keeper.page->keeper_pid;
	engine->wants_chart = false;
	engine->passes_begun++;
	return sampler_start(&engine->sampler);
}

uint64_t engine_sample(struct engine *engine)
{
	if (engine->sampler.is_busy) {
		engine->sampler.is_asked_again = true;
		return engine->passes_begun + 1;
	}
	return begin_pass(engine) ? engine->passes_begun : 0;
}

static void on_pass_done(void *context)
{
	struct engine *engine = context;
	struct sampler *sampler = &engine->sampler;
	uint64_t now_us = clock_wall_us();

	for (size_t i = 0; sampler->is_ok && i < sampler->count; i++) {
		struct member *member = engine->members[sampler->seats[i]];
		const struct sample *sample = &sampler->samples[i];
		if (!member || !sample->pid || sample->pid != member->now.pid)
			continue;
		member->sample = *sample;
		pool_measure(member, &member->sample.inside);
		channel_measure(member, now_us);
		recorder_sample(member, sample, now_us);
		take_study(member, &sampler->studies[i]);
		blocked_consider(member);
	}
	limit_check(engine);
	engine->passes_done = engine->passes_begun;
	engine->listener.on_sampled(engine->listener.context);
	if (sampler->is_asked_again) {
		sampler->is_asked_again = false;
		begin_pass(engine);
	}
}

static void watch_keeper(struct engine *engine)
{
	uv_poll_init(engine->loop, &engine->wake, engine->keeper.page->wake_fd);
	engine->wake.data = engine;
	uv_poll_start(&engine->wake, UV_READABLE, on_wake);
	uv_poll_init(engine->loop, &engine->keeper_hangup, engine->keeper.control_fd);
	engine->keeper_hangup.data = engine;
	uv_poll_start(&engine->keeper_hangup, UV_DISCONNECT, on_keeper_gone);
}

static void on_turn_over(uv_prepare_t *turn)
{
	struct engine *engine = turn->data;

	/* whoever is told of answers may have more tasks */
	do {
		pool_before_sending(engine);
		channel_flush_all(engine);
		pool_after_sending(engine);
	} while (pool_is_dirty(engine));
}

static void name_run(struct engine *engine)
{
	if (!engine->store->origin.us)
		engine->store->origin = (struct origin){ engine->keeper.page->origin_pid, clock_wall_us() };
}

/* Whatever leads engines to their end again and again may be in what they go on with. */
static void note_faults(struct engine *engine)
{
	struct store *store = engine->store;
	const struct keeper_page *page = engine->keeper.page;
	uint64_t now_us = clock_monotonic_us();

	if (page->engine_starts > 1 && page->last_code != CLD_EXITED && crash_is_fault(page->last_status)) {
		if (now_us - store->first_fault_us > FAULTS_US)
			store->faults = 0;
		if (store->faults++ == 0)
			store->first_fault_us = now_us;
	}
	if (store->faults >= FAULTS_MOST)
		store_wipe(store, page->state_fd, COLD_FAULTS);
	if (store->cold && !store->exits_seen && page->exit_count > KEEPER_EXITS)
		store->exits_seen = page->exit_count - KEEPER_EXITS; /* those that are still there */
}

bool engine_open(struct engine *engine, uv_loop_t *loop, struct error *err)
{
	engine->loop = loop;
	engine->started_us = clock_wall_us();
	engine->random = (uint32_t)engine->started_us;
	if (!keeper_link_open(&engine->keeper, err))
		return false;
	engine->store = store_open(engine->keeper.page->state_fd, err);
	if (!engine->store || !resuming_load_spec(engine, err))
		return false;
	note_faults(engine);
	store_recover(engine->store);
	name_run(engine);
	engine->state_dir = project_folder("THRUM_STATE_DIR", engine->project.spec->name);
	engine->runtime_dir = project_folder("THRUM_RUNTIME_DIR", engine->project.spec->name);
	journal_open(&engine->journal, engine->state_dir);
	recorder_open(&engine->recorder, engine->state_dir);
	engine->roster = (struct roster){ memory_format("%s/running", engine->runtime_dir), -1 };
	crash_prepare(engine);
	cgroup_open(&engine->cgroup);
	sampler_init(&engine->sampler, loop, on_pass_done, engine);
	engine->sampler.left_out[0] = getpid();
	uv_prepare_init(loop, &engine->turn);
	engine->turn.data = engine;
	uv_prepare_start(&engine->turn, on_turn_over);
	eager_init(&engine->eager, loop);
	uv_timer_init(loop, &engine->retry);
	engine->retry.data = engine;
	uv_timer_init(loop, &engine->end);
	engine->end.data = engine;
	uv_timer_init(loop, &engine->forget);
	engine->forget.data = engine;
	uv_timer_init(loop, &engine->limit_timer);
	engine->limit_timer.data = engine;
	engine->clock_fd = -1;
	notify_restore(&engine->notify, engine);
	watch_keeper(engine);
	return resuming_seat_all(engine, err);
}

/* What services want to be watched beside their processes. */
void engine_arrange(struct engine *engine)
{
	watch_arrange(engine);
	for (size_t i = 0; i < engine->project.count; i++)
		if (engine->project.services[i].spec->schedule.cron)
			schedule_watch_clock(engine);
}

/* Another thrum wrote it, or it is gone. */
static void renew_roster(struct engine *engine)
{
	roster_begin(engine);
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat])
			roster_note(engine, engine->members[seat]);
	roster_replace(&engine->roster);
}

void engine_begin(struct engine *engine)
{
	struct error err;

	engine->is_draining = true; /* nothing is handled until everything is restored */
	bool has_roster = !engine->store->is_cleared || roster_resume(engine);
	if (!engine->store->is_cleared)
		adoption_perform(engine);
	atomic_store(&engine->store->is_cleared, 1);
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		struct member *member = engine->members[seat];
		if (member && member->now.life && !member_open_logs(member, &err))
			engine_tell(engine, "%s", err.text);
	}
	door_restore_all(engine);
	resuming_restore_lives(engine);
	keeper_link_drop_rest(&engine->keeper);
	helper_restore(engine);
	pool_restore_all(engine);
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat])
			channel_resume(engine->members[seat]);
	exits_take(engine);
	resuming_go_on(engine);
	if (!has_roster)
		renew_roster(engine);
	exits_check_beheaded(engine);
	engine->is_draining = false;
	engine->graph_dirty = true;
	engine_arrange(engine);
	if (engine->keeper.page->engine_starts > 1)
		engine_tell(engine, "the engine was started again: start %u",
			engine->keeper.page->engine_starts);
	crash_tell(engine);
	apply_resume(engine);
	reload_resume(engine);
	drain(engine);
	cluster_resume(engine);
	uv_timer_start(&engine->forget, on_forget, 0, 0);
}

static void on_end_timeout(uv_timer_t *timer)
{
	struct engine *engine = timer->data;

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat] && !instance_is_finished(&engine->members[seat]->now))
			push(engine, (struct happening){ .seat = seat, .event = EVENT_KILL, .cause = CAUSE_MANUAL });
	helper_kill_all(engine);
	drain(engine);
}

void engine_end(struct engine *engine, uint32_t timeout_ms)
{
	atomic_store(&engine->store->is_ending, 1);
	if (timeout_ms) {
		uv_update_time(engine->loop);
		uv_timer_start(&engine->end, on_end_timeout, timeout_ms, 0);
	}
	engine->graph_dirty = true;
	drain(engine);
}

static void look_anew(struct member *member, enum stream stream)
{
	member->logs[stream].checked_us = 0;
	derived_look(member);
}

void engine_reopen_logs(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		for (enum stream i = 0; engine->members[seat] && i < STREAM_COUNT; i++)
			look_anew(engine->members[seat], i);
}

void engine_say_goodbye(struct engine *engine)
{
	roster_remove(&engine->roster);
	keeper_link_bye(&engine->keeper);
}

void engine_close(struct engine *engine)
{
	watch_close(engine);
	notify_close(&engine->notify);
	pool_close_all(engine);
	sampler_finish(&engine->sampler);
	journal_close(&engine->journal);
	recorder_close(&engine->recorder);
	roster_close(&engine->roster);
	cgroup_close(&engine->cgroup);
	free(engine->roster.path);
	project_finish(&engine->project);
}

static void tell_scaled(struct engine *engine, const struct service *service, unsigned before)
{
	struct notice notice = { .ts_us = clock_wall_us(), .kind = NOTICE_SCALED, .code = -1 };

	snprintf(notice.service, sizeof notice.service, "%s", service->spec->name);
	snprintf(notice.detail, sizeof notice.detail, "%u -> %u", before, service->spec->instances);
	store_tell(engine->store, &notice);
	engine->listener.on_notice(engine->listener.context, &notice);
}

static void retire(struct engine *engine, struct service *service, unsigned count)
{
	for (size_t i = 0; i < service->count; i++) {
		struct instance *instance = service->instances[i];
		if (instance->index < count)
			continue;
		struct member *member = member_of(instance);
		instance->removing = true;
		store_commit(engine->store, member->seat, instance, NULL, 0);
		push(engine, (struct happening){ .seat = member->seat, .event = EVENT_STOP, .cause = CAUSE_MANUAL });
	}
}

static bool grow(struct engine *engine, struct service *service, unsigned count, struct error *err)
{
	for (unsigned index = 0; index < count; index++) {
		struct instance *instance = service_find(service, index);
		if (instance && !instance->removing)
			continue;
		struct member *member = instance ? member_of(instance)
						 : engine_add_instance(engine, service, index, err);
		if (!member)
			return false;
		member->now.removing = false;
		push(engine, (struct happening){ .seat = member->seat, .event = EVENT_START, .cause = CAUSE_MANUAL });
	}
	return true;
}

bool engine_scale(struct engine *engine, struct service *service, unsigned count,
	struct error *err)
{
	unsigned before = service->spec->instances;

	service->spec->instances = count;
	service->spec->fresh_from = count > before ? before : SPEC_NOT_FRESH;
	if (!resuming_keep_spec(engine)) {
		service->spec->instances = before;
		service->spec->fresh_from = SPEC_NOT_FRESH;
		return error_errno(err, "the new size cannot be kept");
	}
	tell_scaled(engine, service, before);
	retire(engine, service, count);
	bool ok = grow(engine, service, count, err);
	engine->graph_dirty = true;
	drain(engine);
	if (count > before)
		apply_done(engine);
	return ok;
}

static void choose_name(const struct engine *engine, struct service_spec *spec)
{
	char *wanted = spec->name;

	for (unsigned number = 2; project_find(&engine->project, spec->name); number++) {
		if (spec->name != wanted)
			free(spec->name);
		spec->name = memory_format("%.*s-%u", SERVICE_NAME_MOST - 8, wanted, number);
	}
	if (spec->name != wanted)
		free(wanted);
}

/* What cannot be read back must not be kept: the next engine could not start. */
static bool check_dependencies(
	const struct engine *engine, const struct service_spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->depends_count; i++) {
		const char *name = spec->depends_on[i].service;
		const struct service *on = project_find(&engine->project, name);
		if (!on || on->spec->is_leaving)
			return error_set(err, 0, "it depends on '%.60s', which is no service", name);
	}
	return true;
}

const char *engine_run(struct engine *engine, struct service_spec *spec, struct error *err)
{
	if (!check_dependencies(engine, spec, err))
		return NULL;
	free(spec->origin);
	spec->origin = memory_copy("run"); /* whatever it says: no file has it */
	choose_name(engine, spec);
	struct service_spec *added = project_spec_add(engine->project.spec, spec->name);
	service_spec_finish(added);
	*added = *spec;
	*spec = (struct service_spec){ 0 };
	added->fresh_from = 0;
	project_refresh(&engine->project);
	struct service *service = &engine->project.services[engine->project.count - 1];
	if (!resuming_keep_spec(engine))
		log_line("the new service cannot be kept: %s", strerror(errno));
	if (!grow(engine, service, service->spec->instances, err))
		return NULL;
	engine_arrange(engine);
	engine->graph_dirty = true;
	drain(engine);
	apply_done(engine);
	return service->spec->name;
}
