/*
 * The commands of `thrum`: one row each in the table of cli.c, with its options and its help; what
 * they share is below. All are clients of the control socket.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "client/link.h"
#include "config/problem.h"
#include "model/spec.h"

/* Exit statuses, as the contract has them. */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* a service ended `fatal` or `failed`, or the request was refused */
	EXIT_USAGE = 2,  /* or configuration */
	EXIT_NO_ENGINE = 3,
	EXIT_NO_SERVICE = 4,
};

enum { CLI_FILES_MOST = 16,
	CLI_PROFILES_MOST = 16,
	CALL_MS = 10000 };

/* Everything that any option can set. */
struct invocation {
	const struct command *command;
	const char *project; /* -p, or THRUM_PROJECT; NULL: of the folder */
	const char *files[CLI_FILES_MOST];
	unsigned file_count;
	const char *profiles[CLI_PROFILES_MOST];
	unsigned profile_count;
	bool wait, ipc, map, dot, off, fleet;
	bool json, follow, detach, headless, tree, watch, no_deps, read_only, last, reveal, yes, literal, pty;
	const char *format, *samples, *exit_when, *linger, *timeout, *lines, *since, *grep, *stream;
	const char *rounds; /* of bench */
	const char *filter, *from, *priority, *times, *sort;
	const char *over, *await, *name, *restart, *instances, *directory, *show, *detach_keys;
	bool batch;          /* of top */
	const char *colours; /* of the dashboard, as the next ones */
	bool mouse, plain, ends_on_hangup;
	bool user;          /* of export systemd */
	const char *schema; /* of check */
	const char *tid;    /* of threads, as the next */
	bool stack;
	bool holdings;     /* of inspect */
	const char *image; /* of the other exports */
	char **names;      /* what is left of the arguments; NULL-ended */
	int name_count;
};

struct command {
	const char *name;
	const char *alias;     /* or NULL */
	const char *arguments; /* "NAME…", for the help */
	const char *options;   /* letters of cli.c's option table that it takes */
	int least, most;       /* names; most -1: any number */
	const char *help;
	int (*run)(struct invocation *invocation);
};

extern const struct command commands[]; /* ends with a NULL name */

int cli_main(int argc, char **argv);

/* "thrum: …" on standard error; returns the status. */
int cli_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit status that an error of the engine or of a link means. */
int cli_status(const struct error *err);

/* The project that is meant: -p, THRUM_PROJECT, or the one of this folder. free() it. */
char *cli_project(const struct invocation *invocation);

/* Connect to the engine of the project; NULL after saying that there is none. */
struct link *cli_connect(const struct invocation *invocation, int *status);

/*
 * A project that nobody named is the one of this folder: false, after saying so, when the engine that
 * answers to its name runs from another.
 */
bool cli_is_of_here(struct link *link, const struct invocation *invocation, int *status);

/*
 * err says why a call or link_next failed. When that was the death of the engine, wait until another
 * one answers: true. False: it is gone for good, or it was something else, which err still says.
 */
bool cli_reconnect(struct link *link, struct error *err);

/*
 * One request and its reply; NULL after saying what went wrong. params is stolen.
 * What only asks is asked again of the next engine, should one die meanwhile.
 */
json_t *cli_call(struct link *link, const char *method, json_t *params, int *status);
/* The same by a connection for it alone. */
json_t *cli_ask(const struct invocation *invocation, const char *method, json_t *params, int *status);

/* One request that names instances, and each of those printed with what was done. params is stolen. */
int cli_call_and_print(
	const struct invocation *invocation, const char *method, json_t *params, const char *what);

/* {"names":[…]} */
json_t *cli_names(const struct invocation *invocation);
/* … of what is to be started, all if none is named. resumes: it begins a run of the project. */
json_t *cli_start_params(const struct invocation *invocation, bool resumes);

/* JSON on one line to standard output. */
void cli_print_json(const json_t *json);
/* A line of child or client text, safe for any terminal. */
void cli_print_safe(const char *text);
/* Flush standard output: EXIT_FAILED, said, when it could not all be written. */
int cli_finish(int status);

/* Load the files of -f, or of the folder; problems are printed. NULL: status says why. */
struct project_spec *cli_load(const struct invocation *invocation, int *status);
/* To standard error. */
void cli_print_problems(const struct problems *problems);

/* Duration options: false after saying what it should look like. */
bool cli_duration(const char *option, const char *text, uint64_t *ms);
/* The same for numbers. NULL leaves it as it is. */
bool cli_count(const char *option, const char *text, uint64_t *count);
/* The moment that --since means: "10m" ago, or a time. */
bool cli_since(const char *text, uint64_t *since_us);

/* `attach ssh://HOST/PROJECT` means that machine from now on. */
void cli_take_host(struct invocation *invocation);
/* False: the command is one of this machine's own, and another is meant. */
bool cli_is_possible_remotely(const struct invocation *invocation);

/* The command of that name for all engines of a Redis server: another program takes over. */
int cli_fleet(const struct invocation *invocation, const char *command);
/* All of them on a screen. The second one once it is known where Redis is. */
int cli_attach_fleet(const struct invocation *invocation);
int cli_fleet_screen(const struct invocation *invocation);
/* Says that there is no program for it; the exit status. */
int cli_fleet_is_missing(void);

/*
 * What is chosen for the screen: in the file, and over it on the command line. False: an option is wrong, which was said.
 * What is wrong in the file stands in `problem`, for the screen to tell.
 */
struct settings;
bool cli_settings(const struct invocation *invocation, struct settings *settings, struct error *problem);

/* --plain, or ACCESSIBLE in the environment: no screen. */
bool cli_is_plain(const struct invocation *invocation);

/* The commands that are more than a few lines. */
int cli_up(struct invocation *invocation);
int cli_dashboard(struct invocation *invocation);
int cli_attach(struct invocation *invocation);
int cli_attach_terminal(struct invocation *invocation);
int cli_replay(struct invocation *invocation);
int cli_send_keys(struct invocation *invocation);
int cli_headless(struct link *link, struct invocation *invocation, const struct project_spec *spec);
int cli_ps(struct invocation *invocation);
int cli_logs(struct invocation *invocation);
int cli_history(struct invocation *invocation);
int cli_events(struct invocation *invocation);
int cli_wait(struct invocation *invocation);
int cli_run(struct invocation *invocation);
int cli_check(struct invocation *invocation);
int cli_info(struct invocation *invocation);
int cli_act(struct invocation *invocation);
int cli_scale(struct invocation *invocation);
int cli_send(struct invocation *invocation);
int cli_ipc(struct invocation *invocation);
int cli_submit(struct invocation *invocation);
int cli_advise(struct invocation *invocation);
int cli_bench(struct invocation *invocation);
int cli_cancel(struct invocation *invocation);
int cli_pool(struct invocation *invocation);
int cli_drain(struct invocation *invocation);
int cli_trigger(struct invocation *invocation);
int cli_reload(struct invocation *invocation);
int cli_upgrade(struct invocation *invocation);
int cli_env(struct invocation *invocation);
int cli_map(struct link *link, const struct invocation *invocation);
int cli_inspect(struct invocation *invocation);
int cli_threads(struct invocation *invocation);
int cli_top(struct invocation *invocation);
int cli_plan(struct invocation *invocation);
int cli_apply(struct invocation *invocation);
int cli_signal(struct invocation *invocation);
int cli_dial(struct invocation *invocation);
int cli_doctor(struct invocation *invocation);
int cli_completion(struct invocation *invocation);
int cli_import(struct invocation *invocation);
int cli_export(struct invocation *invocation);
int cli_down(struct invocation *invocation);

#endif
