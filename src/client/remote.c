#include "client/remote.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/spec.h"

enum { ANSWER_MS = 30000, /* somebody may have to type a password */
	PIECE = 64 * 1024 };

const char *remote_host(void)
{
	const char *host = getenv(REMOTE_VARIABLE);

	return host && *host ? host : NULL;
}

/* "ssh://user@host:22/" → "user@host" and "22"; free() both, port may be NULL. False: no host is in it. */
static bool split_host(const char *text, char **host, char **port)
{
	const char *at = strncmp(text, "ssh://", 6) == 0 ? text + 6 : text;
	size_t size = strcspn(at, "/");
	const char *colon = at == text ? NULL : memchr(at, ':', size);

	*host = memory_copy_n(at, colon ? (size_t)(colon - at) : size);
	*port = colon ? memory_copy_n(colon + 1, size - (size_t)(colon + 1 - at)) : NULL;
	return **host && **host != '-' && !strpbrk(*host, " \t\n");
}

static bool spawn(const char *host, const char *port, const char *project, int fd)
{
	extern char **environ;
	const char *program = getenv("THRUM_REMOTE_PROGRAM");
	char *command = memory_format("%s -p %s dial", program && *program ? program : "thrum", project);
	char *target = memory_copy(host), *number = memory_copy(port);
	char *argv[] = { (char[]){ "ssh" }, (char[]){ "-T" }, number ? (char[]){ "-p" } : target, number ? number : command,
		number ? target : NULL, command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	errno = posix_spawnp(&pid, "ssh", &actions, &attributes, argv, environ);
	int code = errno;
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(command);
	free(target);
	free(number);
	errno = code;
	return code == 0;
}

/* The other end says with one newline that it is joined. */
static bool wait_for_answer(int fd, const char *host, struct error *err)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char answer = 0;
	int got;

	do
		got = poll(&ready, 1, ANSWER_MS);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return error_set(err, ETIMEDOUT, "%s does not answer", host);
	if (read(fd, &answer, 1) == 1 && answer == '\n')
		return true;
	return error_set(err, EHOSTUNREACH, "no engine could be reached on %s", host);
}

static int open_pair(const char *host, const char *port, const char *project, struct error *err)
{
	int pair[2];

	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue; /* an ssh of before, when this is another try */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		error_errno(err, "socketpair");
		return -1;
	}
	bool ok = spawn(host, port, project, pair[1]) || error_errno(err, "ssh");
	close(pair[1]);
	if (ok && wait_for_answer(pair[0], host, err))
		return pair[0];
	close(pair[0]);
	return -1;
}

int remote_open(const char *text, const char *project, struct error *err)
{
	char *host, *port;
	int fd = -1;

	if (!split_host(text, &host, &port))
		error_set(err, EINVAL, "'%.80s' is no host; it is [USER@]HOST or ssh://[USER@]HOST[:PORT]", text);
	else if (!service_name_is_valid(project))
		error_set(err, EINVAL, "'%.80s' cannot be the name of a project", project);
	else
		fd = open_pair(host, port, project, err);
	free(host);
	free(port);
	return fd;
}

/* False: that side has ended. */
static bool pump(int from, int to)
{
	char bytes[PIECE];
	ssize_t size = read(from, bytes, sizeof bytes);

	if (size <= 0)
		return size < 0 && (errno == EINTR || errno == EAGAIN);
	for (ssize_t at = 0; at < size;) {
		ssize_t written = write(to, bytes + at, (size_t)(size - at));
		if (written < 0 && errno != EINTR)
			return false;
		at += written > 0 ? written : 0;
	}
	return true;
}

void remote_join(int fd)
{
	struct pollfd ready[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	for (bool goes_on = write(STDOUT_FILENO, "\n", 1) == 1; goes_on;) {
		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			return;
		if (ready[0].revents)
			goes_on = pump(STDIN_FILENO, fd);
		if (goes_on && ready[1].revents)
			goes_on = pump(fd, STDOUT_FILENO);
	}
}
