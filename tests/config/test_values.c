/*
 * Every key of a configuration with every kind of wrong value. The keys are those of the schema: one that is added without
 * a row here fails the test, and so does a row whose key is gone.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/load.h"
#include "config/schema.h"

enum { VALUES_MOST = 8,
	PATHS_MOST = 400,
	PATH_SIZE = 128,
	DEPTH_MOST = 6 };

enum kind {
	TEXT,
	TRUTH,
	COUNT,
	COUNT_FROM_1, /* up to some number of its own */
	DURATION,
	PERIOD, /* 100ms or more */
	SIZE,
	SIGNAL,
	TEXTS,
	MAP,
	COMMAND,
	PATTERN,
	OTHER,   /* its row has its wrong values */
	NOTHING, /* taken, whatever it is; its help says why it means nothing */
	REFUSED, /* false alone is taken; its help says what to do instead */
};

struct wrong {
	const char *value, *message;
};

#define A_MAP                                           \
	{                                               \
		"{a: {}}", "takes one value, not a map" \
	}
#define A_LIST                                        \
	{                                             \
		"[[]]", "takes one value, not a list" \
	}

/* What is wrong for all keys of a kind; what the message says is what would be right. */
// clang-format off
static const struct wrong wrongs[][VALUES_MOST] = {
	[TEXT] = { A_MAP, A_LIST },
	[TRUTH] = { A_MAP, A_LIST, { "5", "takes true or false, not '5'" }, { "yes", "takes true or false" }, { "''", "takes true or false" } },
	[COUNT] = { A_MAP, A_LIST, { "-1", "takes a whole number, not '-1'" }, { "many", "takes a whole number" }, { "1.5", "takes a whole number" }, { "99999999999999999999", "takes a whole number" }, { "''", "takes a whole number" } },
	[COUNT_FROM_1] = { A_MAP, A_LIST, { "-1", "takes" }, { "many", "takes" }, { "0", "takes" }, { "99999999999999999999", "takes" }, { "''", "takes" } },
	[DURATION] = { A_MAP, A_LIST, { "-1", "takes a duration such as 500ms, 10s or 5m, not '-1'" }, { "soon", "takes a duration such as" }, { "5y", "takes a duration such as" }, { "99999999999999999999", "takes a duration such as" }, { "''", "takes a duration such as" } },
	[PERIOD] = { A_MAP, A_LIST, { "-1", "takes a duration such as" }, { "soon", "takes a duration such as" }, { "0", "takes 100ms or more" }, { "99ms", "takes 100ms or more" }, { "99999d", "takes a duration such as" } },
	[SIZE] = { A_MAP, A_LIST, { "-1", "takes a size such as 200MB, not '-1'" }, { "large", "takes a size such as" }, { "5QB", "takes a size such as" }, { "99999999999999999999GB", "takes a size such as" }, { "''", "takes a size such as" } },
	[SIGNAL] = { A_MAP, A_LIST, { "-1", "takes a signal such as TERM or 15" }, { "FOO", "takes a signal such as" }, { "99", "takes a signal such as" }, { "''", "takes a signal such as" } },
	[TEXTS] = { { "[{a: b}]", "takes one value, not a map" }, { "{a: b}", "takes one value, not a map" }, { "[[a]]", "takes one value, not a list" } },
	[MAP] = { { "5", "takes a map" }, { "[a]", "takes a map" }, { "{no_such_key: 1}", "unknown key 'no_such_key'" } },
	[COMMAND] = { { "{a: b}", "takes" }, { "''", "is empty" }, { "[]", "is empty" }, { "\"'x\"", "a quote in this command has no end" } },
	[PATTERN] = { A_MAP, A_LIST, { "(", "missing closing parenthesis" } },
	[NOTHING] = { { NULL, NULL } },
	[REFUSED] = { { "true", "is not for thrum: " }, { "x", "is not for thrum: " }, { "[a]", "is not for thrum: " }, { "{a: b}", "is not for thrum: " } },
};
// clang-format on

struct row {
	const char *path;
	enum kind kind;
	const char *beside; /* other keys of its map, without which it would not be looked at */
	struct wrong more[VALUES_MOST];
};

// clang-format off
static const struct row service_rows[] = {
	{ "name", TEXT, 0, {} },
	{ "command", COMMAND, 0, { { "5.[", NULL } } },
	{ "shell", OTHER, 0, { { "{}", "shell takes true or false" }, { "[true]", "shell takes true or false" }, { "maybe", "shell takes true or false" } } },
	{ "working_dir", TEXT, 0, { { "/no/such/folder", "/no/such/folder: No such file or directory" }, { "/dev/null", "" } } },
	{ "env_file", TEXTS, 0, { { "[/no/such/file]", "/no/such/file" } } },
	{ "environment", OTHER, 0, { { "5", "an item is NAME=value" }, { "[A]", "an item is NAME=value" }, { "{'1A': b}", "'1A' cannot be the name of a variable" }, { "{A: [b]}", "takes one value, not a list" }, { "[[A=b]]", "takes one value, not a list" } } },
	{ "instances", OTHER, 0, { A_MAP, A_LIST, { "0", "takes a number from 1 to 1000, or max" }, { "many", "takes a number from 1" }, { "1001", "takes a number from 1 to 1000, or max" }, { "-2", "takes a number from 1 to 1000" } } },
	{ "namespace", TEXTS, 0, {} },
	{ "disabled", TRUTH, 0, {} },
	{ "user", TEXT, 0, { { "no-such-user", "no such user: 'no-such-user'" }, { "''", "no such user: ''" } } },
	{ "group", TEXT, 0, { { "no-such-group", "no such group: 'no-such-group'" } } },
	{ "umask", OTHER, 0, { A_MAP, A_LIST, { "-1", "takes an octal mask such as 022" }, { "'999'", "takes an octal mask" }, { "'7777'", "takes an octal mask" }, { "''", "takes an octal mask" } } },
	{ "nice", OTHER, 0, { A_MAP, A_LIST, { "20", "takes a number from -20 to 19, not '20'" }, { "-21", "takes a number from -20 to 19" }, { "low", "takes a number from -20 to 19" }, { "''", "takes a number from" } } },
	{ "pty", TRUTH, 0, {} },
	{ "oom_score_adj", OTHER, 0, { A_MAP, A_LIST, { "-1001", "takes a number from -1000 to 1000" }, { "1001", "takes a number from -1000 to 1000" }, { "x", "takes a number from" } } },
	{ "rlimits", OTHER, 0, { { "5", "takes a map such as {nofile: 65536}" }, { "[a]", "takes a map such as" }, { "{no_file: 1}", "no such limit: 'no_file'" }, { "{nofile: many}", "a limit is a number, a size, or unlimited, not 'many'" }, { "{nofile: -1}", "a limit is a number" }, { "{nofile: [1]}", "one number, or [soft, hard]" }, { "{nofile: [2, 1]}", "the soft limit is more than the hard limit" }, { "{nofile: {a: b}}", "takes one value, not a map" } } },
	{ "depends_on", OTHER, 0, { { "5", "which is no service" }, { "[[a]]", "an item is the name of a service" }, { "{b: 5}", "condition is process_started" }, { "{b: {condition: [x]}}", "condition is process_started" }, { "{b: {when: x}}", "unknown key 'when' (there are: condition, restart)" }, { "{b: {restart: 5}}", "restart takes true or false" } } },
	{ "availability", MAP, 0, {} },
	{ "availability.restart", OTHER, 0, { A_MAP, A_LIST, { "sometimes", "takes no, on_failure, always, unless_stopped or exit_on_failure, not 'sometimes'" }, { "5", "takes no, on_failure" } } },
	{ "availability.backoff", MAP, 0, {} },
	{ "availability.backoff.initial", DURATION, 0, {} },
	{ "availability.backoff.factor", OTHER, 0, { A_MAP, A_LIST, { "0.5", "takes a number from 1 to 100" }, { "1e9", "takes a number from 1 to 100" }, { "nan", "takes a number from 1 to 100" }, { "x", "takes a number from 1 to 100" } } },
	{ "availability.backoff.max", DURATION, 0, {} },
	{ "availability.backoff.jitter", OTHER, 0, { A_MAP, A_LIST, { "-1", "takes a percentage such as 20%" }, { "101", "takes a percentage" }, { "x", "takes a percentage" } } },
	{ "availability.backoff_seconds", DURATION, 0, {} },
	{ "availability.min_uptime", DURATION, 0, {} },
	{ "availability.max_restarts", COUNT, 0, {} },
	{ "availability.window", DURATION, 0, {} },
	{ "availability.fatal_retry", DURATION, 0, {} },
	{ "availability.success_exit_codes", OTHER, 0, { { "[256]", "takes exit codes and signals such as 78 or SIGABRT, not '256'" }, { "[-1]", "takes exit codes" }, { "{a: b}", "takes one value, not a map" }, { "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]", "takes at most 16" } } },
	{ "availability.prevent_restart_on", OTHER, 0, { { "[256]", "takes exit codes and signals" }, { "SIGNONE", "takes exit codes and signals" } } },
	{ "availability.exit_on_end", TRUTH, 0, {} },
	{ "availability.exit_on_skipped", TRUTH, 0, {} },
	{ "shutdown", MAP, 0, {} },
	{ "shutdown.signal", SIGNAL, 0, {} },
	{ "shutdown.timeout", DURATION, 0, {} },
	{ "shutdown.parent_only", TRUTH, 0, {} },
	{ "shutdown.message", OTHER, "a: 1", { { "x", "unknown key 'a'" } } },
	{ "shutdown.command", COMMAND, 0, {} },
	{ "shutdown.send_keys", REFUSED, 0, {} },
	{ "ipc", OTHER, 0, { A_MAP, A_LIST, { "xml", "takes json or none, not 'xml'" }, { "''", "takes json or none" } } },
	{ "pool", OTHER, 0, { { "5", "takes a map: {size, queue_max" }, { "[a]", "takes a map" }, { "{sise: 1}", "unknown key 'sise' (did you mean 'size'?)" } } },
	{ "pool.size", OTHER, 0, { A_MAP, A_LIST, { "0", "takes a number from 1 to 1000" }, { "1001", "takes a number from 1 to 1000" } } },
	{ "pool.queue_max", COUNT_FROM_1, 0, { { "10000001", "takes" } } },
	{ "pool.max_bytes", SIZE, 0, {} },
	{ "pool.retries", COUNT, 0, { { "1001", "takes 0 to 1000" } } },
	{ "pool.task_timeout", DURATION, 0, {} },
	{ "pool.concurrency", COUNT_FROM_1, 0, { { "65", "takes 1 to 64" } } },
	{ "exec_mode", OTHER, 0, { A_MAP, A_LIST, { "threads", "takes fork or cluster, not 'threads'" } } },
	{ "scheduling", OTHER, 0, { A_MAP, A_LIST, { "fair", "takes rr or none, not 'fair'" } } },
	{ "listen_timeout", DURATION, 0, {} },
	{ "listen", OTHER, 0, { { "{}", "takes tcp://HOST:PORT" }, { "[[]]", "takes tcp://HOST:PORT" }, { "http://a", "takes tcp://HOST:PORT" }, { "'tcp://example.com:80'", "takes tcp://HOST:PORT" }, { "'tcp://127.0.0.1:65536'", "takes tcp://HOST:PORT" }, { "[1,2,3,4,5,6,7,8,9]", "8 sockets are the most" } } },
	{ "listen.address", OTHER, 0, { A_MAP, A_LIST, { "-1", "takes tcp://HOST:PORT" }, { "'unix://'", "takes tcp://HOST:PORT" } } },
	{ "listen.backlog", COUNT_FROM_1, "address: 8000", { { "65536", "takes 1 to 65535" } } },
	{ "listen.mode", OTHER, "address: /tmp/x", { A_MAP, A_LIST, { "'888'", "takes octal, such as 0660" }, { "-1", "takes octal" }, { "'01777'", "takes octal" }, { "''", "takes octal" } } },
	{ "listen.per_instance", TRUTH, "address: 8000", {} },
	{ "ready", MAP, 0, { { "{}", "ready: name what says so: log, message or notify" } } },
	{ "ready.log", PATTERN, 0, {} },
	{ "ready.message", TEXT, 0, {} },
	{ "ready.notify", OTHER, 0, { A_MAP, A_LIST, { "fd:2", "takes sd" }, { "fd:256", "takes sd" }, { "-1", "takes sd" } } },
	{ "ready.timeout", DURATION, "log: x", {} },
	{ "ready_log_line", TEXT, 0, {} },
#define PROBE(name)                                                                                                    \
	{ name, MAP, 0, { { "{}", "how is it asked? exec, http_get, tcp or unix" } } },                                \
	{ name ".exec", OTHER, 0, { { "{a: b}", "unknown key 'a'" }, { "''", "exec: the command is empty" }, { "[]", "exec: the command is empty" }, { "{}", "exec: which command?" } } },                                                                              \
	{ name ".exec.command", COMMAND, 0, {} },                                                                      \
	{ name ".exec.working_dir", TEXT, 0, {} },                                                                     \
	{ name ".http_get", OTHER, 0, { { "5", "takes a map" }, { "{}", "which port?" }, { "{prt: 1}", "unknown key 'prt'" } } }, \
	{ name ".http_get.host", TEXT, 0, {} },                                                                        \
	{ name ".http_get.port", COUNT_FROM_1, 0, { { "65536", "takes a number from 1 to 65535" } } },                 \
	{ name ".http_get.path", TEXT, "port: 1", { { "x", "path begins with /" }, { "'/a b'", "no blank may be in path" } } }, \
	{ name ".http_get.scheme", OTHER, 0, { A_MAP, A_LIST, { "ftp", "takes http or https" } } },                    \
	{ name ".http_get.headers", OTHER, 0, { { "5", "takes a map" }, { "{A: [b]}", "takes one value, not a list" }, { "{A: \"b\\nC: d\"}", "a header is one line" } } }, \
	{ name ".http_get.status_code", COUNT_FROM_1, 0, { { "99", "takes a status from 100 to 599" }, { "600", "takes a status" } } }, \
	{ name ".tcp", OTHER, 0, { { "0", "takes a port, HOST:PORT or {host, port}" }, { "-1", "takes a port" }, { "65536", "takes a port" }, { "[1]", "takes a map of keys" }, { "{}", "which port?" } } }, \
	{ name ".tcp.host", TEXT, 0, {} },                                                                             \
	{ name ".tcp.port", COUNT_FROM_1, 0, {} },                                                                     \
	{ name ".unix", OTHER, 0, { { "[a]", "takes a map of keys" }, { "{}", "which path?" } } },                     \
	{ name ".unix.path", TEXT, 0, {} },                                                                            \
	{ name ".initial_delay", DURATION, 0, {} },                                                                    \
	{ name ".period", PERIOD, 0, {} },                                                                             \
	{ name ".timeout", PERIOD, 0, {} },                                                                            \
	{ name ".success_threshold", COUNT_FROM_1, 0, {} },                                                            \
	{ name ".failure_threshold", COUNT_FROM_1, 0, {} },
	PROBE("startup_probe") PROBE("readiness_probe") PROBE("liveness_probe")
	{ "watchdog", DURATION, 0, {} },
	{ "limits", OTHER, 0, { { "5", "takes a map of keys" }, { "[5]", "takes a map of keys" }, { "{}", "a limit is {metric: rss, over: 200MB" } } },
	{ "limits.metric", OTHER, "over: 1", { A_MAP, A_LIST, { "heap", "takes rss, pss, cpu, fds, threads, queue or loop_lag, not 'heap'" } } },
	{ "limits.over", OTHER, "metric: rss", { A_MAP, A_LIST, { "0", "takes a size such as 200MB" }, { "-1", "takes a size such as 200MB" }, { "99999999999999999999GB", "takes a size" } } },
	{ "limits.for", COUNT_FROM_1, "metric: cpu, over: 90", {} },
	{ "limits.action", OTHER, "metric: cpu, over: 90", { A_MAP, A_LIST, { "page", "takes warn, restart, stop or kill, not 'page'" } } },
	{ "limits.every", PERIOD, "metric: cpu, over: 90", {} },
	{ "max_runtime", DURATION, 0, {} },
	{ "watch", OTHER, 0, { { "{}", "watch: which paths?" }, { "[[a]]", "takes one value, not a list" } } },
	{ "watch.paths", OTHER, 0, { { "[[a]]", "takes one value, not a list" }, { "[{}]", "an item is a path, or {path, include, exclude}" } } },
	{ "watch.paths.path", TEXT, 0, {} },
	{ "watch.paths.include", OTHER, "path: a", { { "[[]]", "takes one value, not a list" }, { "'['", "include: '['" } } },
	{ "watch.paths.exclude", OTHER, "path: a", { { "{a: b}", "takes one value, not a map" } } },
	{ "watch.include", TEXTS, "paths: [a]", { { "'['", "include: '['" } } },
	{ "watch.exclude", TEXTS, "paths: [a]", { { "'['", "exclude: '['" } } },
	{ "watch.debounce", DURATION, "paths: [a]", {} },
	{ "watch.cascade", TRUTH, "paths: [a]", {} },
	{ "watch.max_entries", NOTHING, "paths: [a]", {} },
	{ "watch.buffer_size", NOTHING, "paths: [a]", {} },
	{ "watch.disable_default_excludes", REFUSED, "paths: [a]", {} },
	{ "schedule", OTHER, 0, { { "5", "schedule" }, { "[a]", "takes a map of keys" }, { "{}", "either cron or interval" }, { "'0 0 30 2 *'", "'0 0 30 2 *' never comes" } } },
	{ "schedule.cron", OTHER, 0, { A_MAP, A_LIST, { "often", "cron: " }, { "'61 * * * *'", "'61' is no minute" } } },
	{ "schedule.timezone", OTHER, "cron: '@daily'", { A_MAP, A_LIST, { "Mars/Base", "no such time zone: 'Mars/Base'" } } },
	{ "schedule.interval", DURATION, 0, { { "0", "either cron or interval" } } },
	{ "schedule.overlap", OTHER, "interval: 1", { A_MAP, A_LIST, { "both", "takes skip, queue or replace, not 'both'" } } },
	{ "schedule.run_on_start", TRUTH, "interval: 1", {} },
	{ "schedule.max_concurrent", COUNT_FROM_1, "interval: 1", { { "101", "takes 1 to 100" } } },
	{ "hooks", OTHER, 0, { { "5", "takes a map of keys" }, { "{on_cras: x}", "no such hook: 'on_cras' (did you mean 'on_crash'?)" }, { "{on_crash: {}}", "takes one value, not a map" }, { "{timeout: 0}", "timeout takes 100ms or more" } } },
	{ "log", MAP, 0, {} },
	{ "log.dir", TEXT, 0, {} },
	{ "log.merge_stderr", TRUTH, 0, {} },
	{ "log.rotate", MAP, 0, {} },
	{ "log.rotate.max_size", SIZE, 0, {} },
	{ "log.rotate.max_files", COUNT, 0, {} },
	{ "log.file", TEXT, 0, {} },
	{ "log.timestamps", TRUTH, 0, {} },
	{ "log.json", TRUTH, 0, {} },
	{ "log.journald", TRUTH, 0, {} },
	{ "description", NOTHING, 0, {} },
	{ "extends", OTHER, 0, { { "nobody", "extends: 'nobody' is no service of this file" }, { "[b]", "is no service of this file" }, { "a", "leads back to itself" } } },
	{ "vars", OTHER, 0, { { "5", "takes a map of names and values" }, { "[a]", "takes a map of names and values" } } },
	{ "is_daemon", TRUTH, 0, {} },
	{ "launch_timeout_seconds", NOTHING, 0, {} },
	{ "is_foreground", TRUTH, 0, {} },
	{ "is_interactive", TRUTH, 0, {} },
	{ "is_elevated", REFUSED, 0, {} },
	{ "is_template_disabled", TRUTH, 0, {} },
	{ "entrypoint", OTHER, 0, { { "x", "takes a list of words" }, { "{a: b}", "takes a list of words" } } },
	{ "success_exit_codes", OTHER, 0, { { "[256]", "takes exit codes and signals" }, { "{a: b}", "takes one value, not a map" } } },
	{ "log_location", TEXT, 0, {} },
	{ "log_configuration", MAP, 0, {} },
	{ "disable_ansi_colors", NOTHING, 0, {} },
	{ "truncate_log", NOTHING, 0, {} },
	{ "is_dotenv_disabled", TRUTH, 0, {} },
	{ "monitor_for", NOTHING, 0, {} },
	{ "monitor_silence_threshold", NOTHING, 0, {} },
	{ "mcp", NOTHING, 0, {} },
#define LOG_CONFIGURATION                                                                                              \
	{ "log_configuration.rotation", MAP, 0, {} },                                                                  \
	{ "log_configuration.rotation.max_size_mb", COUNT, 0, {} },                                                    \
	{ "log_configuration.rotation.max_backups", COUNT, 0, {} },                                                    \
	{ "log_configuration.rotation.max_age_days", NOTHING, 0, {} },                                                 \
	{ "log_configuration.rotation.compress", NOTHING, 0, {} },                                                     \
	{ "log_configuration.rotation.directory", NOTHING, 0, {} },                                                    \
	{ "log_configuration.rotation.filename", NOTHING, 0, {} },                                                     \
	{ "log_configuration.disable_json", TRUTH, 0, {} },                                                            \
	{ "log_configuration.add_timestamp", TRUTH, 0, {} },                                                           \
	{ "log_configuration.timestamp_format", NOTHING, 0, {} },                                                      \
	{ "log_configuration.fields_order", NOTHING, 0, {} },                                                          \
	{ "log_configuration.no_metadata", NOTHING, 0, {} },                                                           \
	{ "log_configuration.no_color", NOTHING, 0, {} },                                                              \
	{ "log_configuration.flush_each_line", NOTHING, 0, {} },
	LOG_CONFIGURATION
	{ NULL, TEXT, 0, {} },
};

static const struct row project_rows[] = {
	{ "name", TEXT, 0, { { "'a b'", "cannot be the name of a project" }, { "''", "cannot be the name of a project" } } },
	{ "env_file", TEXTS, 0, { { "[/no/such/file]", "/no/such/file" } } },
	{ "environment", OTHER, 0, { { "5", "an item is NAME=value" }, { "[A]", "an item is NAME=value" }, { "{A: [b]}", "takes one value, not a list" } } },
	{ "defaults", OTHER, 0, { { "5", "defaults is a map of keys" }, { "[a]", "defaults is a map of keys" }, { "{comand: x}", "unknown key 'comand' (did you mean 'command'?)" } } },
	{ "log", MAP, 0, {} },
	{ "log.dir", TEXT, 0, {} },
	{ "log.merge_stderr", TRUTH, 0, {} },
	{ "log.journald", TRUTH, 0, {} },
	{ "log.rotate", MAP, 0, {} },
	{ "log.rotate.max_size", SIZE, 0, {} },
	{ "log.rotate.max_files", COUNT, 0, {} },
	{ "log.disk_cap", SIZE, 0, {} },
	{ "processes", OTHER, 0, { { "5", "processes is a map: a name, and under it its keys" }, { "[a]", "processes is a map" }, { "{a: 5}", "'a' is a map of keys, with `command` at least" }, { "{a: {}}", "'a' has no command" }, { "{'a b': {command: x}}", "'a b' cannot be the name of a service" } } },
	{ "groups", OTHER, 0, { { "5", "takes a map of keys" }, { "{g: 5}", "takes a map of keys" }, { "{g: {}}", "a group is {strategy: one_for_all, members: [NAME, NAME]}" }, { "{g: {strategy: none, members: [a]}}", "takes one_for_all or rest_for_one, not 'none'" }, { "{g: {members: [z]}}", "group 'g': 'z' is no service" } } },
	{ "version", NOTHING, 0, {} },
	{ "profiles", OTHER, 0, { { "5", "profiles is a map: a name, and under it keys" }, { "{p: 5}", "a profile is a map of keys, as a project is" }, { "{p: {profiles: {}}}", "a profile has no profiles of its own" } } },
	{ "http", OTHER, 0, { { "5", "http is a map such as {listen: 127.0.0.1:3001}" }, { "{listen: [a]}", "http is a map such as" }, { "{listen: a, x: 1}", "unknown key 'x'" } } },
	{ "redis", OTHER, 0, { { "5", "redis is a map such as {server: 127.0.0.1:6379}" }, { "{server: a, x: 1}", "unknown key 'x'" } } },
	{ "vars", OTHER, 0, { { "5", "takes a map of names and values" } } },
	{ "shell", OTHER, 0, { { "bash", "of a project is {shell_command: bash, shell_argument: -c}" }, { "{shell_argument: -c}", "of a project is {shell_command" } } },
	{ "shell.shell_command", TEXT, 0, { { "no-such-program", "'no-such-program' is no program that can be found" } } },
	{ "shell.shell_argument", TEXT, "shell_command: sh", {} },
	{ "shell.elevated_shell_command", NOTHING, "shell_command: sh", {} },
	{ "shell.elevated_shell_argument", NOTHING, "shell_command: sh", {} },
	{ "log_location", TEXT, 0, {} },
	{ "log_configuration", MAP, 0, {} },
	LOG_CONFIGURATION
	{ "disable_env_expansion", TRUTH, 0, {} },
	{ "env_cmds", REFUSED, 0, {} },
	{ "extends", REFUSED, 0, {} },
	{ "ordered_shutdown", NOTHING, 0, {} },
	{ "is_strict", NOTHING, 0, {} },
	{ "is_tui_disabled", NOTHING, 0, {} },
	{ "log_level", NOTHING, 0, {} },
	{ "log_length", NOTHING, 0, {} },
	{ "log_format", NOTHING, 0, {} },
	{ "mcp_server", NOTHING, 0, {} },
	{ NULL, TEXT, 0, {} },
};
// clang-format on

/* ---- the schema, as paths ---- */

struct path {
	char name[PATH_SIZE]; /* as it is written */
	char main[PATH_SIZE]; /* the same by the first names of its keys */
};

static struct path paths[PATHS_MOST];
static size_t path_count;

static bool is_private(const struct key *key)
{
	return key->help && strncmp(key->help, "written by ", 11) == 0;
}

static void add_paths(const struct key *keys, const char *prefix, const char *main_prefix, unsigned depth)
{
	const struct key *main = keys;

	for (; keys->name; keys++) {
		main = keys->help ? keys : main;
		if (is_private(main))
			continue;
		ck_assert_uint_lt(path_count, PATHS_MOST);
		struct path *path = &paths[path_count++];
		snprintf(path->name, PATH_SIZE, "%s%s", prefix, keys->name);
		snprintf(path->main, PATH_SIZE, "%s%s", main_prefix, main->name);
		if (!keys->inner || depth == DEPTH_MOST)
			continue;
		char inner[PATH_SIZE], main_inner[PATH_SIZE];
		snprintf(inner, sizeof inner, "%s%s.", prefix, keys->name);
		snprintf(main_inner, sizeof main_inner, "%s%s.", main_prefix, main->name);
		add_paths(keys->inner, inner, main_inner, depth + 1);
	}
}

static const struct row *find_row(const struct row *rows, const char *path)
{
	for (; rows->path; rows++)
		if (strcmp(rows->path, path) == 0)
			return rows;
	return NULL;
}

static void begin(const struct key *keys)
{
	path_count = 0;
	add_paths(keys, "", "", 0);
}

static void knows_all(const struct key *keys, const struct row *rows)
{
	begin(keys);
	for (size_t i = 0; i < path_count; i++)
		ck_assert_msg(find_row(rows, paths[i].main), "no cases for '%s': what is wrong for it, and what is said then?",
			paths[i].main);
	for (; rows->path; rows++) {
		bool is_there = false;
		for (size_t i = 0; i < path_count; i++)
			is_there |= strcmp(paths[i].main, rows->path) == 0;
		ck_assert_msg(is_there, "there is no key '%s' any more", rows->path);
	}
}

START_TEST(every_key_has_its_wrong_values)
{
	knows_all(schema_service, service_rows);
	knows_all(schema_project, project_rows);
}
END_TEST

/* ---- trying ---- */

static unsigned complaints;
static char dir[] = "/tmp/thrum-values-XXXXXX";

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void remove_folder(void)
{
	unlink("thrum.yaml");
	ck_assert_int_eq(chdir("/"), 0);
	rmdir(dir);
}

/* {a: {b: VALUE, BESIDE}} of "a.b", and how many lines before it. */
static char *write_path(const char *path, const char *beside, const char *value)
{
	char *copy = memory_copy(path), *key = strrchr(copy, '.');
	char *text = memory_format("%s: %s%s%s", key ? key + 1 : copy, value, beside ? ", " : "", beside ? beside : "");

	for (; key; key = strrchr(copy, '.')) {
		*key = '\0';
		const char *outer = strrchr(copy, '.');
		char *next = memory_format("%s: {%s}", outer ? outer + 1 : copy, text);
		free(text);
		text = next;
	}
	free(copy);
	return text;
}

static bool has_command(const char *path)
{
	return strcmp(path, "command") == 0 || strcmp(path, "cmd") == 0;
}

static bool load(const char *text, struct text *said)
{
	const char *name = "thrum.yaml";
	struct config_options options = { 0 };
	struct problems problems;
	FILE *file = fopen(name, "w");

	fputs(text, file);
	fclose(file);
	problems_init(&problems);
	struct project_spec *spec = config_load_files(&name, 1, &options, &problems);
	text_clear(said);
	problems_print(&problems, said);
	problems_finish(&problems);
	project_spec_destroy(spec);
	return spec;
}

static char *write_service(const struct path *path, const struct row *row, const char *value)
{
	char *inner = write_path(path->name, row->beside, value);
	char *text = memory_format("processes:\n  b: {command: sleep 1}\n  a:\n%s    %s\n",
		has_command(path->name) ? "" : "    command: sleep 1\n", inner);

	free(inner);
	return text;
}

static char *write_project(const struct path *path, const struct row *row, const char *value)
{
	char *inner = write_path(path->name, row->beside, value);
	char *text = memory_format("%s%s\n", strcmp(path->name, "processes") == 0 ? "" : "processes: {a: {command: sleep 1}}\n", inner);

	free(inner);
	return text;
}

/* All of them are told, not the first alone. */
static void complain(const struct path *path, const char *value, const char *what, const struct text *said)
{
	complaints++;
	fprintf(stderr, "%s: '%s' %s: %s\n", path->name, value, what, text_string(said));
}

/* Where, what, and how it would be right. */
static void check_wrong(const char *text, const struct path *path, const struct wrong *wrong)
{
	struct text said;

	if (!wrong->message)
		return;
	text_init(&said, 65536);
	bool is_taken = load(text, &said);
	unsigned line = 0, column = 0;
	sscanf(text_string(&said), "thrum.yaml:%u:%u: ", &line, &column);
	if (is_taken)
		complain(path, wrong->value, "was taken", &said);
	else if (!strstr(text_string(&said), wrong->message))
		complain(path, wrong->value, "is told as", &said);
	else if (!line || !column)
		complain(path, wrong->value, "has no place", &said);
	text_finish(&said);
}

static void check_nothing(const char *text, const struct path *path)
{
	struct text said;

	text_init(&said, 65536);
	if (!load(text, &said))
		complain(path, "", "was refused", &said);
	text_finish(&said);
}

static void try_path(const struct path *path, const struct row *row,
	char *(*write)(const struct path *path, const struct row *row, const char *value))
{
	const struct wrong *const lists[] = { row->kind == OTHER ? NULL : wrongs[row->kind], row->more };

	for (size_t i = 0; i < 2; i++)
		for (const struct wrong *wrong = lists[i]; wrong && wrong < lists[i] + VALUES_MOST && wrong->value; wrong++) {
			char *text = write(path, row, wrong->value);
			check_wrong(text, path, wrong);
			free(text);
		}
	if (row->kind == NOTHING) {
		char *text = write(path, row, "[{a: -1}, x]");
		check_nothing(text, path);
		free(text);
	}
	if (row->kind == REFUSED) {
		char *text = write(path, row, "false");
		check_nothing(text, path);
		free(text);
	}
}

START_TEST(what_is_wrong_in_a_service_is_told_with_its_place)
{
	begin(schema_service);
	for (size_t i = 0; i < path_count; i++)
		try_path(&paths[i], find_row(service_rows, paths[i].main), write_service);
	ck_assert_msg(!complaints, "%u are told wrongly: see above", complaints);
}
END_TEST

START_TEST(what_is_wrong_in_a_project_is_told_with_its_place)
{
	begin(schema_project);
	for (size_t i = 0; i < path_count; i++)
		try_path(&paths[i], find_row(project_rows, paths[i].main), write_project);
	ck_assert_msg(!complaints, "%u are told wrongly: see above", complaints);
}
END_TEST

/* ---- what is right by itself, and wrong together ---- */

// clang-format off
static const struct {
	const char *text, *message;
} contradictions[] = {
	{ "processes:\n  a: {command: x, depends_on: [a]}\n", "2:3: dependency cycle: a -> a" },
	{ "processes:\n  a: {command: x, depends_on: [b]}\n", "2:3: 'a' depends on 'b', which is no service" },
	{ "processes:\n  a: {command: x, depends_on: [b]}\n  b: {command: x, depends_on: [c]}\n  c: {command: x, depends_on: [a]}\n", "2:3: dependency cycle: a -> b -> c -> a" },
	{ "processes:\n  a: {command: x, depends_on: [b, b]}\n  b: {command: x}\n", "'a' depends on 'b' twice" },
	{ "processes:\n  a: {command: x, pool: {size: 2}, schedule: '@daily'}\n", "pool and schedule" },
	{ "processes:\n  a: {command: x, pool: {size: 2}, instances: 3}\n", "pool.size and instances" },
	{ "processes:\n  a: {command: x, listen: [8000, 8000]}\n", "listen: tcp port 8000 is there twice" },
	{ "processes:\n  a: {command: x, listen: ['unix:///tmp/x', /tmp/x]}\n", "listen: /tmp/x is there twice" },
	{ "processes:\n  a: {command: x, availability: {backoff: {initial: 1m, max: 1s}}}\n", "backoff: initial (60000 ms) is more than max (1000 ms)" },
	{ "processes:\n  a: {command: x, rlimits: {nofile: [10, 5]}}\n", "nofile: the soft limit is more than the hard limit" },
	{ "processes:\n  a: {command: x, schedule: '@daily', availability: {exit_on_end: true}}\n", "exit_on_end: what is scheduled is never over" },
	{ "processes:\n  a: {command: x, instances: 2, schedule: {cron: '@daily', max_concurrent: 3}}\n", "max_concurrent is how many instances there are" },
	{ "processes:\n  a: {command: x, readiness_probe: {tcp: 1, exec: 'true'}}\n", "a probe asks in one way" },
	{ "processes:\n  a: {command: x, shutdown: {message: bye}}\n", "shutdown.message goes down a channel, and there is none: ipc: json" },
	{ "processes:\n  a: {command: x, ready: {message: up}}\n", "ready.message comes by a channel, and there is none: ipc: json" },
	{ "processes:\n  a: {command: x, ipc: none, pool: {size: 2}}\n", "ipc: none, and" },
	{ "processes:\n  a: {command: [x], shell: true}\n", "a command given as a list needs no shell" },
	{ "processes:\n  a: {command: 'x | y', shell: false}\n", "this command needs a shell, and `shell: false` forbids it" },
	{ "processes:\n  a: {command: x, availability: {backoff: {initial: 1m}}}\n", NULL },
	{ "processes:\n  a: {command: x, log: {timestamps: true}}\n", NULL },
	{ "processes:\n  a: {command: x, instances: 2, log: {file: /tmp/x.log}}\n  b: {command: x, log: {file: /tmp/x.log}}\n", NULL },
	{ "processes:\n  a: {command: x, availability: {max_restarts: 1000000, window: 49d}}\n", NULL },
	{ "processes:\n  a: {command: x, log: {file: /tmp/x.log}}\n  b: {command: x, log: {file: /tmp/x.log}}\n", "log.file: a writes to it already" },
	{ "processes:\n  a: {command: x, extends: b}\n  b: {command: x, extends: a}\n", "leads back to itself" },
	{ "processes:\n  a: {command: 'echo {{.X}}', vars: {Y: 1}}\n", "template: no variable is called 'X'" },
	{ "groups: {g: {members: [a, a]}}\nprocesses: {a: {command: x}}\n", "group 'g': 'a' is there twice" },
	{ "groups: {g: {members: [a]}, h: {members: [a]}}\nprocesses: {a: {command: x}}\n", NULL },
};
// clang-format on

START_TEST(what_contradicts_itself_is_told)
{
	struct text said;

	text_init(&said, 65536);
	bool ok = load(contradictions[_i].text, &said);
	if (contradictions[_i].message) {
		ck_assert_msg(!ok, "%s was taken", contradictions[_i].text);
		ck_assert_msg(strstr(text_string(&said), contradictions[_i].message), "%s is told as: %s", contradictions[_i].text,
			text_string(&said));
		ck_assert_msg(strncmp(text_string(&said), "thrum.yaml:", 11) == 0, "%s", text_string(&said));
	} else {
		ck_assert_msg(ok, "%s: %s", contradictions[_i].text, text_string(&said));
	}
	text_finish(&said);
}
END_TEST

Suite *values_suite(void)
{
	Suite *suite = suite_create("values");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, make_folder, remove_folder);
	tcase_set_timeout(all, 60);
	tcase_add_test(all, every_key_has_its_wrong_values);
	tcase_add_test(all, what_is_wrong_in_a_service_is_told_with_its_place);
	tcase_add_test(all, what_is_wrong_in_a_project_is_told_with_its_place);
	tcase_add_loop_test(all, what_contradicts_itself_is_told, 0, (int)(sizeof contradictions / sizeof *contradictions));
	suite_add_tcase(suite, all);
	return suite;
}
