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

	json_t *json = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "restart",
		restart_mode_name(policy->mode), "backoff", backoff, "min_uptime",
		milliseconds(policy->min_uptime_ms), "max_restarts",
		policy->max_restarts == POLICY_UNLIMITED ? json_string("unlimited")
							 : json_integer(policy->max_restarts),
		"window", milliseconds(policy->window_ms), "fatal_retry",
		milliseconds(policy->fatal_retry_ms), "success_exit_codes",
		exits_of(&policy->success), "prevent_restart_on", exits_of(&policy->prevent));
	if (policy->exit_on_end)
		json_object_set_new(json, "exit_on_end", json_true());
	if (policy->exit_on_skipped)
		json_object_set_new(json, "exit_on_skipped", json_true());
	return json;
}

static json_t *limit_of(uint64_t limit)
{
	return limit == RLIM_INFINITY ? json_string("unlimited") : json_integer((json_int_t)limit);
}

static json_t *rlimits_of(const struct service_spec *spec)
{
	json_t *limits = json_object();

	for (int i = 0; i < SPEC_RLIMITS; i++)
		if (spec->rlimits && spec->rlimits[i].is_set)
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

static json_t *probe_of(const struct probe_spec *probe)
{
	json_t *json = json_pack("{s:o,s:o,s:o,s:i,s:i}", "initial_delay",
		milliseconds(probe->initial_delay_ms), "period", milliseconds(probe->period_ms),
		"timeout", milliseconds(probe->timeout_ms), "success_threshold",
		(int)probe->success_threshold, "failure_threshold", (int)probe->failure_threshold);
	json_t *how;

	if (probe->kind == PROBE_EXEC) {
		how = json_pack("{s:o,s:s*}", "command", list_of(&probe->argv), "working_dir", probe->working_dir);
	} else if (probe->kind == PROBE_UNIX) {
		how = json_pack("{s:s}", "path", probe->path);
	} else {
		how = json_pack("{s:s*,s:i,s:s*}", "host", probe->host, "port", (int)probe->port,
			"path", probe->path);
		if (probe->port_text)
			json_object_set_new(how, "port", json_string(probe->port_text));
		json_t *headers = json_object();
		for (size_t i = 0; i < probe->headers.count; i++) {
			const char *line = probe->headers.items[i], *colon = strstr(line, ": ");
			char *name = memory_copy_n(line, (size_t)(colon - line));
			json_object_set_new(headers, name, json_string(colon + 2));
			free(name);
		}
		json_object_set_new(how, "headers", headers);
		if (probe->kind == PROBE_TCP)
			json_object_del(how, "headers");
		if (probe->status_code)
			json_object_set_new(how, "status_code", json_integer(probe->status_code));
	}
	json_object_set_new(json, probe_kind_name(probe->kind), how);
	return json;
}

static json_t *ready_of(const struct ready_spec *ready)
{
	json_t *json = json_pack("{s:s*,s:s*,s:o}", "log", ready->log, "message", ready->message,
		"timeout", milliseconds(ready->timeout_ms));

	if (ready->fd)
		json_object_set_new(json, "notify", json_sprintf("fd:%d", ready->fd));
	else if (ready->notifies)
		json_object_set_new(json, "notify", json_string("sd"));
	return json;
}

static json_t *limits_of(const struct service_spec *spec)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < spec->limit_count; i++) {
		const struct limit_spec *limit = &spec->limits[i];
		json_t *over = limit->metric == LIMIT_LOOP_LAG ? milliseconds(limit->over)
							       : json_integer((json_int_t)limit->over);
		json_array_append_new(list,
			json_pack("{s:s,s:o,s:i,s:s,s:o}", "metric", limit_metric_name(limit->metric),
				"over", over, "for", (int)limit->samples, "action",
				limit_action_name(limit->action), "every", milliseconds(limit->every_ms)));
	}
	return list;
}

static json_t *watch_of(const struct watch_spec *watch)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:b}", "paths", list_of(&watch->paths), "include",
		list_of(&watch->include), "exclude", list_of(&watch->exclude), "debounce",
		milliseconds(watch->debounce_ms), "cascade", watch->cascade);
}

static json_t *schedule_of(const struct schedule_spec *schedule)
{
	json_t *json = json_pack("{s:s*,s:s*,s:s}", "cron", schedule->cron, "timezone",
		schedule->timezone, "overlap", overlap_name(schedule->overlap));

	if (schedule->interval_ms)
		json_object_set_new(json, "interval", milliseconds(schedule->interval_ms));
	if (schedule->runs_on_start)
		json_object_set_new(json, "run_on_start", json_true());
	if (schedule->concurrent > 1)
		json_object_set_new(json, "max_concurrent", json_integer(schedule->concurrent));
	return json;
}

static json_t *hooks_of(const struct service_spec *spec)
{
	json_t *map = json_object();

	for (int i = 0; i < HOOK_COUNT; i++)
		if (spec->hooks[i].argv.count)
			json_object_set_new(map, hook_name(i), list_of(&spec->hooks[i].argv));
	json_object_set_new(map, "timeout", milliseconds(spec->hook_timeout_ms));
	return map;
}

static json_t *layers_of(const struct layers *layers)
{
	json_t *list = json_array();

	for (size_t i = 0; i < layers->count; i++) {
		const struct layer *layer = &layers->items[i];
		json_t *json = json_pack("{s:s,s:s*,s:o}", "source",
			variable_source_name(layer->source), "path", layer->path, "values",
			environment_of(&layer->values));
		if (layer->is_optional)
			json_object_set_new(json, "optional", json_true());
		json_array_append_new(list, json);
	}
	return list;
}

/* Is there more to say than that its own `environment` is all? */
static bool has_layers(const struct layers *layers)
{
	return layers->count > 1 ||
	       (layers->count && layers->items[0].source != VARIABLE_OF_SERVICE);
}

static json_t *listen_of(const struct listen_spec *listen)
{
	const char *kind = socket_kind_name(listen->kind), *host = listen->host ? listen->host : "*";
	json_t *address = listen->kind == SOCKET_UNIX ? json_sprintf("unix://%s", listen->path)
			  : strchr(host, ':')         ? json_sprintf("%s://[%s]:%u", kind, host, listen->port)
						      : json_sprintf("%s://%s:%u", kind, host, listen->port);

	json_t *mode = listen->mode ? json_sprintf("%04o", listen->mode) : NULL;
	return json_pack("{s:o,s:i,s:o*,s:b}", "address", address, "backlog", (int)listen->backlog, "mode", mode,
		"per_instance", listen->is_own);
}

static void add_sockets(json_t *service, const struct service_spec *spec)
{
	json_t *listens = json_array();

	for (unsigned i = 0; i < spec->listen_count; i++)
		json_array_append_new(listens, listen_of(&spec->listens[i]));
	if (spec->listen_count)
		json_object_set(service, "listen", listens);
	json_decref(listens);
	if (spec->exec_mode != EXEC_CLUSTER)
		return;
	json_object_set_new(service, "exec_mode", json_string(exec_mode_name(spec->exec_mode)));
	json_object_set_new(service, "scheduling", json_string(scheduling_name(spec->scheduling)));
	json_object_set_new(service, "listen_timeout", milliseconds(spec->listen_timeout_ms));
}

/* What is not asked for is left out: most services have none of it. */
static void add_supervision(json_t *service, const struct service_spec *spec)
{
	if (spec->ready.log || spec->ready.message || spec->ready.notifies || spec->ready.fd)
		json_object_set_new(service, "ready", ready_of(&spec->ready));
	for (int i = 0; i < PROBE_ROLE_COUNT; i++) {
		char *name = memory_format("%s_probe", probe_role_name(i));
		if (spec->probes[i].kind)
			json_object_set_new(service, name, probe_of(&spec->probes[i]));
		free(name);
	}
	if (spec->limit_count)
		json_object_set_new(service, "limits", limits_of(spec));
	if (spec->watchdog_ms)
		json_object_set_new(service, "watchdog", milliseconds(spec->watchdog_ms));
	if (spec->max_runtime_ms)
		json_object_set_new(service, "max_runtime", milliseconds(spec->max_runtime_ms));
	if (spec->watch.paths.count)
		json_object_set_new(service, "watch", watch_of(&spec->watch));
	if (spec->schedule.cron || spec->schedule.interval_ms)
		json_object_set_new(service, "schedule", schedule_of(&spec->schedule));
	json_t *hooks = hooks_of(spec);
	if (json_object_size(hooks) > 1) /* more than the timeout */
		json_object_set(service, "hooks", hooks);
	json_decref(hooks);
	if (spec->oom_score_adj != OOM_SCORE_UNSET)
		json_object_set_new(service, "oom_score_adj", json_integer(spec->oom_score_adj));
	if (spec->ipc)
		json_object_set_new(service, "ipc", json_string("json"));
	add_sockets(service, spec);
	if (spec->pool.is_pool)
		json_object_set_new(service, "pool",
			json_pack("{s:I,s:I,s:I,s:o,s:I}", "queue_max", (json_int_t)spec->pool.queue_most, "max_bytes",
				(json_int_t)spec->pool.bytes_most, "retries", (json_int_t)spec->pool.retries, "task_timeout",
				milliseconds(spec->pool.timeout_ms), "concurrency", (json_int_t)spec->pool.concurrency));
	if (spec->shutdown.message)
		json_object_set_new(json_object_get(service, "shutdown"), "message",
			json_loads(spec->shutdown.message, JSON_DECODE_ANY, NULL));
	if (spec->shutdown.argv.count)
		json_object_set_new(json_object_get(service, "shutdown"), "command",
			list_of(&spec->shutdown.argv));
}

static json_t *groups_of(const struct project_spec *project)
{
	json_t *map = json_object();

	for (size_t i = 0; i < project->group_count; i++)
		json_object_set_new(map, project->groups[i].name,
			json_pack("{s:s,s:o}", "strategy",
				group_strategy_name(project->groups[i].strategy), "members",
				list_of(&project->groups[i].members)));
	return map;
}

static json_t *log_of(const struct log_spec *log)
{
	json_t *json = json_pack("{s:s*,s:b,s:b,s:{s:I,s:I}}", "dir", log->dir, "merge_stderr",
		log->merge_stderr, "journald", log->journald, "rotate", "max_size", (json_int_t)log->max_size, "max_files",
		(json_int_t)log->max_files);

	if (log->file) {
		json_object_set_new(json, "file", json_string(log->file));
		json_object_set_new(json, "timestamps", json_boolean(log->timestamps));
		json_object_set_new(json, "json", json_boolean(log->json));
	}
	return json;
}

json_t *config_service_to_json(const struct service_spec *spec)
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
	if (has_layers(&spec->variables))
		json_object_set_new(service, "env_layers", layers_of(&spec->variables));
	if (spec->is_leaving)
		json_object_set_new(service, "leaving", json_true());
	if (spec->fresh_from != SPEC_NOT_FRESH)
		json_object_set_new(service, "fresh_from", json_integer(spec->fresh_from));
	json_object_set_new(service, "pty", json_boolean(spec->pty));
	add_supervision(service, spec);
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
	dump(out, config_service_to_json(spec));
}

json_t *config_to_json(const struct project_spec *project)
{
	json_t *processes = json_object();

	for (size_t i = 0; i < project->service_count; i++)
		json_object_set_new(processes, project->services[i].name,
			config_service_to_json(&project->services[i]));
	json_t *json = json_pack("{s:s,s:s*,s:o,s:o,s:o,s:s*}", "name", project->name, "dir",
		project->dir, "files", list_of(&project->files), "log", log_of(&project->log),
		"processes", processes, "digest", project->digest);
	if (project->log_cap)
		json_object_set_new(json_object_get(json, "log"), "disk_cap",
			json_integer((json_int_t)project->log_cap));
	if (project->group_count)
		json_object_set_new(json, "groups", groups_of(project));
	if (project->is_applying)
		json_object_set_new(json, "applying", json_true());
	return json;
}

void config_print(struct text *out, const struct project_spec *project)
{
	dump(out, config_to_json(project));
}
