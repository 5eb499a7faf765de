#include "model/project.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"

/* Most of what is done with a thousand services is finding one by its name. */
static int compare_names(const void *a, const void *b)
{
	const struct named *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static void sort_names(struct project *project)
{
	project->by_name = memory_resize(project->by_name, project->count, sizeof *project->by_name);
	for (size_t i = 0; i < project->count; i++)
		project->by_name[i] = (struct named){ project->services[i].spec->name, i };
	qsort(project->by_name, project->count, sizeof *project->by_name, compare_names);
}

static void add_dependent(struct service *service, size_t index)
{
	service->dependents = memory_resize(
		service->dependents, service->dependent_count + 1, sizeof *service->dependents);
	service->dependents[service->dependent_count++] = index;
}

static void find_dependents(struct project *project)
{
	for (size_t i = 0; i < project->count; i++) {
		project->services[i].dependent_count = 0;
		project->services[i].is_asked = true;
	}
	for (size_t i = 0; i < project->count; i++) {
		const struct service_spec *spec = project->services[i].spec;
		for (size_t k = 0; k < spec->depends_count; k++) {
			struct service *on = project_find(project, spec->depends_on[k].service);
			if (on)
				add_dependent(on, i);
		}
	}
}

void project_init(struct project *project, struct project_spec *spec)
{
	*project = (struct project){ .spec = spec };
	project_refresh(project);
}

void project_refresh(struct project *project)
{
	size_t count = project->spec->service_count;

	project->services = memory_resize(project->services, count, sizeof *project->services);
	for (size_t i = project->count; i < count; i++)
		project->services[i] = (struct service){ 0 };
	project->count = count;
	/* adding to the spec may have moved it */
	for (size_t i = 0; i < count; i++)
		project->services[i].spec = &project->spec->services[i];
	sort_names(project);
	find_dependents(project);
}

static void free_tables(struct service *service)
{
	free(service->instances);
	free(service->dependents);
}

struct project_spec *project_replace(struct project *project, struct project_spec *spec)
{
	struct project former = *project;

	*project = (struct project){ 0 };
	project_init(project, spec);
	for (size_t i = 0; i < former.count; i++) {
		struct service *service = project_find(project, former.services[i].spec->name);
		CHECK(service || !former.services[i].count);
		if (service) {
			service->instances = former.services[i].instances;
			service->count = former.services[i].count;
			former.services[i].instances = NULL;
		}
		free_tables(&former.services[i]);
	}
	free(former.services);
	free(former.by_name);
	return former.spec;
}

void project_forget(struct project *project, struct service *service)
{
	size_t at = (size_t)(service - project->services), after = project->count - at - 1;

	CHECK(!service->count);
	free_tables(service);
	service_spec_finish(service->spec);
	memmove(service->spec, service->spec + 1, after * sizeof *service->spec);
	memmove(service, service + 1, after * sizeof *service);
	project->spec->service_count--;
	project->count--;
	project_refresh(project);
}

void project_ask_about(struct project *project, struct service *service)
{
	service->is_asked = true;
	for (size_t i = 0; i < service->dependent_count; i++)
		project->services[service->dependents[i]].is_asked = true;
}

void project_finish(struct project *project)
{
	for (size_t i = 0; i < project->count; i++)
		free_tables(&project->services[i]);
	free(project->services);
	free(project->by_name);
	project_spec_destroy(project->spec);
	*project = (struct project){ 0 };
}

struct service *project_find(const struct project *project, const char *name)
{
	struct named wanted = { .name = name };
	const struct named *found = !project->count ? NULL
						    : bsearch(&wanted, project->by_name, project->count,
							      sizeof wanted, compare_names);

	return found ? &project->services[found->index] : NULL;
}

struct instance *service_find(const struct service *service, unsigned index)
{
	for (size_t i = 0; i < service->count; i++)
		if (service->instances[i]->index == index)
			return service->instances[i];
	return NULL;
}

void service_add(struct service *service, struct instance *instance)
{
	size_t at = service->count;

	service->instances = memory_resize(service->instances, service->count + 1,
		sizeof *service->instances);
	while (at > 0 && service->instances[at - 1]->index > instance->index) {
		service->instances[at] = service->instances[at - 1];
		at--;
	}
	service->instances[at] = instance;
	service->count++;
}

void service_remove(struct service *service, const struct instance *instance)
{
	size_t at = 0;

	while (at < service->count && service->instances[at] != instance)
		at++;
	if (at == service->count)
		return;
	memmove(service->instances + at, service->instances + at + 1,
		(service->count - at - 1) * sizeof *service->instances);
	service->count--;
}

static enum permission after_start(const struct instance *instance, const struct service_spec *spec)
{
	(void)spec;
	if (instance->life > 0)
		return PERMISSION_GRANTED;
	return instance->state == STATE_SKIPPED ? PERMISSION_NEVER : PERMISSION_WAIT;
}

static enum permission after_completion(
	const struct instance *instance, const struct service_spec *spec)
{
	(void)spec;
	switch (instance->state) {
	case STATE_COMPLETED:
	case STATE_FAILED:
	case STATE_FATAL:
		return PERMISSION_GRANTED;
	case STATE_STOPPED:
		/* stopped by the operator after a life: it will not complete by itself */
		return instance->life > 0 ? PERMISSION_GRANTED : PERMISSION_WAIT;
	case STATE_SKIPPED:
		return PERMISSION_NEVER;
	default:
		return PERMISSION_WAIT;
	}
}

static enum permission after_success(
	const struct instance *instance, const struct service_spec *spec)
{
	(void)spec;
	switch (instance->state) {
	case STATE_COMPLETED:
		return PERMISSION_GRANTED;
	case STATE_FAILED:
	case STATE_FATAL:
	case STATE_SKIPPED:
		return PERMISSION_NEVER;
	default:
		return PERMISSION_WAIT;
	}
}

/* One that has ended for good will never tell. */
static enum permission while_alive(const struct instance *instance, bool has_come)
{
	if (has_come)
		return PERMISSION_GRANTED;
	switch (instance->state) {
	case STATE_COMPLETED:
	case STATE_FAILED:
	case STATE_SKIPPED:
		return PERMISSION_NEVER;
	case STATE_FATAL:
		return instance->deadline_ms ? PERMISSION_WAIT : PERMISSION_NEVER;
	default:
		return PERMISSION_WAIT;
	}
}

static enum permission after_health(
	const struct instance *instance, const struct service_spec *spec)
{
	return while_alive(instance, instance_is_ready(instance, spec));
}

static enum permission after_log(const struct instance *instance, const struct service_spec *spec)
{
	if (!spec->ready.log)
		return after_start(instance, spec);
	return while_alive(instance, instance->pid && !(instance->gates & GATE_LOG));
}

static enum permission (*const conditions[])(
	const struct instance *instance, const struct service_spec *spec) = {
	[CONDITION_STARTED] = after_start,
	[CONDITION_COMPLETED] = after_completion,
	[CONDITION_COMPLETED_SUCCESSFULLY] = after_success,
	[CONDITION_HEALTHY] = after_health,
	[CONDITION_LOG_READY] = after_log,
};

static enum permission ask(const struct project *project, const struct dependency *on)
{
	const struct service *service = project_find(project, on->service);
	enum permission worst = PERMISSION_GRANTED;

	if (!service || service->spec->disabled)
		return PERMISSION_GRANTED;
	for (size_t i = 0; i < service->count; i++) {
		enum permission one = conditions[on->condition](service->instances[i], service->spec);
		if (one == PERMISSION_NEVER)
			return one;
		if (one == PERMISSION_WAIT)
			worst = one;
	}
	return worst;
}

enum permission project_may_start(const struct project *project,
	const struct service *service, char *reason, size_t size)
{
	enum permission worst = PERMISSION_GRANTED;

	reason[0] = '\0';
	for (size_t i = 0; i < service->spec->depends_count; i++) {
		const struct dependency *on = &service->spec->depends_on[i];
		enum permission one = ask(project, on);
		if (one == PERMISSION_GRANTED || worst == PERMISSION_NEVER)
			continue;
		if (worst == PERMISSION_GRANTED || one == PERMISSION_NEVER)
			snprintf(reason, size, "%s %s: %s",
				one == PERMISSION_NEVER ? "can never have" : "waits for",
				on->service, condition_name(on->condition));
		worst = one;
	}
	return worst;
}

bool project_may_stop(const struct project *project, const struct service *service)
{
	for (size_t i = 0; i < service->dependent_count; i++) {
		const struct service *other = &project->services[service->dependents[i]];
		for (size_t k = 0; k < other->count; k++)
			if (!instance_is_finished(other->instances[k]))
				return false;
	}
	return true;
}

static bool has_namespace(const struct service_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->namespaces.count; i++)
		if (fnmatch(name, spec->namespaces.items[i], 0) == 0)
			return true;
	return false;
}

bool name_matches(const char *name, const struct service_spec *spec, unsigned index)
{
	char full[SERVICE_NAME_MOST + 16];

	if (strcmp(name, "all") == 0)
		return true;
	if (strncmp(name, "ns:", 3) == 0)
		return has_namespace(spec, name + 3);
	if (fnmatch(name, spec->name, 0) == 0)
		return true;
	snprintf(full, sizeof full, "%s/%u", spec->name, index);
	return fnmatch(name, full, 0) == 0;
}
