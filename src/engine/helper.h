/*
 * Short-lived programs that the engine runs for itself: probes that execute something, hooks, commands
 * that ask a service to end. They have the user, folder, limits and environment of their service, a
 * time limit, and an end that is complete: what they leave behind is killed. Loop thread only.
 */
#ifndef ENGINE_HELPER_H
#define ENGINE_HELPER_H

#include "engine/engine.h"

enum { HELPER_OUTPUT_MOST = 4096 }; /* bytes of its output that are kept, unless more are wanted: the first ones */

struct helper_end {
	bool is_success; /* ended with 0, in time */
	bool is_late;    /* killed, since its time was up */
	int code;        /* exit status, or -1 */
	int signal;      /* or 0 */
	unsigned leftovers;
	char *output;                /* what it printed, trimmed; lives until on_end returns */
	char why[DEATH_DETAIL_SIZE]; /* "exit 3: no such table"; "" for a success */
};

struct helper_task {
	struct member *member;
	const struct strings *argv;
	char *working_dir;               /* NULL: its service's */
	const struct strings *variables; /* on top of the service's; NULL: none */
	const char *input;               /* on its standard input; NULL: nothing */
	uint32_t timeout_ms;
	size_t output_most; /* bytes that are kept; 0: HELPER_OUTPUT_MOST */
	/* NULL: nobody waits for it. The engine is that of the task. */
	void (*on_end)(void *context, const struct helper_end *end);
	void *context;
};

struct helper; /* defined in helper.c */

/* NULL, with err: it could not be started, and on_end is not called. */
struct helper *helper_start(struct engine *engine, const struct helper_task *task, struct error *err);

/* Kill it; on_end is not called any more. */
void helper_abandon(struct helper *helper);

/* As if the time of each were up. */
void helper_kill_all(struct engine *engine);

/* An exit of somebody unknown was recorded. True: it was a helper. */
bool helper_take_exit(struct engine *engine, const struct exit_record *record);

/* Those that the engine before this one started: they are given their time to end. */
void helper_restore(struct engine *engine);

#endif
