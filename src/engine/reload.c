#include "engine/reload.h"

#include "model/rolling.h"

static struct instance *find_spare(const struct service *service)
{
	for (size_t i = 0; i < service->count; i++)
		if (service->instances[i]->is_spare)
			return service->instances[i];
	return NULL;
}

/* Their marks have changed. */
static void tell_all(struct engine *engine, struct service *service)
{
	for (size_t i = 0; i < service->count; i++) {
		struct member *member = member_of(service->instances[i]);
		store_commit(engine->store, member->seat, &member->now, NULL, 0);
		engine->listener.on_changed(engine->listener.context, member);
	}
}

static void queue(struct engine *engine, const struct instance *instance, enum event event)
{
	const struct happening happening = {
		.seat = member_of((struct instance *)(uintptr_t)instance)->seat, .event = event, .cause = CAUSE_RELOAD
	};

	engine_queue(engine, &happening);
}

static bool add_spare(struct engine *engine, struct service *service, struct error *err)
{
	struct instance *spare = find_spare(service);
	struct member *member = spare ? member_of(spare)
				      : engine_add_instance(engine, service, service->spec->instances, err);

	if (!member)
		return false;
	member->now.is_spare = true;
	member->now.removing = false;
	queue(engine, &member->now, EVENT_START);
	return true;
}

bool reload_begin(struct engine *engine, struct service *service, struct error *err)
{
	if (!rolling_begin(service))
		return error_set(err, 0, "%s: nothing of it runs; `thrum start %s` starts it", service->spec->name,
			service->spec->name);
	service->is_reloading = true;
	if (rolling_wants_spare(service->spec) && !add_spare(engine, service, err)) {
		rolling_end(service);
		service->is_reloading = false;
		return false;
	}
	tell_all(engine, service);
	reload_consider(engine, service);
	engine_see_through(engine);
	return true;
}

static void dismiss_spare(struct engine *engine, struct service *service)
{
	struct instance *spare = find_spare(service);

	if (!spare)
		return;
	spare->removing = true;
	queue(engine, spare, EVENT_STOP);
}

static void end(struct engine *engine, struct service *service)
{
	rolling_end(service);
	service->is_reloading = false;
	dismiss_spare(engine, service);
	tell_all(engine, service);
}

static void restart(struct engine *engine, struct service *service, struct instance *instance)
{
	(void)service;
	instance->is_to_reload = false;
	queue(engine, instance, EVENT_RESTART);
}

void reload_resume(struct engine *engine)
{
	for (size_t i = 0; i < engine->project.count; i++) {
		struct service *service = &engine->project.services[i];
		service->is_reloading = rolling_next(service).deed != ROLLING_NONE;
		reload_consider(engine, service);
	}
}

void reload_consider(struct engine *engine, struct service *service)
{
	struct rolling_step step = { ROLLING_NONE, NULL };

	if (service->is_reloading)
		step = rolling_next(service);

	switch (step.deed) {
	case ROLLING_RESTART:
		restart(engine, service, step.instance);
		break;
	case ROLLING_DONE:
		engine_tell(engine, "%s: reloaded", service->spec->name);
		end(engine, service);
		break;
	case ROLLING_GIVE_UP:
		engine_tell(engine, "%s: its reload is given up, since %s/%u does not get ready; the others go on as they are",
			service->spec->name, service->spec->name, step.instance->index);
		end(engine, service);
		break;
	case ROLLING_NONE:
	case ROLLING_WAIT:
		break;
	}
}
