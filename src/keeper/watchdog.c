/*
 * An engine that has work and does none is killed, and another one started. Work is an exit that it has
 * not seen, or a client that it has not let in; without either nothing is looked at, and nobody wakes.
 */
#include "keeper/keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
	LIMIT_MS = 10000,
	GLANCE_MS = 100, /* after a client has knocked: it is let in long before */
	LATE_MS = 1000,  /* we were stopped ourselves, as it may have been */
	AGONY_MS = 2000, /* between SIGABRT, for a core file, and SIGKILL */
};

static int epoll_fd = -1, listener_fd = -1;
static uint64_t limit_us, idle_since_us, aborted_us, due_us; /* due: when we meant to look again */

void watchdog_begin(int listener)
{
	const char *wanted = getenv("THRUM_WATCHDOG_MS");
	struct epoll_event once = { .events = EPOLLIN | EPOLLET };

	limit_us = (wanted ? strtoull(wanted, NULL, 10) : LIMIT_MS) * 1000ull;
	listener_fd = listener;
	epoll_fd = limit_us ? epoll_create1(EPOLL_CLOEXEC) : -1;
	if (epoll_fd >= 0)
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &once);
}

int watchdog_fd(void)
{
	return epoll_fd;
}

static bool has_visitor(void)
{
	struct pollfd door = { .fd = listener_fd, .events = POLLIN };

	return poll(&door, 1, 0) > 0;
}

/* Somebody debugs it: it may stand as long as they like. */
static bool is_traced(pid_t engine)
{
	char path[32], text[2048];

	snprintf(path, sizeof path, "/proc/%d/status", (int)engine);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	close(fd);
	if (size <= 0)
		return false;
	text[size] = '\0';
	const char *tracer = strstr(text, "TracerPid:\t");
	return tracer && tracer[11] != '0';
}

static void forget(void)
{
	struct epoll_event ignored;

	idle_since_us = aborted_us = 0;
	if (epoll_fd >= 0)
		epoll_wait(epoll_fd, &ignored, 1, 0);
}

/* It was seen to have work at idle_since; it still has. */
static int press(pid_t engine, uint64_t now_us)
{
	uint64_t waited_us = now_us - idle_since_us;

	if (aborted_us && now_us - aborted_us >= AGONY_MS * 1000ull) {
		kill(engine, SIGKILL);
		return AGONY_MS;
	}
	if (aborted_us)
		return AGONY_MS;
	if (waited_us < limit_us)
		return waited_us < GLANCE_MS * 1000ull ? GLANCE_MS : (int)((limit_us - waited_us) / 1000) + 1;
	if (is_traced(engine)) {
		idle_since_us = now_us;
		return LIMIT_MS;
	}
	aborted_us = now_us;
	kill(engine, SIGABRT);
	return AGONY_MS;
}

int watchdog_look(pid_t engine, bool has_unseen)
{
	uint64_t now_us = keeper_now_us(CLOCK_MONOTONIC);

	if (epoll_fd < 0 || !engine || (!has_unseen && !has_visitor())) {
		forget();
		return -1;
	}
	if (!idle_since_us || now_us > due_us + LATE_MS * 1000ull)
		idle_since_us = now_us;
	struct epoll_event ignored;
	epoll_wait(epoll_fd, &ignored, 1, 0);
	int patience_ms = press(engine, now_us);
	due_us = now_us + (uint64_t)patience_ms * 1000;
	return patience_ms;
}

void watchdog_calm(void)
{
	idle_since_us = aborted_us = 0;
}
