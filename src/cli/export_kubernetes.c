/* A Deployment for what runs on, a CronJob for what runs at times, a Job for what runs once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/export.h"

/* Small letters, digits and dashes, 63 at the most. free() it. */
static char *make_name(const char *name)
{
	char *copy = memory_copy(name);

	for (char *c = copy; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : strchr("._", *c) ? '-'
											: *c;
	return copy;
}

/* "$(NAME)" would be a variable of its own. */
static json_t *literal(const char *text)
{
	struct text out;

	text_init(&out, strlen(text) * 2 + 1);
	for (; *text; text++) {
		if (text[0] == '$' && text[1] == '(')
			text_putc(&out, '$');
		text_putc(&out, *text);
	}
	json_t *json = json_string(text_string(&out));
	text_finish(&out);
	return json;
}

static json_t *words_of(const struct strings *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, literal(list->items[i]));
	return array;
}

static json_t *probe_of(const struct service_spec *spec, const struct probe_spec *probe)
{
	json_t *json = json_pack("{s:i,s:i,s:i,s:i,s:i}", "initialDelaySeconds", (int)(probe->initial_delay_ms / 1000),
		"periodSeconds", export_seconds(probe->period_ms), "timeoutSeconds", export_seconds(probe->timeout_ms),
		"successThreshold", (int)probe->success_threshold, "failureThreshold", (int)probe->failure_threshold);

	if (probe->kind == PROBE_EXEC)
		json_object_set_new(json, "exec", json_pack("{s:o}", "command", words_of(&probe->argv)));
	else if (probe->kind == PROBE_HTTP)
		json_object_set_new(json, "httpGet",
			json_pack("{s:s,s:i}", "path", probe->path ? probe->path : "/", "port", (int)probe->port));
	else if (probe->kind == PROBE_TCP)
		json_object_set_new(json, "tcpSocket", json_pack("{s:i}", "port", (int)probe->port));
	else
		json_object_set_new(json, "exec",
			json_pack("{s:[s,s,s]}", "command", "test", "-S", probe->path ? probe->path : ""));
	if (probe->status_code)
		export_lost(spec, "kubernetes takes any status from 200 to 399, not %u alone", probe->status_code);
	return json;
}

static void add_probes(json_t *container, const struct service_spec *spec)
{
	static const char *const names[PROBE_ROLE_COUNT] = {
		[PROBE_STARTUP] = "startupProbe",
		[PROBE_READINESS] = "readinessProbe",
		[PROBE_LIVENESS] = "livenessProbe",
	};

	for (int i = 0; i < PROBE_ROLE_COUNT; i++)
		if (spec->probes[i].kind)
			json_object_set_new(container, names[i], probe_of(spec, &spec->probes[i]));
	if (spec->ready.log || spec->ready.message || spec->ready.notifies || spec->ready.fd)
		export_lost(spec, "ready has no equivalent: kubernetes asks, by a readinessProbe");
}

static void add_port(json_t *container, const struct service_spec *spec)
{
	for (int i = 0; i < PROBE_ROLE_COUNT; i++) {
		if (!spec->probes[i].port)
			continue;
		json_object_set_new(container, "ports", json_pack("[{s:i}]", "containerPort", (int)spec->probes[i].port));
		return;
	}
}

static json_t *variables_of(const struct service_spec *spec)
{
	json_t *list = json_array();

	for (size_t i = 0; i < spec->environment.count; i++) {
		const char *entry = spec->environment.items[i], *equals = strchr(entry, '=');
		if (equals)
			json_array_append_new(list,
				json_pack("{s:s%,s:o}", "name", entry, (size_t)(equals - entry), "value", literal(equals + 1)));
	}
	return list;
}

/* CPU is said as a share of a core: 150 is 1500m. */
static void add_resources(json_t *container, const struct service_spec *spec)
{
	json_t *limits = json_object();

	if (export_memory(spec))
		json_object_set_new(limits, "memory", json_sprintf("%llu", (unsigned long long)export_memory(spec)));
	for (unsigned i = 0; i < spec->limit_count; i++) {
		const struct limit_spec *limit = &spec->limits[i];
		if (limit->metric == LIMIT_CPU && limit->action != LIMIT_WARN)
			json_object_set_new(limits, "cpu", json_sprintf("%llum", (unsigned long long)limit->over * 10));
		else if (limit->metric != LIMIT_RSS && limit->metric != LIMIT_PSS)
			export_lost(spec, "a limit of %s has no equivalent", limit_metric_name(limit->metric));
	}
	if (json_object_size(limits))
		json_object_set_new(container, "resources", json_pack("{s:O}", "limits", limits));
	json_decref(limits);
}

static void add_shutdown(json_t *container, const struct service_spec *spec)
{
	if (spec->shutdown.argv.count)
		json_object_set_new(container, "lifecycle",
			json_pack("{s:{s:{s:o}}}", "preStop", "exec", "command", words_of(&spec->shutdown.argv)));
	if (spec->shutdown.message)
		export_lost(spec, "shutdown.message has no equivalent: the signal comes alone");
	if (strcmp(signal_name(spec->shutdown.signal), "TERM") != 0)
		export_lost(spec, "shutdown.signal: the image must say STOPSIGNAL SIG%s", signal_name(spec->shutdown.signal));
}

static void say_lost(const struct service_spec *spec)
{
	for (size_t i = 0; i < spec->depends_count; i++)
		export_lost(spec, "depends_on %s has no equivalent: both are started at once", spec->depends_on[i].service);
	if (spec->user || spec->group)
		export_lost(spec, "user and group: an image has users of its own; see securityContext");
	if (spec->watch.paths.count)
		export_lost(spec, "watch has no equivalent");
	if (spec->schedule.interval_ms)
		export_lost(spec, "schedule.interval has no equivalent; cron has");
	if (spec->ipc)
		export_lost(spec, "ipc has no equivalent: there is nobody at the other end");
}

static json_t *container_of(const struct service_spec *spec, const char *name, const char *image)
{
	json_t *container = json_pack("{s:s,s:s,s:o,s:s}", "name", name, "image", image, "command",
		words_of(&spec->argv), "workingDir", spec->working_dir);

	if (spec->environment.count)
		json_object_set_new(container, "env", variables_of(spec));
	if (spec->pty)
		json_object_update_new(container, json_pack("{s:b,s:b}", "tty", 1, "stdin", 1));
	add_port(container, spec);
	add_probes(container, spec);
	add_resources(container, spec);
	add_shutdown(container, spec);
	say_lost(spec);
	return container;
}

static json_t *template_of(const struct service_spec *spec, const char *name, const char *project,
	const char *image, const char *restart)
{
	return json_pack("{s:{s:{s:s,s:s}},s:{s:s,s:i,s:[o]}}", "metadata", "labels", "app.kubernetes.io/name", name,
		"app.kubernetes.io/part-of", project, "spec", "restartPolicy", restart, "terminationGracePeriodSeconds",
		export_seconds(spec->shutdown.timeout_ms) + (spec->shutdown.argv.count ? 5 : 0), "containers",
		container_of(spec, name, image));
}

static json_t *make_deployment(const struct service_spec *spec, const char *name, json_t *template)
{
	return json_pack("{s:i,s:{s:{s:s}},s:o}", "replicas", spec->disabled ? 0 : (int)spec->instances, "selector",
		"matchLabels", "app.kubernetes.io/name", name, "template", template);
}

static json_t *make_job(const struct service_spec *spec, json_t *template)
{
	bool is_tried_again = spec->restart.mode == RESTART_ON_FAILURE && spec->restart.max_restarts != POLICY_UNLIMITED;

	return json_pack("{s:i,s:i,s:o}", "backoffLimit", is_tried_again ? (int)spec->restart.max_restarts : 0, "completions",
		(int)spec->instances, "template", template);
}

static json_t *make_cron_job(const struct service_spec *spec, json_t *template)
{
	static const char *const policies[OVERLAP_COUNT] = {
		[OVERLAP_SKIP] = "Forbid",
		[OVERLAP_QUEUE] = "Allow",
		[OVERLAP_REPLACE] = "Replace",
	};

	return json_pack("{s:s,s:s*,s:s,s:{s:o}}", "schedule", spec->schedule.cron, "timeZone", spec->schedule.timezone,
		"concurrencyPolicy", policies[spec->schedule.overlap], "jobTemplate", "spec", make_job(spec, template));
}

static json_t *make_object(const struct service_spec *spec, const char *project, const char *image)
{
	char *name = make_name(spec->name);
	bool is_cron = spec->schedule.cron, is_job = is_cron || spec->restart.mode == RESTART_NO ||
						     spec->restart.mode == RESTART_EXIT_ON_FAILURE;
	json_t *template = template_of(spec, name, project, image,
		!is_job ? "Always" : spec->restart.mode == RESTART_ON_FAILURE ? "OnFailure"
									      : "Never");
	json_t *inner = is_cron  ? make_cron_job(spec, template)
			: is_job ? make_job(spec, template)
				 : make_deployment(spec, name, template);
	json_t *object = json_pack("{s:s,s:s,s:{s:s,s:{s:s,s:s}},s:o}", "apiVersion", is_job ? "batch/v1" : "apps/v1", "kind",
		is_cron  ? "CronJob"
		: is_job ? "Job"
			 : "Deployment",
		"metadata", "name", name, "labels", "app.kubernetes.io/name", name, "app.kubernetes.io/part-of", project,
		"spec", inner);
	free(name);
	return object;
}

void export_kubernetes(struct text *out, const struct project_spec *project, const struct invocation *invocation)
{
	char *name = make_name(project->name);
	char *image = invocation->image ? memory_copy(invocation->image) : memory_format("%s:latest", name);

	for (size_t i = 0; i < project->service_count; i++) {
		if (!export_takes(&project->services[i]))
			continue;
		text_puts(out, out->size ? "---\n" : "");
		export_yaml(out, make_object(&project->services[i], name, image));
	}
	free(image);
	free(name);
}
