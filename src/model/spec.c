#include "model/spec.h"

#include <assert.h>
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "base/memory.h"

enum { STOP_MS = 5000,
	READY_MS = 60000,
	POOL_QUEUE = 10000,
	POOL_BYTES = 64 * 1024 * 1024,
	LISTEN_MS = 3000, /* as PM2 has it */
	DEBOUNCE_MS = 300,
	HOOK_MS = 30000,
	LOG_FILES = 5,
	LOG_SIZE = 10 * 1024 * 1024 };

static const char *const conditions[] = {
	[CONDITION_STARTED] = "process_started",
	[CONDITION_COMPLETED] = "process_completed",
	[CONDITION_COMPLETED_SUCCESSFULLY] = "process_completed_successfully",
	[CONDITION_HEALTHY] = "process_healthy",
	[CONDITION_LOG_READY] = "process_log_ready",
};
static_assert(sizeof conditions / sizeof *conditions == CONDITION_COUNT, "name every condition");

const char *condition_name(enum condition condition)
{
	return conditions[condition];
}

static const char *const probe_kinds[] = { "none", "exec", "http_get", "tcp", "unix" };
static_assert(sizeof probe_kinds / sizeof *probe_kinds == PROBE_KIND_COUNT, "name every kind");

const char *probe_kind_name(enum probe_kind kind)
{
	return probe_kinds[kind];
}

static const char *const probe_roles[] = { "startup", "readiness", "liveness" };
static_assert(sizeof probe_roles / sizeof *probe_roles == PROBE_ROLE_COUNT, "name every role");

const char *probe_role_name(enum probe_role role)
{
	return probe_roles[role];
}

static const char *const metrics[] = { "rss", "pss", "cpu", "fds", "threads", "queue", "loop_lag" };
static_assert(sizeof metrics / sizeof *metrics == LIMIT_METRIC_COUNT, "name every metric");

const char *limit_metric_name(enum limit_metric metric)
{
	return metrics[metric];
}

static const char *const actions[] = { "warn", "restart", "stop", "kill" };
static_assert(sizeof actions / sizeof *actions == LIMIT_ACTION_COUNT, "name every action");

const char *limit_action_name(enum limit_action action)
{
	return actions[action];
}

static const char *const overlaps[] = { "skip", "queue", "replace" };
static_assert(sizeof overlaps / sizeof *overlaps == OVERLAP_COUNT, "name every one");

const char *overlap_name(enum overlap overlap)
{
	return overlaps[overlap];
}

static const char *const hooks[] = {
	[HOOK_START] = "on_start",
	[HOOK_READY] = "on_ready",
	[HOOK_UNHEALTHY] = "on_unhealthy",
	[HOOK_EXIT] = "on_exit",
	[HOOK_CRASH] = "on_crash",
	[HOOK_STOP] = "on_stop",
	[HOOK_COMPLETED] = "on_completed",
	[HOOK_FATAL] = "on_fatal",
	[HOOK_LIMIT] = "on_limit",
};
static_assert(sizeof hooks / sizeof *hooks == HOOK_COUNT, "name every hook");

const char *hook_name(enum hook hook)
{
	return hooks[hook];
}

static const char *const strategies[] = { "one_for_all", "rest_for_one" };
static_assert(sizeof strategies / sizeof *strategies == GROUP_STRATEGY_COUNT, "name every one");

const char *group_strategy_name(enum group_strategy strategy)
{
	return strategies[strategy];
}

static const char *const exec_modes[EXEC_MODE_COUNT] = { [EXEC_FORK] = "fork", [EXEC_CLUSTER] = "cluster" };

const char *exec_mode_name(enum exec_mode mode)
{
	return exec_modes[mode];
}

static const char *const schedulings[SCHEDULING_COUNT] = { [SCHEDULING_ROUND_ROBIN] = "rr",
	[SCHEDULING_SHARED] = "none" };

const char *scheduling_name(enum scheduling scheduling)
{
	return schedulings[scheduling];
}

static const char *const socket_kinds[SOCKET_KIND_COUNT] = { [SOCKET_TCP] = "tcp",
	[SOCKET_UDP] = "udp",
	[SOCKET_UNIX] = "unix" };

const char *socket_kind_name(enum socket_kind kind)
{
	return socket_kinds[kind];
}

bool service_spec_tells_ready(const struct service_spec *spec)
{
	const struct ready_spec *ready = &spec->ready;

	return ready->log || ready->message || ready->notifies || ready->fd ||
	       spec->exec_mode == EXEC_CLUSTER || spec->probes[PROBE_STARTUP].kind ||
	       spec->probes[PROBE_READINESS].kind;
}

char *spec_for_instance(const char *text, unsigned index)
{
	const size_t size = strlen(INSTANCE_MARK);
	char *result = memory_copy(text);

	for (char *mark; result && (mark = strstr(result, INSTANCE_MARK));) {
		char *next = memory_format("%.*s%u%s", (int)(mark - result), result, index, mark + size);
		free(result);
		result = next;
	}
	return result;
}

void service_spec_init(struct service_spec *spec)
{
	*spec = (struct service_spec){
		.instances = 1,
		.umask = -1,
		.fresh_from = SPEC_NOT_FRESH,
		.oom_score_adj = OOM_SCORE_UNSET,
		.shutdown = { .signal = SIGTERM, .timeout_ms = STOP_MS },
		.ready = { .timeout_ms = READY_MS },
		.listen_timeout_ms = LISTEN_MS,
		.pool = { .queue_most = POOL_QUEUE, .bytes_most = POOL_BYTES, .retries = 1, .concurrency = 1 },
		.watch = { .debounce_ms = DEBOUNCE_MS },
		.hook_timeout_ms = HOOK_MS,
		.log = { .max_size = LOG_SIZE, .max_files = LOG_FILES },
	};
	restart_policy_init(&spec->restart);
}

static void probe_spec_finish(struct probe_spec *probe)
{
	strings_finish(&probe->argv);
	free(probe->working_dir);
	free(probe->host);
	free(probe->port_text);
	free(probe->path);
	strings_finish(&probe->headers);
}

static void finish_supervision(struct service_spec *spec)
{
	strings_finish(&spec->shutdown.argv);
	for (unsigned i = 0; i < spec->listen_count; i++) {
		free(spec->listens[i].host);
		free(spec->listens[i].path);
	}
	free(spec->listens);
	free(spec->shutdown.message);
	free(spec->ready.log);
	free(spec->ready.message);
	for (int i = 0; i < PROBE_ROLE_COUNT; i++)
		probe_spec_finish(&spec->probes[i]);
	strings_finish(&spec->watch.paths);
	strings_finish(&spec->watch.include);
	strings_finish(&spec->watch.exclude);
	free(spec->schedule.cron);
	free(spec->schedule.timezone);
	for (int i = 0; i < HOOK_COUNT; i++)
		strings_finish(&spec->hooks[i].argv);
}

void service_spec_finish(struct service_spec *spec)
{
	finish_supervision(spec);
	free(spec->name);
	free(spec->command);
	strings_finish(&spec->argv);
	free(spec->working_dir);
	layers_finish(&spec->variables);
	strings_finish(&spec->environment);
	strings_finish(&spec->namespaces);
	free(spec->user);
	free(spec->rlimits);
	free(spec->limits);
	free(spec->group);
	for (size_t i = 0; i < spec->depends_count; i++)
		free(spec->depends_on[i].service);
	free(spec->depends_on);
	free(spec->log.dir);
	free(spec->log.file);
	free(spec->origin);
	*spec = (struct service_spec){ 0 };
}

struct project_spec *project_spec_create(void)
{
	struct project_spec *project = memory_zeroed(1, sizeof *project);

	project->log = (struct log_spec){ .max_size = LOG_SIZE, .max_files = LOG_FILES };
	return project;
}

void project_spec_destroy(struct project_spec *project)
{
	if (!project)
		return;
	for (size_t i = 0; i < project->service_count; i++)
		service_spec_finish(&project->services[i]);
	for (size_t i = 0; i < project->group_count; i++) {
		free(project->groups[i].name);
		strings_finish(&project->groups[i].members);
	}
	free(project->groups);
	free(project->services);
	free(project->name);
	free(project->dir);
	strings_finish(&project->files);
	free(project->log.dir);
	free(project->digest);
	free(project);
}

struct service_spec *project_spec_add(struct project_spec *project, const char *name)
{
	project->services = memory_resize(project->services, project->service_count + 1,
		sizeof *project->services);
	struct service_spec *spec = &project->services[project->service_count++];
	service_spec_init(spec);
	spec->name = memory_copy(name);
	return spec;
}

struct service_spec *project_spec_find(const struct project_spec *project, const char *name)
{
	for (size_t i = 0; i < project->service_count; i++)
		if (strcmp(project->services[i].name, name) == 0)
			return &project->services[i];
	return NULL;
}

bool service_spec_is_run(const struct service_spec *spec)
{
	return spec->origin && strcmp(spec->origin, "run") == 0;
}

bool service_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > SERVICE_NAME_MOST || (!isalnum((unsigned char)name[0]) && name[0] != '_'))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return strcmp(name, "all") != 0;
}

const char *signal_name(int number)
{
	const char *name = number > 0 && number < NSIG ? sigabbrev_np(number) : NULL;

	return name ? name : "?";
}

int signal_number(const char *name)
{
	char *end;
	long number = strtol(name, &end, 10);

	if (end != name && !*end)
		return number > 0 && number < NSIG ? (int)number : 0;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) && strcasecmp(sigabbrev_np(i), name) == 0)
			return i;
	return 0;
}

static const char *const rlimits[SPEC_RLIMITS] = {
	[RLIMIT_AS] = "as",
	[RLIMIT_CORE] = "core",
	[RLIMIT_CPU] = "cpu",
	[RLIMIT_DATA] = "data",
	[RLIMIT_FSIZE] = "fsize",
	[RLIMIT_LOCKS] = "locks",
	[RLIMIT_MEMLOCK] = "memlock",
	[RLIMIT_MSGQUEUE] = "msgqueue",
	[RLIMIT_NICE] = "nice",
	[RLIMIT_NOFILE] = "nofile",
	[RLIMIT_NPROC] = "nproc",
	[RLIMIT_RSS] = "rss",
	[RLIMIT_RTPRIO] = "rtprio",
	[RLIMIT_RTTIME] = "rttime",
	[RLIMIT_SIGPENDING] = "sigpending",
	[RLIMIT_STACK] = "stack",
};

int rlimit_number(const char *name)
{
	for (int i = 0; i < SPEC_RLIMITS; i++)
		if (rlimits[i] && strcmp(rlimits[i], name) == 0)
			return i;
	return -1;
}

const char *rlimit_name(int number)
{
	return number >= 0 && number < SPEC_RLIMITS ? rlimits[number] : NULL;
}

bool service_is_told_to_leave(const struct service_spec *spec)
{
	return spec->exec_mode == EXEC_CLUSTER && !spec->shutdown.message && spec->shutdown.signal == SIGTERM;
}
