/*
 * The services of a project with their instances, and how they depend on each other.
 * Pure: it owns its table of pointers; the spec and the instances live elsewhere.
 */
#ifndef MODEL_PROJECT_H
#define MODEL_PROJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/instance.h"
#include "model/spec.h"

struct service {
	struct service_spec *spec;   /* borrowed from the project's spec */
	struct instance **instances; /* owned table, borrowed items; sorted by index */
	size_t count;
	size_t *dependents; /* owned; places in the project of those that depend on it */
	size_t dependent_count;
	bool is_reloading; /* in turn; see rolling.h */
	bool is_asked;     /* something that its start hangs on has changed: for whoever consults the graph */
};

/* Where in the table a service is. */
struct named {
	const char *name; /* borrowed from the spec */
	size_t index;
};

struct project {
	struct project_spec *spec; /* owned */
	struct named *by_name;     /* owned; sorted */
	struct service *services;  /* owned; one for each of spec, in its order */
	size_t count;
};

/* Takes the spec over. No instance is there yet. */
void project_init(struct project *project, struct project_spec *spec);
void project_finish(struct project *project);

/* After project_spec_add: makes a service for what was added to the spec. */
void project_refresh(struct project *project);

/*
 * Another spec in place of the one there, which is returned: the caller's again. Instances stay with
 * the services of their names; none may be without one.
 */
struct project_spec *project_replace(struct project *project, struct project_spec *spec);
/* Take a service without instances out, of the spec too. Pointers to services are invalid then. */
void project_forget(struct project *project, struct service *service);

/* NULL when there is none. */
struct service *project_find(const struct project *project, const char *name);
struct instance *service_find(const struct service *service, unsigned index);

void service_add(struct service *service, struct instance *instance);
void service_remove(struct service *service, const struct instance *instance);

/* An instance of it has changed: ask again those that depend on it, and itself. */
void project_ask_about(struct project *project, struct service *service);

/* May an instance of this service start now? */
enum permission { PERMISSION_WAIT,
	PERMISSION_GRANTED,
	PERMISSION_NEVER };
/* reason: the dependency that is waited for, or that will never be; "" when granted. */
enum permission project_may_start(const struct project *project,
	const struct service *service, char *reason, size_t size);

/* In the order of an ending: is nothing up any more that depends on this service? */
bool project_may_stop(const struct project *project, const struct service *service);

/*
 * Does a name given by the operator mean this instance? "web", "web/0", "ns:NAME",
 * a glob ("w*", "web/[12]") or "all".
 */
bool name_matches(const char *name, const struct service_spec *spec, unsigned index);

#endif
