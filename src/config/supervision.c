/* The keys that say how a service is watched: readiness, probes, limits, files, schedule, hooks, groups. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/pattern.h"
#include "base/units.h"
#include "model/command.h"
#include "config/take.h"
#include "model/cron.h"

enum { PORT_MOST = 65535,
	FD_FIRST = 3,
	FD_MOST = 255,
	GROUPS_MOST = 64,
	CONCURRENT_MOST = 100,
	EVERY_MS = 1000,
	EVERY_LEAST_MS = 100,
	PERIOD_LEAST_MS = 100 };

#define TAKES(name) static TAKES_OF(name)
#define END                               \
	{                                 \
		NULL, NULL, 0, NULL, NULL \
	}

/* The number of a name in an enumeration; -1: it is none of them. */
static int find_name(const char *text, const char *(*name_of)(int number), int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(name_of(i), text) == 0)
			return i;
	return -1;
}

static int take_one_of(struct reading *reading, const struct node *value, const struct key *key,
	const char *(*name_of)(int number), int count, const char *looks)
{
	char *text = schema_text(reading, value, key->name);
	int number = text ? find_name(text, name_of, count) : -1;

	if (text && number < 0)
		take_failed(reading, value, key, looks);
	free(text);
	return number;
}

static bool is_map(struct reading *reading, const struct node *value, const struct key *key)
{
	return value->kind == NODE_MAP || problem_error(reading->problems, value->at,
						  "%s takes a map of keys", key->name);
}

/* ---- a command ---- */

void take_by_shell(const struct reading *reading, struct strings *argv, const char *command)
{
	strings_finish(argv);
	for (size_t i = 0; i < reading->shell_words->count; i++)
		strings_add(argv, reading->shell_words->items[i]);
	strings_add(argv, command);
}

TAKES_OF(take_argv)
{
	struct strings *argv = place;
	bool ok = true;

	strings_finish(argv);
	if (value->kind == NODE_LIST) {
		ok = take_strings(reading, value, argv, key);
	} else {
		char *command = schema_text(reading, value, key->name);
		enum command_kind kind = command ? command_split(command, argv) : COMMAND_EMPTY;
		bool is_for_shell = kind == COMMAND_SHELL || (kind != COMMAND_EMPTY && reading->is_always_shell);
		if (command && is_for_shell)
			take_by_shell(reading, argv, command);
		else if (kind == COMMAND_UNENDED)
			problem_error(reading->problems, value->at,
				"a quote in this command has no end");
		ok = command && (kind != COMMAND_UNENDED || is_for_shell);
		free(command);
	}
	if (ok && (argv->count == 0 || !argv->items[0][0]))
		return problem_error(
			reading->problems, value->at, "%s: the command is empty", key->name);
	return ok;
}

/* ---- readiness ---- */

TAKES(take_pattern)
{
	struct error err;

	if (!take_string(reading, value, place, key))
		return false;
	struct pattern *pattern = pattern_create(*(char **)place, &err);
	if (!pattern)
		return problem_error(reading->problems, value->at, "%s: %s, at character %d",
			key->name, err.text, err.code + 1);
	pattern_destroy(pattern);
	return true;
}

TAKES(take_notify)
{
	struct ready_spec *ready = place;
	char *text = schema_text(reading, value, key->name);
	uint64_t fd;

	if (!text)
		return false;
	bool is_fd = strncmp(text, "fd:", 3) == 0 &&
		     take_parse_count(text + 3, FD_MOST, &fd) && fd >= FD_FIRST;
	bool is_sd = strcmp(text, "sd") == 0 || strcmp(text, "true") == 0;
	free(text);
	if (!is_fd && !is_sd)
		return take_failed(reading, value, key,
			"sd (a READY=1 as sd_notify sends it) or fd:3 (a newline on that descriptor, 3 to 255)");
	if (is_fd)
		ready->fd = (int)fd;
	else
		ready->notifies = true;
	return true;
}

#define IN_READY(field) offsetof(struct ready_spec, field)

// clang-format off
const struct key schema_ready[] = {
	{ "log", take_pattern, IN_READY(log), NULL, "PCRE2 pattern of a line of its output" },
	{ "message", take_string, IN_READY(message), NULL, "a message on its channel, or the type of one" },
	{ "notify", take_notify, 0, NULL, "sd: READY=1 by sd_notify; fd:N: a newline on descriptor N" },
	{ "timeout", take_duration, IN_READY(timeout_ms), NULL, "later is a failure; 0: never" },
	END
};
// clang-format on

TAKES_OF(take_ready)
{
	struct ready_spec *ready = place;

	if (!is_map(reading, value, key) || !schema_take(reading, value, schema_ready, place))
		return false;
	if (ready->log || ready->message || ready->notifies || ready->fd)
		return true;
	return problem_error(reading->problems, value->at,
		"ready: name what says so: log, message or notify");
}

/* Plain text, as process-compose has it. */
TAKES_OF(take_ready_line)
{
	struct ready_spec *ready = place;
	char *text = schema_text(reading, value, key->name);
	struct text pattern;

	if (!text)
		return false;
	text_init(&pattern, strlen(text) * 2 + 8);
	for (const char *c = text; *c; c++)
		text_format(&pattern, strchr("\\^$.[|()?*+{", *c) ? "\\%c" : "%c", *c);
	free(text);
	free(ready->log);
	ready->log = text_take(&pattern);
	return true;
}

/* ---- the channel ---- */

TAKES_OF(take_ipc)
{
	char *text = schema_text(reading, value, key->name);

	if (!text)
		return false;
	bool is_json = strcmp(text, "json") == 0;
	bool ok = is_json || strcmp(text, "none") == 0 || strcmp(text, "false") == 0;
	free(text);
	*(bool *)place = is_json;
	return ok || take_failed(reading, value, key, "json or none");
}

static json_t *json_of_node(const struct node *node)
{
	json_t *json;

	if (node->kind == NODE_SCALAR) {
		/* what looks like JSON is it, unless it was quoted: 5, true, null */
		json = node->is_plain ? json_loads(node->text, JSON_DECODE_ANY, NULL) : NULL;
		return json ? json : json_string(node->text);
	}
	json = node->kind == NODE_MAP ? json_object() : json_array();
	for (size_t i = 0; i < node->count; i += node->kind == NODE_MAP ? 2 : 1) {
		if (node->kind == NODE_MAP)
			json_object_set_new(json, node->items[i]->text, json_of_node(node->items[i + 1]));
		else
			json_array_append_new(json, json_of_node(node->items[i]));
	}
	return json;
}

TAKES_OF(take_json)
{
	json_t *json = json_of_node(value);
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	json_decref(json);
	if (!text)
		return take_failed(reading, value, key, "text that is UTF-8");
	free(*(char **)place);
	*(char **)place = text;
	return true;
}

/* ---- probes ---- */

/* With the mark of an instance in it, each has a port of its own. */
static bool parse_port(const char *text, struct probe_spec *probe)
{
	char *first = spec_for_instance(text, 0);
	uint64_t port = 0;
	bool ok = take_parse_count(first, PORT_MOST, &port) && port > 0;

	free(probe->port_text);
	probe->port_text = ok && strcmp(first, text) != 0 ? memory_copy(text) : NULL;
	probe->port = (unsigned)port;
	free(first);
	return ok;
}

TAKES(take_port)
{
	char *text = schema_text(reading, value, key->name);
	bool ok = text && parse_port(text, place);

	free(text);
	return ok || (text && take_failed(reading, value, key, "a number from 1 to 65535"));
}

TAKES(take_headers)
{
	bool ok = is_map(reading, value, key);

	strings_finish(place);
	for (size_t i = 0; ok && i < value->count; i += 2) {
		char *text = schema_text(reading, value->items[i + 1], value->items[i]->text);
		char *line = text ? memory_format("%s: %s", value->items[i]->text, text) : NULL;
		ok = line && (!strpbrk(line, "\r\n") ||
				     problem_error(reading->problems, value->items[i]->at,
					     "a header is one line"));
		if (ok)
			strings_add(place, line);
		free(text);
		free(line);
	}
	return ok;
}

TAKES(take_status)
{
	if (!take_count(reading, value, place, key))
		return false;
	unsigned status = *(unsigned *)place;
	return (status >= 100 && status <= 599) ||
	       take_failed(reading, value, key, "a status from 100 to 599");
}

#define IN_PROBE(field) offsetof(struct probe_spec, field)

/* Only http is spoken here; https is asked for by curl, which has the certificates and the trouble. */
static void ask_by_curl(struct probe_spec *probe)
{
	char *port = probe->port_text ? memory_copy(probe->port_text) : memory_format("%u", probe->port);
	char *url = memory_format("https://%s:%s%s", probe->host ? probe->host : "127.0.0.1", port, probe->path ? probe->path : "/");
	static const char *const words[] = { "curl", "--silent", "--show-error", "--insecure", "--fail",
		"--output", "/dev/null" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		strings_add(&probe->argv, words[i]);
	for (size_t i = 0; i < probe->headers.count; i++) {
		strings_add(&probe->argv, "--header");
		strings_add(&probe->argv, probe->headers.items[i]);
	}
	strings_add(&probe->argv, url);
	free(url);
	free(port);
	probe->kind = PROBE_EXEC;
}

TAKES(take_scheme)
{
	char *text = schema_text(reading, value, key->name);

	(void)place;
	if (!text)
		return false;
	bool ok = strcasecmp(text, "http") == 0 || strcasecmp(text, "https") == 0;
	free(text);
	return ok || take_failed(reading, value, key, "http or https");
}

// clang-format off
static const struct key http_keys[] = {
	{ "host", take_string, IN_PROBE(host), NULL, "127.0.0.1, if not named" },
	{ "port", take_port, 0, NULL, "1 to 65535" },
	{ "path", take_string, IN_PROBE(path), NULL, "/, if not named" },
	{ "scheme", take_scheme, 0, NULL, "http; https is asked for with curl, and any certificate will do" },
	{ "headers", take_headers, IN_PROBE(headers), NULL, "a map of further headers" },
	{ "status_code", take_status, IN_PROBE(status_code), NULL, "the one that is right; 200 to 399, if not named" },
	END
};

static const struct key tcp_keys[] = {
	{ "host", take_string, IN_PROBE(host), NULL, "127.0.0.1, if not named" },
	{ "port", take_port, 0, NULL, "1 to 65535" },
	END
};

static const struct key unix_keys[] = {
	{ "path", take_path, IN_PROBE(path), NULL, "of the socket" },
	END
};

static const struct key exec_keys[] = {
	{ "command", take_argv, IN_PROBE(argv), NULL, "a string or a list of words; 0 is well" },
	{ "working_dir", take_path, IN_PROBE(working_dir), NULL, "folder it runs in; the service's, if not named" },
	END
};
// clang-format on

static bool begin_kind(struct reading *reading, const struct node *value, struct probe_spec *probe,
	enum probe_kind kind)
{
	if (probe->kind != PROBE_NONE && probe->kind != kind)
		return problem_error(reading->problems, value->at,
			"a probe asks in one way: exec, http_get, tcp or unix");
	probe->kind = kind;
	return true;
}

TAKES(take_http)
{
	struct probe_spec *probe = place;
	const struct node *scheme;

	if (!begin_kind(reading, value, probe, PROBE_HTTP) || !is_map(reading, value, key) ||
		!schema_take(reading, value, http_keys, place))
		return false;
	scheme = node_get(value, "scheme");
	bool is_https = scheme && strcasecmp(scheme->text, "https") == 0;
	if (!probe->port && reading->is_loose) /* that of the scheme */
		probe->port = is_https ? 443 : 80;
	if (!probe->port)
		return problem_error(reading->problems, value->at, "http_get: which port?");
	if (probe->path && probe->path[0] != '/')
		return problem_error(reading->problems, value->at, "http_get: path begins with /");
	if (probe->path && strpbrk(probe->path, " \r\n"))
		return problem_error(reading->problems, value->at, "http_get: no blank may be in path");
	if (is_https)
		ask_by_curl(probe);
	return true;
}

/* {host, port}, a port, or "host:port" */
TAKES(take_tcp)
{
	struct probe_spec *probe = place;

	if (!begin_kind(reading, value, probe, PROBE_TCP))
		return false;
	if (value->kind != NODE_SCALAR) {
		if (!is_map(reading, value, key) || !schema_take(reading, value, tcp_keys, place))
			return false;
		return probe->port || problem_error(reading->problems, value->at, "tcp: which port?");
	}
	char *text = schema_text(reading, value, key->name), *colon = text ? strrchr(text, ':') : NULL;
	bool ok = text && parse_port(colon ? colon + 1 : text, probe);
	if (ok && colon)
		probe->host = memory_copy_n(text, (size_t)(colon - text));
	free(text);
	return ok || take_failed(reading, value, key, "a port, HOST:PORT or {host, port}");
}

TAKES(take_unix)
{
	struct probe_spec *probe = place;

	if (!begin_kind(reading, value, probe, PROBE_UNIX))
		return false;
	if (value->kind == NODE_SCALAR)
		return take_path(reading, value, &probe->path, key);
	if (!is_map(reading, value, key) || !schema_take(reading, value, unix_keys, place))
		return false;
	return probe->path || problem_error(reading->problems, value->at, "unix: which path?");
}

TAKES(take_exec)
{
	struct probe_spec *probe = place;

	if (!begin_kind(reading, value, probe, PROBE_EXEC))
		return false;
	if (value->kind != NODE_MAP)
		return take_argv(reading, value, &probe->argv, key);
	if (!schema_take(reading, value, exec_keys, place))
		return false;
	return probe->argv.count ||
	       problem_error(reading->problems, value->at, "exec: which command?");
}

TAKES(take_period)
{
	if (!take_duration(reading, value, place, key))
		return false;
	return *(uint32_t *)place >= PERIOD_LEAST_MS ||
	       take_failed(reading, value, key, "100ms or more");
}

TAKES(take_threshold)
{
	if (!take_count(reading, value, place, key))
		return false;
	return *(unsigned *)place > 0 || take_failed(reading, value, key, "1 or more");
}

// clang-format off
const struct key schema_probe[] = {
	{ "exec", take_exec, 0, exec_keys, "a command; its exit status 0 is well" },
	{ "http_get", take_http, 0, http_keys, "{host, port, path, scheme, headers, status_code}" },
	{ "httpGet", take_http, 0, NULL, NULL },
	{ "tcp", take_tcp, 0, tcp_keys, "a port that takes connections: {host, port}" },
	{ "tcp_socket", take_tcp, 0, NULL, NULL },
	{ "tcpSocket", take_tcp, 0, NULL, NULL },
	{ "unix", take_unix, 0, unix_keys, "a socket that takes connections" },
	{ "initial_delay", take_duration, IN_PROBE(initial_delay_ms), NULL, "before the first" },
	{ "initial_delay_seconds", take_duration, IN_PROBE(initial_delay_ms), NULL, NULL },
	{ "initialDelaySeconds", take_duration, IN_PROBE(initial_delay_ms), NULL, NULL },
	{ "period", take_period, IN_PROBE(period_ms), NULL, "between two; every second until the first success" },
	{ "period_seconds", take_period, IN_PROBE(period_ms), NULL, NULL },
	{ "periodSeconds", take_period, IN_PROBE(period_ms), NULL, NULL },
	{ "timeout", take_period, IN_PROBE(timeout_ms), NULL, "no answer by then is a failure" },
	{ "timeout_seconds", take_period, IN_PROBE(timeout_ms), NULL, NULL },
	{ "timeoutSeconds", take_period, IN_PROBE(timeout_ms), NULL, NULL },
	{ "success_threshold", take_threshold, IN_PROBE(success_threshold), NULL, "that often in a row is well" },
	{ "successThreshold", take_threshold, IN_PROBE(success_threshold), NULL, NULL },
	{ "failure_threshold", take_threshold, IN_PROBE(failure_threshold), NULL, "that often in a row is not" },
	{ "failureThreshold", take_threshold, IN_PROBE(failure_threshold), NULL, NULL },
	END
};
// clang-format on

TAKES_OF(take_probe)
{
	struct probe_spec *probe = place;

	*probe = (struct probe_spec){ .period_ms = 10000, .timeout_ms = 1000, .success_threshold = 1, .failure_threshold = 3 };
	if (!is_map(reading, value, key) || !schema_take(reading, value, schema_probe, place))
		return false;
	if (probe->kind == PROBE_NONE)
		return problem_error(reading->problems, value->at,
			"%s: how is it asked? exec, http_get, tcp or unix", key->name);
	if (probe->success_threshold > 1 && strcmp(key->name, "readiness_probe") != 0)
		return problem_error(reading->problems, value->at,
			"%s: success_threshold must be 1", key->name);
	return true;
}

/* ---- limits ---- */

static const char *metric_of(int number)
{
	return limit_metric_name((enum limit_metric)number);
}

static const char *action_of(int number)
{
	return limit_action_name((enum limit_action)number);
}

TAKES(take_metric)
{
	int metric = take_one_of(reading, value, key, metric_of, LIMIT_METRIC_COUNT,
		"rss, pss, cpu, fds, threads, queue or loop_lag");

	*(enum limit_metric *)place = (enum limit_metric)metric;
	return metric >= 0;
}

TAKES(take_action)
{
	int action = take_one_of(
		reading, value, key, action_of, LIMIT_ACTION_COUNT, "warn, restart, stop or kill");

	*(enum limit_action *)place = (enum limit_action)action;
	return action >= 0;
}

static bool parse_over(enum limit_metric metric, char *text, uint64_t *over)
{
	if (metric == LIMIT_RSS || metric == LIMIT_PSS)
		return units_parse_size(text, over);
	if (metric == LIMIT_LOOP_LAG)
		return units_parse_duration(text, over);
	if (metric == LIMIT_CPU)
		text[strcspn(text, "%")] = '\0';
	return take_parse_count(text, 1000000, over);
}

/* Read once the metric is known: it says of what. */
TAKES(take_over)
{
	static const char *const looks[LIMIT_METRIC_COUNT] = {
		[LIMIT_RSS] = "a size such as 200MB",
		[LIMIT_PSS] = "a size such as 200MB",
		[LIMIT_CPU] = "percent of one core, such as 90",
		[LIMIT_FDS] = "a whole number",
		[LIMIT_THREADS] = "a whole number",
		[LIMIT_QUEUE] = "a whole number",
		[LIMIT_LOOP_LAG] = "a duration such as 500ms",
	};
	struct limit_spec *limit = place;
	char *text = schema_text(reading, value, key->name);

	if (!text || (int)limit->metric < 0) {
		free(text);
		return false;
	}
	bool ok = parse_over(limit->metric, text, &limit->over) && limit->over > 0;
	free(text);
	return ok || take_failed(reading, value, key, looks[limit->metric]);
}

TAKES(take_every)
{
	if (!take_duration(reading, value, place, key))
		return false;
	return *(uint32_t *)place >= EVERY_LEAST_MS ||
	       take_failed(reading, value, key, "100ms or more");
}

#define IN_LIMIT(field) offsetof(struct limit_spec, field)

// clang-format off
const struct key schema_limit[] = {
	{ "metric", take_metric, IN_LIMIT(metric), NULL, "rss, pss, cpu, fds, threads, queue or loop_lag, of the whole tree" },
	{ "over", take_over, 0, NULL, "more than this is too much" },
	{ "for", take_threshold, IN_LIMIT(samples), NULL, "that many samples in a row; 1, if not named" },
	{ "action", take_action, IN_LIMIT(action), NULL, "warn, restart, stop or kill" },
	{ "every", take_every, IN_LIMIT(every_ms), NULL, "how often it is measured; 1s, if not named" },
	END
};
// clang-format on

static bool take_limit(struct reading *reading, const struct node *item, void *place,
	const struct key *key)
{
	struct service_spec *spec = place;
	struct limit_spec limit = { .action = LIMIT_RESTART, .samples = 1, .every_ms = EVERY_MS };

	if (!is_map(reading, item, key))
		return false;
	if (!node_get(item, "metric") || !node_get(item, "over"))
		return problem_error(reading->problems, item->at,
			"a limit is {metric: rss, over: 200MB, for: 3, action: restart}");
	if (!schema_take(reading, item, schema_limit, &limit))
		return false;
	if (spec->limit_count == LIMITS_MOST)
		return problem_error(
			reading->problems, item->at, "at most %d limits", LIMITS_MOST);
	spec->limits = memory_resize(spec->limits, spec->limit_count + 1, sizeof *spec->limits);
	spec->limits[spec->limit_count++] = limit;
	return true;
}

TAKES_OF(take_limits)
{
	((struct service_spec *)place)->limit_count = 0;
	return take_each(reading, value, place, key, take_limit);
}

/* ---- files ---- */

TAKES(add_plain_path)
{
	struct watch_spec *watch = place;
	char *text = schema_text(reading, value, key->name);

	if (!text)
		return false;
	char *path = take_path_from(reading->dir, text);
	strings_add(&watch->paths, path);
	free(path);
	free(text);
	return true;
}

TAKES(add_glob)
{
	char *text = schema_text(reading, value, key->name);
	struct error err;

	if (!text)
		return false;
	struct pattern *pattern = pattern_create_glob(text, &err);
	if (pattern)
		strings_add(place, text);
	else
		problem_error(reading->problems, value->at, "%s: '%.60s': %s", key->name, text, err.text);
	pattern_destroy(pattern);
	free(text);
	return pattern;
}

TAKES(add_globs)
{
	return take_each(reading, value, place, key, add_glob);
}

TAKES(take_globs)
{
	strings_finish(place);
	return add_globs(reading, value, place, key);
}

#define IN_WATCH(field) offsetof(struct watch_spec, field)

// clang-format off
static const struct key path_keys[] = {
	{ "path", add_plain_path, 0, NULL, "a file, or a folder with all below it" },
	{ "include", add_globs, IN_WATCH(include), NULL, "globs, of all paths of the service" },
	{ "exclude", add_globs, IN_WATCH(exclude), NULL, "globs, of all paths of the service" },
	END
};
// clang-format on

/* A path, or as process-compose has it {path, include, exclude} */
TAKES(add_path)
{
	if (value->kind != NODE_MAP)
		return add_plain_path(reading, value, place, key);
	return (node_get(value,
			"path") ||
		       problem_error(reading->problems, value->at, "%s: an item is a path, or {path, include, exclude}", key->name)) &&
	       schema_take(reading, value, path_keys, place);
}

TAKES(take_paths)
{
	strings_finish(&((struct watch_spec *)place)->paths);
	return take_each(reading, value, place, key, add_path);
}

// clang-format off
const struct key schema_watch[] = {
	{ "include", take_globs, IN_WATCH(include), NULL, "globs of what counts below the paths; everything, if not named" },
	{ "exclude", take_globs, IN_WATCH(exclude), NULL, "globs of what does not; .git and node_modules never do" },
	{ "paths", take_paths, 0, path_keys, "files and folders; a folder counts with all below it" },
	{ "debounce", take_duration, IN_WATCH(debounce_ms), NULL, "quiet for this long, then it is restarted" },
	{ "cascade", take_bool, IN_WATCH(cascade), NULL, "restart what depends on it too" },
	{ "max_entries", take_nothing, 0, NULL, "process-compose: as many as the machine has room for" },
	{ "buffer_size", take_nothing, 0, NULL, "process-compose: of Windows" },
	{ "disable_default_excludes", take_refused, 0, NULL, ".git and node_modules are never watched; name a path below them" },
	END
};
// clang-format on

TAKES_OF(take_watch)
{
	struct watch_spec *watch = place;

	if (value->kind != NODE_MAP)
		return take_paths(reading, value, watch, key);
	if (!schema_take(reading, value, schema_watch, place))
		return false;
	return watch->paths.count ||
	       problem_error(reading->problems, value->at, "watch: which paths?");
}

/* ---- schedule ---- */

static const char *overlap_of(int number)
{
	return overlap_name((enum overlap)number);
}

TAKES(take_overlap)
{
	int overlap = take_one_of(
		reading, value, key, overlap_of, OVERLAP_COUNT, "skip, queue or replace");

	*(enum overlap *)place = (enum overlap)overlap;
	return overlap >= 0;
}

TAKES(take_concurrent)
{
	unsigned *count = place;

	return take_count(reading, value, place, key) &&
	       ((*count >= 1 && *count <= CONCURRENT_MOST) || take_failed(reading, value, key, "1 to 100"));
}

#define IN_SCHEDULE(field) offsetof(struct schedule_spec, field)

// clang-format off
const struct key schema_schedule[] = {
	{ "cron", take_string, IN_SCHEDULE(cron), NULL, "minute hour day month weekday, or @daily and the like" },
	{ "timezone", take_string, IN_SCHEDULE(timezone), NULL, "such as Europe/Berlin; the machine's, if not named" },
	{ "interval", take_duration, IN_SCHEDULE(interval_ms), NULL, "from start to start" },
	{ "overlap", take_overlap, IN_SCHEDULE(overlap), NULL, "when the former run is still there: skip, queue or replace" },
	{ "run_on_start", take_bool, IN_SCHEDULE(runs_on_start), NULL, "when it is started it runs at once, too" },
	{ "max_concurrent", take_concurrent, IN_SCHEDULE(concurrent), NULL, "so many runs at a time, each in an instance of its own; overlap says what becomes of more" },
	END
};
// clang-format on

static bool check_cron(struct reading *reading, const struct node *at, const struct schedule_spec *schedule)
{
	struct cron cron;
	struct error err;

	if (schedule->timezone && !cron_timezone_exists(schedule->timezone))
		return problem_error(reading->problems, at->at,
			"no such time zone: '%.60s'; they are named as in /usr/share/zoneinfo",
			schedule->timezone);
	if (!cron_parse(&cron, schedule->cron, &err))
		return problem_error(reading->problems, at->at, "cron: %s", err.text);
	return cron_next(&cron, schedule->timezone, 0) ||
	       problem_error(reading->problems, at->at, "cron: '%.60s' never comes", schedule->cron);
}

TAKES_OF(take_schedule)
{
	struct schedule_spec *schedule = place;

	if (value->kind == NODE_SCALAR) {
		if (!take_string(reading, value, &schedule->cron, key))
			return false;
		return check_cron(reading, value, schedule);
	}
	if (!is_map(reading, value, key) || !schema_take(reading, value, schema_schedule, place))
		return false;
	if (!schedule->cron == !schedule->interval_ms)
		return problem_error(reading->problems, value->at, "schedule: either cron or interval");
	if (!schedule->cron)
		return true;
	return check_cron(reading, node_get(value, "cron"), schedule);
}

/* ---- hooks ---- */

static const char *hook_of(int number)
{
	return hook_name((enum hook)number);
}

static bool take_hook(struct reading *reading, const struct node *name, const struct node *value,
	struct service_spec *spec)
{
	const struct key key = { .name = name->text };
	int hook = find_name(name->text, hook_of, HOOK_COUNT);

	if (strcmp(name->text, "timeout") == 0)
		return take_every(reading, value, &spec->hook_timeout_ms, &key);
	if (hook < 0) {
		const char *known[HOOK_COUNT + 1] = { 0 };
		for (int i = 0; i < HOOK_COUNT; i++)
			known[i] = hook_of(i);
		const char *nearest = problem_nearest(name->text, known);
		return problem_error(reading->problems, name->at, "no such hook: '%.60s'%s%s%s", name->text,
			nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
	}
	return take_argv(reading, value, &spec->hooks[hook].argv, &key);
}

TAKES_OF(take_hooks)
{
	bool ok = is_map(reading, value, key);

	for (size_t i = 0; ok && i < value->count; i += 2)
		ok = take_hook(reading, value->items[i], value->items[i + 1], place);
	return ok;
}

/* ---- groups ---- */

static const char *strategy_of(int number)
{
	return group_strategy_name((enum group_strategy)number);
}

TAKES(take_strategy)
{
	int strategy = take_one_of(reading, value, key, strategy_of, GROUP_STRATEGY_COUNT,
		"one_for_all or rest_for_one");

	*(enum group_strategy *)place = (enum group_strategy)strategy;
	return strategy >= 0;
}

#define IN_GROUP(field) offsetof(struct group_spec, field)

// clang-format off
static const struct key group_keys[] = {
	{ "strategy", take_strategy, IN_GROUP(strategy), NULL, "one_for_all or rest_for_one" },
	{ "members", take_strings, IN_GROUP(members), NULL, "services, in order" },
	END
};
// clang-format on

TAKES_OF(take_groups)
{
	struct project_spec *project = place;
	bool ok = is_map(reading, value, key);

	for (size_t i = 0; ok && i < value->count; i += 2) {
		const struct node *name = value->items[i], *map = value->items[i + 1];
		if (project->group_count == GROUPS_MOST)
			return problem_error(reading->problems, name->at, "at most %d groups", GROUPS_MOST);
		project->groups = memory_resize(
			project->groups, project->group_count + 1, sizeof *project->groups);
		struct group_spec *group = &project->groups[project->group_count++];
		*group = (struct group_spec){ .name = memory_copy(name->text) };
		ok = is_map(reading, map, key) && schema_take(reading, map, group_keys, group);
		if (ok && !group->members.count)
			ok = problem_error(reading->problems, map->at,
				"a group is {strategy: one_for_all, members: [NAME, NAME]}");
	}
	return ok;
}
