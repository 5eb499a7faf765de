#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "workload/workload.h"

int ending_fd(void)
{
	static int fd = -1;
	sigset_t signals;

	if (fd >= 0)
		return fd;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return fd;
}

bool ending_comes_within(int ms)
{
	struct pollfd polled = { .fd = ending_fd(), .events = POLLIN };

	return poll(&polled, 1, ms) > 0;
}

void ending_await(void)
{
	while (!ending_comes_within(-1))
		continue;
}
