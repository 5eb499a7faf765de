/* A new program takes over: the engine is started anew from the file that has its name now. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

enum { ABI_SIZE = 64,
	BACK_MS = 10000,
	AGAIN_MS = 20 };

extern char **environ;

static void wait_a_little(void)
{
	static const struct timespec pause = { .tv_nsec = AGAIN_MS * 1000000 };

	nanosleep(&pause, NULL);
}

/* What `PROGRAM engine --abi` says. */
static bool ask_program(const char *program, char said[ABI_SIZE], struct error *err)
{
	char *argv[] = { (char *)(uintptr_t)program, (char *)"engine", (char *)"--abi", NULL };
	posix_spawn_file_actions_t actions;
	int ends[2], status = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	int reason = posix_spawn(&pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	ssize_t size = reason ? 0 : read(ends[0], said, ABI_SIZE - 1);
	close(ends[0]);
	said[size > 0 ? size : 0] = '\0';
	if (reason)
		return error_set(err, reason, "%s cannot be run: %s", program, strerror(reason));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0 && size > 0) ||
	       error_set(err, 0, "%s does not run as an engine", program);
}

/* A state of another kind begins anew; what the keeper and the roster say both must understand. */
static bool is_understood(const char *said, const char *running)
{
	int ours[3], theirs[3];
	static const char format[] = "keeper %d store %d roster %d";

	return sscanf(said, format, &ours[0], &ours[1], &ours[2]) == 3 &&
	       sscanf(running, format, &theirs[0], &theirs[1], &theirs[2]) == 3 && ours[0] == theirs[0] &&
	       ours[2] == theirs[2];
}

static bool is_fit(const json_t *hello, struct error *err)
{
	const char *program = json_string_value(json_object_get(hello, "program"));
	const char *abi = json_string_value(json_object_get(hello, "abi"));
	char said[ABI_SIZE];

	if (!program || !abi)
		return error_set(err, 0, "the engine does not say what it runs");
	if (!ask_program(program, said, err))
		return false;
	said[strcspn(said, "\n")] = '\0';
	return is_understood(said, abi) ||
	       error_set(err, 0, "%s cannot take over what runs (it is of %s, the engine of %s): thrum down, then up",
		       program, said, abi);
}

/* The next engine, once it answers; NULL: none came. */
static json_t *await_next(struct link *link, json_int_t former)
{
	uint64_t end_ms = clock_monotonic_ms() + BACK_MS;
	struct error err;

	while (clock_monotonic_ms() < end_ms) {
		json_t *hello = link_reopen(link, &err)
					? link_call(link, "hello", json_object(), BACK_MS, &err)
					: NULL;
		if (hello && json_integer_value(json_object_get(hello, "engine_pid")) != former)
			return hello;
		json_decref(hello);
		wait_a_little();
	}
	return NULL;
}

static int report(const struct invocation *invocation, const json_t *before, json_t *after)
{
	if (!after)
		return cli_fail(EXIT_NO_ENGINE, "no engine came back within %d s; what runs goes on: see engine.log",
			BACK_MS / 1000);
	if (invocation->json)
		json_dumpf(after, stdout, JSON_COMPACT);
	else
		printf("engine %lld (%s) was followed by %lld (%s); what runs was not touched",
			(long long)json_integer_value(json_object_get(before, "engine_pid")),
			json_string_value(json_object_get(before, "version")),
			(long long)json_integer_value(json_object_get(after, "engine_pid")),
			json_string_value(json_object_get(after, "version")));
	putchar('\n');
	json_decref(after);
	return EXIT_OK;
}

int cli_upgrade(struct invocation *invocation)
{
	int status = EXIT_OK;
	struct error err;
	struct link *link = cli_connect(invocation, &status);
	json_t *before = link ? cli_call(link, "hello", json_object(), &status) : NULL;

	if (before && !is_fit(before, &err)) {
		status = cli_fail(EXIT_FAILED, "%s; nothing was changed", err.text);
	} else if (before) {
		json_decref(cli_call(link, "upgrade", json_object(), &status));
		if (status == EXIT_OK)
			status = report(invocation, before,
				await_next(link, json_integer_value(json_object_get(before, "engine_pid"))));
	}
	json_decref(before);
	link_close(link);
	return status;
}
