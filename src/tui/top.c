#include "tui/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "client/signals.h"
#include "tui/screen.h"
#include "tui/top_ui.h"

enum { FRAME_MS = 50, /* no more than twenty frames a second */
	MESSAGE_MS = 6000,
	BAD_STATUS = 2 };

struct loop {
	struct top *top;
	struct grid grid;
	int signal_fd;
	uint64_t drawn_ms, sampled_ms;
	bool is_dirty, is_gone;
	bool is_behind; /* the terminal has not taken all of a frame */
};

void top_say(struct top *top, bool is_bad, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(top->message, sizeof top->message, fmt, args);
	va_end(args);
	top->is_bad = is_bad;
	top->message_ms = clock_monotonic_ms();
}

static bool sample(struct loop *loop, struct error *err)
{
	struct top *top = loop->top;
	const struct top_source *source = top->options->source;

	bool ok = source->sample(source->context, &top->machine, err);
	loop->sampled_ms = clock_monotonic_ms();
	machine_set_tidy(&top->tags, &top->machine);
	machine_set_tidy(&top->wish.folded, &top->machine);
	top_rows_build(top);
	top->is_stale = true;
	loop->is_dirty = true;
	return ok;
}

static void sample_if_due(struct loop *loop)
{
	struct error err;
	bool is_due = clock_monotonic_ms() - loop->sampled_ms >= loop->top->options->interval_ms;

	if (!loop->top->is_paused && is_due && !sample(loop, &err))
		top_say(loop->top, true, "%.200s", err.text);
}

static void draw(struct loop *loop)
{
	struct top *top = loop->top;
	int width, height;

	top->now_ms = clock_monotonic_ms();
	if (top->message[0] && top->now_ms - top->message_ms > MESSAGE_MS)
		top->message[0] = '\0';
	top_details_read(top);
	screen_size(&width, &height);
	grid_reset(&loop->grid, width, height);
	top_draw(top, &loop->grid);
	loop->is_dirty = !screen_show(&loop->grid);
	loop->is_behind = !screen_send();
	loop->drawn_ms = clock_monotonic_ms();
}

static void take_signals(struct loop *loop)
{
	struct signalfd_siginfo info;

	while (read(loop->signal_fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH)
			screen_resize();
		else if (info.ssi_signo == SIGTSTP)
			screen_suspend();
		else if (info.ssi_signo == SIGHUP)
			loop->is_gone = loop->top->is_leaving = true;
		else if (info.ssi_signo != SIGCONT)
			loop->top->is_leaving = true;
		loop->is_dirty = true;
	}
}

static void take_keys(struct loop *loop)
{
	uint32_t key;

	while (!loop->top->is_leaving && (key = screen_read())) {
		top_key(loop->top, key);
		loop->is_dirty = true;
	}
}

/* Until the next pass or frame is due. */
static int patience(const struct loop *loop)
{
	uint64_t now = clock_monotonic_ms(), due = loop->sampled_ms + loop->top->options->interval_ms;

	if (loop->top->is_paused && !loop->is_dirty)
		return -1;
	if (loop->is_dirty && !loop->is_behind)
		due = loop->drawn_ms + FRAME_MS;
	return due > now ? (int)(due - now) : 0;
}

static void wait_for_something(struct loop *loop)
{
	struct pollfd ready[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = loop->signal_fd, .events = POLLIN },
		{ .fd = loop->is_behind ? screen_fd() : -1, .events = POLLOUT },
	};

	if (poll(ready, sizeof ready / sizeof *ready, patience(loop)) < 0 && errno != EINTR)
		loop->top->is_leaving = true;
	if (ready[2].revents)
		loop->is_behind = !screen_send();
	if (ready[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		loop->is_gone = loop->top->is_leaving = true;
}

static void serve(struct loop *loop)
{
	while (!loop->top->is_leaving) {
		sample_if_due(loop);
		bool is_due = loop->is_dirty && clock_monotonic_ms() - loop->drawn_ms >= FRAME_MS;
		if (is_due && !loop->is_behind)
			draw(loop);
		wait_for_something(loop);
		take_signals(loop);
		take_keys(loop);
	}
}

/* From the first frame to the last. Its signals are ours before ncurses could take them. */
static bool show(struct loop *loop, struct error *err)
{
	sigset_t former;

	loop->signal_fd = signals_open(signals_of_terminal, &former);
	bool ok = screen_open("thrum top -b", err);
	if (ok) {
		loop->top->is_unicode = screen_is_unicode();
		serve(loop);
		screen_close(loop->is_gone);
	}
	close(loop->signal_fd);
	sigprocmask(SIG_SETMASK, &former, NULL);
	return ok;
}

static void finish(struct loop *loop)
{
	struct top *top = loop->top;

	machine_finish(&top->machine);
	pattern_destroy(top->filter);
	text_finish(&top->details);
	free(top->rows);
	grid_finish(&loop->grid);
	free(top);
}

int top_run(const struct top_options *options)
{
	struct loop loop = { .top = memory_zeroed(1, sizeof *loop.top) };
	struct top *top = loop.top;
	struct error err = { 0 };

	top->options = options;
	top->wish = (struct machine_wish){ .sort = options->sort,
		.is_tree = options->is_tree,
		.pids = options->pids,
		.pid_count = options->pid_count };
	top_filter(top, options->filter ? options->filter : "");
	grid_init(&loop.grid);
	bool ok = sample(&loop, &err) && show(&loop, &err);
	if (!ok)
		fprintf(stderr, "thrum: %s\n", err.text);
	finish(&loop);
	return ok ? 0 : BAD_STATUS;
}
