/*
 * thrum-hold COMMAND...: stands in for a service whose command goes to the background (`is_daemon`). It is the parent of
 * what the command leaves behind, hands signals on to it, and ends when that has ended, as it did. If the command leaves
 * nothing that could be seen (it told another daemon to do the work), it stays until it is told to end.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_FOUND = 127, /* as shells have it */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_USAGE = 2,
	TOLD_MOST = 64 };

static const int handed_on[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT };

struct holding {
	pid_t command;   /* 0: it has ended */
	int status;      /* of who ended last */
	bool has_daemon; /* something outlived the command */
	int ending;      /* the signal by which we were told to end; 0: none */
	pid_t told[TOLD_MOST];
	unsigned told_count; /* of those who have had the last signal; beyond, they have it again */
};

static void choose_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < sizeof handed_on / sizeof *handed_on; i++)
		sigaddset(set, handed_on[i]);
}

static void run(char **words)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(words[0], words);
	fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* As it ended, so do we; a signal that leaves a core leaves it once. */
static void end_as(int status)
{
	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	int number = WTERMSIG(status);
	sigset_t set;
	prctl(PR_SET_DUMPABLE, 0);
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	exit(128 + number);
}

static bool was_told(struct holding *holding, pid_t pid)
{
	for (unsigned i = 0; i < holding->told_count; i++)
		if (holding->told[i] == pid)
			return true;
	if (holding->told_count < TOLD_MOST)
		holding->told[holding->told_count++] = pid;
	return false;
}

/* Who is in our process group has had it from whoever signalled the group. False: nobody is there. */
static bool hand_on(struct holding *holding, int number)
{
	char path[64];
	bool is_any = false;
	int pid;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	FILE *children = fopen(path, "re");
	while (children && fscanf(children, "%d", &pid) == 1) {
		is_any = true;
		if (!was_told(holding, pid) && getpgid(pid) != getpgrp())
			kill(pid, number);
	}
	if (children)
		fclose(children);
	return is_any;
}

/* False: nobody is left. */
static bool reap(struct holding *holding)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		holding->status = status;
		if (pid != holding->command)
			continue;
		holding->command = 0;
		if (status != 0 && !holding->ending) /* what it may have left behind ends with us */
			end_as(status);
	}
	bool is_any = pid == 0;
	holding->has_daemon |= is_any && !holding->command;
	if (is_any && holding->ending) /* whoever became our child by that has not heard of it */
		hand_on(holding, holding->ending);
	return is_any;
}

static void hold(struct holding *holding, const sigset_t *set)
{
	for (;;) {
		int number = sigwaitinfo(set, NULL);
		if (number == SIGCHLD) {
			if (!reap(holding) && (holding->has_daemon || holding->ending))
				end_as(holding->status);
			continue;
		}
		if (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP)
			holding->ending = number;
		holding->told_count = 0;
		if (number > 0 && !hand_on(holding, number) && holding->ending)
			end_as(holding->ending); /* a wait status that says: by this signal */
	}
}

int main(int argc, char **argv)
{
	struct holding holding = { 0 };
	sigset_t set;

	if (argc < 2) {
		fprintf(stderr, "usage: thrum-hold COMMAND...\n");
		return EXIT_USAGE;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	choose_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	holding.command = fork();
	if (holding.command < 0) {
		perror("fork");
		return EXIT_NOT_EXECUTABLE;
	}
	if (holding.command == 0)
		run(argv + 1);
	hold(&holding, &set);
}
