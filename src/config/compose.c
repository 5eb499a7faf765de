/* compose.yaml: the services that say what they run. What is about containers is told, and left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/compose_files.h"
#include "config/foreign.h"
#include "config/graft.h"

struct part {
	struct graft *graft;
	const struct node *services;
	const struct node *from;
	struct node *to;
	const char *name;
	bool ok;
};

struct part_key {
	const char *name;
	void (*put)(struct part *part, const struct node *value, const struct part_key *key);
	const char *to; /* its place, or what is to be said of it */
};

#define PUTS(name) static void name(struct part *part, const struct node *value, const struct part_key *key)

/* ---- values ---- */

/* Variables are written alike in both. */
PUTS(put)
{
	graft_put(part->graft, part->to, key->to, (struct node *)value);
}

PUTS(put_environment)
{
	graft_put(part->graft, part->to, key->to, compose_environment(part->graft, (struct node *)value));
}

PUTS(skip)
{
	(void)part;
	(void)value;
	(void)key;
}

PUTS(lost)
{
	problem_warning(part->graft->problems, value->at, "%s: %s has no equivalent%s%s", part->name, key->name,
		key->to ? ": " : "", key->to ? key->to : "");
}

PUTS(put_restart)
{
	const char *text = graft_string(value);
	const char *times = text ? strchr(text, ':') : NULL;
	char *mode = memory_copy_n(text ? text : "", times ? (size_t)(times - text) : text ? strlen(text)
											   : 0);

	graft_put(part->graft, part->to, key->to, graft_plain(part->graft, value->at, mode));
	graft_put(part->graft, part->to, "availability.max_restarts",
		graft_plain(part->graft, value->at, times ? times + 1 : "unlimited"));
	free(mode);
}

/* "1000:1000", "www-data" */
PUTS(put_user)
{
	const char *text = graft_string(value), *colon = text ? strchr(text, ':') : NULL;
	char *user = memory_copy_n(text ? text : "", colon ? (size_t)(colon - text) : text ? strlen(text)
											   : 0);

	(void)key;
	if (*user)
		graft_set(part->graft, part->to, "user", graft_plain(part->graft, value->at, user));
	if (colon && colon[1])
		graft_set(part->graft, part->to, "group", graft_plain(part->graft, value->at, colon + 1));
	free(user);
}

static const char *condition_of(const char *theirs)
{
	static const char *const conditions[][2] = {
		{ "service_started", "process_started" },
		{ "service_healthy", "process_healthy" },
		{ "service_completed_successfully", "process_completed_successfully" },
	};

	for (size_t i = 0; theirs && i < sizeof conditions / sizeof *conditions; i++)
		if (strcmp(conditions[i][0], theirs) == 0)
			return conditions[i][1];
	return theirs ? NULL : "process_started";
}

static bool has_command(const struct node *service)
{
	return node_get(service, "command") || node_get(service, "entrypoint");
}

static void add_dependency(
	struct part *part, struct node *map, const struct node *name, const struct node *edge)
{
	const struct node *other = node_get(part->services, name->text);
	const struct node *theirs = node_get(edge, "condition");
	const char *condition = condition_of(graft_string(theirs));

	if (other && !has_command(other)) {
		problem_warning(part->graft->problems, name->at,
			"%s: '%s' is an image without a command, and is not waited for", part->name, name->text);
		return;
	}
	if (!condition) {
		part->ok = problem_error(part->graft->problems, theirs->at,
			"condition is service_started, service_healthy or service_completed_successfully");
		return;
	}
	struct node *on = graft_map(part->graft, name->at);
	graft_set(part->graft, on, "condition", graft_plain(part->graft, name->at, condition));
	if (node_get(edge, "restart"))
		graft_set(part->graft, on, "restart", node_get(edge, "restart"));
	graft_set(part->graft, map, name->text, on);
}

PUTS(put_depends_on)
{
	struct node *map = graft_map(part->graft, value->at);

	for (size_t i = 0; value->kind == NODE_MAP && i < value->count; i += 2)
		add_dependency(part, map, value->items[i], value->items[i + 1]);
	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++)
		if (graft_string(value->items[i]))
			add_dependency(part, map, value->items[i], NULL);
	graft_set(part->graft, part->to, key->to, map);
}

/* ["CMD", …], ["CMD-SHELL", "line"] or a line */
static struct node *make_test(struct part *part, const struct node *test)
{
	const char *how = test->kind == NODE_LIST && test->count ? graft_string(test->items[0]) : NULL;

	if (test->kind == NODE_SCALAR)
		return (struct node *)test;
	if (how && strcmp(how, "CMD-SHELL") == 0 && test->count == 2)
		return test->items[1];
	if (!how || strcmp(how, "CMD") != 0)
		return NULL;
	struct node *words = graft_list(part->graft, test->at);
	for (size_t i = 1; i < test->count; i++)
		node_append(words, test->items[i]);
	return words;
}

PUTS(put_healthcheck)
{
	static const char *const times[][2] = {
		{ "interval", "readiness_probe.period" },
		{ "timeout", "readiness_probe.timeout" },
		{ "retries", "readiness_probe.failure_threshold" },
		{ "start_period", "readiness_probe.initial_delay" },
	};
	const struct node *test = node_get(value, "test");
	struct node *command = test ? make_test(part, test) : NULL;

	(void)key;
	if (graft_is_true(node_get(value, "disable")) || (test && test->count && strcmp(test->items[0]->text, "NONE") == 0))
		return;
	if (!command) {
		part->ok = problem_error(part->graft->problems, value->at,
			"healthcheck: test is a line, [CMD, word, …] or [CMD-SHELL, line]");
		return;
	}
	graft_put(part->graft, part->to, "readiness_probe.exec.command", command);
	graft_put(part->graft, part->to, "readiness_probe.period", graft_plain(part->graft, value->at, "30s"));
	graft_put(part->graft, part->to, "readiness_probe.timeout", graft_plain(part->graft, value->at, "30s"));
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		if (node_get(value, times[i][0]))
			graft_put(part->graft, part->to, times[i][1], node_get(value, times[i][0]));
}

static struct node *make_memory(struct part *part, struct node *value)
{
	struct node *list = graft_list(part->graft, value->at), *limit = graft_map(part->graft, value->at);

	graft_set(part->graft, limit, "metric", graft_plain(part->graft, value->at, "rss"));
	graft_set(part->graft, limit, "over", value);
	graft_set(part->graft, limit, "action", graft_plain(part->graft, value->at, "kill"));
	node_append(list, limit);
	return list;
}

PUTS(put_memory)
{
	graft_set(part->graft, part->to, key->to, make_memory(part, (struct node *)value));
}

PUTS(put_deploy)
{
	struct node *replicas = node_get(value, "replicas");
	struct node *memory = graft_get((struct node *)value, "resources.limits.memory");
	const struct node *cpus = graft_get((struct node *)value, "resources.limits.cpus");

	(void)key;
	if (replicas)
		graft_set(part->graft, part->to, "instances", replicas);
	if (memory)
		graft_set(part->graft, part->to, "limits", make_memory(part, memory));
	if (cpus)
		lost(part, cpus, &(struct part_key){ .name = "cpus" });
}

PUTS(put_ulimits)
{
	struct node *map = graft_map(part->graft, value->at);

	for (size_t i = 0; value->kind == NODE_MAP && i < value->count; i += 2) {
		struct node *limit = value->items[i + 1], *soft = node_get(limit, "soft"), *hard = node_get(limit, "hard");
		struct node *pair = graft_list(part->graft, limit->at);
		if (soft)
			node_append(pair, soft);
		if (soft || hard)
			node_append(pair, hard ? hard : soft);
		graft_set(part->graft, map, value->items[i]->text, pair->count ? pair : limit);
	}
	graft_set(part->graft, part->to, key->to, map);
}

/* A service of a profile is started when it is named. */
PUTS(put_profiles)
{
	graft_set(part->graft, part->to, "disabled", graft_plain(part->graft, value->at, "true"));
	graft_set(part->graft, part->to, key->to, (struct node *)value);
}

PUTS(put_env_file)
{
	struct node *list = graft_list(part->graft, value->at);

	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++) {
		struct node *item = value->items[i], *path = item->kind == NODE_MAP ? node_get(item, "path") : item;
		const struct node *required = node_get(item, "required");
		bool is_optional = required && !graft_is_true(required);
		if (path && path->kind == NODE_SCALAR)
			node_append(list, graft_format(part->graft, path->at, "%s%s", is_optional ? "?" : "", path->text));
	}
	graft_set(part->graft, part->to, key->to, value->kind == NODE_LIST ? list : (struct node *)value);
}

// clang-format off
static const struct part_key keys[] = {
	{ "command", skip, NULL },
	{ "entrypoint", skip, NULL },
	{ "environment", put_environment, "environment" },
	{ "env_file", put_env_file, "env_file" },
	{ "working_dir", put, "working_dir" },
	{ "depends_on", put_depends_on, "depends_on" },
	{ "restart", put_restart, "availability.restart" },
	{ "stop_signal", put, "shutdown.signal" },
	{ "stop_grace_period", put, "shutdown.timeout" },
	{ "healthcheck", put_healthcheck, NULL },
	{ "scale", put, "instances" },
	{ "deploy", put_deploy, NULL },
	{ "mem_limit", put_memory, "limits" },
	{ "user", put_user, NULL },
	{ "tty", put, "pty" },
	{ "ulimits", put_ulimits, "rlimits" },
	{ "oom_score_adj", put, "oom_score_adj" },
	{ "profiles", put_profiles, "namespace" },
	{ "container_name", skip, NULL },
	{ "hostname", skip, NULL },
	{ "init", skip, NULL },
	{ "labels", skip, NULL },
	{ "image", lost, "the command is run on this machine" },
	{ "build", lost, "the command is run on this machine" },
	{ "ports", lost, "it listens where it listens, on this machine" },
	{ "volumes", lost, "it has this machine's files" },
	{ "networks", lost, "it has this machine's network" },
	{ "logging", lost, "see log" },
	{ "develop", lost, "see watch" },
};
// clang-format on

/* ---- a service ---- */

static void put_value(struct part *part, const struct node *name, const struct node *value)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		if (strcmp(keys[i].name, name->text) != 0)
			continue;
		if (!node_is_null(value))
			keys[i].put(part, value, &keys[i]);
		return;
	}
	if (strncmp(name->text, "x-", 2) != 0)
		problem_warning(part->graft->problems, name->at, "%s: %.60s has no equivalent", part->name, name->text);
}

static void add_words(struct part *part, struct node *words, const struct node *value)
{
	for (size_t i = 0; value && value->kind == NODE_LIST && i < value->count; i++)
		node_append(words, value->items[i]);
	if (graft_string(value)) { /* a line is cut as a shell does it */
		node_append(words, graft_plain(part->graft, value->at, "sh"));
		node_append(words, graft_plain(part->graft, value->at, "-c"));
		node_append(words, (struct node *)value);
	}
}

/* entrypoint goes before command; if it is a line, both are one. */
static void put_command(struct part *part)
{
	struct node *entry = node_get(part->from, "entrypoint"), *command = node_get(part->from, "command");
	struct node *words = graft_list(part->graft, part->from->at);

	if (!entry || node_is_null(entry)) {
		graft_set(part->graft, part->to, "command", command);
	} else if (graft_string(entry) && (!command || graft_string(command))) {
		char *line = memory_format("%s%s%s", entry->text, command ? " " : "", command ? command->text : "");
		graft_set(part->graft, part->to, "command", graft_plain(part->graft, entry->at, line));
		free(line);
	} else {
		add_words(part, words, entry);
		add_words(part, words, command);
		graft_set(part->graft, part->to, "command", words);
	}
}

static bool take_service(
	struct graft *graft, const struct node *services, const struct node *name, const struct node *from)
{
	struct part part = { .graft = graft, .services = services, .from = from, .name = name->text, .ok = true };

	if (from->kind != NODE_MAP)
		return problem_error(graft->problems, from->at, "'%.60s' is a map of keys", name->text);
	if (!has_command(from)) {
		problem_warning(graft->problems, name->at,
			"'%.60s' is left out: its image says what it runs, and no command does", name->text);
		return true;
	}
	part.to = graft_service(graft, node_get(graft->document->root, "processes"), name->at, name->text);
	if (!part.to)
		return false;
	put_command(&part);
	graft_put(graft, part.to, "availability.restart", graft_plain(graft, from->at, "no"));
	graft_put(graft, part.to, "shutdown.timeout", graft_plain(graft, from->at, "10s"));
	for (size_t i = 0; i < from->count; i += 2)
		put_value(&part, from->items[i], from->items[i + 1]);
	return part.ok;
}

static bool take_root(struct graft *graft, const struct node *from)
{
	const struct node *services = node_get(from, "services");
	struct position at = { .file = graft->document->name };
	bool ok = true;

	if (services ? services->kind != NODE_MAP : node_is_null(node_get(from, "include")))
		return problem_error(graft->problems, services ? services->at : at,
			"no `services` are in it: a map, a name, and under it keys");
	services = compose_gather(graft, from);
	if (!services)
		return false;
	const struct node *processes = graft_begin(graft);
	for (size_t i = 0; i < from->count; i += 2) {
		const char *key = from->items[i]->text;
		if (strcmp(key, "name") == 0)
			graft_set(graft, graft->document->root, "name", from->items[i + 1]);
		else if (strcmp(key, "services") != 0 && strcmp(key, "version") != 0 && strcmp(key, "include") != 0 &&
			 strncmp(key, "x-", 2) != 0)
			problem_warning(graft->problems, from->items[i]->at, "%.60s has no equivalent", key);
	}
	for (size_t i = 0; i < services->count; i += 2)
		ok = take_service(graft, services, services->items[i], services->items[i + 1]) && ok;
	return ok && (processes->count || problem_error(graft->problems, services->at,
						  "no service of this file says which command it runs"));
}

bool document_scan_compose(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems)
{
	struct graft graft = { document, problems };

	if (!document_scan_yaml(document, name, text, size, problems))
		return false;
	if (!document->root || document->root->kind != NODE_MAP)
		return problem_error(problems, (struct position){ .file = document->name }, "is no map of keys");
	return take_root(&graft, document->root);
}
