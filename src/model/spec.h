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

/* A NULL-ended list of owned strings. */
struct strings {
	char **items; /* never NULL once something was added */
	size_t count;
};

void strings_add(struct strings *list, const char *text);
void strings_finish(struct strings *list);
/* Set "NAME=value" in an environment: replaces an older NAME, else adds. */
void strings_set_variable(struct strings *list, const char *name, const char *value);
/* The value of NAME in an environment, or NULL. */
const char *strings_get_variable(const struct strings *list, const char *name);

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

enum { SPEC_RLIMITS = 16,
	SERVICE_NAME_MOST = 63 };

struct rlimit_spec {
	bool is_set;
	uint64_t soft, hard;
};

struct shutdown_spec {
	int signal;          /* SIGTERM */
	uint32_t timeout_ms; /* 5 s; then SIGKILL for the whole tree */
	bool parent_only;    /* signal the process alone, not its group */
};

struct log_spec {
	char *dir;          /* absolute; NULL: the project's default */
	uint64_t max_size;  /* rotate when a segment is this large; 0: never */
	uint32_t max_files; /* rotated segments kept beside the current one */
	bool merge_stderr;
};

struct service_spec {
	char *name;
	char *command;       /* as written, for people; never NULL */
	struct strings argv; /* what is executed: {"/bin/sh","-c",command} with a shell */
	bool shell;
	char *working_dir;          /* absolute */
	struct strings environment; /* "NAME=value": on top of the engine's own */
	unsigned instances;         /* 1 or more */
	struct strings namespaces;
	bool disabled;
	char *user;                               /* NULL: as the engine */
	char *group;                              /* NULL: the user's own */
	int umask;                                /* -1: as the engine */
	int nice;                                 /* 0: as the engine */
	struct rlimit_spec rlimits[SPEC_RLIMITS]; /* by RLIMIT_… number */
	struct restart_policy restart;
	struct dependency *depends_on;
	size_t depends_count;
	struct shutdown_spec shutdown;
	struct log_spec log;
	char *origin; /* "thrum.yaml:12", or "run" */
};

struct project_spec {
	char *name;
	char *dir;            /* absolute: the folder of the first file */
	struct strings files; /* absolute paths it was read from */
	struct log_spec log;  /* what services inherit */
	struct service_spec *services;
	size_t service_count;
};

/* The contract's defaults; name, command and the like stay NULL. */
void service_spec_init(struct service_spec *spec);
void service_spec_finish(struct service_spec *spec);

struct project_spec *project_spec_create(void);
void project_spec_destroy(struct project_spec *project); /* accepts NULL */

/* Adds a service with defaults and returns it; the pointer lives until the next add. */
struct service_spec *project_spec_add(struct project_spec *project, const char *name);

/* NULL when there is none of that name. */
struct service_spec *project_spec_find(const struct project_spec *project, const char *name);

/* Letters, digits, '.', '_', '-', at most SERVICE_NAME_MOST; begins with a letter or digit. */
bool service_name_is_valid(const char *name);

/* "TERM" of 15; "SIGTERM", "term" and "15" of either → 15, 0 when it is none. */
const char *signal_name(int number);
int signal_number(const char *name);

/* RLIMIT_NOFILE of "nofile"; -1 when it is none. And back: NULL when it is none. */
int rlimit_number(const char *name);
const char *rlimit_name(int number);

#endif
