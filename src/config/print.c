#include "config/print.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"

static json_t *list_of(const struct strings *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_string(list->items[i]));
	return array;
}

static json_t *milliseconds(uint64_t ms)
{
	char *text = memory_format("%llums", (unsigned long long)ms);
	json_t *json = json_string(text);

	free(text);
	return json;
}

static json_t *exits_of(const struct exit_set *set)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < set->count; i++)
		json_array_append_new(array,
			set->items[i] >= 0 ? json_integer(set->items[i])
					   : json_sprintf("SIG%s", signal_name(-set->items[i])));
	return array;
}

static json_t *availability_of(const struct restart_policy *policy)
{
	json_t *backoff =
		json_pack("{s:o,s:f,s:o,s:o}", "initial", milliseconds(policy->initial_ms),
			"factor", policy->factor, "max", milliseconds(policy->max_ms), "jitter",
			json_sprintf("%u%%", policy->jitter_percent));

	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "restart",
		restart_mode_name(policy->mode), "backoff", backoff, "min_uptime",
		milliseconds(policy->min_uptime_ms), "max_restarts",
		policy->max_restarts == POLICY_UNLIMITED ? json_string("unlimited")
							 : json_integer(policy->max_restarts),
		"window", milliseconds(policy->window_ms), "fatal_retry",
		milliseconds(policy->fatal_retry_ms), "success_exit_codes",
		exits_of(&policy->success), "prevent_restart_on", exits_of(&policy->prevent));
}

static json_t *limit_of(uint64_t limit)
{
	return limit == RLIM_INFINITY ? json_string("unlimited") : json_integer((json_int_t)limit);
}

static json_t *rlimits_of(const struct service_spec *spec)
{
	json_t *limits = json_object();

	for (int i = 0; i < SPEC_RLIMITS; i++)
		if (spec->rlimits[i].is_set)
			json_object_set_new(limits, rlimit_name(i),
				json_pack("[o,o]", limit_of(spec->rlimits[i].soft),
					limit_of(spec->rlimits[i].hard)));
	return limits;
}

static json_t *dependencies_of(const struct service_spec *spec)
{
	json_t *map = json_object();

	for (size_t i = 0; i < spec->depends_count; i++)
		json_object_set_new(map, spec->depends_on[i].service,
			json_pack("{s:s,s:b}", "condition",
				condition_name(spec->depends_on[i].condition), "restart",
				spec->depends_on[i].restart));
	return map;
}

static json_t *environment_of(const struct strings *environment)
{
	json_t *map = json_object();

	for (size_t i = 0; i < environment->count; i++) {
		const char *entry = environment->items[i], *value = strchr(entry, '=');
		char *name = memory_copy_n(entry, (size_t)(value - entry));
		json_object_set_new(map, name, json_string(value + 1));
		free(name);
	}
	return map;
}

static json_t *log_of(const struct log_spec *log)
{
	return json_pack("{s:s*,s:b,s:{s:I,s:I}}", "dir", log->dir, "merge_stderr",
		log->merge_stderr, "rotate", "max_size", (json_int_t)log->max_size, "max_files",
		(json_int_t)log->max_files);
}

static json_t *service_of(const struct service_spec *spec)
{
	json_t *service = json_pack(
		"{s:o,s:b,s:s*,s:o,s:i,s:o,s:b,s:s*,s:s*,s:i,s:o,s:o,s:o,s:{s:s,s:o,s:b},s:o,s:s*}",
		"command", list_of(&spec->argv), "shell", spec->shell, "working_dir",
		spec->working_dir, "environment", environment_of(&spec->environment), "instances",
		(int)spec->instances, "namespaces", list_of(&spec->namespaces), "disabled",
		spec->disabled, "user", spec->user, "group", spec->group, "nice", spec->nice,
		"rlimits", rlimits_of(spec), "depends_on", dependencies_of(spec), "availability",
		availability_of(&spec->restart), "shutdown", "signal",
		signal_name(spec->shutdown.signal), "timeout",
		milliseconds(spec->shutdown.timeout_ms), "parent_only", spec->shutdown.parent_only,
		"log", log_of(&spec->log), "origin", spec->origin);

	if (spec->umask >= 0)
		json_object_set_new(service, "umask", json_sprintf("%03o", (unsigned)spec->umask));
	return service;
}

static void dump(struct text *out, json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));

	json_decref(json);
	text_puts(out, text);
	text_putc(out, '\n');
	free(text);
}

void config_print_service(struct text *out, const struct service_spec *spec)
{
	dump(out, service_of(spec));
}

void config_print(struct text *out, const struct project_spec *project)
{
	json_t *processes = json_object();

	for (size_t i = 0; i < project->service_count; i++)
		json_object_set_new(
			processes, project->services[i].name, service_of(&project->services[i]));
	dump(out, json_pack("{s:s,s:s*,s:o,s:o,s:o}", "name", project->name, "dir", project->dir,
			  "files", list_of(&project->files), "log", log_of(&project->log),
			  "processes", processes));
}
