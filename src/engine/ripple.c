#include "engine/ripple.h"

#include <stdio.h>
#include <string.h>

/* It is restarted, and waits for what it depends on. One without a process waits or rests anyhow. */
static void restart(struct engine *engine, struct instance *instance, const char *why, const char *name)
{
	struct member *member = member_of(instance);
	struct happening happening = { .seat = member->seat,
		.life = instance->life,
		.event = EVENT_RESTART,
		.cause = CAUSE_DEPENDENCY };

	if (!instance->pid || instance->state == STATE_STOPPING)
		return;
	snprintf(happening.why, sizeof happening.why, "%s %s", why, name);
	engine_queue(engine, &happening);
}

static void restart_all(struct engine *engine, struct service *service, const char *why, const char *name)
{
	for (size_t i = 0; i < service->count; i++)
		restart(engine, service->instances[i], why, name);
}

static bool wants_restart(const struct service_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->depends_count; i++)
		if (strcmp(spec->depends_on[i].service, name) == 0 && spec->depends_on[i].restart)
			return true;
	return false;
}

/* A further life of what others depend on. cascade: whatever their edges say. */
static void restart_dependents(struct engine *engine, const struct member *member, bool cascade)
{
	const struct service *changed = member_service(member);

	for (size_t i = 0; i < changed->dependent_count; i++) {
		struct service *service = &engine->project.services[changed->dependents[i]];
		if (cascade || wants_restart(service->spec, member->now.service))
			restart_all(engine, service, "depends on", member->now.service);
	}
}

static void restart_group(struct engine *engine, const struct group_spec *group, const char *name)
{
	bool is_after = group->strategy == GROUP_ONE_FOR_ALL;

	for (size_t i = 0; i < group->members.count; i++) {
		struct service *service = project_find(&engine->project, group->members.items[i]);
		if (strcmp(group->members.items[i], name) == 0)
			is_after = true;
		else if (is_after && service)
			restart_all(engine, service, "in a group with", name);
	}
}

static bool is_in(const struct group_spec *group, const char *name)
{
	for (size_t i = 0; i < group->members.count; i++)
		if (strcmp(group->members.items[i], name) == 0)
			return true;
	return false;
}

/* It ended by itself or for a fault, and comes again. */
static bool is_failure(const struct member *member)
{
	const struct instance *now = &member->now;
	bool comes_again = now->state == STATE_STARTING || now->state == STATE_BACKOFF;

	return comes_again && now->death.cause != CAUSE_MANUAL && now->death.cause != CAUSE_DEPENDENCY &&
	       now->death.cause != CAUSE_RELOAD;
}

void ripple_consider(struct engine *engine, struct member *member, const struct notice *notice)
{
	const struct project_spec *project = engine->project.spec;

	if (engine->store->is_ending)
		return;
	if (notice->kind == NOTICE_STARTED && member->now.life > 1) {
		bool cascade = member_spec(member)->watch.cascade &&
			       member->now.death.cause == CAUSE_WATCH;
		restart_dependents(engine, member, cascade);
	}
	if (notice->kind == NOTICE_EXITED && is_failure(member))
		for (size_t i = 0; i < project->group_count; i++)
			if (is_in(&project->groups[i], member->now.service))
				restart_group(engine, &project->groups[i], member->now.service);
}
