/*
 * The keeper was killed, and its engine has executed the keeper in its own place; or both were, and a new run
 * has taken over whom they left. The processes are not our children: they fell to somebody above us, who reaps
 * them. Their pidfds tell when they end, and, since Linux 6.15, how; before that a zombie still says it for as
 * long as it is one.
 */
#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As in <linux/pidfd.h> of Linux 6.15. */
struct end_info {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t status; /* as wait() has it */
};
#define GET_END_INFO _IOWR(0xFF, 11, struct end_info)
enum { HAS_STATUS = 1 << 3 };

static struct {
	pid_t pid;
	int fd; /* -1: it was gone before we looked */
} foreign[FOREIGN_MOST];
static unsigned foreign_count;

static void give_up(const char *what)
{
	fprintf(stderr, "thrum-keeper: %s: %s\n", what, strerror(errno));
	_exit(111);
}

/*
 * To whom the children of the former keeper fell, as we did ourselves. Its descriptors are closed, which is how the
 * engine heard of its end, a moment before its children are given away.
 */
static pid_t await_reaper(pid_t former)
{
	static const struct timespec pause = { .tv_nsec = 100000 };
	pid_t parent;

	while ((parent = getppid()) == former)
		nanosleep(&pause, NULL);
	return parent;
}

static void copy_page(const struct keeper_page *old)
{
	struct keeper_page *page = keeper_page;

	page->origin_pid = old->origin_pid;
	page->reaper_pid = await_reaper(old->keeper_pid);
	page->started_us = old->started_us;
	page->soft_nofile = old->soft_nofile;
	page->engine_starts = old->engine_starts;
	page->exit_count = old->exit_count;
	memcpy(page->exits, old->exits, sizeof page->exits);
	page->slot_top = old->slot_top;
	memcpy(page->fds, old->fds, sizeof page->fds);
	close(page->state_fd); /* the one that was made for a new project */
	page->state_fd = old->state_fd;
}

static void close_on_exec(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static unsigned find_foreign(pid_t pid)
{
	unsigned i = 0;

	while (i < foreign_count && foreign[i].pid != pid)
		i++;
	return i;
}

void foreign_add(pid_t pid, int pidfd)
{
	unsigned i = find_foreign(pid);

	if (i < foreign_count && foreign[i].fd >= 0)
		close(foreign[i].fd);
	if (i == foreign_count && foreign_count < FOREIGN_MOST)
		foreign_count++;
	if (i < foreign_count) {
		foreign[i].pid = pid;
		foreign[i].fd = pidfd;
	} else if (pidfd >= 0) {
		close(pidfd);
	}
}

uint64_t promote_from(int manifest_fd)
{
	const struct keeper_manifest *manifest =
		mmap(NULL, sizeof *manifest, PROT_READ, MAP_SHARED, manifest_fd, 0);

	if (manifest == MAP_FAILED || manifest->page.magic != KEEPER_MAGIC ||
		manifest->page.abi != KEEPER_ABI)
		give_up("what the engine left cannot be taken up");
	copy_page(&manifest->page);
	close_on_exec(keeper_page->state_fd);
	for (unsigned slot = 0; slot < keeper_page->slot_top; slot++)
		for (unsigned kind = 0; kind < KEEPER_KINDS; kind++)
			close_on_exec(keeper_page->fds[slot][kind] - 1);
	for (uint32_t i = 0; i < manifest->pid_count && i < KEEPER_PIDS; i++)
		foreign_add(manifest->pids[i], (int)syscall(SYS_pidfd_open, manifest->pids[i], 0));
	uint64_t seen = manifest->seen;
	munmap((void *)(uintptr_t)manifest, sizeof *manifest);
	close(manifest_fd);
	return seen;
}

/* Field 52 of its line, the last: only as long as it is a zombie. */
static bool read_zombie(pid_t pid, int *status)
{
	char path[32], line[1024];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
	close(fd);
	if (size <= 0)
		return false;
	line[size] = '\0';
	const char *name_end = strrchr(line, ')'), *last = strrchr(line, ' ');
	if (!name_end || !last || name_end[1] != ' ' || name_end[2] != 'Z')
		return false;
	*status = (int)strtol(last + 1, NULL, 10);
	return true;
}

static bool read_status(unsigned i, int *status)
{
	struct end_info info = { .mask = HAS_STATUS };

	if (foreign[i].fd < 0)
		return false;
	if (ioctl(foreign[i].fd, GET_END_INFO, &info) == 0 && info.mask & HAS_STATUS) {
		*status = info.status;
		return true;
	}
	return read_zombie(foreign[i].pid, status);
}

static void record_end(unsigned i)
{
	struct exit_record record = { .pid = foreign[i].pid,
		.ended_us = keeper_now_us(CLOCK_MONOTONIC),
		.wall_us = keeper_now_us(CLOCK_REALTIME) };
	int status;

	if (read_status(i, &status)) {
		record.code = WIFEXITED(status)   ? CLD_EXITED
			      : WCOREDUMP(status) ? CLD_DUMPED
						  : CLD_KILLED;
		record.status = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	}
	keeper_record(&record);
	if (foreign[i].fd >= 0)
		close(foreign[i].fd);
	foreign[i] = foreign[--foreign_count];
}

unsigned foreign_poll(struct pollfd *polled, int *patience_ms)
{
	for (unsigned i = 0; i < foreign_count; i++) {
		if (foreign[i].fd < 0)
			*patience_ms = 0; /* nothing will ever tell of it */
		polled[i] = (struct pollfd){ .fd = foreign[i].fd, .events = POLLIN };
	}
	return foreign_count;
}

/* From the end: the last takes the place of one that is dropped. */
void foreign_take(const struct pollfd *polled, unsigned count)
{
	while (count-- > 0)
		if (polled[count].fd < 0 || polled[count].revents)
			record_end(count);
}
