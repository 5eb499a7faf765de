/* compose.yaml: every service in one image. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "cli/export.h"

static json_t *milliseconds(uint64_t ms)
{
	return json_sprintf("%llums", (unsigned long long)ms);
}

/* A dollar is doubled: compose would see a variable. */
static json_t *literal(const char *text)
{
	struct text out;

	text_init(&out, strlen(text) * 2 + 1);
	for (; *text; text++) {
		text_putc(&out, *text);
		if (*text == '$')
			text_putc(&out, '$');
	}
	json_t *json = json_string(text_string(&out));
	text_finish(&out);
	return json;
}

static json_t *words_of(const struct strings *list, const char *before)
{
	json_t *array = json_array();

	if (before)
		json_array_append_new(array, json_string(before));
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, literal(list->items[i]));
	return array;
}

static json_t *environment_of(const struct service_spec *spec)
{
	json_t *map = json_object();

	for (size_t i = 0; i < spec->environment.count; i++) {
		const char *entry = spec->environment.items[i], *equals = strchr(entry, '=');
		char *name = equals ? memory_copy_n(entry, (size_t)(equals - entry)) : NULL;
		if (name)
			json_object_set_new(map, name, literal(equals + 1));
		free(name);
	}
	return map;
}

static json_t *dependencies_of(const struct service_spec *spec)
{
	static const char *const conditions[CONDITION_COUNT] = {
		[CONDITION_STARTED] = "service_started",
		[CONDITION_COMPLETED] = "service_completed_successfully",
		[CONDITION_COMPLETED_SUCCESSFULLY] = "service_completed_successfully",
		[CONDITION_HEALTHY] = "service_healthy",
		[CONDITION_LOG_READY] = "service_started",
	};
	json_t *map = json_object();

	for (size_t i = 0; i < spec->depends_count; i++) {
		const struct dependency *on = &spec->depends_on[i];
		json_object_set_new(map, on->service, json_pack("{s:s}", "condition", conditions[on->condition]));
		if (on->condition == CONDITION_COMPLETED || on->condition == CONDITION_LOG_READY)
			export_lost(spec, "%s of %s has no equivalent: it waits for %s", condition_name(on->condition), on->service,
				conditions[on->condition]);
	}
	return map;
}

/* What asks runs inside of the container: whatever tools that has. */
static json_t *test_of(const struct probe_spec *probe)
{
	if (probe->kind == PROBE_EXEC)
		return words_of(&probe->argv, "CMD");
	if (probe->kind == PROBE_HTTP)
		return json_pack("[s,o]", "CMD-SHELL",
			json_sprintf("wget -qO /dev/null http://%s:%u%s || curl -fsSo /dev/null http://%s:%u%s",
				probe->host ? probe->host : "127.0.0.1", probe->port, probe->path ? probe->path : "/",
				probe->host ? probe->host : "127.0.0.1", probe->port, probe->path ? probe->path : "/"));
	if (probe->kind == PROBE_TCP)
		return json_pack("[s,o]", "CMD-SHELL",
			json_sprintf("nc -z %s %u", probe->host ? probe->host : "127.0.0.1", probe->port));
	return json_pack("[s,s,s,s]", "CMD", "test", "-S", probe->path ? probe->path : "");
}

static void add_healthcheck(json_t *service, const struct service_spec *spec)
{
	const struct probe_spec *probe = &spec->probes[PROBE_READINESS];

	if (!probe->kind)
		probe = &spec->probes[PROBE_LIVENESS];
	if (!probe->kind)
		return;
	json_object_set_new(service, "healthcheck",
		json_pack("{s:o,s:o,s:o,s:i,s:o}", "test", test_of(probe), "interval", milliseconds(probe->period_ms),
			"timeout", milliseconds(probe->timeout_ms), "retries", (int)probe->failure_threshold, "start_period",
			milliseconds(probe->initial_delay_ms)));
	if (spec->probes[PROBE_LIVENESS].kind && probe != &spec->probes[PROBE_LIVENESS])
		export_lost(spec, "liveness_probe has no equivalent: compose restarts nothing that is not healthy");
}

static json_t *restart_of(const struct restart_policy *policy)
{
	if (policy->mode == RESTART_ON_FAILURE && policy->max_restarts != POLICY_UNLIMITED)
		return json_sprintf("on-failure:%u", policy->max_restarts);
	return json_string(policy->mode == RESTART_ON_FAILURE       ? "on-failure"
			   : policy->mode == RESTART_ALWAYS         ? "always"
			   : policy->mode == RESTART_UNLESS_STOPPED ? "unless-stopped"
								    : "no");
}

static json_t *rlimit_of(uint64_t limit)
{
	return json_integer(limit == RLIM_INFINITY ? -1 : (json_int_t)limit);
}

static void add_rlimits(json_t *service, const struct service_spec *spec)
{
	json_t *map = json_object();

	for (int i = 0; spec->rlimits && i < SPEC_RLIMITS; i++)
		if (spec->rlimits[i].is_set)
			json_object_set_new(map, rlimit_name(i),
				json_pack("{s:o,s:o}", "soft", rlimit_of(spec->rlimits[i].soft), "hard",
					rlimit_of(spec->rlimits[i].hard)));
	if (json_object_size(map))
		json_object_set(service, "ulimits", map);
	json_decref(map);
}

static void add_deploy(json_t *service, const struct service_spec *spec)
{
	json_t *deploy = json_pack("{s:i}", "replicas", (int)spec->instances);

	if (export_memory(spec))
		json_object_set_new(deploy, "resources",
			json_pack("{s:{s:o}}", "limits", "memory",
				json_sprintf("%llub", (unsigned long long)export_memory(spec))));
	json_object_set_new(service, "deploy", deploy);
}

static void say_lost(const struct service_spec *spec)
{
	if (spec->schedule.cron || spec->schedule.interval_ms)
		export_lost(spec, "schedule has no equivalent: it is left out of what is started");
	if (spec->watch.paths.count)
		export_lost(spec, "watch has no equivalent here; see develop.watch");
	if (spec->ready.log || spec->ready.message || spec->ready.notifies)
		export_lost(spec, "ready has no equivalent: compose asks, by a healthcheck");
	if (spec->shutdown.message || spec->shutdown.argv.count)
		export_lost(spec, "shutdown.message and command have no equivalent: the signal comes alone");
	if (spec->ipc)
		export_lost(spec, "ipc has no equivalent: there is nobody at the other end");
}

static json_t *service_of(const struct service_spec *spec, const char *image)
{
	json_t *service = json_pack("{s:s,s:o,s:s,s:o,s:o,s:o}", "image", image, "command", words_of(&spec->argv, NULL),
		"working_dir", spec->working_dir, "restart", restart_of(&spec->restart), "stop_signal",
		json_sprintf("SIG%s", signal_name(spec->shutdown.signal)), "stop_grace_period",
		milliseconds(spec->shutdown.timeout_ms));

	if (spec->environment.count)
		json_object_set_new(service, "environment", environment_of(spec));
	if (spec->depends_count)
		json_object_set_new(service, "depends_on", dependencies_of(spec));
	if (spec->user)
		json_object_set_new(service, "user",
			spec->group ? json_sprintf("%s:%s", spec->user, spec->group) : json_string(spec->user));
	if (spec->pty)
		json_object_set_new(service, "tty", json_true());
	if (spec->disabled || spec->schedule.cron || spec->schedule.interval_ms)
		json_object_set_new(service, "profiles", json_pack("[s]", "manual"));
	add_healthcheck(service, spec);
	add_rlimits(service, spec);
	add_deploy(service, spec);
	say_lost(spec);
	return service;
}

void export_compose(struct text *out, const struct project_spec *project, const struct invocation *invocation)
{
	char *image = invocation->image ? memory_copy(invocation->image) : memory_format("%s:latest", project->name);
	json_t *services = json_object();

	for (size_t i = 0; i < project->service_count; i++)
		if (export_takes(&project->services[i]))
			json_object_set_new(services, project->services[i].name, service_of(&project->services[i], image));
	export_yaml(out, json_pack("{s:s,s:o}", "name", project->name, "services", services));
	free(image);
}
