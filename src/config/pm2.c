/* PM2's ecosystem files and dumps. Its own defaults stand in every service, since they are not ours. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/units.h"
#include "config/foreign.h"
#include "config/graft.h"
#include "config/javascript.h"

enum {
	RESTARTS = 16,
	UPTIME_MS = 1000,
	READY_MS = 60000,
	WORKER_MS = 30000,    /* how often PM2 looks at memory */
	BACKOFF_MS = 15000,   /* the longest pause of exp_backoff_restart_delay */
	CALM_MS = 30000,      /* … which a life this long resets */
	ALWAYS_MS = 86400000, /* restart_delay is kept after a life of any length */
};

struct app {
	struct graft *graft;
	const struct node *from; /* the app as PM2 has it */
	struct node *to;         /* the service */
	struct node *root;       /* of the result: for profiles */
	const char *name;        /* as a key of `processes` */
	bool is_node;            /* run by node: PM2 gives it a channel */
	bool is_dump;
	bool ok;
};

#define PUTS(name) static void name(struct app *app, const struct node *value, const struct pm2_key *key)

struct pm2_key {
	const char *name;
	void (*put)(struct app *app, const struct node *value, const struct pm2_key *key);
	const char *to; /* its place in a service; or what is to be said of it */
};

/* ---- values ---- */

PUTS(put)
{
	graft_put(app->graft, app->to, key->to, graft_literal(app->graft, value));
}

static struct node *make_ms(struct graft *graft, struct position at, uint64_t ms)
{
	return graft_format(graft, at, "%llums", (unsigned long long)ms);
}

/* A number is milliseconds; "10s", "5m" and "1h" are what they are. */
static bool read_ms(struct app *app, const struct node *value, const char *name, uint64_t *ms)
{
	const char *text = graft_string(value);
	char *end = NULL;
	unsigned long long number = text ? strtoull(text, &end, 10) : 0;

	*ms = number;
	if (text && end != text && !*end && text[0] != '-' && number <= UINT32_MAX)
		return true;
	if (text && text[0] != '-' && units_parse_duration(text, ms))
		return true;
	app->ok = problem_error(app->graft->problems, value->at,
		"%s takes milliseconds, or a text such as 10s, not '%.60s'", name,
		text ? text : "that");
	return false;
}

PUTS(put_ms)
{
	uint64_t ms;

	if (read_ms(app, value, key->name, &ms))
		graft_put(app->graft, app->to, key->to, make_ms(app->graft, value->at, ms));
}

PUTS(put_untrue)
{
	graft_put(app->graft, app->to, key->to,
		graft_plain(app->graft, value->at, graft_is_true(value) ? "false" : "true"));
}

PUTS(skip)
{
	(void)app;
	(void)value;
	(void)key;
}

/* Nothing is lost by what is off. */
PUTS(lost)
{
	const char *text = graft_string(value);

	if (app->is_dump || (text && (strcmp(text, "false") == 0 || !*text)) || node_is_null(value))
		return;
	problem_warning(app->graft->problems, value->at, "%s has no equivalent%s%s", key->name,
		key->to ? ": " : "", key->to ? key->to : "");
}

PUTS(put_autorestart)
{
	bool is_on = graft_is_true(value);

	(void)key;
	graft_put(app->graft, app->to, "availability.restart",
		graft_plain(app->graft, value->at, is_on ? "always" : "no"));
}

PUTS(put_restart_delay)
{
	static const char *const places[] = { "initial", "max" };
	uint64_t ms;

	if (!read_ms(app, value, key->name, &ms) || !ms)
		return;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char *path = memory_format("availability.backoff.%s", places[i]);
		graft_put(app->graft, app->to, path, make_ms(app->graft, value->at, ms));
		free(path);
	}
	graft_put(app->graft, app->to, "availability.min_uptime",
		make_ms(app->graft, value->at, ALWAYS_MS));
}

PUTS(put_exp_backoff)
{
	struct graft *graft = app->graft;
	uint64_t ms;

	if (!read_ms(app, value, key->name, &ms) || !ms)
		return;
	graft_put(graft, app->to, "availability.backoff.initial", make_ms(graft, value->at, ms));
	graft_put(graft, app->to, "availability.backoff.factor", graft_plain(graft, value->at, "1.5"));
	graft_put(graft, app->to, "availability.backoff.max", make_ms(graft, value->at, BACKOFF_MS));
	graft_put(graft, app->to, "availability.min_uptime", make_ms(graft, value->at, CALM_MS));
}

PUTS(put_memory)
{
	struct graft *graft = app->graft;
	struct node *list = graft_list(graft, value->at), *limit = graft_map(graft, value->at);

	if (!graft_string(value) || strcmp(value->text, "0") == 0)
		return;
	graft_set(graft, limit, "metric", graft_plain(graft, value->at, "rss"));
	graft_set(graft, limit, "over", graft_literal(graft, value));
	graft_set(graft, limit, "for", graft_plain(graft, value->at, "1"));
	graft_set(graft, limit, "every", make_ms(graft, value->at, WORKER_MS));
	graft_set(graft, limit, "action", graft_plain(graft, value->at, "restart"));
	node_append(list, limit);
	graft_set(graft, app->to, key->to, list);
}

/* max and 0: one for each core; -1: one fewer. */
PUTS(put_instances)
{
	const char *text = graft_string(value);
	long cores = sysconf(_SC_NPROCESSORS_ONLN), number = text ? strtol(text, NULL, 10) : 0;

	if (app->is_dump)
		return; /* each instance is an entry of its own there */
	if (text && (strcmp(text, "0") == 0 || strcmp(text, "max") == 0))
		graft_set(app->graft, app->to, key->to, graft_plain(app->graft, value->at, "max"));
	else if (number < 0)
		graft_set(app->graft, app->to, key->to,
			graft_format(app->graft, value->at, "%ld", cores + number > 1 ? cores + number : 1));
	else
		graft_set(app->graft, app->to, key->to, graft_literal(app->graft, value));
}

PUTS(put_exec_mode)
{
	const char *text = graft_string(value);
	bool is_cluster = text && (strcmp(text, "cluster") == 0 || strcmp(text, "cluster_mode") == 0);
	bool is_fork = text && (strcmp(text, "fork") == 0 || strcmp(text, "fork_mode") == 0);

	if (!is_cluster && !is_fork)
		app->ok = problem_error(app->graft->problems, value->at,
			"exec_mode takes fork or cluster, not '%.60s'", text ? text : "that");
	else
		graft_set(app->graft, app->to, key->to,
			graft_plain(app->graft, value->at, is_cluster ? "cluster" : "fork"));
}

PUTS(put_environment)
{
	if (value->kind != NODE_MAP)
		app->ok = problem_error(app->graft->problems, value->at, "env is a map of variables");
	else
		graft_set(app->graft, app->to, key->to, graft_literal(app->graft, value));
}

PUTS(put_port)
{
	(void)key;
	graft_put(app->graft, app->to, "environment.PORT", graft_literal(app->graft, value));
}

PUTS(put_ready)
{
	if (!graft_is_true(value))
		return;
	graft_put(app->graft, app->to, "ready.message", graft_plain(app->graft, value->at, "ready"));
	if (!graft_get(app->to, "ready.timeout"))
		graft_put(app->graft, app->to, "ready.timeout", make_ms(app->graft, value->at, READY_MS));
	graft_set(app->graft, app->to, key->to, graft_plain(app->graft, value->at, "json"));
}

/* PM2 takes an app that is late for ready; here it has failed. */
PUTS(put_listen_timeout)
{
	const struct node *waits = node_get(app->from, "wait_ready");
	uint64_t ms;

	if (!graft_is_true(waits) || !read_ms(app, value, key->name, &ms))
		return;
	graft_put(app->graft, app->to, key->to, make_ms(app->graft, value->at, ms));
	if (!app->is_dump)
		problem_warning(app->graft->problems, value->at,
			"listen_timeout: an app that is not ready by then has failed here; PM2 would go on");
}

PUTS(put_message)
{
	if (!graft_is_true(value))
		return;
	graft_put(app->graft, app->to, key->to, graft_text(app->graft, value->at, "shutdown"));
	graft_set(app->graft, app->to, "ipc", graft_plain(app->graft, value->at, "json"));
}

PUTS(put_cron)
{
	const char *text = graft_string(value);

	if (!text || !*text || strcmp(text, "0") == 0 || strcmp(text, "false") == 0)
		return;
	graft_put(app->graft, app->to, key->to, graft_literal(app->graft, value));
	graft_put(app->graft, app->to, "schedule.overlap", graft_plain(app->graft, value->at, "replace"));
	if (!app->is_dump)
		problem_warning(app->graft->problems, value->at,
			"%s: it is started by its schedule alone, and not when the project is", key->name);
}

/* ---- paths ---- */

/* PM2's paths start at cwd, ours at the file. */
static struct node *make_path(struct app *app, const struct node *value)
{
	const char *cwd = graft_string(node_get(app->from, app->is_dump ? "pm_cwd" : "cwd"));

	if (value->kind != NODE_SCALAR || !cwd || value->text[0] == '/')
		return graft_literal(app->graft, value);
	char *path = memory_format("%s/%s", cwd, value->text);
	struct node *node = graft_text(app->graft, value->at, path);
	free(path);
	return node;
}

static bool is_no_file(const char *text)
{
	return !text || !*text || strcmp(text, "/dev/null") == 0 || strcmp(text, "NULL") == 0 ||
	       strcmp(text, "false") == 0;
}

PUTS(put_log)
{
	const struct node *older = graft_get(app->to, key->to);

	if (app->is_dump || is_no_file(graft_string(value)))
		return;
	struct node *path = make_path(app, value);
	if (older && older->kind == NODE_SCALAR && path->kind == NODE_SCALAR &&
		strcmp(older->text, path->text) == 0)
		return;
	if (older)
		problem_warning(app->graft->problems, value->at,
			"%s: one file takes the lines of both streams; this is %s", key->name, older->text);
	else
		graft_put(app->graft, app->to, key->to, path);
}

PUTS(put_watch)
{
	const char *cwd = graft_string(node_get(app->from, "cwd"));
	struct node *list = graft_list(app->graft, value->at);

	if (value->kind == NODE_SCALAR && strcmp(value->text, "false") == 0)
		return;
	if (value->kind == NODE_SCALAR && graft_is_true(value))
		node_append(list, graft_text(app->graft, value->at, cwd ? cwd : "."));
	else if (value->kind == NODE_SCALAR)
		node_append(list, make_path(app, value));
	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++)
		node_append(list, make_path(app, value->items[i]));
	if (list->count)
		graft_put(app->graft, app->to, key->to, list);
}

/* A name counts wherever it stands, and so does what is below it. */
static void add_ignored(struct app *app, struct node *list, const struct node *value)
{
	const char *text = graft_string(value);

	if (!text || !*text)
		return;
	if (strncmp(text, "./", 2) == 0)
		text += 2;
	char *below = memory_format("%s/**", text);
	node_append(list, graft_text(app->graft, value->at, text));
	if (!strpbrk(text, "*?["))
		node_append(list, graft_text(app->graft, value->at, below));
	free(below);
}

PUTS(put_ignore_watch)
{
	struct node *list = graft_list(app->graft, value->at);
	const struct node *watch = node_get(app->from, "watch");

	add_ignored(app, list, value);
	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++)
		add_ignored(app, list, value->items[i]);
	if (list->count && watch && !(watch->kind == NODE_SCALAR && strcmp(watch->text, "false") == 0))
		graft_put(app->graft, app->to, key->to, list);
}

PUTS(put_watch_delay)
{
	if (graft_get(app->to, "watch.paths"))
		put_ms(app, value, key);
}

PUTS(put_namespace)
{
	const char *text = graft_string(value);

	if (text && strcmp(text, "default") != 0)
		graft_set(app->graft, app->to, key->to, graft_literal(app->graft, value));
}

PUTS(put_timestamps)
{
	if (graft_is_true(value) || strchr(key->name, '_'))
		graft_put(app->graft, app->to, key->to, graft_plain(app->graft, value->at, "true"));
}

/* ---- the command ---- */

static const struct {
	const char *suffix, *interpreter;
} interpreters[] = {
	{ ".js", "node" },
	{ ".cjs", "node" },
	{ ".mjs", "node" },
	{ ".ts", "bun" },
	{ ".tsx", "bun" },
	{ ".sh", "bash" },
	{ ".py", "python3" },
	{ ".rb", "ruby" },
	{ ".pl", "perl" },
	{ ".php", "php" },
	{ ".coffee", "coffee" },
	{ ".ls", "lsc" },
};

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), length = strlen(end);

	return size > length && strcmp(text + size - length, end) == 0;
}

/* From where we are, to a file that the app names. */
static char *resolve(const struct app *app, const char *script)
{
	const char *file = app->graft->document->name, *slash = strrchr(file, '/');
	const char *cwd = graft_string(node_get(app->from, app->is_dump ? "pm_cwd" : "cwd"));

	if (script[0] == '/')
		return memory_copy(script);
	if (cwd && cwd[0] == '/')
		return memory_format("%s/%s", cwd, script);
	return memory_format("%.*s%s/%s", slash ? (int)(slash - file + 1) : 0, file, cwd ? cwd : ".", script);
}

static bool exists(const struct app *app, const char *script, int mode)
{
	char *path = resolve(app, script);
	bool is_there = access(path, mode) == 0;

	free(path);
	return is_there;
}

/* Without a suffix that tells, a program of the machine's or a file that can be executed is run as it is. */
static const char *guess_interpreter(const struct app *app, const char *script)
{
	for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++)
		if (ends_with(script, interpreters[i].suffix))
			return interpreters[i].interpreter;
	bool is_of_machine = !strchr(script, '/') && !exists(app, script, F_OK);
	return is_of_machine || exists(app, script, X_OK) ? NULL : "node";
}

/* A text is cut at blanks, as PM2 does; a list is taken as it is. */
static void add_words(struct app *app, struct node *words, const struct node *value)
{
	if (!value || node_is_null(value))
		return;
	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++)
		node_append(words, graft_literal(app->graft, value->items[i]));
	for (const char *at = value->kind == NODE_SCALAR ? value->text : ""; *at;) {
		at += strspn(at, " ");
		bool is_quoted = (*at == '"' || *at == '\'') && strchr(at + 1, *at);
		size_t length = is_quoted ? (size_t)(strchr(at + 1, *at) - at - 1) : strcspn(at, " ");
		char *word = memory_copy_n(at + is_quoted, length);
		if (length || is_quoted)
			node_append(words, graft_text(app->graft, value->at, word));
		free(word);
		at += length + (is_quoted ? 2 : 0);
	}
}

static const struct node *first_of(const struct node *map, const char *const *names)
{
	for (; *names; names++) {
		const struct node *value = node_get(map, *names);
		if (value && !node_is_null(value))
			return value;
	}
	return NULL;
}

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *interpreter_of(const struct app *app, const char *script)
{
	static const char *const names[] = { "exec_interpreter", "interpreter", NULL };
	const char *named = graft_string(first_of(app->from, names));

	if (!named || !*named)
		return guess_interpreter(app, script);
	return strcmp(named, "none") == 0 ? NULL : named;
}

static void put_words(struct app *app, const struct node *script)
{
	static const char *const options[] = { "node_args", "nodeArgs", "interpreter_args", "interpreterArgs", NULL };
	const char *interpreter = interpreter_of(app, script->text);
	struct node *words = graft_list(app->graft, script->at);

	if (interpreter) {
		const char *base = basename_of(interpreter);
		app->is_node = strncmp(base, "node", 4) == 0 || strcmp(base, "bun") == 0;
		node_append(words, graft_text(app->graft, script->at, interpreter));
		add_words(app, words, first_of(app->from, options));
	}
	bool is_here = !interpreter && !strchr(script->text, '/') && exists(app, script->text, X_OK);
	char *path = memory_format("%s%s", is_here ? "./" : "", script->text);
	node_append(words, graft_text(app->graft, script->at, path));
	free(path);
	add_words(app, words, node_get(app->from, "args"));
	graft_set(app->graft, app->to, "command", words);
}

static void put_command(struct app *app)
{
	static const char *const names[] = { "script", "cmd", "command", NULL };
	static const char *const dumped[] = { "pm_exec_path", NULL };
	const struct node *script = first_of(app->from, app->is_dump ? dumped : names);

	if (!graft_string(script))
		app->ok = problem_error(app->graft->problems, script ? script->at : app->from->at,
			"'%s' has no script that is a text", app->name);
	else if (strchr(script->text, ' ') && !exists(app, script->text, F_OK))
		graft_set(app->graft, app->to, "command",
			graft_plain(app->graft, script->at, script->text)); /* a command line: a shell's if need be */
	else
		put_words(app, script);
}

/* With instances, a program of node's is a cluster unless something else is said. */
static void put_modes(struct app *app)
{
	const struct node *instances = node_get(app->from, "instances");

	if (app->is_node && instances && !node_get(app->from, "exec_mode"))
		graft_set(app->graft, app->to, "exec_mode",
			graft_plain(app->graft, instances->at, "cluster"));
	if (app->is_node)
		graft_set(app->graft, app->to, "ipc", graft_plain(app->graft, app->from->at, "json"));
}

/* ---- the keys ---- */

// clang-format off
static const struct pm2_key keys[] = {
	{ "name", skip, NULL },
	{ "script", skip, NULL },
	{ "cmd", skip, NULL },
	{ "command", skip, NULL },
	{ "args", skip, NULL },
	{ "interpreter", skip, NULL },
	{ "exec_interpreter", skip, NULL },
	{ "node_args", skip, NULL },
	{ "nodeArgs", skip, NULL },
	{ "interpreter_args", skip, NULL },
	{ "interpreterArgs", skip, NULL },
	{ "cwd", put, "working_dir" },
	{ "namespace", put_namespace, "namespace" },
	{ "instances", put_instances, "instances" },
	{ "exec_mode", put_exec_mode, "exec_mode" },
	{ "env", put_environment, "environment" },
	{ "env_file", put, "env_file" },
	{ "port", put_port, NULL },
	{ "uid", put, "user" },
	{ "user", put, "user" },
	{ "gid", put, "group" },
	{ "autostart", put_untrue, "disabled" },
	{ "autorestart", put_autorestart, NULL },
	{ "max_restarts", put, "availability.max_restarts" },
	{ "min_uptime", put_ms, "availability.min_uptime" },
	{ "restart_delay", put_restart_delay, NULL },
	{ "exp_backoff_restart_delay", put_exp_backoff, NULL },
	{ "stop_exit_codes", put, "availability.prevent_restart_on" },
	{ "max_memory_restart", put_memory, "limits" },
	{ "kill_timeout", put_ms, "shutdown.timeout" },
	{ "treekill", put_untrue, "shutdown.parent_only" },
	{ "shutdown_with_message", put_message, "shutdown.message" },
	{ "listen_timeout", put_listen_timeout, "ready.timeout" },
	{ "wait_ready", put_ready, "ipc" },
	{ "cron_restart", put_cron, "schedule.cron" },
	{ "cron", put_cron, "schedule.cron" },
	{ "watch", put_watch, "watch.paths" },
	{ "watch_delay", put_watch_delay, "watch.debounce" },
	{ "ignore_watch", put_ignore_watch, "watch.exclude" },
	{ "watch_options", lost, "links are not followed, and the kernel tells of changes" },
	{ "log_file", put_log, "log.file" },
	{ "log", put_log, "log.file" },
	{ "out_file", put_log, "log.file" },
	{ "output", put_log, "log.file" },
	{ "out", put_log, "log.file" },
	{ "out_log", put_log, "log.file" },
	{ "error_file", put_log, "log.file" },
	{ "error", put_log, "log.file" },
	{ "err", put_log, "log.file" },
	{ "err_file", put_log, "log.file" },
	{ "err_log", put_log, "log.file" },
	{ "time", put_timestamps, "log.timestamps" },
	{ "log_date_format", put_timestamps, "log.timestamps" },
	{ "combine_logs", lost, "each instance has a log of its own, and `thrum logs NAME` merges them by time" },
	{ "merge_logs", lost, "each instance has a log of its own, and `thrum logs NAME` merges them by time" },
	{ "log_type", lost, "`thrum logs --json` prints JSON" },
	{ "disable_logs", lost, "output is kept, in files of a bounded size" },
	{ "pid_file", lost, "`thrum ps --json` tells the pid" },
	{ "pid", lost, "`thrum ps --json` tells the pid" },
	{ "instance_var", lost, "the number of an instance is in NODE_APP_INSTANCE and THRUM_INSTANCE" },
	{ "increment_var", lost, "a program can add NODE_APP_INSTANCE" },
	{ "filter_env", lost, NULL },
	{ "post_update", lost, NULL },
	{ "node_version", lost, NULL },
	{ "append_env_to_name", lost, NULL },
	{ "name_prefix", lost, NULL },
	{ "install_url", lost, NULL },
	{ "source_map_support", lost, "node does it: node_args: --enable-source-maps" },
	{ "force", skip, NULL },
	{ "vizion", skip, NULL },
	{ "automation", skip, NULL },
	{ "pmx", skip, NULL },
	{ "trace", skip, NULL },
	{ "disable_trace", skip, NULL },
	{ "disable_source_map_support", skip, NULL },
	{ "deep_monitoring", skip, NULL },
	{ "kill_retry_time", skip, NULL },
	{ "windowsHide", skip, NULL },
};
// clang-format on

static const struct pm2_key *find_key(const char *name)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static void say_unknown(struct app *app, const struct node *name)
{
	const char *known[sizeof keys / sizeof *keys + 1] = { NULL };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		known[i] = keys[i].name;
	const char *nearest = problem_nearest(name->text, known);
	app->ok = problem_error(app->graft->problems, name->at, "unknown key of PM2's: '%.60s'%s%s%s", name->text,
		nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
}

/* env_production: variables of the profile `production`. */
static void put_profile(struct app *app, const struct node *key, const struct node *value)
{
	char *path = memory_format("profiles.%s.processes.%s", key->text + 4, app->name);
	struct node *service = graft_map(app->graft, key->at);

	if (value->kind != NODE_MAP || strchr(key->text, '.') || strchr(app->name, '.'))
		app->ok = problem_error(app->graft->problems, value->at,
			"%.60s is a map of variables, and no dot is in its name or the app's", key->text);
	graft_set(app->graft, service, "environment", graft_literal(app->graft, value));
	if (app->ok)
		graft_put(app->graft, app->root, path, service);
	free(path);
}

/* What PM2 does when nothing is said. */
static void put_defaults(struct app *app)
{
	static const struct {
		const char *path, *value;
	} defaults[] = {
		{ "availability.restart", "always" },
		{ "availability.max_restarts", "16" },
		{ "availability.min_uptime", "1000ms" },
		{ "availability.backoff.initial", "0ms" },
		{ "availability.backoff.factor", "1" },
		{ "availability.backoff.jitter", "0%" },
		{ "shutdown.signal", "SIGINT" },
		{ "shutdown.timeout", "1600ms" },
	};

	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		graft_put(app->graft, app->to, defaults[i].path,
			graft_plain(app->graft, app->from->at, defaults[i].value));
}

static uint64_t ms_of(struct app *app, const char *path)
{
	const struct node *node = graft_get(app->to, path);
	uint64_t ms = 0;

	if (node && node->kind == NODE_SCALAR && !units_parse_duration(node->text, &ms))
		ms = 0;
	return ms;
}

/* PM2 counts restarts after short lives in a row: so many lives, with their pauses, fit into the window. */
static void put_window(struct app *app)
{
	const char *most = graft_string(graft_get(app->to, "availability.max_restarts"));
	uint64_t count = most ? strtoull(most, NULL, 10) : RESTARTS;
	const struct node *named = node_get(app->from, "min_uptime");
	uint64_t life_ms = UPTIME_MS;

	if (named && !node_is_null(named))
		read_ms(app, named, "min_uptime", &life_ms);
	uint64_t window_ms = (count ? count : 1) * (life_ms + ms_of(app, "availability.backoff.max"));
	graft_put(app->graft, app->to, "availability.window",
		make_ms(app->graft, app->from->at, window_ms < ALWAYS_MS ? window_ms : ALWAYS_MS));
}

static void put_keys(struct app *app)
{
	/* in the order of the table: some build on others */
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const struct node *value = node_get(app->from, keys[i].name);
		if (value && !node_is_null(value))
			keys[i].put(app, value, &keys[i]);
	}
	for (size_t i = 0; !app->is_dump && i < app->from->count; i += 2) {
		const struct node *key = app->from->items[i];
		if (strncmp(key->text, "env_", 4) == 0 && strcmp(key->text, "env_file") != 0)
			put_profile(app, key, app->from->items[i + 1]);
		else if (!find_key(key->text))
			say_unknown(app, key);
	}
}

static char *name_of(const struct node *app, bool is_dump)
{
	static const char *const names[] = { "name", "script", "cmd", "command", "pm_exec_path", NULL };
	const char *name = graft_string(first_of(app, names));
	char *copy = memory_copy(name ? basename_of(name) : "app");

	if (!is_dump && name && !graft_string(node_get(app, "name")) && strrchr(copy, '.'))
		*strrchr(copy, '.') = '\0';
	return copy;
}

static bool take_app(struct graft *graft, struct node *root, const struct node *from, bool is_dump)
{
	struct node *processes = node_get(root, "processes");
	struct app app = { .graft = graft, .from = from, .root = root, .is_dump = is_dump, .ok = true };

	if (from->kind != NODE_MAP)
		return problem_error(graft->problems, from->at, "an app is a map of keys, with `script`");
	char *name = name_of(from, is_dump);
	app.to = graft_service(graft, processes, from->at, name);
	free(name);
	if (!app.to)
		return false;
	app.name = processes->items[processes->count - 2]->text;
	put_command(&app);
	put_defaults(&app);
	put_keys(&app);
	put_modes(&app);
	put_window(&app);
	return app.ok;
}

/* ---- dumps ---- */

/* What belongs to the shell that PM2 was started from, and to PM2 itself. */
static bool is_of_session(const char *name)
{
	static const char *const globs[] = { "PM2_*", "pm_*", "SSH_*", "XDG_*", "DBUS_*", "_", "PWD", "OLDPWD",
		"SHLVL", "TERM", "TERM_*", "LS_COLORS", "COLORTERM", "DISPLAY", "WINDOWID", "TMUX*", "STY",
		"unique_id", "NODE_APP_INSTANCE", "HOME", "USER", "LOGNAME", "SHELL", "MAIL", "LESS*" };

	for (size_t i = 0; i < sizeof globs / sizeof *globs; i++)
		if (fnmatch(globs[i], name, 0) == 0)
			return true;
	return false;
}

/* env of a dump is PM2's own keys, its settings, and at last the variables of the app. */
static void clean_environment(struct graft *graft, struct node *service, const struct node *entry)
{
	const struct node *all = node_get(service, "environment");
	struct node *kept = graft_map(graft, entry->at);

	for (size_t i = 0; all && i < all->count; i += 2) {
		const struct node *key = all->items[i], *value = all->items[i + 1];
		bool is_setting = find_key(key->text) || node_get(entry, key->text) == NULL;
		if (value->kind == NODE_SCALAR && !is_of_session(key->text) &&
			!(is_setting && find_key(key->text)))
			graft_set(graft, kept, key->text, all->items[i + 1]);
	}
	if (all)
		graft_set(graft, service, "environment", kept);
}

static unsigned count_entries(const struct node *list, size_t upto, const char *name)
{
	unsigned count = 0;

	for (size_t i = 0; i < upto; i++) {
		char *other = name_of(list->items[i], true);
		count += strcmp(other, name) == 0;
		free(other);
	}
	return count;
}

/* The instances of an app stand in a row; the first of them speaks for all. */
static bool take_entry(struct graft *graft, struct node *root, const struct node *list, size_t index)
{
	const struct node *entry = list->items[index];
	char *name = name_of(entry, true);
	unsigned before = count_entries(list, index, name), all = count_entries(list, list->count, name);
	bool ok = before > 0 || take_app(graft, root, entry, true);
	struct node *processes = node_get(root, "processes");

	free(name);
	if (before || !ok)
		return ok;
	struct node *service = processes->items[processes->count - 1];
	const struct node *cwd = node_get(entry, "pm_cwd");
	if (cwd)
		graft_set(graft, service, "working_dir", graft_literal(graft, cwd));
	if (all > 1)
		graft_set(graft, service, "instances", graft_format(graft, entry->at, "%u", all));
	clean_environment(graft, service, entry);
	return true;
}

/* ---- the file ---- */

static bool is_dump(const struct node *root)
{
	return root->kind == NODE_LIST && root->count && node_get(root->items[0], "pm_exec_path");
}

static bool take_root(struct graft *graft, const struct node *from)
{
	const struct node *apps = from;
	bool ok = true;

	if (from->kind == NODE_MAP && node_get(from, "apps"))
		apps = node_get(from, "apps");
	for (size_t i = 0; apps != from && i < from->count; i += 2)
		if (strcmp(from->items[i]->text, "apps") != 0)
			problem_warning(graft->problems, from->items[i]->at, "%.60s has no equivalent", from->items[i]->text);
	graft_begin(graft);
	struct node *root = graft->document->root;
	if (apps->kind == NODE_MAP)
		return take_app(graft, root, apps, false);
	if (apps->kind != NODE_LIST || !apps->count)
		return problem_error(graft->problems, apps->at,
			"no app is in it; PM2's files are {apps: [{name: …, script: …}]}");
	bool dump = is_dump(apps);
	for (size_t i = 0; i < apps->count; i++) {
		if (apps->items[i]->kind != NODE_MAP)
			ok = problem_error(graft->problems, apps->items[i]->at, "an app is a map of keys, with `script`");
		else
			ok = (dump ? take_entry(graft, root, apps, i) : take_app(graft, root, apps->items[i], false)) && ok;
	}
	return ok;
}

static bool scan_javascript(struct document *document, const char *name, const char *text, size_t size,
	struct problems *problems)
{
	struct text json;

	text_init(&json, SCAN_FILE_MOST);
	bool ok = javascript_run(name, &json, (struct position){ .file = name }, problems) &&
		  document_scan_json(document, name, text_string(&json), json.size, problems);
	text_finish(&json);
	if (ok)
		document_place(document, text, size);
	else if (!document->name)
		document->name = memory_copy(name);
	return ok;
}

static bool is_javascript(const char *name)
{
	return ends_with(name, ".js") || ends_with(name, ".cjs") || ends_with(name, ".mjs");
}

static bool is_yaml(const char *name)
{
	return ends_with(name, ".yaml") || ends_with(name, ".yml");
}

bool document_scan_pm2(struct document *document, const char *name, const char *text, size_t size,
	struct problems *problems)
{
	struct graft graft = { document, problems };
	bool ok;

	if (is_javascript(name))
		ok = scan_javascript(document, name, text, size, problems);
	else if (is_yaml(name))
		ok = document_scan_yaml(document, name, text, size, problems);
	else
		ok = document_scan_json(document, name, text, size, problems);
	if (ok && !is_javascript(name) && !is_yaml(name))
		document_place(document, text, size);
	if (ok && !document->root)
		ok = problem_error(problems, (struct position){ .file = document->name }, "is empty");
	return ok && take_root(&graft, document->root);
}
