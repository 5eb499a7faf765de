#include "tui/dashboard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tui/screen.h"
#include "tui/ui.h"
#include "client/signals.h"

enum {
	MESSAGES_MOST = 1000, /* before the next frame and the next key */
	CALL_MS = 5000,
	FRAME_MS = 100, /* no more than ten frames a second … */
	TICK_MS = 1000, /* … and one at least: clocks and countdowns move */
	COUNTDOWN_MS = 200,
	RETRY_MS = 250, /* between tries to find the engine again */
	MESSAGE_US = 6000000,
	BAD_STATUS = 2,
};

struct loop {
	struct ui *ui;
	struct grid grid;
	int signal_fd;
	uint64_t drawn_ms;
	bool is_dirty, is_gone;
	bool is_behind; /* the terminal has not taken all of a frame */
};

/* Where the news go: a paused screen stays as it is. */
static struct replica *ui_live(struct ui *ui)
{
	return ui->is_paused ? &ui->live : &ui->replica;
}

static bool connect_engine(struct ui *ui, struct error *err)
{
	ui->link = link_open(ui->options->project, err);
	if (!ui->link)
		return false;
	json_t *snapshot = link_call(ui->link, "subscribe",
		json_pack("{s:b,s:i,s:b}", "samples", 1, "sample_ms", 1000, "logs", 1), CALL_MS,
		err);
	bool ok = snapshot && replica_load(ui_live(ui), snapshot, err);
	json_decref(snapshot);
	if (!ok) {
		link_close(ui->link);
		ui->link = NULL;
	}
	return ok;
}

static void lose_engine(struct ui *ui)
{
	link_close(ui->link);
	ui->link = NULL;
	ui->lost_us = clock_wall_us();
	details_forget(ui);
	if (ui_live(ui)->is_over)
		ui->is_leaving = true;
}

static void find_engine(struct ui *ui)
{
	struct error err;

	if (!connect_engine(ui, &err))
		return;
	ui->lost_us = 0;
	rows_keep_selection(ui);
	if (ui->dialog == DIALOG_ENDING)
		ui_request(ui, REPLY_ACTION, 0, "down", NULL);
}

/* How many; when there were as many as are taken at once, there may be more. */
static int take_messages(struct ui *ui)
{
	struct error err = { 0 };
	json_t *message;
	int count = 0;

	while (ui->link && count < MESSAGES_MOST && (message = link_next(ui->link, &err))) {
		count++;
		replica_apply(ui_live(ui), message);
		details_message(ui, message);
		json_decref(message);
	}
	if (ui->link && err.code)
		lose_engine(ui);
	if (ui_live(ui)->is_over && ui->dialog == DIALOG_ENDING)
		ui->is_leaving = true;
	return count;
}

/* The dialog of a stop closes when the stop is over. */
static void close_stop(struct ui *ui)
{
	if (ui->dialog != DIALOG_STOP)
		return;
	struct replica_row *row =
		replica_find(&ui->replica, ui->asked.service, (unsigned)ui->asked.instance);
	bool is_over = !row || state_is_over(row->row.state) || row->row.life != ui->asked.life;
	if (is_over)
		ui->dialog = DIALOG_NONE;
}

static void draw(struct loop *loop)
{
	struct ui *ui = loop->ui;
	int width, height;

	ui->now_us = clock_wall_us();
	if (ui->message[0] && ui->now_us - ui->message_us > MESSAGE_US)
		ui->message[0] = '\0';
	if (ui->past_us)
		ui->now_us = ui->past_us;
	sort_measure(ui);
	tags_tidy(ui);
	rows_keep_selection(ui);
	details_follow(ui);
	insight_follow(ui);
	traffic_follow(ui);
	close_stop(ui);
	screen_size(&width, &height);
	grid_reset(&loop->grid, width, height);
	view_draw(ui, &loop->grid);
	loop->is_dirty = !screen_show(&loop->grid);
	loop->is_behind = !screen_send();
	loop->drawn_ms = clock_monotonic_ms();
}

static void take_signal(struct loop *loop)
{
	struct signalfd_siginfo info;

	while (read(loop->signal_fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH)
			screen_resize();
		else if (info.ssi_signo == SIGTSTP)
			screen_suspend();
		else if (info.ssi_signo == SIGHUP)
			loop->is_gone = loop->ui->is_leaving = true;
		else if (info.ssi_signo != SIGCONT)
			loop->ui->is_leaving = true;
		loop->is_dirty = true;
	}
}

static void take_keys(struct loop *loop)
{
	uint32_t key;

	while (!loop->ui->is_leaving && (key = screen_read())) {
		action_key(loop->ui, key);
		loop->is_dirty = true;
	}
}

static bool counts_down(const struct ui *ui)
{
	for (size_t i = 0; i < ui->replica.row_count; i++)
		if (ui->replica.rows[i].row.deadline_us)
			return true;
	return false;
}

/* Until the next frame is due, or the next try to find the engine. */
static int patience(const struct loop *loop)
{
	uint64_t now = clock_monotonic_ms(), due = loop->drawn_ms + TICK_MS;

	if (loop->is_behind)
		due = now + TICK_MS;
	else if (loop->is_dirty)
		due = loop->drawn_ms + FRAME_MS;
	else if (counts_down(loop->ui))
		due = loop->drawn_ms + COUNTDOWN_MS;
	if (!loop->ui->link && due > now + RETRY_MS)
		due = now + RETRY_MS;
	return due > now ? (int)(due - now) : 0;
}

static void wait_for_something(struct loop *loop, bool has_patience)
{
	struct pollfd ready[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = loop->signal_fd, .events = POLLIN },
		{ .fd = loop->ui->link ? link_fd(loop->ui->link) : -1, .events = POLLIN },
		{ .fd = loop->is_behind ? screen_fd() : -1, .events = POLLOUT },
	};

	if (poll(ready, sizeof ready / sizeof *ready, has_patience ? patience(loop) : 0) < 0 && errno != EINTR)
		loop->ui->is_leaving = true;
	if (ready[3].revents)
		loop->is_behind = !screen_send();
	if (ready[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		loop->is_gone = loop->ui->is_leaving = true;
}

static void serve(struct loop *loop)
{
	struct ui *ui = loop->ui;

	while (!ui->is_leaving) {
		if (!ui->link)
			find_engine(ui);
		int taken = take_messages(ui);
		loop->is_dirty |= taken > 0;
		uint64_t since_ms = clock_monotonic_ms() - loop->drawn_ms;
		bool is_due = since_ms >= TICK_MS || (counts_down(ui) && since_ms >= COUNTDOWN_MS);
		is_due |= loop->is_dirty && since_ms >= FRAME_MS;
		if (is_due && !loop->is_behind)
			draw(loop);
		if (ui->is_leaving)
			break;
		wait_for_something(loop, taken < MESSAGES_MOST);
		take_signal(loop);
		take_keys(loop);
	}
}

static void say_goodbye(const struct ui *ui)
{
	if (ui->replica.is_over || !ui->link)
		return;
	printf("detached: `thrum attach -p %s` comes back, `thrum down -p %s` stops all\n",
		ui->options->project, ui->options->project);
}

/* From the first frame to the last. Its signals are ours before ncurses could take them. */
static bool show(struct loop *loop, struct error *err)
{
	sigset_t former;

	loop->signal_fd = signals_open(signals_of_terminal, &former);
	bool ok = screen_open("thrum up --headless", err);
	if (ok) {
		loop->ui->is_unicode = screen_is_unicode();
		serve(loop);
		if (screen_close(loop->is_gone))
			say_goodbye(loop->ui);
	}
	close(loop->signal_fd);
	sigprocmask(SIG_SETMASK, &former, NULL);
	return ok;
}

int dashboard_run(const struct dashboard_options *options)
{
	struct ui *ui = memory_zeroed(1, sizeof *ui);
	struct loop loop = { .ui = ui, .is_dirty = true };
	struct error err = { 0 };

	ui->options = options;
	replica_init(&ui->replica);
	grid_init(&loop.grid);
	bool ok = connect_engine(ui, &err) && show(&loop, &err);
	if (!ok)
		fprintf(stderr, "thrum: %s\n", err.text);
	link_close(ui->link);
	details_finish(ui);
	traffic_forget(ui);
	logs_finish(&ui->logs);
	replica_finish(&ui->replica);
	replica_finish(&ui->live);
	filter_finish(ui);
	grid_finish(&loop.grid);
	free(ui);
	return ok ? 0 : BAD_STATUS;
}
