#include "config/consistency.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct position consistency_place(const struct node *map, const char *key)
{
	const struct node *value = node_get(map, key);

	return value ? value->at : map->at;
}

/* ---- a service ---- */

/* The value of a key in a map in the map. */
static const struct node *find(const struct node *map, const char *outer, const char *inner)
{
	const struct node *value = node_get(map, outer);

	return value && value->kind == NODE_MAP ? node_get(value, inner) : NULL;
}

static bool is_scheduled(const struct service_spec *spec)
{
	return spec->schedule.cron || spec->schedule.interval_ms;
}

static bool check_schedule(struct problems *problems, const struct service_spec *spec, const struct node *map)
{
	struct position at = consistency_place(map, "schedule");
	bool ok = true;

	if (is_scheduled(spec) && spec->restart.exit_on_end)
		ok = problem_error(problems, at, "exit_on_end: what is scheduled is never over; leave out one of them");
	if (spec->schedule.concurrent > 1 && spec->instances != spec->schedule.concurrent)
		ok = problem_error(problems, at, "max_concurrent is how many instances there are; leave out instances");
	if (is_scheduled(spec) && spec->pool.is_pool)
		ok = problem_error(problems, at, "pool and schedule: workers wait for tasks, not for a time; leave out one of them");
	return ok;
}

static bool check_pool(struct problems *problems, const struct service_spec *spec, const struct node *map)
{
	const struct node *ipc = node_get(map, "ipc"), *size = find(map, "pool", "size"), *instances = node_get(map, "instances");
	bool ok = true;

	if (size && instances && strcmp(size->text, instances->text) != 0)
		ok = problem_error(problems, size->at, "pool.size and instances are the same thing; leave out one of them");
	if (ipc && ipc->kind == NODE_SCALAR && strcmp(ipc->text, "json") != 0 && spec->ipc)
		ok = problem_error(problems, ipc->at,
			"ipc: %.20s, and pool and exec_mode: cluster need a channel; leave it out", ipc->text);
	return ok;
}

/* Said here, and not in what is for all services. */
static bool check_channel(struct problems *problems, const struct service_spec *spec, const struct node *map)
{
	const struct node *bye = find(map, "shutdown", "message");
	bool ok = true;

	if (bye && !node_is_null(bye) && !spec->ipc)
		ok = problem_error(problems, bye->at, "shutdown.message goes down a channel, and there is none: ipc: json");
	if (spec->ready.message && !spec->ipc)
		ok = problem_error(problems, consistency_place(map, "ready"),
			"ready.message comes by a channel, and there is none: ipc: json");
	return ok;
}

static bool is_same_socket(const struct listen_spec *one, const struct listen_spec *other)
{
	if (one->kind != other->kind)
		return false;
	if (one->kind == SOCKET_UNIX)
		return strcmp(one->path, other->path) == 0;
	const char *host = one->host ? one->host : "*", *other_host = other->host ? other->host : "*";
	return one->port && one->port == other->port && strcmp(host, other_host) == 0;
}

static bool check_sockets(struct problems *problems, const struct service_spec *spec, const struct node *map)
{
	struct position at = consistency_place(map, "listen");

	for (unsigned i = 1; i < spec->listen_count; i++)
		for (unsigned k = 0; k < i; k++) {
			const struct listen_spec *listen = &spec->listens[i];
			if (!is_same_socket(listen, &spec->listens[k]))
				continue;
			if (listen->kind == SOCKET_UNIX)
				return problem_error(problems, at, "listen: %s is there twice; once is enough", listen->path);
			return problem_error(problems, at,
				"listen: %s port %u is there twice; once is enough", socket_kind_name(listen->kind), listen->port);
		}
	return true;
}

static bool check_edges(struct problems *problems, const struct service_spec *spec, const struct node *map)
{
	struct position at = consistency_place(map, "depends_on");

	for (size_t i = 1; i < spec->depends_count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(spec->depends_on[i].service, spec->depends_on[k].service) == 0)
				return problem_error(problems, at, "'%s' depends on '%s' twice; once is enough", spec->name,
					spec->depends_on[i].service);
	return true;
}

static bool check_rlimits(struct problems *problems, const struct service_spec *spec, const struct node *map)
{
	bool ok = true;

	for (int i = 0; spec->rlimits && i < SPEC_RLIMITS; i++)
		if (spec->rlimits[i].is_set && spec->rlimits[i].soft > spec->rlimits[i].hard)
			ok = problem_error(problems, consistency_place(map, "rlimits"),
				"%s: the soft limit is more than the hard limit; it is [soft, hard]", rlimit_name(i));
	return ok;
}

bool consistency_of_service(struct problems *problems, const struct service_spec *spec, const struct node *map)
{
	static bool (*const checks[])(struct problems * problems, const struct service_spec *spec, const struct node *map) = {
		check_schedule,
		check_pool,
		check_channel,
		check_sockets,
		check_edges,
		check_rlimits,
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		ok = checks[i](problems, spec, map) && ok;
	return ok;
}

/* ---- what services say of each other ---- */

static bool say_no_service(const struct consistency *whole, size_t index, const char *name)
{
	const struct project_spec *project = whole->project;
	const char **known = memory_zeroed(project->service_count + 1, sizeof *known);

	for (size_t i = 0; i < project->service_count; i++)
		known[i] = project->services[i].name;
	const char *nearest = problem_nearest(name, known);
	free(known);
	return problem_error(whole->problems, whole->at[index]->at,
		"'%s' depends on '%.60s', which is no service%s%s%s", project->services[index].name,
		name, nearest ? " (did you mean '" : "", nearest ? nearest : "",
		nearest ? "'?)" : "");
}

/* Waiting for health that nothing tells would be waiting for ever. */
static void check_condition(const struct consistency *whole, size_t index, const struct dependency *on)
{
	const struct service_spec *other = project_spec_find(whole->project, on->service);
	bool is_told = on->condition == CONDITION_HEALTHY     ? service_spec_tells_ready(other)
		       : on->condition == CONDITION_LOG_READY ? other->ready.log != NULL
							      : true;

	if (!is_told)
		problem_warning(whole->problems, whole->at[index]->at,
			"'%s' waits for %s of '%s', which has %s: it waits for its start instead",
			whole->project->services[index].name, condition_name(on->condition),
			on->service,
			on->condition == CONDITION_HEALTHY ? "neither readiness_probe nor ready"
							   : "no ready: {log: …}");
}

static bool check_groups(const struct consistency *whole)
{
	const struct project_spec *project = whole->project;
	bool ok = true;

	for (size_t i = 0; i < project->group_count; i++) {
		const struct group_spec *group = &project->groups[i];
		const struct node *at = node_get(whole->root, "groups");
		for (size_t k = 0; k < group->members.count; k++)
			if (!project_spec_find(project, group->members.items[k]))
				ok = problem_error(whole->problems, at->at,
					"group '%.60s': '%.60s' is no service", group->name,
					group->members.items[k]);
		for (size_t k = 1; k < group->members.count; k++)
			for (size_t n = 0; n < k; n++)
				if (strcmp(group->members.items[k], group->members.items[n]) == 0)
					ok = problem_error(whole->problems, at->at,
						"group '%.60s': '%.60s' is there twice; once is enough", group->name,
						group->members.items[k]);
	}
	return ok;
}

/* Instances of several have names of their own. */
static bool is_same_file(const struct service_spec *one, const struct service_spec *other)
{
	return one->log.file && other->log.file && strcmp(one->log.file, other->log.file) == 0 &&
	       (one->instances == 1) == (other->instances == 1);
}

/* Each cuts off what it has not written. */
static bool check_files(const struct consistency *whole)
{
	const struct project_spec *project = whole->project;
	bool ok = true;

	for (size_t i = 1; i < project->service_count; i++)
		for (size_t k = 0; project->services[i].log.file && k < i; k++)
			if (is_same_file(&project->services[i], &project->services[k]))
				ok = problem_error(whole->problems, whole->at[i]->at,
					"log.file: %s writes to it already; each service needs a file of its own",
					project->services[k].name);
	return ok;
}

static bool check_names(const struct consistency *whole)
{
	const struct project_spec *project = whole->project;
	bool ok = check_groups(whole);

	for (size_t i = 0; i < project->service_count; i++)
		for (size_t k = 0; k < project->services[i].depends_count; k++)
			if (!project_spec_find(project, project->services[i].depends_on[k].service))
				ok = say_no_service(
					whole, i, project->services[i].depends_on[k].service);
			else if (whole->checks)
				check_condition(whole, i, &project->services[i].depends_on[k]);
	return ok;
}

/* A depth-first walk; path holds the services that lead here. */
struct walk {
	const struct consistency *whole;
	enum { NEW,
		OPEN,
		CLOSED } *
		marks; /* owned */
	size_t *path;  /* owned */
	size_t depth;
};

static bool say_cycle(struct walk *walk, size_t index)
{
	const struct project_spec *project = walk->whole->project;
	struct text cycle;
	size_t from = 0;

	text_init(&cycle, 400);
	while (walk->path[from] != index)
		from++;
	for (size_t i = from; i < walk->depth; i++)
		text_format(&cycle, "%s -> ", project->services[walk->path[i]].name);
	text_puts(&cycle, project->services[index].name);
	problem_error(walk->whole->problems, walk->whole->at[index]->at,
		"dependency cycle: %s", text_string(&cycle));
	text_finish(&cycle);
	return false;
}

static bool visit(struct walk *walk, size_t index)
{
	const struct project_spec *project = walk->whole->project;
	const struct service_spec *spec = &project->services[index];

	if (walk->marks[index] == CLOSED)
		return true;
	if (walk->marks[index] == OPEN)
		return say_cycle(walk, index);
	walk->marks[index] = OPEN;
	walk->path[walk->depth++] = index;
	for (size_t i = 0; i < spec->depends_count; i++)
		if (!visit(walk, (size_t)(project_spec_find(project, spec->depends_on[i].service) -
					  project->services)))
			return false;
	walk->depth--;
	walk->marks[index] = CLOSED;
	return true;
}

static bool check_cycles(const struct consistency *whole)
{
	size_t count = whole->project->service_count;
	struct walk walk = { whole, memory_zeroed(count, sizeof *walk.marks),
		memory_zeroed(count, sizeof *walk.path), 0 };
	bool ok = true;

	for (size_t i = 0; i < count && ok; i++)
		ok = visit(&walk, i);
	free(walk.marks);
	free(walk.path);
	return ok;
}

bool consistency_of_project(const struct consistency *whole)
{
	return check_names(whole) && check_cycles(whole) && (!whole->checks || check_files(whole));
}
