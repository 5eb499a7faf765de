#include "model/rolling.h"

static bool is_up(const struct instance *instance, const struct service_spec *spec)
{
	bool runs = state_is_up(instance->state);

	return runs && instance_is_ready(instance, spec);
}

static bool is_hopeless(const struct instance *instance)
{
	bool has_ended = instance->state == STATE_BACKOFF || instance->state == STATE_COMPLETED;

	return instance->state == STATE_FAILED || instance->state == STATE_FATAL || (instance->is_spare && has_ended);
}

bool rolling_begin(struct service *service)
{
	bool any = false;

	for (size_t i = 0; i < service->count; i++) {
		struct instance *instance = service->instances[i];
		instance->is_to_reload = !instance->is_spare && !instance->removing && instance->wanted &&
					 state_has_process(instance->state);
		any |= instance->is_to_reload;
	}
	return any;
}

/* The first of those that the reload has to wait for; NULL: none. One that is wanted down counts for nothing. */
static struct instance *find_missing(const struct service *service)
{
	for (size_t i = 0; i < service->count; i++) {
		struct instance *instance = service->instances[i];
		bool counts = (instance->wanted || instance->is_spare) && !instance->removing;
		if (counts && !is_up(instance, service->spec))
			return instance;
	}
	return NULL;
}

static struct instance *find_marked(const struct service *service)
{
	struct instance *first = NULL;

	for (size_t i = 0; i < service->count; i++) {
		struct instance *instance = service->instances[i];
		if (instance->is_to_reload && instance->wanted && (!first || instance->index < first->index))
			first = instance;
	}
	return first;
}

static bool is_under_way(const struct service *service)
{
	for (size_t i = 0; i < service->count; i++)
		if (service->instances[i]->is_to_reload ||
			(service->instances[i]->is_spare && !service->instances[i]->removing))
			return true;
	return false;
}

struct rolling_step rolling_next(const struct service *service)
{
	struct instance *missing, *next;

	if (!is_under_way(service))
		return (struct rolling_step){ ROLLING_NONE, NULL };
	missing = find_missing(service);
	if (missing)
		return (struct rolling_step){ is_hopeless(missing) ? ROLLING_GIVE_UP : ROLLING_WAIT, missing };
	next = find_marked(service);
	return (struct rolling_step){ next ? ROLLING_RESTART : ROLLING_DONE, next };
}

void rolling_end(struct service *service)
{
	for (size_t i = 0; i < service->count; i++)
		service->instances[i]->is_to_reload = false;
}

bool rolling_wants_spare(const struct service_spec *spec)
{
	for (unsigned i = 0; i < spec->listen_count; i++)
		if (spec->listens[i].is_own)
			return false; /* what waits at a socket of its own would go with it */
	return spec->exec_mode == EXEC_CLUSTER || spec->listen_count;
}
