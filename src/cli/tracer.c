#include "cli/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/program.h"
#include "base/utf8.h"

enum { KEPT_MOST = 64 * 1024,
	READ_SIZE = 16 * 1024,
	READS_MOST = 16, /* at a time: the screen has other things to do */
	NO_PROGRAM = 127 };

struct tracer {
	int poll_fd, fd; /* fd: what strace says; -1: none runs */
	pid_t strace;
	struct machine_id traced;
	struct text said; /* the last part of it */
};

struct tracer *tracer_create(int poll_fd)
{
	struct tracer *tracer = memory_zeroed(1, sizeof *tracer);

	tracer->poll_fd = poll_fd;
	tracer->fd = -1;
	text_init(&tracer->said, KEPT_MOST);
	return tracer;
}

/* Those that have been told to end take their time, for which nobody waits. We have no other children. */
static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

/* It lets go of the process when it is told to end. */
static void end(struct tracer *tracer)
{
	if (tracer->fd < 0)
		return;
	kill(tracer->strace, SIGTERM);
	close(tracer->fd); /* else it could wait for us to read */
	tracer->fd = -1;
}

void tracer_destroy(struct tracer *tracer)
{
	if (!tracer)
		return;
	end(tracer);
	text_finish(&tracer->said);
	free(tracer);
}

/* In the child. All its threads, each call with its time and how long it took. */
static void run(int out, pid_t parent, const char *pid)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(NO_PROGRAM); /* it has ended meanwhile */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execlp("strace", "strace", "-f", "-t", "-T", "-s", "64", "-p", pid, (char *)NULL);
	_exit(NO_PROGRAM);
}

static bool start(struct tracer *tracer, int ends[2], struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN };
	char pid[16];
	pid_t us = getpid();

	snprintf(pid, sizeof pid, "%d", (int)tracer->traced.pid);
	tracer->strace = fork();
	if (tracer->strace == 0)
		run(ends[1], us, pid);
	close(ends[1]);
	if (tracer->strace < 0) {
		close(ends[0]);
		return error_errno(err, "starting strace");
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	tracer->fd = ends[0];
	epoll_ctl(tracer->poll_fd, EPOLL_CTL_ADD, tracer->fd, &event);
	return true;
}

bool tracer_begin(struct tracer *tracer, const struct machine_id *id, struct error *err)
{
	char path[PATH_MAX];
	int ends[2];

	end(tracer);
	reap();
	text_clear(&tracer->said);
	tracer->traced = (struct machine_id){ 0 };
	if (!id->pid)
		return true;
	if (!program_find(path, "strace"))
		return error_set(err, ENOENT, "strace is not installed");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "starting strace");
	tracer->traced = *id;
	return start(tracer, ends, err);
}

/* The oldest lines go. */
static void keep(struct tracer *tracer, const char *bytes, size_t size)
{
	struct text *said = &tracer->said;

	if (said->size + size > KEPT_MOST) {
		size_t least = said->size + size - KEPT_MOST;
		const char *end = least < said->size ? memchr(said->data + least, '\n', said->size - least) : NULL;
		text_drop(said, end ? (size_t)(end + 1 - said->data) : said->size);
	}
	text_append(said, bytes, size);
}

/* It has ended by itself: with the process, or since it may not trace it, which it has said. */
static void take_end(struct tracer *tracer)
{
	static const char over[] = "-- strace has ended\n";

	end(tracer);
	keep(tracer, over, sizeof over - 1);
}

static void put_lines(struct text *out, const struct text *said)
{
	const char *at = text_string(said);

	while (*at) {
		size_t length = strcspn(at, "\n");
		utf8_append_safe(out, at, length, false);
		text_putc(out, '\n');
		at += length + (at[length] == '\n');
	}
}

bool tracer_hear(struct tracer *tracer, struct machine_id *id, struct text *out)
{
	char bytes[READ_SIZE];
	bool has_news = false;

	for (int i = 0; tracer->fd >= 0 && i < READS_MOST; i++) {
		ssize_t got = read(tracer->fd, bytes, sizeof bytes);
		if (got > 0)
			keep(tracer, bytes, (size_t)got);
		else if (got == 0)
			take_end(tracer);
		else if (errno != EINTR)
			break;
		has_news = true;
	}
	*id = tracer->traced;
	if (out)
		put_lines(out, &tracer->said);
	return has_news;
}
