/*
 * What the operator asked for: the resolved configuration of a project.
 * Plain data, filled in by config/; everything is owned by the spec that holds it.
 */
#ifndef MODEL_SPEC_H
#define MODEL_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/policy.h"
#include "model/variables.h"

enum condition {
	CONDITION_STARTED,
	CONDITION_COMPLETED,
	CONDITION_COMPLETED_SUCCESSFULLY,
	CONDITION_HEALTHY,
	CONDITION_LOG_READY,
	CONDITION_COUNT
};
const char *condition_name(enum condition condition); /* "process_started" … */

struct dependency {
	char *service;
	enum condition condition;
	bool restart; /* restart the dependent when this one restarts */
};

enum { OOM_SCORE_UNSET = 10000,
	SPEC_NOT_FRESH = 1000000 };

enum { SPEC_RLIMITS = 16,
	SERVICE_NAME_MOST = 63,
	SPEC_INSTANCES_MOST = 1000 /* of a service */ };

struct rlimit_spec {
	bool is_set;
	uint64_t soft, hard;
};

struct shutdown_spec {
	int signal;          /* SIGTERM */
	uint32_t timeout_ms; /* 5 s; then SIGKILL for the whole tree */
	bool parent_only;    /* signal the process alone, not its group */
	struct strings argv; /* a command that asks it to end, before the signal; empty: none */
	char *message;       /* JSON sent down the channel, before the signal; NULL: none */
};

enum probe_kind {
	PROBE_NONE,
	PROBE_EXEC, /* a command that ends with 0 */
	PROBE_HTTP, /* a GET that is answered with 200 to 399, or with the status code named */
	PROBE_TCP,  /* a connection that is taken */
	PROBE_UNIX,
	PROBE_KIND_COUNT
};
const char *probe_kind_name(enum probe_kind kind); /* "exec" … */

/* A question asked again and again, with Kubernetes' words and defaults. */
struct probe_spec {
	enum probe_kind kind;
	struct strings argv;    /* of exec */
	char *working_dir;      /* … where it runs; NULL: the service's */
	char *host;             /* of http_get and tcp: a name or an address; NULL: 127.0.0.1 */
	unsigned port;          /* … */
	char *port_text;        /* … of an instance: with its mark; NULL: port is that of all */
	char *path;             /* of http_get; the socket's of unix, absolute */
	struct strings headers; /* "Name: value" */
	unsigned status_code;   /* 0: any from 200 to 399 */
	uint32_t initial_delay_ms, period_ms, timeout_ms;
	unsigned success_threshold, failure_threshold; /* that often in a row */
};

/* The order in which they are asked: nothing else before startup has passed. */
enum probe_role {
	PROBE_STARTUP,
	PROBE_READINESS,
	PROBE_LIVENESS,
	PROBE_ROLE_COUNT
};
const char *probe_role_name(enum probe_role role); /* "startup" … */

/* How a process itself says that it is ready; all that are named must have come. */
struct ready_spec {
	char *log;           /* PCRE2 pattern of a line of its output; NULL: none */
	char *message;       /* text of a message on the channel, or its "type"; NULL: none */
	bool notifies;       /* READY=1 as sd_notify sends it */
	int fd;              /* a newline on this descriptor, as s6 has it; 0: none */
	uint32_t timeout_ms; /* later is a failure; 0: never */
};

enum limit_metric {
	LIMIT_RSS,
	LIMIT_PSS,
	LIMIT_CPU, /* percent of one core */
	LIMIT_FDS,
	LIMIT_THREADS,
	LIMIT_QUEUE,
	LIMIT_LOOP_LAG, /* ms */
	LIMIT_METRIC_COUNT
};
const char *limit_metric_name(enum limit_metric metric); /* "rss" … */

enum limit_action {
	LIMIT_WARN,
	LIMIT_RESTART,
	LIMIT_STOP,
	LIMIT_KILL, /* SIGKILL at once; then its restart policy decides */
	LIMIT_ACTION_COUNT
};
const char *limit_action_name(enum limit_action action);

enum { LIMITS_MOST = 8 };

/* Of a process with its whole tree. */
struct limit_spec {
	enum limit_metric metric;
	enum limit_action action;
	uint64_t over;     /* bytes, percent, a count or ms */
	unsigned samples;  /* in a row */
	uint32_t every_ms; /* between samples */
};

struct watch_spec {
	struct strings paths;   /* absolute; a folder counts with all below it; empty: none */
	struct strings include; /* globs of paths below them that count; empty: all */
	struct strings exclude; /* globs of paths that do not */
	uint32_t debounce_ms;   /* quiet for this long, then restart */
	bool cascade;           /* restart what depends on it too */
};

enum overlap {
	OVERLAP_SKIP,
	OVERLAP_QUEUE,   /* once more as soon as the former run has ended */
	OVERLAP_REPLACE, /* stop the former run */
	OVERLAP_COUNT
};
const char *overlap_name(enum overlap overlap);

struct schedule_spec {
	char *cron;           /* NULL: none */
	char *timezone;       /* NULL: the machine's */
	uint32_t interval_ms; /* 0: none */
	enum overlap overlap;
	bool runs_on_start;  /* when it is started, too */
	unsigned concurrent; /* runs at a time, each in an instance of its own; 1, if not named */
};

enum hook {
	HOOK_START,
	HOOK_READY,
	HOOK_UNHEALTHY,
	HOOK_EXIT,
	HOOK_CRASH, /* an end that nobody asked for and that was no success */
	HOOK_STOP,
	HOOK_COMPLETED,
	HOOK_FATAL, /* failed or fatal */
	HOOK_LIMIT,
	HOOK_COUNT
};
const char *hook_name(enum hook hook); /* "on_start" … */

struct hook_spec {
	struct strings argv; /* empty: none */
};

enum exec_mode {
	EXEC_FORK,
	EXEC_CLUSTER, /* workers of Node's cluster module, whose sockets are opened here */
	EXEC_MODE_COUNT
};
const char *exec_mode_name(enum exec_mode mode);

/* Who takes the connections of a cluster. */
enum scheduling {
	SCHEDULING_ROUND_ROBIN, /* they are taken here and handed to the workers in turn */
	SCHEDULING_SHARED,      /* workers take them themselves from a socket that they share */
	SCHEDULING_COUNT
};
const char *scheduling_name(enum scheduling scheduling); /* "rr" "none", as Node calls them */

enum socket_kind {
	SOCKET_TCP,
	SOCKET_UDP,
	SOCKET_UNIX,
	SOCKET_KIND_COUNT
};
const char *socket_kind_name(enum socket_kind kind); /* "tcp" … */

enum { LISTENS_MOST = 8 };

/* A socket that its processes are started with. */
struct listen_spec {
	enum socket_kind kind;
	char *host;       /* an address in figures; NULL: any */
	unsigned port;    /* 0: any */
	char *path;       /* of a unix socket, absolute */
	unsigned mode;    /* of that file; 0: as the umask leaves it */
	unsigned backlog; /* connections that may wait to be taken */
	bool is_own;      /* one for each instance on the same port (SO_REUSEPORT), not one for all */
};

/* A queue of tasks in front of a service's instances. */
struct pool_spec {
	bool is_pool;
	unsigned queue_most;  /* tasks that may wait */
	uint64_t bytes_most;  /* … and their bytes */
	unsigned retries;     /* of a task whose worker died */
	uint32_t timeout_ms;  /* of one run of a task; 0: none */
	unsigned concurrency; /* tasks that a worker has at a time */
};

struct log_spec {
	char *dir;          /* absolute; NULL: the project's default */
	uint64_t max_size;  /* rotate when a segment is this large; 0: never */
	uint32_t max_files; /* rotated segments kept beside the current one */
	bool merge_stderr;
	char *file;      /* absolute; formatted lines of both streams; NULL: none */
	bool timestamps; /* in it */
	bool json;       /* … a JSON object a line */
	bool journald;   /* lines go to systemd's journal too */
};

struct service_spec {
	char *name;
	char *command;       /* as written, for people; never NULL */
	struct strings argv; /* what is executed: {"/bin/sh","-c",command} with a shell */
	bool shell;
	char *working_dir;          /* absolute */
	struct layers variables;    /* on top of the engine's own */
	struct strings environment; /* "NAME=value": what comes of them */
	unsigned instances;         /* 1 or more */
	struct strings namespaces;
	bool disabled;
	bool pty;                    /* it has a terminal; log.merge_stderr then */
	char *user;                  /* NULL: as the engine */
	char *group;                 /* NULL: the user's own */
	int umask;                   /* -1: as the engine */
	int nice;                    /* 0: as the engine */
	int oom_score_adj;           /* OOM_SCORE_UNSET: as the engine */
	struct rlimit_spec *rlimits; /* owned; SPEC_RLIMITS of them, by RLIMIT_… number; NULL: none is set */
	struct restart_policy restart;
	struct dependency *depends_on;
	size_t depends_count;
	bool ipc; /* has a channel */
	enum exec_mode exec_mode;
	enum scheduling scheduling;
	uint32_t listen_timeout_ms;  /* a cluster's worker that does not listen by then counts as ready all the same */
	struct listen_spec *listens; /* owned */
	unsigned listen_count;
	struct pool_spec pool;
	struct shutdown_spec shutdown;
	struct ready_spec ready;
	struct probe_spec probes[PROBE_ROLE_COUNT];
	struct limit_spec *limits; /* owned */
	unsigned limit_count;
	uint32_t watchdog_ms;    /* a keep-alive by sd_notify at least this often; 0: none */
	uint32_t max_runtime_ms; /* a life this long is ended; 0: none */
	struct watch_spec watch;
	struct schedule_spec schedule;
	struct hook_spec hooks[HOOK_COUNT];
	uint32_t hook_timeout_ms;
	struct log_spec log;
	char *origin; /* "thrum.yaml:12", or "run" */
	/* What is under way while a configuration is applied: */
	bool is_leaving;     /* taken out: stopped, then forgotten */
	unsigned fresh_from; /* instances from this one on are new, and to be started; or SPEC_NOT_FRESH */
};

enum group_strategy {
	GROUP_ONE_FOR_ALL,  /* when one has to be restarted, all are */
	GROUP_REST_FOR_ONE, /* … it and those named after it */
	GROUP_STRATEGY_COUNT
};
const char *group_strategy_name(enum group_strategy strategy);

/* Services that are restarted together, as Erlang's supervisors do it. */
struct group_spec {
	char *name;
	enum group_strategy strategy;
	struct strings members; /* in order */
};

struct project_spec {
	char *name;
	char *dir;            /* absolute: the folder of the first file */
	struct strings files; /* absolute paths it was read from */
	struct log_spec log;  /* what services inherit */
	uint64_t log_cap;     /* bytes of all logs together; 0: no cap */
	struct service_spec *services;
	size_t service_count;
	struct group_spec *groups;
	size_t group_count;
	char *digest;     /* of what it was started with, or what was last applied; NULL: not known yet */
	bool is_applying; /* instances are not as this says yet */
};

/* Stands for the number of the instance in its command, folder, variables and files, as process-compose has it. */
#define INSTANCE_MARK "{PC_REPLICA_NUM}"

/* The text with the number of an instance in place of each mark; free() it. NULL for NULL. */
char *spec_for_instance(const char *text, unsigned index);

/* The contract's defaults; name, command and the like stay NULL. */
void service_spec_init(struct service_spec *spec);
void service_spec_finish(struct service_spec *spec);

struct project_spec *project_spec_create(void);
void project_spec_destroy(struct project_spec *project); /* accepts NULL */

/* Adds a service with defaults and returns it; the pointer lives until the next add. */
struct service_spec *project_spec_add(struct project_spec *project, const char *name);

/* NULL when there is none of that name. */
struct service_spec *project_spec_find(const struct project_spec *project, const char *name);

/* Has it anything that tells when it is ready? */
bool service_spec_tells_ready(const struct service_spec *spec);
/* Was it launched by hand, and is in no file? */
bool service_spec_is_run(const struct service_spec *spec);

/* Letters, digits, '.', '_', '-', at most SERVICE_NAME_MOST; begins with a letter, a digit or '_'. */
bool service_name_is_valid(const char *name);

/* "TERM" of 15; "SIGTERM", "term" and "15" of either → 15, 0 when it is none. */
const char *signal_name(int number);
int signal_number(const char *name);

/* RLIMIT_NOFILE of "nofile"; -1 when it is none. And back: NULL when it is none. */
int rlimit_number(const char *name);
const char *rlimit_name(int number);

/*
 * A worker of a cluster is told to disconnect, as Node's primary does it; not one whose service has a message, or names
 * another signal than the usual one: its handler for that would not run.
 */
bool service_is_told_to_leave(const struct service_spec *spec);

#endif
