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
	WHEEL_ROWS = 3,
	DROPS_WIDTH = 50 };

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

/* Those seconds that have gone by since the newest one count no more. */
static void move_on(struct drops *drops, uint64_t second)
{
	for (unsigned i = 0; i < DROPS_S && drops->second < second; i++)
		drops->counts[++drops->second % DROPS_S] = 0;
	drops->second = second;
}

unsigned drops_count(const struct drops *drops, uint64_t now_ms)
{
	struct drops now = *drops;
	unsigned count = 0;

	move_on(&now, now_ms / 1000);
	for (unsigned i = 0; i < DROPS_S; i++)
		count += now.counts[i];
	return count;
}

void drops_add(struct drops *drops, uint64_t now_ms)
{
	move_on(drops, now_ms / 1000);
	drops->counts[drops->second % DROPS_S]++;
}

/* At the end of the second line, where no screen has anything that matters more. */
static void tell_drops(struct stage *stage)
{
	char text[DROPS_WIDTH + 1];
	struct grid *grid = &stage->grid;
	unsigned count = drops_count(&stage->drops, clock_monotonic_ms());
	int width = count ? snprintf(text, sizeof text, " SLOW TTY: %u frames dropped in %d s ", count, DROPS_S) : 0;

	if (count && grid->height > 1)
		grid_put(grid, (struct rect){ grid->width > width ? grid->width - width : 0, 1, grid->width, 1 }, LOOK_WARN, text);
}

/* A frame that was due while the terminal had not taken the one before. */
static void drop_frame(struct stage *stage)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (!stage->is_behind || !stage->is_dirty || now_ms < stage->drawn_ms + FRAME_MS)
		return;
	drops_add(&stage->drops, now_ms);
	stage->drawn_ms = now_ms;
	stage->is_dirty = false;
	stage->has_dropped = true;
}

void stage_show(struct stage *stage)
{
	tell_drops(stage);
	stage->is_dirty = !screen_show(&stage->grid);
	stage->is_urgent &= stage->is_dirty;
	stage->is_behind = !screen_send();
	stage->has_dropped = false;
	stage->drawn_ms = clock_monotonic_ms();
	stage->frames++;
	tell_listener(stage);
}

uint64_t stage_due_ms(const struct stage *stage)
{
	if (!stage->is_dirty || stage->is_behind)
		return UINT64_MAX;
	return stage->is_urgent ? stage->drawn_ms + HURRY_MS : stage_frame_ms(stage);
}

uint64_t stage_frame_ms(const struct stage *stage)
{
	return stage->drawn_ms + FRAME_MS;
}

bool stage_has_dropped(const struct stage *stage)
{
	return drops_count(&stage->drops, clock_monotonic_ms());
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
	stage->is_dirty |= !stage->is_behind && stage->has_dropped;
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

	drop_frame(stage);
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
