/*
 * The floors: the shortest C that does the same work.
 * floor restart N PROGRAM ARG…: waitid and posix_spawn, N times.
 * floor bare N PROGRAM ARG…: posix_spawn, N times; it ends when its input does.
 * floor spawn N PROGRAM ARG…: the same with a session and two pipes for each, as a supervisor needs.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void start(char **argv, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes)
{
	pid_t pid;
	int reason = posix_spawn(&pid, argv[0], actions, attributes, argv, environ);

	if (reason) {
		fprintf(stderr, "floor: %s: %s\n", argv[0], strerror(reason));
		exit(1);
	}
}

static void restart(char **argv, int times)
{
	siginfo_t info;

	for (int i = 0; i < times; i++) {
		start(argv, NULL, NULL);
		waitid(P_ALL, 0, &info, WEXITED);
	}
}

static void start_with_pipes(char **argv, posix_spawnattr_t *attributes)
{
	posix_spawn_file_actions_t actions;
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		exit(1);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
	start(argv, &actions, attributes);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	close(err[1]);
}

/* Both leave their children to whoever started this: it is their session's, or reads their pids. */
static void wait_for_end(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
}

static void bare(char **argv, int count)
{
	for (int i = 0; i < count; i++)
		start(argv, NULL, NULL);
	wait_for_end();
}

static void spawn(char **argv, int count)
{
	posix_spawnattr_t attributes;

	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	for (int i = 0; i < count; i++)
		start_with_pipes(argv, &attributes);
	wait_for_end();
}

static const struct {
	const char *name;
	void (*run)(char **argv, int times);
} floors[] = {
	{ "restart", restart },
	{ "bare", bare },
	{ "spawn", spawn },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 3 && i < sizeof floors / sizeof *floors; i++) {
		if (strcmp(argv[1], floors[i].name) == 0) {
			floors[i].run(argv + 3, atoi(argv[2]));
			return 0;
		}
	}
	fprintf(stderr, "usage: floor restart|bare|spawn N PROGRAM ARG...\n");
	return 2;
}
