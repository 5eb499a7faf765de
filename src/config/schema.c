#include "config/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/units.h"
#include "config/environment.h"
#include "config/take.h"

enum { KEYS_MOST = 128 };

char *schema_text(struct reading *reading, const struct node *value, const char *what)
{
	if (value->kind != NODE_SCALAR) {
		problem_error(reading->problems, value->at, "%s takes one value, not a %s", what,
			value->kind == NODE_MAP ? "map" : "list");
		return NULL;
	}
	char *text = reading->variables ? environment_expand(value->text, reading->variables, reading->is_loose, value->at,
						  reading->problems)
					: memory_copy(value->text);
	if (!text || !reading->has_templates || !strstr(text, "{{"))
		return text;
	char *rendered = template_render(text, &reading->vars, NULL, value->at, reading->problems);
	free(text);
	return rendered;
}

/* ---- values: each takes one kind ---- */

#define TAKES(name) static TAKES_OF(name)

TAKES_OF(take_string)
{
	char *text = schema_text(reading, value, key->name);

	if (!text)
		return false;
	free(*(char **)place);
	*(char **)place = text;
	return true;
}

/* A value that a function understands; what it is to look like goes into the message. */
bool take_failed(
	struct reading *reading, const struct node *value, const struct key *key, const char *looks)
{
	return problem_error(reading->problems, value->at, "%s takes %s, not '%.60s'", key->name,
		looks, value->text);
}

bool take_parse_count(const char *text, uint64_t most, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*number = strtoull(text, &end, 10);
	return !*end && *number <= most;
}

TAKES_OF(take_duration)
{
	char *text = schema_text(reading, value, key->name);
	uint64_t ms;

	if (!text)
		return false;
	bool ok = units_parse_duration(text, &ms) && ms <= UINT32_MAX;
	free(text);
	if (!ok)
		return take_failed(reading, value, key, "a duration such as 500ms, 10s or 5m");
	*(uint32_t *)place = (uint32_t)ms;
	return true;
}

TAKES_OF(take_size)
{
	char *text = schema_text(reading, value, key->name);

	if (!text)
		return false;
	bool ok = units_parse_size(text, place);
	free(text);
	return ok || take_failed(reading, value, key, "a size such as 200MB");
}

TAKES_OF(take_count)
{
	char *text = schema_text(reading, value, key->name);
	uint64_t number;

	if (!text)
		return false;
	bool ok = take_parse_count(text, 1000000, &number);
	free(text);
	if (!ok)
		return take_failed(reading, value, key, "a whole number");
	*(unsigned *)place = (unsigned)number;
	return true;
}

TAKES(take_percent)
{
	char *text = schema_text(reading, value, key->name);
	uint64_t number;

	if (!text)
		return false;
	text[strcspn(text, "%")] = '\0';
	bool ok = take_parse_count(text, 100, &number);
	free(text);
	if (!ok)
		return take_failed(reading, value, key, "a percentage such as 20%");
	*(unsigned *)place = (unsigned)number;
	return true;
}

TAKES(take_max_restarts)
{
	bool is_unlimited = value->kind == NODE_SCALAR && strcmp(value->text, "unlimited") == 0;

	if (is_unlimited) {
		*(unsigned *)place = POLICY_UNLIMITED;
		return true;
	}
	return take_count(reading, value, place, key);
}

TAKES_OF(take_bool)
{
	char *text = schema_text(reading, value, key->name);

	if (!text)
		return false;
	bool is_true = strcasecmp(text, "true") == 0;
	bool ok = is_true || strcasecmp(text, "false") == 0;
	free(text);
	if (!ok)
		return take_failed(reading, value, key, "true or false");
	*(bool *)place = is_true;
	return true;
}

/* A longest pause that was not named is no shorter than the first. */
TAKES(take_initial)
{
	struct restart_policy *policy = place;

	if (!take_duration(reading, value, &policy->initial_ms, key))
		return false;
	if (policy->max_ms < policy->initial_ms)
		policy->max_ms = policy->initial_ms;
	return true;
}

TAKES(take_longest)
{
	struct restart_policy *policy = place;

	if (!take_duration(reading, value, &policy->max_ms, key))
		return false;
	return policy->initial_ms <= policy->max_ms ||
	       problem_error(reading->problems, value->at,
		       "backoff: initial (%u ms) is more than max (%u ms)", policy->initial_ms, policy->max_ms);
}

TAKES(take_factor)
{
	char *text = schema_text(reading, value, key->name), *end;

	if (!text)
		return false;
	double factor = strtod(text, &end);
	bool ok = end != text && !*end && factor >= 1 && factor <= 100;
	free(text);
	if (!ok)
		return take_failed(reading, value, key, "a number from 1 to 100");
	*(double *)place = factor;
	return true;
}

unsigned take_core_count(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > SPEC_INSTANCES_MOST ? SPEC_INSTANCES_MOST
							   : (unsigned)count;
}

TAKES_OF(take_instances)
{
	char *text = schema_text(reading, value, key->name);
	uint64_t number = 0;

	if (!text)
		return false;
	bool is_max = strcmp(text, "max") == 0 || strcmp(text, "-1") == 0;
	bool ok = is_max || (take_parse_count(text, SPEC_INSTANCES_MOST, &number) && number > 0);
	free(text);
	if (!ok)
		return take_failed(
			reading, value, key, "a number from 1 to 1000, or max (one for each core)");
	*(unsigned *)place = reading->instances = is_max ? take_core_count() : (unsigned)number;
	reading->has_instances = true;
	return true;
}

TAKES_OF(take_signal)
{
	char *text = schema_text(reading, value, key->name);
	int number = text ? signal_number(text) : 0;

	if (!text)
		return false;
	free(text);
	if (!number)
		return take_failed(reading, value, key, "a signal such as TERM or 15");
	*(int *)place = number;
	return true;
}

TAKES(take_umask)
{
	char *text = schema_text(reading, value, key->name), *end;

	if (!text)
		return false;
	long mask = strtol(text, &end, 8);
	bool ok = end != text && !*end && mask >= 0 && mask <= 0777;
	free(text);
	if (!ok)
		return take_failed(reading, value, key, "an octal mask such as 022");
	*(int *)place = (int)mask;
	return true;
}

TAKES(take_nice)
{
	char *text = schema_text(reading, value, key->name), *end;

	if (!text)
		return false;
	long nice = strtol(text, &end, 10);
	bool ok = end != text && !*end && nice >= -20 && nice <= 19;
	free(text);
	if (!ok)
		return take_failed(reading, value, key, "a number from -20 to 19");
	*(int *)place = (int)nice;
	return true;
}

TAKES(take_oom_score)
{
	char *text = schema_text(reading, value, key->name), *end;

	if (!text)
		return false;
	long score = strtol(text, &end, 10);
	bool ok = end != text && !*end && score >= -1000 && score <= 1000;
	free(text);
	if (!ok)
		return take_failed(reading, value, key, "a number from -1000 to 1000");
	*(int *)place = (int)score;
	return true;
}

TAKES(take_restart)
{
	static const char *const others[][2] = {
		{ "never", "no" },
		{ "false", "no" },
		{ "on-failure", "on_failure" },
		{ "unless-stopped", "unless_stopped" },
		{ "true", "always" },
	};
	char *text = schema_text(reading, value, key->name);
	const char *name = text;

	if (!text)
		return false;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(others[i][0], text) == 0)
			name = others[i][1];
	enum restart_mode mode = 0;
	while (mode < RESTART_MODE_COUNT && strcmp(restart_mode_name(mode), name) != 0)
		mode++;
	free(text);
	if (mode == RESTART_MODE_COUNT)
		return take_failed(reading, value, key,
			"no, on_failure, always, unless_stopped or exit_on_failure");
	*(enum restart_mode *)place = mode;
	return true;
}

/* Calls take for each item of a list, or for a single value. */
bool take_each(struct reading *reading, const struct node *value, void *place,
	const struct key *key,
	bool (*take)(struct reading *reading, const struct node *item, void *place,
		const struct key *key))
{
	bool ok = true;

	if (value->kind != NODE_LIST)
		return node_is_null(value) || take(reading, value, place, key);
	for (size_t i = 0; i < value->count; i++)
		ok = take(reading, value->items[i], place, key) && ok;
	return ok;
}

TAKES(add_exit)
{
	struct exit_set *set = place;
	char *text = schema_text(reading, value, key->name);
	uint64_t code;

	if (!text)
		return false;
	bool is_code = take_parse_count(text, 255, &code);
	int item = is_code ? (int)code : -signal_number(text);
	free(text);
	if (!is_code && !item)
		return take_failed(reading, value, key, "exit codes and signals such as 78 or SIGABRT");
	if (set->count == POLICY_CODES_MOST)
		return problem_error(reading->problems, value->at, "%s takes at most %d", key->name,
			POLICY_CODES_MOST);
	set->items[set->count++] = (int16_t)item;
	return true;
}

TAKES(take_exits)
{
	((struct exit_set *)place)->count = 0;
	return take_each(reading, value, place, key, add_exit);
}

TAKES(add_string)
{
	char *text = schema_text(reading, value, key->name);

	if (!text)
		return false;
	strings_add(place, text);
	free(text);
	return true;
}

TAKES_OF(take_strings)
{
	strings_finish(place);
	return take_each(reading, value, place, key, add_string);
}

char *take_path_from(const char *dir, const char *path)
{
	return *path == '/' || !dir ? memory_copy(path) : memory_format("%s/%s", dir, path);
}

TAKES_OF(take_path)
{
	char *text = schema_text(reading, value, key->name);

	if (!text)
		return false;
	free(*(char **)place);
	*(char **)place = take_path_from(reading->dir, text);
	free(text);
	return true;
}

static bool parse_limit(const char *text, uint64_t *limit)
{
	if (strcmp(text, "unlimited") != 0 && strcmp(text, "infinity") != 0)
		return units_parse_size(text, limit);
	*limit = RLIM_INFINITY;
	return true;
}

static bool take_one_limit(struct reading *reading, const struct node *value, uint64_t *limit)
{
	char *text = schema_text(reading, value, "a limit");
	bool ok = text && parse_limit(text, limit);

	if (text && !ok)
		problem_error(reading->problems, value->at,
			"a limit is a number, a size, or unlimited, not '%.60s'", text);
	free(text);
	return ok;
}

static bool take_rlimit(
	struct reading *reading, const struct node *value, struct rlimit_spec *limit)
{
	if (value->kind == NODE_LIST && value->count != 2)
		return problem_error(
			reading->problems, value->at, "a limit is one number, or [soft, hard]");
	const struct node *soft = value->kind == NODE_LIST ? value->items[0] : value;
	const struct node *hard = value->kind == NODE_LIST ? value->items[1] : value;
	limit->is_set = true;
	return take_one_limit(reading, soft, &limit->soft) &&
	       take_one_limit(reading, hard, &limit->hard);
}

TAKES(take_rlimits)
{
	struct rlimit_spec **limits = place;
	bool ok = true;

	if (value->kind != NODE_MAP)
		return problem_error(reading->problems, value->at,
			"%s takes a map such as {nofile: 65536}", key->name);
	if (!*limits && value->count)
		*limits = memory_zeroed(SPEC_RLIMITS, sizeof **limits);
	for (size_t i = 0; i < value->count; i += 2) {
		int number = rlimit_number(value->items[i]->text);
		if (number < 0)
			ok = problem_error(reading->problems, value->items[i]->at,
				"no such limit: '%.60s'", value->items[i]->text);
		else
			ok = take_rlimit(reading, value->items[i + 1], &(*limits)[number]) && ok;
	}
	return ok;
}

static bool parse_condition(const char *text, enum condition *condition)
{
	for (enum condition i = 0; i < CONDITION_COUNT; i++) {
		if (strcmp(condition_name(i), text) == 0) {
			*condition = i;
			return true;
		}
	}
	return false;
}

static bool take_condition(struct reading *reading, const struct node *value, struct dependency *on)
{
	if (value->kind != NODE_SCALAR || !parse_condition(value->text, &on->condition))
		return problem_error(reading->problems, value->at,
			"condition is process_started, process_healthy, process_log_ready, "
			"process_completed or process_completed_successfully");
	return true;
}

static bool take_edge(struct reading *reading, const struct node *value, struct dependency *on)
{
	static const struct key restart = { .name = "restart" };
	bool ok = true;

	if (node_is_null(value))
		return true;
	if (value->kind != NODE_MAP)
		return take_condition(reading, value, on);
	for (size_t i = 0; i < value->count; i += 2) {
		const char *name = value->items[i]->text;
		if (strcmp(name, "condition") == 0)
			ok = take_condition(reading, value->items[i + 1], on) && ok;
		else if (strcmp(name, "restart") == 0)
			ok = take_bool(reading, value->items[i + 1], &on->restart, &restart) && ok;
		else
			ok = problem_error(reading->problems, value->items[i]->at,
				"unknown key '%.60s' (there are: condition, restart)", name);
	}
	return ok;
}

static struct dependency *add_dependency(struct service_spec *spec, const char *name)
{
	spec->depends_on =
		memory_resize(spec->depends_on, spec->depends_count + 1, sizeof *spec->depends_on);
	struct dependency *on = &spec->depends_on[spec->depends_count++];
	*on = (struct dependency){ .service = memory_copy(name) };
	return on;
}

static bool take_dependency_name(
	struct reading *reading, const struct node *item, void *place, const struct key *key)
{
	if (item->kind != NODE_SCALAR)
		return problem_error(reading->problems, item->at,
			"%s: an item is the name of a service", key->name);
	add_dependency(place, item->text);
	return true;
}

TAKES(take_depends_on)
{
	struct service_spec *spec = place;
	bool ok = true;

	for (size_t i = 0; i < spec->depends_count; i++)
		free(spec->depends_on[i].service);
	spec->depends_count = 0;
	if (value->kind != NODE_MAP)
		return take_each(reading, value, spec, key, take_dependency_name);
	for (size_t i = 0; i < value->count; i += 2)
		ok = take_edge(reading, value->items[i + 1],
			     add_dependency(spec, value->items[i]->text)) &&
		     ok;
	return ok;
}

/* process-compose: always the same pause */
TAKES(take_backoff_seconds)
{
	struct restart_policy *policy = place;

	if (!take_duration(reading, value, &policy->initial_ms, key))
		return false;
	policy->max_ms = policy->initial_ms;
	policy->factor = 1;
	return true;
}

TAKES(remember_command)
{
	(void)place;
	(void)key;
	reading->command = value;
	return true;
}

TAKES(remember_shell)
{
	(void)place;
	(void)key;
	reading->shell = value;
	return true;
}

TAKES_OF(take_inner)
{
	if (node_is_null(value))
		return true;
	if (value->kind != NODE_MAP)
		return problem_error(
			reading->problems, value->at, "%s takes a map of keys", key->name);
	return schema_take(reading, value, key->inner, place);
}

TAKES_OF(take_nothing)
{
	(void)reading;
	(void)value;
	(void)place;
	(void)key;
	return true;
}

TAKES_OF(take_refused)
{
	(void)place;
	if (value->kind == NODE_SCALAR && strcmp(value->text, "false") == 0)
		return true;
	return problem_error(reading->problems, value->at, "%s is not for thrum: %s", key->name, key->help);
}

TAKES(take_template_disabled)
{
	(void)place;
	return take_bool(reading, value, &reading->is_command_literal, key);
}

TAKES_OF(take_no_expansion)
{
	bool is_off = false;

	(void)place;
	if (!take_bool(reading, value, &is_off, key))
		return false;
	if (is_off)
		reading->variables = NULL;
	return true;
}

/* process-compose: 0 need not be named */
TAKES(take_more_exits)
{
	struct exit_set *set = place;

	*set = (struct exit_set){ .count = 1 };
	return take_each(reading, value, place, key, add_exit);
}

/* ---- the keys ---- */

#define IN_SERVICE(field) offsetof(struct service_spec, field)
#define IN_PROJECT(field) offsetof(struct project_spec, field)
#define END                               \
	{                                 \
		NULL, NULL, 0, NULL, NULL \
	}

// clang-format off
static const struct key backoff_keys[] = {
	{ "initial", take_initial, IN_SERVICE(restart), NULL, "pause after the first life under min_uptime" },
	{ "factor", take_factor, IN_SERVICE(restart.factor), NULL, "each further pause is this much longer" },
	{ "max", take_longest, IN_SERVICE(restart), NULL, "longest pause" },
	{ "jitter", take_percent, IN_SERVICE(restart.jitter_percent), NULL, "spreads the pause, either way" },
	END
};

static const struct key availability_keys[] = {
	{ "restart", take_restart, IN_SERVICE(restart.mode), NULL, "no, on_failure, always, unless_stopped or exit_on_failure" },
	{ "backoff", take_inner, 0, backoff_keys, "how long to wait before the next try" },
	{ "backoff_seconds", take_backoff_seconds, IN_SERVICE(restart), NULL, "process-compose: always this pause" },
	{ "min_uptime", take_duration, IN_SERVICE(restart.min_uptime_ms), NULL, "a life this long is restarted at once" },
	{ "max_restarts", take_max_restarts, IN_SERVICE(restart.max_restarts), NULL, "restarts within the window; the next crash is fatal" },
	{ "window", take_duration, IN_SERVICE(restart.window_ms), NULL, "in which max_restarts are counted" },
	{ "fatal_retry", take_duration, IN_SERVICE(restart.fatal_retry_ms), NULL, "after fatal, try again this much later; 0: never" },
	{ "success_exit_codes", take_exits, IN_SERVICE(restart.success), NULL, "exit codes that are no failure" },
	{ "prevent_restart_on", take_exits, IN_SERVICE(restart.prevent), NULL, "exit codes and signals after which it stays down" },
	{ "exit_on_end", take_bool, IN_SERVICE(restart.exit_on_end), NULL, "when it is over the whole project is stopped, and its exit status is that of the run" },
	{ "exit_on_skipped", take_bool, IN_SERVICE(restart.exit_on_skipped), NULL, "when it can never start the whole project is stopped, which has failed" },
	END
};

static const struct key shutdown_keys[] = {
	{ "signal", take_signal, IN_SERVICE(shutdown.signal), NULL, "how it is asked to end" },
	{ "timeout", take_duration, IN_SERVICE(shutdown.timeout_ms), NULL, "then all of its processes are killed" },
	{ "timeout_seconds", take_duration, IN_SERVICE(shutdown.timeout_ms), NULL, NULL },
	{ "parent_only", take_bool, IN_SERVICE(shutdown.parent_only), NULL, "the signal goes to the main process alone" },
	{ "message", take_json, IN_SERVICE(shutdown.message), NULL, "sent down its channel first; the signal follows after half the timeout" },
	{ "command", take_argv, IN_SERVICE(shutdown.argv), NULL, "a command that asks it to end, before the signal" },
	{ "send_keys", take_refused, 0, NULL, "type them by a command: `command: thrum send-keys NAME KEYS`" },
	END
};

static const struct key service_rotate_keys[] = {
	{ "max_size", take_size, IN_SERVICE(log.max_size), NULL, "a segment of this size is closed; 0: never" },
	{ "max_files", take_count, IN_SERVICE(log.max_files), NULL, "closed segments that are kept" },
	END
};

static const struct key service_log_keys[] = {
	{ "dir", take_path, IN_SERVICE(log.dir), NULL, "folder of the logs" },
	{ "merge_stderr", take_bool, IN_SERVICE(log.merge_stderr), NULL, "both streams in one file" },
	{ "rotate", take_inner, 0, service_rotate_keys, "when segments are closed" },
	{ "file", take_path, IN_SERVICE(log.file), NULL, "lines of both streams too; api.log is api-0.log, api-1.log … of several instances" },
	{ "timestamps", take_bool, IN_SERVICE(log.timestamps), NULL, "each line in that file begins with its time" },
	{ "json", take_bool, IN_SERVICE(log.json), NULL, "each line in that file is a JSON object" },
	{ "journald", take_bool, IN_SERVICE(log.journald), NULL, "lines go to systemd's journal too" },
	END
};

const struct key schema_service[] = {
	{ "name", take_string, IN_SERVICE(name), NULL, "of a service given by itself" },
	{ "command", remember_command, 0, NULL, "a list of words, or a string: run by the shell if it needs one" },
	{ "cmd", remember_command, 0, NULL, NULL },
	{ "shell", remember_shell, 0, NULL, "true or false: whatever the command looks like" },
	{ "working_dir", take_path, IN_SERVICE(working_dir), NULL, "folder it runs in; the file's, if not named" },
	{ "cwd", take_path, IN_SERVICE(working_dir), NULL, NULL },
	{ "env_file", take_env_files, IN_SERVICE(variables), NULL, "files of NAME=value lines; ?path may be missing" },
	{ "environment", take_environment, IN_SERVICE(variables), NULL, "variables, a map or a list of NAME=value" },
	{ "env", take_environment, IN_SERVICE(variables), NULL, NULL },
	{ "env_layers", take_layers, IN_SERVICE(variables), NULL, "written by thrum check: the same with where each is from" },
	{ "instances", take_instances, IN_SERVICE(instances), NULL, "how many of it; max: one for each core" },
	{ "replicas", take_instances, IN_SERVICE(instances), NULL, NULL },
	{ "namespace", take_strings, IN_SERVICE(namespaces), NULL, "groups that ns:NAME selects" },
	{ "namespaces", take_strings, IN_SERVICE(namespaces), NULL, NULL },
	{ "disabled", take_bool, IN_SERVICE(disabled), NULL, "not started unless it is named" },
	{ "is_disabled", take_bool, IN_SERVICE(disabled), NULL, NULL },
	{ "user", take_string, IN_SERVICE(user), NULL, "run as this user; needs root" },
	{ "group", take_string, IN_SERVICE(group), NULL, "run as this group; needs root" },
	{ "umask", take_umask, IN_SERVICE(umask), NULL, "octal" },
	{ "nice", take_nice, IN_SERVICE(nice), NULL, "-20 to 19" },
	{ "pty", take_bool, IN_SERVICE(pty), NULL, "run in a terminal of its own; both streams are one then" },
	{ "is_tty", take_bool, IN_SERVICE(pty), NULL, NULL },
	{ "oom_score_adj", take_oom_score, IN_SERVICE(oom_score_adj), NULL, "-1000 to 1000: who goes first when memory is short; 100 more than thrum has if it is not given" },
	{ "rlimits", take_rlimits, IN_SERVICE(rlimits), NULL, "{nofile: 65536, core: [0, unlimited]}" },
	{ "depends_on", take_depends_on, 0, NULL, "services that must be there first" },
	{ "availability", take_inner, 0, availability_keys, "what becomes of it when it ends" },
	{ "shutdown", take_inner, 0, shutdown_keys, "how it is stopped" },
	{ "ipc", take_ipc, IN_SERVICE(ipc), NULL, "json: a channel, as Node's fork() gives its children" },
	{ "pool", take_pool, 0, schema_pool, "a queue of tasks for its instances: {size, queue_max, retries, task_timeout, concurrency}" },
	{ "exec_mode", take_exec_mode, 0, NULL, "fork, or cluster: unmodified workers of Node's cluster share their ports" },
	{ "scheduling", take_scheduling, IN_SERVICE(scheduling), NULL, "of a cluster: rr (connections in turn) or none (a shared socket)" },
	{ "listen_timeout", take_duration, IN_SERVICE(listen_timeout_ms), NULL, "a cluster's worker that does not listen by then counts as ready" },
	{ "listen", take_listen, 0, schema_listen, "sockets that its processes are started with: tcp://HOST:PORT, udp://…, unix://PATH" },
	{ "ready", take_ready, IN_SERVICE(ready), schema_ready, "how it says that it is ready: {log, message, notify, timeout}" },
	{ "ready_log_line", take_ready_line, IN_SERVICE(ready), NULL, "process-compose: text in a line of its output" },
	{ "startup_probe", take_probe, IN_SERVICE(probes[PROBE_STARTUP]), schema_probe, "asked until it has come up; the others wait for it" },
	{ "readiness_probe", take_probe, IN_SERVICE(probes[PROBE_READINESS]), schema_probe, "tells ready from unhealthy" },
	{ "liveness_probe", take_probe, IN_SERVICE(probes[PROBE_LIVENESS]), schema_probe, "restarts it when it fails" },
	{ "watchdog", take_duration, IN_SERVICE(watchdog_ms), NULL, "WATCHDOG=1 must come by sd_notify this often" },
	{ "limits", take_limits, 0, schema_limit, "a list of {metric, over, for, action, every}" },
	{ "max_runtime", take_duration, IN_SERVICE(max_runtime_ms), NULL, "a life this long is ended" },
	{ "watch", take_watch, IN_SERVICE(watch), schema_watch, "paths whose changes restart it" },
	{ "schedule", take_schedule, IN_SERVICE(schedule), schema_schedule, "when it runs: {cron, timezone, overlap} or {interval}" },
	{ "hooks", take_hooks, 0, NULL, "commands run when something happens to it" },
	{ "log", take_inner, 0, service_log_keys, "where its output goes" },
	{ "description", take_nothing, 0, NULL, "for people" },
	{ "origin", take_string, IN_SERVICE(origin), NULL, "written by thrum check" },
	{ "leaving", take_bool, IN_SERVICE(is_leaving), NULL, "written by the engine" },
	{ "fresh_from", take_count, IN_SERVICE(fresh_from), NULL, "written by the engine" },
	{ "extends", take_nothing, 0, NULL, "another service, whose keys it has unless it says otherwise" },
	{ "vars", take_vars, 0, NULL, "names for templates in its values: {{.NAME}}" },
	{ "is_daemon", take_daemon, 0, NULL, "its command goes to the background; what it leaves there is the service" },
	{ "launch_timeout_seconds", take_nothing, 0, NULL, "process-compose: the output of such a command is kept, however long it takes" },
	{ "is_foreground", take_foreground, 0, NULL, "started by hand, in a terminal of its own: thrum start NAME, thrum attach NAME" },
	{ "is_interactive", take_bool, IN_SERVICE(pty), NULL, "process-compose: pty" },
	{ "is_elevated", take_refused, 0, NULL, "it asks for no passwords; start thrum as root, or write `sudo -n` into the command" },
	{ "is_template_disabled", take_template_disabled, 0, NULL, "its command is no template" },
	{ "entrypoint", take_entrypoint, 0, NULL, "process-compose: command, as a list" },
	{ "success_exit_codes", take_more_exits, IN_SERVICE(restart.success), NULL, "process-compose: those of availability, and 0" },
	{ "log_location", take_log_location, 0, NULL, "process-compose: log.file, its lines as JSON" },
	{ "log_configuration", take_log_configuration, 0, schema_log_configuration, "process-compose: how that file is written" },
	{ "disable_ansi_colors", take_nothing, 0, NULL, "process-compose: logs are kept as they come, and cleaned when they are shown" },
	{ "truncate_log", take_nothing, 0, NULL, "process-compose: logs are rotated, and each run is told from the former" },
	{ "is_dotenv_disabled", take_dotenv_disabled, 0, NULL, "process-compose: it has no variables of the .env beside that file" },
	{ "monitor_for", take_nothing, 0, NULL, "process-compose: of its screen" },
	{ "monitor_silence_threshold", take_nothing, 0, NULL, "process-compose: of its screen" },
	{ "mcp", take_nothing, 0, NULL, "process-compose: of its MCP server" },
	END
};

static const struct key project_rotate_keys[] = {
	{ "max_size", take_size, IN_PROJECT(log.max_size), NULL, "a segment of this size is closed; 0: never" },
	{ "max_files", take_count, IN_PROJECT(log.max_files), NULL, "closed segments that are kept" },
	END
};

static const struct key project_log_keys[] = {
	{ "dir", take_path, IN_PROJECT(log.dir), NULL, "folder of the logs" },
	{ "merge_stderr", take_bool, IN_PROJECT(log.merge_stderr), NULL, "both streams in one file" },
	{ "journald", take_bool, IN_PROJECT(log.journald), NULL, "lines go to systemd's journal too" },
	{ "rotate", take_inner, 0, project_rotate_keys, "when segments are closed" },
	{ "disk_cap", take_size, IN_PROJECT(log_cap), NULL, "of all logs together: the oldest closed segments go first" },
	END
};

/* env_file, environment, defaults, processes and profiles are read in an order of their own. */
const struct key schema_project[] = {
	{ "name", take_string, IN_PROJECT(name), NULL, "of the project; the folder's, if not named" },
	{ "env_file", take_nothing, 0, NULL, "files of NAME=value lines for all services; ?path may be missing" },
	{ "environment", take_nothing, 0, NULL, "variables for all services" },
	{ "defaults", take_nothing, 0, NULL, "keys that every service has unless it says otherwise" },
	{ "log", take_inner, 0, project_log_keys, "where output goes" },
	{ "processes", take_nothing, 0, NULL, "the services, by name" },
	{ "groups", take_groups, 0, NULL, "services that are restarted together: {NAME: {strategy, members}}" },
	{ "dir", take_string, IN_PROJECT(dir), NULL, "written by thrum check" },
	{ "files", take_strings, IN_PROJECT(files), NULL, "written by thrum check" },
	{ "digest", take_string, IN_PROJECT(digest), NULL, "written by the engine" },
	{ "applying", take_bool, IN_PROJECT(is_applying), NULL, "written by the engine" },
	{ "version", take_nothing, 0, NULL, "of the file format, as process-compose has it" },
	{ "profiles", take_nothing, 0, NULL, "by name: keys as of another file, merged over these when the profile is chosen" },
	{ "http", take_nothing, 0, NULL, "{listen: 127.0.0.1:3001, token: SECRET}: /health /live /ready /metrics /api" },
	{ "redis", take_nothing, 0, NULL,
		"{server: 127.0.0.1:6379, password: SECRET, pools: [NAME]}: tasks of pools are shared with other machines" },
	{ "vars", take_vars, 0, NULL, "names for templates in values of services: {{.NAME}}" },
	{ "shell", take_shell_words, 0, schema_shell, "what every command that is a string is given to, if not to /bin/sh where it needs one" },
	{ "log_location", take_project_log_location, 0, NULL, "process-compose: log.file of all services; api has its lines in a file of its own, NAME-api.log" },
	{ "log_configuration", take_project_log_configuration, 0, schema_log_configuration, "process-compose: how these files are written" },
	{ "disable_env_expansion", take_no_expansion, 0, NULL, "${NAME} in values is left as it is" },
	{ "env_cmds", take_refused, 0, NULL, "write NAME=$(COMMAND) in front of the command that needs it, or an env_file" },
	{ "extends", take_refused, 0, NULL, "name both files, this one last: -f BASE -f THIS" },
	{ "ordered_shutdown", take_nothing, 0, NULL, "process-compose: it always is" },
	{ "is_strict", take_nothing, 0, NULL, "process-compose: it always is" },
	{ "is_tui_disabled", take_nothing, 0, NULL, "process-compose: thrum up --headless" },
	{ "log_level", take_nothing, 0, NULL, "process-compose: of its own log" },
	{ "log_length", take_nothing, 0, NULL, "process-compose: of its screen" },
	{ "log_format", take_nothing, 0, NULL, "process-compose: of its own log" },
	{ "mcp_server", take_nothing, 0, NULL, "process-compose: of its MCP server" },
	END
};
// clang-format on

static void say_unknown(struct reading *reading, const struct node *name, const struct key *keys)
{
	const char *known[KEYS_MOST + 1];
	size_t count = 0;

	for (; keys->name && count < KEYS_MOST; keys++)
		known[count++] = keys->name;
	known[count] = NULL;
	const char *nearest = problem_nearest(name->text, known);
	if (nearest)
		problem_error(reading->problems, name->at,
			"unknown key '%.60s' (did you mean '%s'?)", name->text, nearest);
	else
		problem_error(reading->problems, name->at, "unknown key '%.60s'", name->text);
}

static bool is_known(const struct key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return true;
	return strncmp(name, "x-", 2) == 0;
}

bool schema_take(
	struct reading *reading, const struct node *map, const struct key *keys, void *target)
{
	bool ok = true;

	for (size_t i = 0; i < map->count; i += 2) {
		if (is_known(keys, map->items[i]->text))
			continue;
		say_unknown(reading, map->items[i], keys);
		ok = false;
	}
	/* in the order of the table, which is the one in which they build on each other */
	for (const struct key *key = keys; key->name; key++) {
		const struct node *value = node_get(map, key->name);
		if (value && (!node_is_null(value) || key->take == take_environment))
			ok = key->take(reading, value, (char *)target + key->offset, key) && ok;
	}
	return ok;
}
