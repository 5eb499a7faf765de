#include "tui/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "client/signals.h"
#include "tui/keymap.h"
#include "tui/screen.h"

enum { FRAME_MS = 100,
	HURRY_MS = 20, /* after a key: those of a paste are shown together */
	WHEEL_ROWS = 3 };

/* A test that looks on is told of each frame: its number, how many keys it knows, and the bytes that were written so far. */
static int find_listener(void)
{
	const char *number = getenv("THRUM_FRAME_FD");
	long fd = number ? strtol(number, NULL, 10) : -1;

	return fd > STDERR_FILENO && fd <= INT_MAX && fcntl((int)fd, F_GETFD) >= 0 ? (int)fd : -1;
}

static void tell_listener(const struct stage *stage)
{
	if (stage->told_fd >= 0 && !stage->is_behind)
		dprintf(stage->told_fd, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", stage->frames, stage->keys, screen_written());
}

static void close_signals(struct stage *stage)
{
	close(stage->signal_fd);
	sigprocmask(SIG_SETMASK, &stage->former, NULL);
}

bool stage_open(struct stage *stage, const struct style *style, const char *otherwise, struct error *err)
{
	stage->signal_fd = signals_open(signals_of_terminal, &stage->former);
	stage->is_dirty = true;
	stage->told_fd = find_listener();
	grid_init(&stage->grid);
	bool ok = screen_open(style, otherwise, err);
	if (!ok)
		close_signals(stage);
	return ok;
}

void stage_close(struct stage *stage, const char *last)
{
	screen_close(stage->is_gone, last);
	close_signals(stage);
	grid_finish(&stage->grid);
}

struct grid *stage_begin(struct stage *stage)
{
	int width, height;

	screen_size(&width, &height);
	if (screen_has_mouse() && !stage->grid.spots)
		stage->grid.spots = memory_zeroed(SPOTS_MOST, sizeof *stage->grid.spots);
	grid_reset(&stage->grid, width, height);
	return &stage->grid;
}

void stage_show(struct stage *stage)
{
	stage->is_dirty = !screen_show(&stage->grid);
	stage->is_urgent &= stage->is_dirty;
	stage->is_behind = !screen_send();
	stage->drawn_ms = clock_monotonic_ms();
	stage->frames++;
	tell_listener(stage);
}

uint64_t stage_due_ms(const struct stage *stage)
{
	if (!stage->is_dirty || stage->is_behind)
		return UINT64_MAX;
	return stage->drawn_ms + (stage->is_urgent ? HURRY_MS : FRAME_MS);
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
		stage->is_dirty = stage->is_urgent = true;
	}
}

static void send_rest(struct stage *stage)
{
	stage->is_behind = !screen_send();
	tell_listener(stage);
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
		send_rest(stage);
	if (ready[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		stage->is_gone = stage->is_leaving = true;
	take_signals(stage);
}

static uint32_t unwind_wheel(struct stage *stage, uint32_t key)
{
	if (key != INPUT_WHEEL_UP && key != INPUT_WHEEL_DOWN)
		return key;
	stage->repeated = key == INPUT_WHEEL_UP ? INPUT_ARROW_UP : INPUT_ARROW_DOWN;
	stage->repeats = WHEEL_ROWS - 1;
	return stage->repeated;
}

uint32_t stage_key(struct stage *stage)
{
	if (stage->repeats) {
		stage->repeats--;
		return stage->repeated;
	}
	uint32_t key;
	while ((key = screen_read()) == INPUT_NONE)
		continue;
	if (!key)
		return 0;
	stage->keys++;
	stage->is_dirty = stage->is_urgent = true;
	return unwind_wheel(stage, key);
}
