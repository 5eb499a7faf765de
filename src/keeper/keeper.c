/*
 * The parent of every supervised process. It holds their descriptors and writes down how
 * they ended, so that the engine may die at any instruction, or be replaced, and no child
 * notices. No heap, no parser, no policy; it spawns nothing but the engine.
 */
#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	STATE_SIZE =
		64 * 1024 * 1024, /* of the engine's memory: sparse, it pays for what it uses */
	FIRST_PAUSE_MS = 100,     /* before an engine that keeps ending is started again */
	LONGEST_PAUSE_MS = 5000,
	FREE_STARTS = 8,     /* this many are started without a pause */
	CALM_US = 20 * 1000, /* one that lived this long is no loop: a start costs about 2 ms */
};

static int page_fd, control_fd = -1, signal_fd;
static pid_t engine;
static uint64_t seen, engine_began_us;
static unsigned short_lives;
static bool is_over;
static char **engine_argv;

static int checked(int result, const char *what)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "thrum-keeper: %s: %s\n", what, strerror(errno));
	_exit(111);
}

/* The page: written through our own mapping, which no later mapping of it can do. */
static void make_page(void)
{
	page_fd = checked(
		memfd_create("thrum-keeper-page", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd");
	checked(ftruncate(page_fd, sizeof *keeper_page), "ftruncate");
	keeper_page = mmap(NULL, sizeof *keeper_page, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
	checked(keeper_page == MAP_FAILED ? -1 : 0, "mmap");
	checked(fcntl(page_fd, F_ADD_SEALS,
			F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
		"seal");
	keeper_page->magic = KEEPER_MAGIC;
	keeper_page->abi = KEEPER_ABI;
	keeper_page->keeper_pid = keeper_page->origin_pid = getpid();
	keeper_page->started_us = keeper_now_us(CLOCK_REALTIME);
	keeper_page->wake_fd = checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
	keeper_page->state_fd = checked(memfd_create("thrum-engine-state", MFD_CLOEXEC), "memfd");
	checked(ftruncate(keeper_page->state_fd, STATE_SIZE), "ftruncate");
}

/* We and the engine hold several descriptors for each child; the children get the limit as it was. */
static void raise_limit(void)
{
	struct rlimit limit;

	checked(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	keeper_page->soft_nofile = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void hold(uint32_t slot, unsigned kind, int fd)
{
	int32_t *place = &keeper_page->fds[slot][kind];

	if (*place)
		close(*place - 1);
	*place = fd + 1;
	if (slot >= keeper_page->slot_top)
		keeper_page->slot_top = slot + 1;
}

static void take_start_descriptor(int fd, unsigned kind)
{
	checked(fcntl(fd, F_SETFD, FD_CLOEXEC), "a descriptor is missing; start me by way of `thrum up`");
	hold(KEEPER_PROJECT_SLOT, kind, fd);
}

static void take_signals(void)
{
	static const int ours[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		sigaddset(&set, ours[i]);
	checked(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	signal_fd = checked(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
}

/* In the new engine, before it is executed: it inherits all we hold, at our numbers. */
static void leave_open(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

static void become_engine(int engine_end)
{
	char value[32];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	leave_open(page_fd);
	leave_open(engine_end);
	leave_open(keeper_page->wake_fd);
	leave_open(keeper_page->state_fd);
	for (unsigned slot = 0; slot < keeper_page->slot_top; slot++)
		for (unsigned kind = 0; kind < KEEPER_KINDS; kind++)
			leave_open(keeper_page->fds[slot][kind] - 1);
	snprintf(value, sizeof value, "%d %d", page_fd, engine_end);
	setenv(KEEPER_VARIABLE, value, 1);
	execv(engine_argv[0], engine_argv + 1);
	fprintf(stderr, "thrum-keeper: exec %s: %s\n", engine_argv[0], strerror(errno));
	_exit(127);
}

/* The kernel writes engine_pid down before the engine can run. */
static pid_t fork_engine(void)
{
	struct clone_args args = {
		.flags = CLONE_PARENT_SETTID,
		.parent_tid = (uintptr_t)&keeper_page->engine_pid,
		.exit_signal = SIGCHLD,
	};
	long pid = syscall(SYS_clone3, &args, sizeof args);

	if (pid < 0 && (errno == ENOSYS || errno == EPERM)) {
		pid = fork(); /* an old sandbox: the engine writes its pid itself, a moment later */
		if (pid > 0)
			keeper_page->engine_pid = (int32_t)pid;
	}
	return (pid_t)pid;
}

static void start_engine(void)
{
	int ends[2], room = 1024 * 1024;

	if (control_fd >= 0)
		close(control_fd);
	control_fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return; /* no descriptor to be had: the next round tries again */
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	control_fd = ends[0];
	engine_began_us = keeper_now_us(CLOCK_MONOTONIC);
	keeper_page->engine_starts++;
	pid_t pid = fork_engine();
	if (pid == 0)
		become_engine(ends[1]);
	close(ends[1]);
	engine = pid > 0 ? pid : 0;
	watchdog_calm();
}

/* How long to wait with the next engine: 0, 0, … 100 ms … 5 s. */
static int pause_ms(void)
{
	if (short_lives <= FREE_STARTS)
		return 0;
	unsigned doublings = short_lives - FREE_STARTS - 1;
	unsigned pause = FIRST_PAUSE_MS << (doublings < 6 ? doublings : 6);
	return (int)(pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS);
}

static void note_engine_end(const siginfo_t *info)
{
	keeper_page->last_code = info->si_code;
	keeper_page->last_status = info->si_status;
	engine = 0;
	keeper_page->engine_pid = 0;
	bool was_calm = keeper_now_us(CLOCK_MONOTONIC) - engine_began_us > CALM_US;
	short_lives = was_calm ? 1 : short_lives + 1;
}

/* glibc's waitid leaves out the usage of resources. */
static int wait_any(siginfo_t *info, struct rusage *used, int flags)
{
	memset(info, 0, sizeof *info);
	return (int)syscall(SYS_waitid, P_ALL, 0, info, WEXITED | WNOHANG | flags, used);
}

/*
 * First look, then write down, then reap: only now may the pid mean another process.
 * When the engine is 4096 exits behind, they stay zombies, which keep their status.
 */
static void reap(void)
{
	siginfo_t info;
	struct rusage used;

	while (atomic_load(&keeper_page->exit_count) - seen < KEEPER_EXITS) {
		if (wait_any(&info, &used, WNOWAIT) < 0 || !info.si_pid)
			return;
		if (info.si_pid == engine)
			note_engine_end(&info);
		else
			keeper_record_child(&info, &used);
		waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
	}
}

static unsigned received_descriptors(struct msghdr *header, int fds[KEEPER_KINDS])
{
	unsigned count = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		count = (unsigned)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(part), count * sizeof(int));
	}
	return count;
}

static unsigned put(const struct keeper_message *message, const int *fds, unsigned count)
{
	unsigned used = 0;

	for (unsigned kind = 0; kind < KEEPER_KINDS && used < count; kind++)
		if (message->kinds & 1u << kind)
			hold(message->slot, kind, fds[used++]);
	return used;
}

static void forget(uint32_t slot)
{
	for (unsigned kind = 0; kind < KEEPER_KINDS; kind++) {
		if (keeper_page->fds[slot][kind])
			close(keeper_page->fds[slot][kind] - 1);
		keeper_page->fds[slot][kind] = 0;
	}
}

static unsigned watch_foreign(const struct keeper_message *message, const int *fds, unsigned count)
{
	if (message->parent > 0)
		keeper_page->reaper_pid = message->parent;
	foreign_add((pid_t)message->argument, count ? fds[0] : -1);
	return count ? 1 : 0;
}

static void obey(const struct keeper_message *message, const int *fds, unsigned count)
{
	unsigned used = 0;
	bool is_ours = message->slot < KEEPER_SLOTS;

	if (message->operation == KEEPER_PUT && is_ours)
		used = put(message, fds, count);
	else if (message->operation == KEEPER_DELETE && is_ours)
		forget(message->slot);
	else if (message->operation == KEEPER_SEEN && message->argument > seen &&
		 message->argument <= atomic_load(&keeper_page->exit_count))
		seen = message->argument;
	else if (message->operation == KEEPER_BYE)
		is_over = true;
	else if (message->operation == KEEPER_WATCH)
		used = watch_foreign(message, fds, count);
	watchdog_calm();
	while (used < count)
		close(fds[used++]);
}

static void listen_to_engine(void)
{
	struct keeper_message message;
	struct iovec vector = { &message, sizeof message };
	union {
		char bytes[CMSG_SPACE(sizeof(int) * KEEPER_KINDS)];
		struct cmsghdr aligned;
	} control;
	int fds[KEEPER_KINDS];

	while (control_fd >= 0) {
		struct msghdr header = { .msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof control };
		ssize_t size = recvmsg(control_fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (size <= 0)
			return;
		unsigned count = received_descriptors(&header, fds);
		if (size != sizeof message)
			message.operation = 0;
		obey(&message, fds, count);
	}
}

/* A request to end goes to the engine, which ends everything in order. */
static void take_signal(void)
{
	struct signalfd_siginfo signal;

	while (read(signal_fd, &signal, sizeof signal) == sizeof signal)
		if (signal.ssi_signo != SIGCHLD && engine)
			kill(engine, SIGTERM);
}

/* Milliseconds until then, rounded up; 0 when it is past. */
static int until(uint64_t then_us)
{
	uint64_t now = keeper_now_us(CLOCK_MONOTONIC);

	return then_us > now ? (int)((then_us - now + 999) / 1000) : 0;
}

static void serve(void)
{
	uint64_t start_at_us = 0;

	for (;;) {
		if (!engine && until(start_at_us) == 0) {
			start_engine();
			start_at_us = keeper_now_us(CLOCK_MONOTONIC) + FIRST_PAUSE_MS * 1000;
		}
		static struct pollfd ready[3 + FOREIGN_MOST];
		ready[0] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
		ready[1] = (struct pollfd){ .fd = engine ? control_fd : -1, .events = POLLIN };
		ready[2] = (struct pollfd){ .fd = watchdog_fd(), .events = POLLIN };
		int patience = watchdog_look(engine, atomic_load(&keeper_page->exit_count) > seen);
		patience = engine ? patience : until(start_at_us);
		unsigned others = foreign_poll(ready + 3, &patience);
		poll(ready, 3 + others, patience);
		foreign_take(ready + 3, others);
		take_signal();
		listen_to_engine();
		pid_t former = engine;
		reap();
		if (former && !engine) {
			listen_to_engine(); /* its last words */
			if (is_over)
				return;
			start_at_us = keeper_now_us(CLOCK_MONOTONIC) + (uint64_t)pause_ms() * 1000;
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "thrum-keeper is started by thrum: see thrum(1)\n");
		return 2;
	}
	/* what is executed, then its argv: "thrum engine PROJECT" in ps */
	engine_argv = (char *[]){ argv[2], "thrum", "engine", argv[1], NULL };
	checked(prctl(PR_SET_CHILD_SUBREAPER, 1), "subreaper");
	prctl(PR_SET_NAME, "thrum-keeper"); /* it may have been executed by descriptor */
	take_signals();
	make_page();
	const char *manifest = getenv(KEEPER_MANIFEST_VARIABLE);
	if (manifest) {
		seen = promote_from((int)strtol(manifest, NULL, 10));
		unsetenv(KEEPER_MANIFEST_VARIABLE);
	} else {
		raise_limit();
		take_start_descriptor(KEEPER_START_LOCK, KEEPER_LOCK);
		take_start_descriptor(KEEPER_START_LISTENER, KEEPER_LISTENER);
		take_start_descriptor(KEEPER_START_SPEC, KEEPER_SPEC);
	}
	watchdog_begin(keeper_page->fds[KEEPER_PROJECT_SLOT][KEEPER_LISTENER] - 1);
	serve();
	return 0;
}
