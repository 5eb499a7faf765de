#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/diff.h"
#include "config/load.h"
#include "config/print.h"
#include "engine/adoption.h"
#include "engine/apply.h"
#include "engine/attendant.h"
#include "engine/blocked.h"
#include "engine/channel.h"
#include "engine/child.h"
#include "engine/cluster.h"
#include "engine/environment.h"
#include "engine/derived.h"
#include "engine/crash.h"
#include "engine/door.h"
#include "engine/helper.h"
#include "engine/hook.h"
#include "engine/journald.h"
#include "engine/leftovers.h"
#include "engine/limit.h"
#include "engine/output.h"
#include "engine/pool.h"
#include "engine/reload.h"
#include "engine/ripple.h"
#include "engine/schedule.h"
#include "engine/stopping.h"
#include "engine/watch.h"

enum { SPEC_MOST = 16 * 1024 * 1024,
	FAULTS_MOST = 5,
	FAULTS_US = 60 * 1000000,
	QUEUE_FIRST = 64 };

static struct moment moment_now(struct engine *engine)
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

/*
 * Deaths go to the journal once: the store remembers that one is still to be written. The record
 * comes first, so that a death in the history has it, wherever we die.
 */
static void write_death(struct engine *engine, struct member *member)
{
	struct error err;

	if (!member->now.death_unwritten)
		return;
	roster_note(engine, member); /* the next run, too, is to look whether it is there */
	if (!recorder_add(&engine->recorder, member, &err))
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
		write_death(engine, member);
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
	write_death(engine, member);
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
	pool_consider(engine, member);
	door_consider(engine, member);
	reload_consider(engine, member_service(member));
	engine->graph_dirty = true;
}

/* Every life has its slot until the process and its output have ended and nothing of its tree is left. */
static void free_life(struct engine *engine, struct life *life)
{
	char marker[MARKER_SIZE];

	marker_format(marker, life);
	cgroup_remove(&engine->cgroup, marker);
	atomic_store(&life->state, LIFE_FREE);
}

static void settle_life(struct engine *engine, uint32_t index)
{
	struct life *life = &engine->store->lives[index];
	struct member *member = engine->members[life->seat];
	bool is_looked_for = member && member->now.beheaded && member->life == (int32_t)index;

	if (life->state != LIFE_EXITED || life->closed != (1u << STREAM_COUNT) - 1 || is_looked_for)
		return;
	if (member && member->life == (int32_t)index)
		member->life = -1;
	keeper_link_delete(&engine->keeper, STORE_LIFE_SLOT + index);
	free_life(engine, life);
}

void engine_logged(struct engine *engine, struct member *member, enum stream stream)
{
	attendant_logged(member, stream);
	derived_follow(member, stream);
	journald_follow(member);
	engine->listener.on_logged(engine->listener.context, member, stream);
}

void engine_output_closed(struct engine *engine, uint32_t life)
{
	settle_life(engine, life);
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

static void check_beheaded(struct engine *engine);

static void end_if_over(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat] && !instance_is_finished(&engine->members[seat]->now))
			return;
	if (engine->is_over)
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

static void lose(struct engine *engine, struct member *member);

static void handle(struct engine *engine, const struct happening *happening)
{
	struct member *member = engine->members[happening->seat];

	if (!member || (happening->life && happening->life != member->now.life))
		return;
	if (happening->deed == DEED_SPAWN) {
		if (member->now.state == STATE_STARTING)
			engine_spawn(engine, member);
		return;
	}
	if (happening->deed == DEED_LOST) {
		lose(engine, member);
		return;
	}
	struct moment now = moment_now(engine);
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
		check_beheaded(engine);
	see_through(engine, (struct happening){ .deed = DEED_OVERDUE, .seat = member->seat });
}

/* The system has no process for it now: it is tried again. */
static void refuse_spawn(struct engine *engine, struct member *member, const char *what)
{
	snprintf(member->now.detail, sizeof member->now.detail, "%s", what);
	push(engine, (struct happening){ .seat = member->seat, .event = EVENT_UNSPAWNABLE, .cause = CAUSE_NONE });
}

/* The ends of the pipes between a new process and its logs. */
struct pipes {
	int reading[STREAM_COUNT], writing[STREAM_COUNT];
	bool is_merged; /* standard error goes where standard output goes */
	int ready[2];   /* on which it says that it is ready, as pipe() has it; or -1 */
	struct channel_ends channel;
	int listens[LISTENS_MOST];      /* borrowed from their doors */
	struct terminal_ends *terminal; /* between the process and the pipe of its output; or -1 */
};

static void close_pipes(const int fds[STREAM_COUNT], bool is_merged)
{
	close(fds[STREAM_OUT]);
	if (!is_merged)
		close(fds[STREAM_ERR]);
}

/*
 * Who has it holds a reader too: should keeper and engine be killed together, it waits when the pipe is full, until
 * somebody takes it over, and is not ended by SIGPIPE. Our reading end is none for writing, so it still tells the end.
 */
static int make_lasting(int writing)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", writing);
	int lasting = open(path, O_RDWR | O_CLOEXEC);
	if (lasting < 0)
		return writing;
	close(writing);
	return lasting;
}

static bool make_pipe(struct pipes *pipes, enum stream stream)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	/* ours alone: the child's end is a file of its own, which blocks as usual */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	pipes->reading[stream] = ends[0];
	pipes->writing[stream] = pipes->terminal->master < 0 ? make_lasting(ends[1]) : ends[1];
	return true;
}

static bool make_pipes(struct pipes *pipes, bool is_merged)
{
	pipes->is_merged = is_merged;
	if (!make_pipe(pipes, STREAM_OUT))
		return false;
	if (is_merged) {
		pipes->reading[STREAM_ERR] = -1;
		pipes->writing[STREAM_ERR] = pipes->writing[STREAM_OUT];
		return true;
	}
	if (make_pipe(pipes, STREAM_ERR))
		return true;
	int reason = errno;
	close(pipes->reading[STREAM_OUT]);
	close(pipes->writing[STREAM_OUT]);
	errno = reason;
	return false;
}

/* The keeper holds the reading ends before there is anybody to write. */
static bool keep_pipes(struct engine *engine, uint32_t life, const struct pipes *pipes)
{
	int master = pipes->terminal->master;
	const struct {
		unsigned kind;
		int fd;
	} all[] = {
		{ KEEPER_OUT, pipes->reading[STREAM_OUT] },
		{ KEEPER_ERR, pipes->reading[STREAM_ERR] },
		{ KEEPER_READY, pipes->ready[0] },
		{ KEEPER_TERMINAL, master },
		{ KEEPER_CHANNEL, pipes->channel.ours },
		{ KEEPER_INBOX, pipes->channel.inbox },
		{ KEEPER_HOP, master >= 0 ? pipes->writing[STREAM_OUT] : -1 },
	};
	unsigned kinds[sizeof all / sizeof *all], count = 0;
	int fds[sizeof all / sizeof *all];

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (all[i].fd < 0)
			continue;
		kinds[count] = all[i].kind;
		fds[count++] = all[i].fd;
	}
	return keeper_link_put(&engine->keeper, STORE_LIFE_SLOT + life, kinds, fds, count);
}

/* Without one it never gets ready, and that is told then. */
static void make_more(struct pipes *pipes, const struct service_spec *spec)
{
	pipes->ready[0] = pipes->ready[1] = -1;
	pipes->channel = (struct channel_ends){ -1, -1, -1 };
	if (spec->ipc && !channel_make(&pipes->channel))
		log_line("%s: no channel can be had: %s", spec->name, strerror(errno));
	if (spec->ready.fd && pipe2(pipes->ready, O_CLOEXEC) == 0)
		fcntl(pipes->ready[0], F_SETFL, O_NONBLOCK);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The process is there: the kernel wrote its pid. */
static void welcome(struct engine *engine, struct member *member, uint32_t index)
{
	struct life *life = &engine->store->lives[index];
	struct moment now = moment_now(engine);
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
	return (struct heritage){ .pid = row->pid,
		.life = row->life,
		.state = row->state,
		.wanted = row->wanted,
		.has_death = row->has_death,
		.death_unwritten = row->death_unwritten,
		.started_us = row->started_us,
		.restarts = row->restarts,
		.death = row->death };
}

void engine_adopted(
	struct engine *engine, struct member *member, uint32_t index, const struct roster_row *row, bool has_ended)
{
	struct heritage heritage = inherit(engine, member, row);
	struct moment now = moment_now(engine);

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
	struct moment now = moment_now(engine);

	instance_recalled(&member->now, member_spec(member), &heritage, &now);
	/* nobody starts the project: it never was stopped */
	bool is_due = engine->store->cold && row->wanted && !member->now.is_recalled;
	struct outcome outcome = { 0 };
	if (is_due)
		outcome = instance_report(&member->now, member_spec(member), EVENT_START, &now);
	engine_changed(engine, member, &outcome);
}

/* Where the channel is in the process: the usual number, unless that is taken. */
static int channel_number(const struct service_spec *spec)
{
	int number = CHANNEL_FD + (int)spec->listen_count;

	return !spec->ipc ? 0 : spec->ready.fd == number ? number + 1
							 : number;
}

static void add_end(struct child_ends *ends, int fd, int as)
{
	unsigned at = ends->more_count++;

	for (; at > 0 && ends->more[at - 1].as > as; at--)
		ends->more[at] = ends->more[at - 1];
	ends->more[at] = (struct child_end){ fd, as };
}

static struct child_ends give_ends(
	const struct engine *engine, const struct pipes *pipes, const struct service_spec *spec)
{
	struct child_ends ends = { .in = -1, .out = pipes->writing[STREAM_OUT], .err = pipes->writing[STREAM_ERR] };

	ends.lock = keeper_link_held(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_LOCK);
	ends.is_terminal = pipes->terminal->slave >= 0;
	if (ends.is_terminal)
		ends.in = ends.out = ends.err = pipes->terminal->slave;
	for (unsigned i = 0; i < spec->listen_count; i++)
		add_end(&ends, pipes->listens[i], CHILD_FIRST_FD + (int)i);
	if (pipes->ready[1] >= 0)
		add_end(&ends, pipes->ready[1], spec->ready.fd);
	if (pipes->channel.theirs >= 0)
		add_end(&ends, pipes->channel.theirs, channel_number(spec));
	return ends;
}

/* Its output is ours from now on; a terminal needs the writing end of its pipe too. */
static void open_outputs(struct engine *engine, uint32_t index, struct pipes *pipes)
{
	struct terminal *terminal = NULL;

	if (pipes->terminal->master >= 0) {
		terminal = terminal_open(
			engine->loop, pipes->terminal->master, pipes->writing[STREAM_OUT]);
		pipes->terminal->master = -1;
	} else {
		close_pipes(pipes->writing, pipes->is_merged);
	}
	for (enum stream i = 0; i < STREAM_COUNT; i++)
		if (pipes->reading[i] >= 0)
			output_open(engine, index, i, pipes->reading[i], terminal);
}

static int spawn_into(struct engine *engine, struct member *member, uint32_t index,
	const struct launch *launch, struct terminal_ends *terminal, const int listens[LISTENS_MOST])
{
	struct life *life = &engine->store->lives[index];
	const struct service_spec *spec = member_spec(member);
	struct pipes pipes = { .terminal = terminal };

	memcpy(pipes.listens, listens, sizeof pipes.listens);
	if (!make_pipes(&pipes, spec->log.merge_stderr))
		return errno;
	make_more(&pipes, spec);
	if (pipes.is_merged)
		life->closed = 1u << STREAM_ERR;
	int reason = keep_pipes(engine, index, &pipes) ? 0 : errno;
	struct child_ends ends = give_ends(engine, &pipes, spec);
	if (!reason)
		reason = child_spawn(life, launch, spec, &ends);
	close_if_open(pipes.ready[1]);
	close_if_open(pipes.channel.theirs);
	pipes.channel.theirs = -1;
	if (reason) {
		close_pipes(pipes.writing, pipes.is_merged);
		close_pipes(pipes.reading, pipes.is_merged);
		close_if_open(pipes.ready[0]);
		channel_unmake(&pipes.channel);
		keeper_link_delete(&engine->keeper, STORE_LIFE_SLOT + index);
		return reason;
	}
	welcome(engine, member, index);
	if (pipes.channel.ours >= 0)
		channel_open(member, pipes.channel.ours, pipes.channel.inbox, -1);
	pool_consider(engine, member); /* now it can be given tasks */
	attendant_begin(member, pipes.ready[0], true);
	open_outputs(engine, index, &pipes);
	return 0;
}

/* Where it tells us how it is, if it wants to. */
static const char *notify_for(struct engine *engine, const struct service_spec *spec)
{
	if (!spec->ready.notifies && !spec->watchdog_ms)
		return NULL;
	return notify_address(&engine->notify);
}

void engine_introduce(
	struct engine *engine, const struct member *member, const char *marker, struct newborn *who)
{
	const struct service_spec *spec = member_spec(member);

	*who = (struct newborn){ .project = engine->project.spec->name,
		.instance = member->now.index,
		.marker = marker,
		.soft_nofile = engine->keeper.page->soft_nofile,
		.notify = notify_for(engine, spec),
		.channel_fd = channel_number(spec),
		.listen_count = spec->listen_count,
		.seat = member->seat };
}

void engine_spawn(struct engine *engine, struct member *member)
{
	struct launch launch = { 0 };
	struct terminal_ends terminal = { -1, -1 };
	struct error err = { 0 };
	char marker[MARKER_SIZE];
	int listens[LISTENS_MOST];
	int index = store_take_life(engine->store, member->seat, member->now.life + 1);

	if (index < 0) {
		refuse_spawn(engine, member, "too many processes are open already");
		return;
	}
	struct life *life = &engine->store->lives[index];
	environment_refresh(engine, member_service(member));
	config_fingerprint(engine->store->seats[member->seat].launched_as, member_spec(member));
	member_renew_logs(member);
	marker_format(marker, life);
	struct newborn who;
	engine_introduce(engine, member, marker, &who);
	bool ok = door_open_given(engine, member, listens, &err) &&
		  launch_prepare(&launch, member_spec(member), &who, &err) &&
		  (!member_spec(member)->pty || terminal_make(&terminal, launch.uid, &err));
	launch.cgroup_fd = ok ? cgroup_make(&engine->cgroup, marker) : 0;
	int reason = ok ? spawn_into(engine, member, (uint32_t)index, &launch, &terminal, listens) : 0;
	terminal_close_ends(&terminal);
	launch_finish(&launch);
	if (ok && !reason)
		return;
	if (reason)
		error_set(&err, reason, "no process can be had: %s", strerror(reason));
	free_life(engine, life);
	refuse_spawn(engine, member, err.text);
}

static int find_life(const struct engine *engine, const struct exit_record *record)
{
	for (uint32_t i = 0; i < engine->store->life_top; i++) {
		const struct life *life = &engine->store->lives[i];
		if ((life->state == LIFE_SPAWNING || life->state == LIFE_RUNNING) &&
			life->pid == record->pid && record->ended_us >= life->began_us)
			return (int)i;
	}
	return -1;
}

static struct death death_of(const struct exit_record *record, const struct life *life,
	const struct service_spec *spec)
{
	bool has_exited = record->code == CLD_EXITED;
	struct death death = {
		.code = has_exited ? (int16_t)record->status : -1,
		.signal = has_exited ? 0 : (int16_t)record->status,
		.core = record->code == CLD_DUMPED,
		.cause = has_exited ? CAUSE_EXIT : record->code == CLD_DUMPED ? CAUSE_CORE
									      : CAUSE_SIGNAL,
		.peak_rss = record->peak_rss,
		.cpu_ms = record->cpu_us / 1000,
	};

	child_describe_failure(life, spec, death.detail, sizeof death.detail);
	if (!record->code) {
		death.signal = 0;
		death.cause = CAUSE_EXIT;
		snprintf(death.detail, sizeof death.detail, "nobody knows how it ended: no keeper was there to see it");
	}
	return death;
}

static void end_member(struct engine *engine, struct member *member, struct life *life,
	const struct exit_record *record)
{
	struct moment now = moment_now(engine);

	now.monotonic_ms = record->ended_us / 1000;
	now.wall_us = record->wall_us;
	struct death death = death_of(record, life, member_spec(member));
	bool is_crash = member->now.stop_cause == CAUSE_NONE &&
			!policy_is_success(&member_spec(member)->restart, &death);
	if (is_crash)
		now.crowd_ms = crowd_join(&engine->crowd, now.monotonic_ms);
	member->leftovers = leftovers_count(engine, member);
	struct outcome outcome = instance_ended(&member->now, member_spec(member), &death,
		member->leftovers > 0, &now);
	engine_changed(engine, member, &outcome);
}

/* Its last words come before the news of its end. */
static void take_exit(struct engine *engine, uint32_t index, const struct exit_record *record)
{
	struct life *life = &engine->store->lives[index];
	struct member *member = engine->members[life->seat];

	output_drain(engine, index);
	if (member && member->now.pid == life->pid && member->now.life == life->number) {
		member->life = (int32_t)index;
		channel_end(member);
		end_member(engine, member, life, record);
	}
	atomic_store(&life->state, LIFE_EXITED);
	settle_life(engine, index);
}

static void lose(struct engine *engine, struct member *member)
{
	const struct exit_record record = { .pid = member->now.pid,
		.ended_us = clock_monotonic_us(),
		.wall_us = clock_wall_us() };

	if (member->now.pid && member->life >= 0)
		take_exit(engine, (uint32_t)member->life, &record);
}

void engine_lost(struct engine *engine, struct member *member)
{
	push(engine, (struct happening){ .deed = DEED_LOST, .seat = member->seat, .life = member->now.life });
}

/* One of a tree without its main process may have been the last. */
static void check_beheaded(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		struct member *member = engine->members[seat];
		if (!member || !member->now.beheaded)
			continue;
		unsigned before = member->leftovers;
		member->leftovers = leftovers_count(engine, member);
		if (member->leftovers) {
			if (member->leftovers != before)
				engine->listener.on_changed(engine->listener.context, member);
			continue;
		}
		struct moment now = moment_now(engine);
		struct outcome outcome = instance_gone(&member->now, member_spec(member), &now);
		int32_t life = member->life;
		engine_changed(engine, member, &outcome);
		if (life >= 0)
			settle_life(engine, (uint32_t)life);
	}
}

static void take_exits(struct engine *engine)
{
	const struct keeper_page *page = engine->keeper.page;
	uint64_t seen = engine->store->exits_seen, count = atomic_load(&page->exit_count);
	bool is_stranger = false;

	if (seen == count)
		return;
	for (; seen < count; seen++) {
		const struct exit_record *record = &page->exits[seen % KEEPER_EXITS];
		int index = find_life(engine, record);
		if (index >= 0)
			take_exit(engine, (uint32_t)index, record);
		else if (!helper_take_exit(engine, record))
			is_stranger = true;
		atomic_store(&engine->store->exits_seen, seen + 1);
	}
	keeper_link_seen(&engine->keeper, count);
	if (is_stranger)
		check_beheaded(engine);
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	struct engine *engine = poll->data;
	uint64_t ignored;

	(void)status;
	(void)events;
	while (read(engine->keeper.page->wake_fd, &ignored, sizeof ignored) < 0 && errno == EINTR)
		continue;
	take_exits(engine);
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
	take_exits(engine);
	drain(engine);
	engine_tell(engine, "the keeper was killed (pid %d): this engine takes its place",
		(int)engine->keeper.page->keeper_pid);
	keeper_link_promote(&engine->keeper, engine->project.spec->name, engine->store->exits_seen,
		pids, list_running(engine, pids), &err);
	engine_tell(engine, "%s: children run on without a supervisor", err.text);
	engine->is_over = engine->is_orphaned = true;
	engine->listener.on_over(engine->listener.context);
}

bool engine_keep_spec(struct engine *engine)
{
	unsigned kind = KEEPER_SPEC;
	struct text text;
	int former = keeper_link_held(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_SPEC);
	int fd = memfd_create("thrum-spec", MFD_CLOEXEC);

	if (fd < 0)
		return false;
	text_init(&text, SPEC_MOST);
	config_print(&text, engine->project.spec);
	bool ok = write(fd, text_string(&text), text.size) == (ssize_t)text.size &&
		  keeper_link_put(&engine->keeper, KEEPER_PROJECT_SLOT, &kind, &fd, 1);
	text_finish(&text);
	close_if_open(ok ? former : fd);
	return ok;
}

static bool load_spec(struct engine *engine, struct error *err)
{
	int fd = keeper_link_take(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_SPEC);
	struct text text;
	struct problems problems;

	text_init(&text, SPEC_MOST);
	lseek(fd, 0, SEEK_SET);
	bool ok = text_read_fd(&text, fd, err);
	problems_init(&problems);
	struct project_spec *spec =
		ok ? config_load_text(text_string(&text), text.size, "spec", &problems) : NULL;
	if (ok && !spec)
		error_set(err, 0, "the project's configuration cannot be read back");
	problems_finish(&problems);
	text_finish(&text);
	if (!spec)
		return false;
	if (!spec->digest) {
		spec->digest = memory_zeroed(DIGEST_SIZE, 1);
		config_digest(spec->digest, spec);
	}
	project_init(&engine->project, spec);
	return true;
}

static struct member *seat_member(struct engine *engine, struct service *service, uint32_t seat)
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
	return seat_member(engine, service, (uint32_t)seat);
}

/* A service that the spec does not have, and that has an instance all the same: what is there is stopped. */
static struct service *add_leaving(struct engine *engine, const char *name)
{
	struct service_spec *spec = project_spec_add(engine->project.spec, name);

	spec->command = memory_copy("?");
	strings_add(&spec->argv, spec->command);
	spec->working_dir = memory_copy("/");
	spec->is_leaving = true;
	project_refresh(&engine->project);
	return project_find(&engine->project, name);
}

static void restore_members(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		if (!engine->store->seats[seat].is_taken)
			continue;
		const char *name = store_instance(engine->store, seat)->service;
		struct service *service = project_find(&engine->project, name);
		seat_member(engine, service ? service : add_leaving(engine, name), seat);
	}
}

static bool fill_services(struct engine *engine, struct error *err)
{
	for (size_t i = 0; i < engine->project.count; i++) {
		struct service *service = &engine->project.services[i];
		for (unsigned k = 0; k < service->spec->instances && !service->spec->is_leaving; k++)
			if (!service_find(service, k) && !engine_add_instance(engine, service, k, err))
				return false;
	}
	return true;
}

/* Both or none: they were handed over together. */
static struct terminal *restore_terminal(struct engine *engine, uint32_t slot)
{
	int master = keeper_link_take(&engine->keeper, slot, KEEPER_TERMINAL);
	int hop = keeper_link_take(&engine->keeper, slot, KEEPER_HOP);

	return master >= 0 ? terminal_open(engine->loop, master, hop) : NULL;
}

static void restore_output(struct engine *engine, uint32_t index)
{
	static const unsigned kinds[] = { KEEPER_OUT, KEEPER_ERR };
	struct life *life = &engine->store->lives[index];
	uint32_t slot = STORE_LIFE_SLOT + index;

	for (enum stream i = 0; i < STREAM_COUNT; i++) {
		int fd = keeper_link_take(&engine->keeper, slot, kinds[i]);
		struct terminal *terminal = i == STREAM_OUT ? restore_terminal(engine, slot) : NULL;
		if (fd >= 0 && !(life->closed & 1u << i)) {
			output_open(engine, index, i, fd, terminal);
			continue;
		}
		close_if_open(fd);
		terminal_close(terminal);
		atomic_fetch_or(&life->closed, 1u << i);
	}
}

static void restore_channel(struct engine *engine, struct member *member, uint32_t index)
{
	static const unsigned kinds[] = { KEEPER_CHANNEL, KEEPER_INBOX, KEEPER_OUTBOX };
	int fds[sizeof kinds / sizeof *kinds];

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		fds[i] = keeper_link_take(&engine->keeper, STORE_LIFE_SLOT + index, kinds[i]);
	if (fds[0] >= 0 && fds[1] >= 0 && member->now.pid && member->life == (int32_t)index) {
		channel_open(member, fds[0], fds[1], fds[2]);
		return;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		close_if_open(fds[i]);
}

static void restore_life(struct engine *engine, uint32_t index)
{
	struct life *life = &engine->store->lives[index];
	struct member *member = engine->members[life->seat];
	struct error err;

	if (life->state == LIFE_FREE)
		return;
	if ((life->state == LIFE_SPAWNING && !life->pid) || !member) {
		free_life(engine, life); /* the clone never happened */
		return;
	}
	if (!member_open_logs(member, &err))
		engine_tell(engine, "%s", err.text);
	if (life->number > member->now.life)
		welcome(engine, member, index); /* it did, but nobody was told */
	else if (life->number == member->now.life)
		member->life = (int32_t)index;
	if (life->state == LIFE_SPAWNING)
		atomic_store(&life->state, LIFE_RUNNING);
	restore_channel(engine, member, index);
	if (member->now.pid && member->life == (int32_t)index)
		attendant_begin(member,
			keeper_link_take(&engine->keeper, STORE_LIFE_SLOT + index, KEEPER_READY), false);
	restore_output(engine, index);
}

/* What was under way when the former engine died. */
static void resume_member(struct engine *engine, struct member *member)
{
	struct instance *now = &member->now;

	if (now->death_unwritten &&
		journal_has(&engine->journal, now->service, now->index, &now->death)) {
		now->death_unwritten = false;
		store_commit(engine->store, member->seat, now, NULL, 0);
	}
	write_death(engine, member);
	bool is_leaving = member_spec(member)->is_leaving;
	if ((now->index >= member_spec(member)->instances && !now->is_spare) || is_leaving)
		now->removing = true;
	if (now->state == STATE_STARTING)
		push(engine, (struct happening){ .deed = DEED_SPAWN, .seat = member->seat });
	if (now->state == STATE_STOPPING)
		perform(engine, member, DO_TERMINATE);
	else if (!now->wanted && state_has_process(now->state)) /* a former run was to stop it */
		push(engine, (struct happening){ .seat = member->seat, .event = EVENT_STOP, .cause = CAUSE_MANUAL });
	if (now->removing && !is_leaving && !instance_is_finished(now) && now->wanted)
		push(engine, (struct happening){ .seat = member->seat, .event = EVENT_STOP, .cause = CAUSE_MANUAL });
	member_arm(member);
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
	if (!engine->store || !load_spec(engine, err))
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
	restore_members(engine);
	return fill_services(engine, err);
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
	for (uint32_t i = 0; i < engine->store->life_top; i++)
		restore_life(engine, i);
	keeper_link_drop_rest(&engine->keeper);
	helper_restore(engine);
	pool_restore_all(engine);
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat])
			channel_resume(engine->members[seat]);
	take_exits(engine);
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat])
			resume_member(engine, engine->members[seat]);
	if (!has_roster)
		renew_roster(engine);
	check_beheaded(engine);
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
	if (!engine_keep_spec(engine)) {
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
	if (!engine_keep_spec(engine))
		log_line("the new service cannot be kept: %s", strerror(errno));
	if (!grow(engine, service, service->spec->instances, err))
		return NULL;
	engine_arrange(engine);
	engine->graph_dirty = true;
	drain(engine);
	apply_done(engine);
	return service->spec->name;
}
