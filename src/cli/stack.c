#include "cli/stack.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/instance.h"
#include "cli/threads.h"
#include "config/gateway.h"
#include "protocol/stack.h"

extern char **environ;

enum { LIFE_MS = 10000,
	TEXT_MOST = 4 * 1024 * 1024 };

/* ---- by our own hand ---- */

/* What it prints, and how it ends; killed when its time is up. */
static bool gather(struct text *out, int fd, pid_t helper)
{
	uint64_t until_ms = clock_monotonic_ms() + LIFE_MS, now_ms;
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char bytes[16 * 1024];
	ssize_t size = 1;
	int status = 0;

	while (size > 0 && (now_ms = clock_monotonic_ms()) < until_ms) {
		if (poll(&ready, 1, (int)(until_ms - now_ms)) <= 0)
			continue;
		size = read(fd, bytes, sizeof bytes);
		if (size > 0 && !text_append(out, bytes, (size_t)size))
			size = 0;
	}
	kill(helper, size == 0 ? 0 : SIGKILL);
	while (waitpid(helper, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status)) /* else it has said itself what it lacks */
		cli_fail(EXIT_FAILED, "the stacks were not read in time: thrum-stack was ended (%s); --tid asks for one of them",
			strsignal(WTERMSIG(status)));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool spawn(pid_t *helper, const char *program, const struct invocation *invocation, int writing)
{
	char *argv[] = { (char *)(uintptr_t)program, invocation->names[0], (char *)(uintptr_t)invocation->tid, NULL };
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, writing, STDOUT_FILENO);
	int reason = posix_spawn(helper, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	errno = reason;
	return reason == 0;
}

/* NULL after saying why not. */
static json_t *read_process(const struct invocation *invocation, int *status)
{
	char *program = gateway_find("thrum-stack");
	struct text out;
	int ends[2];
	pid_t helper;

	*status = EXIT_FAILED;
	if (!program || pipe(ends) < 0) {
		cli_fail(EXIT_FAILED, "thrum-stack, which reads stacks, %s", program ? strerror(errno) : "is not installed");
		free(program);
		return NULL;
	}
	text_init(&out, STACK_BYTES_MOST);
	bool has_begun = spawn(&helper, program, invocation, ends[1]);
	close(ends[1]);
	bool ok = has_begun ? gather(&out, ends[0], helper) : !cli_fail(EXIT_FAILED, "%s: %s", program, strerror(errno));
	json_t *result = ok ? json_loads(text_string(&out), 0, NULL) : NULL;
	close(ends[0]);
	text_finish(&out);
	free(program);
	*status = result ? EXIT_OK : EXIT_FAILED;
	return result;
}

/* ---- by the engine ---- */

static json_t *read_instance(struct invocation *invocation, int *status)
{
	struct link *link = cli_connect(invocation, status);
	json_t *info = link ? instance_find(link, invocation->names[0], status) : NULL;
	json_t *params = info ? instance_params(info) : NULL;

	if (params && invocation->tid)
		json_object_set_new(params, "tid", json_integer(threads_pid(invocation->tid)));
	json_t *result = params ? cli_call(link, "stack", params, status) : NULL;
	json_decref(info);
	link_close(link);
	return result;
}

static void print(const json_t *stack)
{
	struct text text;

	text_init(&text, TEXT_MOST);
	stack_describe(&text, stack);
	fputs(text_string(&text), stdout);
	text_finish(&text);
}

int cli_stack(struct invocation *invocation)
{
	int status = EXIT_OK;

	if (invocation->tid && !threads_pid(invocation->tid))
		return cli_fail(EXIT_USAGE, "--tid takes the number of a thread, not '%s'", invocation->tid);
	json_t *stack = threads_pid(invocation->names[0]) ? read_process(invocation, &status) : read_instance(invocation, &status);
	if (stack && invocation->json)
		cli_print_json(stack);
	else if (stack)
		print(stack);
	json_decref(stack);
	return status;
}
