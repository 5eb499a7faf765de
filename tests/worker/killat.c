/*
 * Stands in for thrum as the keeper starts it: becomes the engine, traced by a detached process
 * that kills it at its N-th stop at a system call (entries and exits counted). Only the first engine of
 * a run is traced; the ones after it are themselves at once.
 *
 * KILLAT_THRUM: the real program; KILLAT_FOLDER: of this run; KILLAT_POINT: N, 0: count only.
 * KILLAT_BOTH: the keeper is killed with it.
 * KILLAT_TEXT, instead: every engine is traced, and killed whenever it is about to send what begins with this.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_engine(char **argv)
{
	execv(getenv("KILLAT_THRUM"), argv);
	_exit(127);
}

/* How many stops there were so far: who stops the project ends us, too, who fell to its keeper. */
static void write_count(long count)
{
	static int fd = -1;
	char path[4096], text[24];

	snprintf(path, sizeof path, "%s/count", getenv("KILLAT_FOLDER"));
	if (fd < 0)
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int size = snprintf(text, sizeof text, "%ld\n", count);
	if (fd < 0 || pwrite(fd, text, (size_t)size, 0) != size)
		_exit(1);
}

/* Is it at the entry of a sendto() of bytes that begin with the text? */
static int sends(pid_t engine, const char *text)
{
	struct __ptrace_syscall_info info;
	char bytes[256];
	size_t size = strlen(text);

	if (ptrace(PTRACE_GET_SYSCALL_INFO, engine, (void *)sizeof info, &info) <= 0 ||
		info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_sendto || size > sizeof bytes)
		return 0;
	struct iovec ours = { bytes, size }, theirs = { (void *)(uintptr_t)info.entry.args[1], size };
	return process_vm_readv(engine, &ours, 1, &theirs, 1, 0) == (ssize_t)size && memcmp(bytes, text, size) == 0;
}

/* It is stopped: it cannot take its keeper's place between the two. */
static void kill_it(pid_t engine, pid_t keeper)
{
	if (keeper)
		kill(keeper, SIGKILL);
	kill(engine, SIGKILL);
}

/* The signal to hand on at the next continue. */
static int take_stop(pid_t engine, pid_t keeper, int status, long point, long *count, int *is_engine)
{
	int signal = WSTOPSIG(status);
	const char *text = getenv("KILLAT_TEXT");

	if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
		*is_engine = 1;
	} else if (signal == (SIGTRAP | 0x80)) {
		if (*is_engine && (text ? sends(engine, text) : ++*count == point))
			kill_it(engine, keeper);
	} else if (status >> 16 == 0) {
		return signal;
	}
	return 0;
}

static void trace(pid_t engine, pid_t keeper, int ready)
{
	const char *number = getenv("KILLAT_POINT");
	long point = number ? atol(number) : 0, count = 0;
	int status, is_engine = 0;

	if (ptrace(PTRACE_SEIZE, engine, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC) < 0)
		_exit(1);
	ptrace(PTRACE_INTERRUPT, engine, 0, 0);
	if (write(ready, "x", 1) != 1)
		_exit(1);
	/* what the engine inherits must end with the engine */
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	while (waitpid(engine, &status, __WALL) >= 0 && WIFSTOPPED(status)) {
		int signal = take_stop(engine, keeper, status, point, &count, &is_engine);
		write_count(count);
		ptrace(PTRACE_SYSCALL, engine, 0, signal);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	char path[4096], byte;
	int ends[2];
	pid_t engine = getpid(), keeper = getenv("KILLAT_BOTH") ? getppid() : 0;

	(void)argc;
	snprintf(path, sizeof path, "%s/traced", getenv("KILLAT_FOLDER"));
	if ((!getenv("KILLAT_TEXT") && mkdir(path, 0700) < 0) || pipe2(ends, O_CLOEXEC) < 0)
		become_engine(argv);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0)
			trace(engine, keeper, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	waitpid(child, NULL, 0);
	if (read(ends[0], &byte, 1) != 1)
		return 1; /* tracing is not allowed here */
	become_engine(argv);
}
