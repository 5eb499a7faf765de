#include "engine/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "config/diff.h"
#include "engine/attendant.h"
#include "engine/resuming.h"
#include "engine/watch.h"

/* ---- what would change ---- */

/* The service of that name, unless it is on its way out. */
static struct service *find_staying(const struct engine *engine, const char *name)
{
	struct service *service = project_find(&engine->project, name);

	return service && !service->spec->is_leaving ? service : NULL;
}

/* One that no file has, and that is to go on all the same. */
static bool is_foreign(const struct service_spec *spec)
{
	return service_spec_is_run(spec) || spec->is_leaving;
}

static bool is_scheduled(const struct service_spec *spec)
{
	return spec->schedule.cron || spec->schedule.interval_ms;
}

/*
 * Was it started, or did it end, as something other than what it is to be? One that is about to be
 * started anew will be the right thing by itself, and one that comes by a schedule the next time.
 */
static bool is_outdated(const struct engine *engine, const struct member *member, const char *fingerprint)
{
	static const bool settled[STATE_COUNT] = {
		[STATE_RUNNING] = true,
		[STATE_READY] = true,
		[STATE_UNHEALTHY] = true,
		[STATE_BACKOFF] = true,
		[STATE_COMPLETED] = true,
		[STATE_FAILED] = true,
		[STATE_FATAL] = true,
	};
	const char *launched_as = engine->store->seats[member->seat].launched_as;

	return member->now.wanted && !member->now.removing && settled[member->now.state] &&
	       launched_as[0] && strcmp(launched_as, fingerprint) != 0;
}

static unsigned count_outdated(
	const struct engine *engine, const struct service *service, const struct service_spec *wanted)
{
	char fingerprint[DIGEST_SIZE];
	unsigned count = 0;

	config_fingerprint(fingerprint, wanted);
	for (size_t i = 0; i < service->count && !is_scheduled(wanted); i++)
		if (service->instances[i]->index < wanted->instances)
			count += is_outdated(engine, member_of(service->instances[i]), fingerprint);
	return count;
}

static json_t *describe(const char *name, const char *action, unsigned from, unsigned to)
{
	return json_pack("{s:s,s:s,s:i,s:i,s:i,s:[]}", "service", name, "action", action, "from",
		(int)from, "to", (int)to, "restarts", 0, "changes");
}

/* NULL: nothing about it changes. */
static json_t *plan_service(const struct engine *engine, const struct service_spec *wanted)
{
	const struct service *service = find_staying(engine, wanted->name);

	if (!service)
		return describe(wanted->name, "add", 0, wanted->instances);
	json_t *changes = config_diff(service->spec, wanted);
	unsigned from = service->spec->instances, to = wanted->instances;
	unsigned restarts = count_outdated(engine, service, wanted);
	bool is_same = !json_array_size(changes) && !restarts;
	json_t *entry = is_same && from == to
				? NULL
				: describe(wanted->name, is_same ? "scale" : "change", from, to);

	if (entry) {
		json_object_set(entry, "changes", changes);
		json_object_set_new(entry, "restarts", json_integer(restarts));
	}
	json_decref(changes);
	return entry;
}

json_t *apply_plan(struct engine *engine, const struct project_spec *wanted)
{
	const struct project_spec *spec = engine->project.spec;
	json_t *services = json_array();

	for (size_t i = 0; i < wanted->service_count; i++) {
		json_t *entry = plan_service(engine, &wanted->services[i]);
		if (entry)
			json_array_append_new(services, entry);
	}
	for (size_t i = 0; i < spec->service_count; i++) {
		const struct service_spec *old = &spec->services[i];
		if (!is_foreign(old) && !project_spec_find(wanted, old->name))
			json_array_append_new(services, describe(old->name, "remove", old->instances, 0));
	}
	return json_pack("{s:s,s:o,s:o}", "project", spec->name, "services", services, "changes",
		config_diff_project(spec, wanted));
}

/* ---- making instances what they are to be ---- */

static void report(struct engine *engine, const struct member *member, enum event event)
{
	engine_queue(engine, &(struct happening){ .seat = member->seat, .event = event, .cause = CAUSE_MANUAL });
}

/* Those of a service that leaves are stopped in their turn, by the graph. */
static void retire(struct engine *engine, struct member *member)
{
	bool was_removing = member->now.removing;

	member->now.removing = true;
	store_commit(engine->store, member->seat, &member->now, NULL, 0);
	if (!was_removing && member->now.wanted && !member_spec(member)->is_leaving)
		report(engine, member, EVENT_STOP);
}

/* Was it never told to start? */
static bool is_fresh(const struct member *member, const struct service_spec *spec)
{
	return member->now.index >= spec->fresh_from && !member->now.life && !member->now.wanted;
}

/* When it comes next is found anew. */
static void reschedule(struct engine *engine, struct member *member)
{
	if (member->now.state != STATE_SCHEDULED)
		return;
	report(engine, member, EVENT_STOP);
	report(engine, member, EVENT_START);
}

static void settle_member(struct engine *engine, struct member *member, const char *fingerprint)
{
	const struct service_spec *spec = member_spec(member);
	bool has_come_back = member->now.removing;

	if (spec->is_leaving || member->now.index >= spec->instances) {
		retire(engine, member);
		return;
	}
	member->now.removing = false;
	bool is_asleep = member->now.state == STATE_DISABLED || is_fresh(member, spec);
	if (is_outdated(engine, member, fingerprint) && !is_scheduled(spec))
		report(engine, member, EVENT_RESTART);
	else if (has_come_back || (is_asleep && !spec->disabled))
		report(engine, member, EVENT_START);
}

static void settle_service(struct engine *engine, struct service *service)
{
	char fingerprint[DIGEST_SIZE];
	struct error err;

	config_fingerprint(fingerprint, service->spec);
	for (unsigned index = 0; index < service->spec->instances && !service->spec->is_leaving; index++)
		if (!service_find(service, index) && !engine_add_instance(engine, service, index, &err))
			engine_tell(engine, "%s: %s", service->spec->name, err.text);
	for (size_t i = 0; i < service->count; i++)
		settle_member(engine, member_of(service->instances[i]), fingerprint);
}

void apply_done(struct engine *engine)
{
	for (size_t i = 0; i < engine->project.count; i++)
		engine->project.services[i].spec->fresh_from = SPEC_NOT_FRESH;
	engine->project.spec->is_applying = false;
	if (!resuming_keep_spec(engine))
		log_line("the configuration cannot be kept: %s", strerror(errno));
}

/* All are told what to do, and the mark is taken away: a death after this finds nothing to go on with. */
static void settle(struct engine *engine)
{
	for (size_t i = 0; i < engine->project.count; i++)
		settle_service(engine, &engine->project.services[i]);
	engine->graph_dirty = true; /* those that leave are stopped by the graph, and it is another one */
	engine_see_through(engine);
	apply_done(engine);
}

/* The new instances of one that was scaled or launched. */
static void start_fresh(struct engine *engine)
{
	bool is_any = false;

	for (size_t i = 0; i < engine->project.count; i++) {
		const struct service *service = &engine->project.services[i];
		is_any |= service->spec->fresh_from != SPEC_NOT_FRESH;
		for (size_t k = 0; k < service->count; k++)
			if (is_fresh(member_of(service->instances[k]), service->spec))
				report(engine, member_of(service->instances[k]), EVENT_START);
	}
	engine_see_through(engine);
	if (is_any)
		apply_done(engine);
}

void apply_resume(struct engine *engine)
{
	if (engine->store->is_ending)
		return;
	if (!engine->project.spec->is_applying) {
		start_fresh(engine);
		return;
	}
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat])
			reschedule(engine, engine->members[seat]);
	settle(engine);
}

void apply_forget(struct engine *engine)
{
	bool has_changed = false;

	for (size_t i = engine->project.count; i-- > 0;) {
		struct service *service = &engine->project.services[i];
		if (!service->spec->is_leaving || service->count || service->dependent_count)
			continue;
		project_forget(&engine->project, service);
		has_changed = true;
		i = engine->project.count; /* what it depended on may be next */
	}
	if (has_changed && !resuming_keep_spec(engine))
		log_line("the configuration cannot be kept: %s", strerror(errno));
}

/* ---- the change ---- */

static bool say_needed(const struct service_spec *spec, const char *name, struct error *err)
{
	return error_set(err, 0,
		"'%s' was launched by hand and depends on '%s', which this configuration does not have",
		spec->name, name);
}

/* What was launched by hand must not lose what it depends on. */
static bool check_foreign(
	const struct service_spec *spec, const struct project_spec *wanted, struct error *err)
{
	for (size_t i = 0; i < spec->depends_count; i++) {
		const char *name = spec->depends_on[i].service;
		const struct service_spec *on = project_spec_find(wanted, name);
		if (!on || on->is_leaving)
			return say_needed(spec, name, err);
	}
	return true;
}

static bool check_room(const struct project_spec *wanted, struct error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < wanted->service_count; i++)
		count += wanted->services[i].instances;
	return count <= STORE_SEATS ||
	       error_set(err, 0, "%zu instances are wanted, and there is room for %d", count, STORE_SEATS);
}

static bool check(const struct engine *engine, const struct project_spec *wanted, struct error *err)
{
	const struct project_spec *spec = engine->project.spec;

	if (engine->store->is_ending)
		return error_set(err, 0, "the project is being stopped");
	if (strcmp(spec->name, wanted->name) != 0 || strcmp(spec->dir, wanted->dir) != 0)
		return error_set(err, 0, "this is project '%s' of %s, not '%s' of %s", spec->name,
			spec->dir, wanted->name, wanted->dir);
	return check_room(wanted, err);
}

/* Which instances are to be started, since they are new. */
static void mark_fresh(const struct engine *engine, struct project_spec *wanted)
{
	for (size_t i = 0; i < wanted->service_count; i++) {
		struct service_spec *spec = &wanted->services[i];
		const struct service *service = find_staying(engine, spec->name);
		unsigned had = service ? service->spec->instances : 0;
		spec->is_leaving = false;
		spec->fresh_from = spec->instances > had ? had : SPEC_NOT_FRESH;
	}
}

/* Those that no file has go on in the new spec; what they own is the old one's until it is let go. */
static void borrow_rest(const struct project_spec *old, struct project_spec *wanted)
{
	for (size_t i = 0; i < old->service_count; i++) {
		const struct service_spec *spec = &old->services[i];
		if (project_spec_find(wanted, spec->name))
			continue;
		struct service_spec *place = project_spec_add(wanted, spec->name);
		free(place->name);
		*place = *spec;
		place->is_leaving = !service_spec_is_run(spec);
	}
}

static void let_go(struct project_spec *old, const struct project_spec *wanted, size_t own)
{
	for (size_t i = 0; i < old->service_count; i++)
		if (project_spec_find(wanted, old->services[i].name) >= wanted->services + own)
			old->services[i] = (struct service_spec){ 0 };
}

static bool check_rest(const struct project_spec *wanted, size_t own, struct error *err)
{
	for (size_t i = own; i < wanted->service_count; i++)
		if (!wanted->services[i].is_leaving && !check_foreign(&wanted->services[i], wanted, err))
			return false;
	return true;
}

/* The keeper has the new spec, or the engine goes on with the old one. */
static struct project_spec *replace(
	struct engine *engine, struct project_spec *wanted, struct error *err)
{
	struct project_spec *old = project_replace(&engine->project, wanted);

	if (resuming_keep_spec(engine))
		return old;
	error_errno(err, "the new configuration cannot be kept");
	project_replace(&engine->project, old);
	return NULL;
}

static bool is_same_text(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

static bool is_same_schedule(const struct schedule_spec *one, const struct schedule_spec *other)
{
	return is_same_text(one->cron, other->cron) && is_same_text(one->timezone, other->timezone) &&
	       one->interval_ms == other->interval_ms;
}

/* What a running process need not be restarted for. */
static void change_member(
	struct engine *engine, struct member *member, const struct service_spec *before)
{
	const struct instance *now = &member->now;
	bool is_put_to_sleep = member_spec(member)->disabled && !before->disabled;

	member_limit_logs(member);
	attendant_renew(member);
	if (now->wanted && is_put_to_sleep)
		report(engine, member, EVENT_STOP);
	else if (now->wanted && now->state == STATE_SKIPPED)
		report(engine, member, EVENT_RESTART); /* what it waits for may come now */
	else if (!is_same_schedule(&member_spec(member)->schedule, &before->schedule))
		reschedule(engine, member);
}

static void change_live(struct engine *engine, const struct project_spec *old)
{
	bool has_watch_changed = false;

	for (size_t i = 0; i < engine->project.count; i++) {
		struct service *service = &engine->project.services[i];
		const struct service_spec *before = project_spec_find(old, service->spec->name);
		if (!before)
			continue;
		const struct watch_spec *is = &service->spec->watch, *was = &before->watch;
		has_watch_changed |= !strings_are_equal(&is->include, &was->include) ||
				     !strings_are_equal(&is->exclude, &was->exclude);
		for (size_t k = 0; k < service->count; k++)
			change_member(engine, member_of(service->instances[k]), before);
	}
	if (has_watch_changed) /* paths alone are seen by themselves */
		watch_close(engine);
	engine_arrange(engine);
}

static void mark(const struct engine *engine, struct project_spec *wanted)
{
	free(wanted->digest);
	wanted->digest = memory_zeroed(DIGEST_SIZE, 1);
	config_digest(wanted->digest, wanted);
	wanted->is_applying = true;
	mark_fresh(engine, wanted);
}

bool apply_spec(struct engine *engine, struct project_spec *wanted, struct error *err)
{
	size_t own = wanted->service_count;
	struct project_spec *old = NULL;

	if (check(engine, wanted, err)) {
		mark(engine, wanted);
		borrow_rest(engine->project.spec, wanted);
		if (check_rest(wanted, own, err))
			old = replace(engine, wanted, err);
	}
	if (!old) {
		wanted->service_count = own; /* what was borrowed stays where it is */
		project_spec_destroy(wanted);
		return false;
	}
	change_live(engine, old);
	let_go(old, wanted, own);
	project_spec_destroy(old);
	settle(engine);
	engine_tell(engine, "another configuration was applied");
	return true;
}
