#include "tui/stage.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/signals.h"
#include "tui/screen.h"

static void close_signals(struct stage *stage)
{
	close(stage->signal_fd);
	sigprocmask(SIG_SETMASK, &stage->former, NULL);
}

bool stage_open(struct stage *stage, const char *otherwise, struct error *err)
{
	stage->signal_fd = signals_open(signals_of_terminal, &stage->former);
	stage->is_dirty = true;
	grid_init(&stage->grid);
	bool ok = screen_open(otherwise, err);
	if (!ok)
		close_signals(stage);
	return ok;
}

bool stage_close(struct stage *stage)
{
	bool ok = screen_close(stage->is_gone);

	close_signals(stage);
	grid_finish(&stage->grid);
	return ok;
}

struct grid *stage_begin(struct stage *stage)
{
	int width, height;

	screen_size(&width, &height);
	grid_reset(&stage->grid, width, height);
	return &stage->grid;
}

void stage_show(struct stage *stage)
{
	stage->is_dirty = !screen_show(&stage->grid);
	stage->is_behind = !screen_send();
	stage->drawn_ms = clock_monotonic_ms();
}

static void take_signals(struct stage *stage)
{
	struct signalfd_siginfo info;

	while (read(stage->signal_fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH)
			screen_resize();
		else if (info.ssi_signo == SIGTSTP)
			screen_suspend();
		else if (info.ssi_signo == SIGHUP)
			stage->is_gone = stage->is_leaving = true;
		else if (info.ssi_signo != SIGCONT)
			stage->is_leaving = true;
		stage->is_dirty = true;
	}
}

void stage_wait(struct stage *stage, int fd, int ms)
{
	struct pollfd ready[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = stage->signal_fd, .events = POLLIN },
		{ .fd = stage->is_behind ? screen_fd() : -1, .events = POLLOUT },
		{ .fd = fd, .events = POLLIN },
	};

	if (poll(ready, sizeof ready / sizeof *ready, ms) < 0 && errno != EINTR)
		stage->is_leaving = true;
	if (ready[2].revents)
		stage->is_behind = !screen_send();
	if (ready[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		stage->is_gone = stage->is_leaving = true;
	take_signals(stage);
}

uint32_t stage_key(struct stage *stage)
{
	uint32_t key = screen_read();

	stage->is_dirty |= key != 0;
	return key;
}
