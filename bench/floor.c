/*
 * The floors: the shortest C that does the same work. floor restart FILE N: waitid and posix_spawn, N
 * times. floor spawn FILE N: N children with a session and two pipes each.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static pid_t start(char **argv, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes)
{
	pid_t pid;

	if (posix_spawn(&pid, argv[0], actions, attributes, argv, environ) != 0)
		exit(1);
	return pid;
}

static void restart(char **argv, int times)
{
	siginfo_t info;

	for (int i = 0; i < times; i++) {
		start(argv, NULL, NULL);
		waitid(P_ALL, 0, &info, WEXITED);
	}
}

static void spawn(char **argv, int count)
{
	pid_t *pids = calloc((size_t)count, sizeof *pids);
	posix_spawnattr_t attributes;

	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	for (int i = 0; i < count; i++) {
		posix_spawn_file_actions_t actions;
		int out[2], err[2];
		if (pipe2(out, 02000000) < 0 || pipe2(err, 02000000) < 0)
			exit(1);
		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_adddup2(&actions, out[1], 1);
		posix_spawn_file_actions_adddup2(&actions, err[1], 2);
		pids[i] = start(argv, &actions, &attributes);
		close(out[1]);
		close(err[1]);
	}
	pause();
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	char *child[] = { argv[2], argv[3], strcmp(argv[1], "spawn") == 0 ? "1000" : NULL, NULL };
	if (strcmp(argv[1], "restart") == 0)
		restart(child, atoi(argv[4]));
	else
		spawn(child, atoi(argv[4]));
	return 0;
}
