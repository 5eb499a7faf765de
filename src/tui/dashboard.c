#include "tui/dashboard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tui/screen.h"
#include "tui/stage.h"
#include "tui/ui.h"

enum {
	MESSAGES_MOST = 1000, /* before the next frame and the next key */
	CALL_MS = 5000,
	TICK_MS = 1000, /* a frame at least so often: clocks and countdowns move */
	LATE_MS = 150,  /* samples come as often, and bring the frame with them, though not to the millisecond */
	COUNTDOWN_MS = 200,
	RETRY_MS = 250, /* between tries to find the engine again */
	MESSAGE_US = 6000000,
	MESSAGE_MOST = 512,
	BAD_STATUS = 2,
};

struct loop {
	struct ui *ui;
	struct stage stage;
};

/* Where the news go: a paused screen stays as it is. */
static struct replica *ui_live(struct ui *ui)
{
	return ui->is_paused ? &ui->live : &ui->replica;
}

json_t *ui_subscription(const struct ui *ui)
{
	return json_pack("{s:b,s:i,s:b}", "samples", 1, "sample_ms",
		(int)(ui->settings.table.sample_ms ? ui->settings.table.sample_ms : SETTINGS_SAMPLE_MS), "logs", 1);
}

static bool connect_engine(struct ui *ui, struct error *err)
{
	ui->link = ui->options->recording ? ui->options->recording : link_open(ui->options->project, err);
	if (!ui->link)
		return false;
	json_t *snapshot = link_call(ui->link, "subscribe",
		ui_subscription(ui), CALL_MS,
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
	if (ui_live(ui)->is_over || ui->options->recording)
		ui->is_leaving = true;
}

void news_find(struct ui *ui)
{
	struct error err;

	if (!connect_engine(ui, &err))
		return;
	ui->lost_us = 0;
	rows_keep_selection(ui);
	if (ui->dialog == DIALOG_ENDING)
		ui_request(ui, REPLY_ACTION, 0, "down", NULL);
}

int news_take(struct ui *ui, void (*see)(void *context, const json_t *message), void *context)
{
	struct error err = { 0 };
	json_t *message;
	int count = 0;

	while (ui->link && count < MESSAGES_MOST && (message = link_next(ui->link, &err))) {
		count++;
		replica_apply(ui_live(ui), message);
		details_message(ui, message);
		if (see)
			see(context, message);
		json_decref(message);
	}
	if (ui->link && err.code)
		lose_engine(ui);
	if (ui_live(ui)->is_over && ui->dialog == DIALOG_ENDING)
		ui->is_leaving = true;
	return count;
}

static void draw(struct loop *loop)
{
	struct ui *ui = loop->ui;

	ui->now_us = clock_wall_us();
	if (ui->message[0] && ui->now_us - ui->message_us > MESSAGE_US)
		ui->message[0] = '\0';
	if (ui->past_us)
		ui->now_us = ui->past_us;
	sort_measure(ui);
	table_measure(ui);
	tags_tidy(ui);
	rows_keep_selection(ui);
	details_follow(ui);
	insight_follow(ui);
	traffic_follow(ui);
	stopping_follow(ui);
	struct grid *grid = stage_begin(&loop->stage);
	crews_follow(ui, layout_of(grid->width, grid->height, ui->is_zoomed, !ui->settings.table.is_headless).table.height);
	logs_prepare(ui, grid->width, grid->height);
	view_draw(ui, grid);
	stage_show(&loop->stage);
}

static void take_keys(struct loop *loop)
{
	uint32_t key;
	int x, y;

	while (!loop->ui->is_leaving && (key = stage_key(&loop->stage))) {
		if (key != INPUT_CLICK) {
			action_key(loop->ui, key);
			continue;
		}
		screen_click(&x, &y);
		action_click(loop->ui, &loop->stage.grid, x, y);
	}
}

static bool counts_down(const struct ui *ui)
{
	for (size_t i = 0; i < ui->replica.row_count; i++)
		if (ui->replica.rows[i].row.deadline_us)
			return true;
	return false;
}

/* When something is new, and at times when nothing is. */
static uint64_t due_ms(const struct loop *loop)
{
	uint64_t due = stage_due_ms(&loop->stage);
	uint64_t tick = loop->stage.drawn_ms + (counts_down(loop->ui) ? COUNTDOWN_MS : loop->ui->link ? TICK_MS + LATE_MS
												      : TICK_MS);

	return loop->stage.is_behind || due < tick ? due : tick;
}

/* Until the next frame is due, or the next try to find the engine. */
static int patience(const struct loop *loop)
{
	uint64_t now = clock_monotonic_ms(), due = due_ms(loop);

	if (!loop->ui->link && due > now + RETRY_MS)
		due = now + RETRY_MS;
	if (due > now + TICK_MS + LATE_MS)
		due = now + TICK_MS + LATE_MS;
	return due > now ? (int)(due - now) : 0;
}

static void serve(struct loop *loop)
{
	struct ui *ui = loop->ui;
	struct stage *stage = &loop->stage;

	while (!ui->is_leaving) {
		if (!ui->link)
			news_find(ui);
		int taken = news_take(ui, NULL, NULL);
		bool has_work = feed_work(ui);
		logs_keys_told(ui);
		stage->is_dirty |= taken > 0 || has_work;
		if (clock_monotonic_ms() >= due_ms(loop))
			draw(loop);
		if (ui->is_leaving)
			break;
		stage_wait(stage, ui->link ? link_fd(ui->link) : -1, taken < MESSAGES_MOST && !has_work ? patience(loop) : 0);
		ui->is_leaving |= stage->is_leaving;
		take_keys(loop);
	}
}

static void say_goodbye(const struct ui *ui, char out[MESSAGE_MOST])
{
	out[0] = '\0';
	if (ui->options->recording && !ui->link)
		snprintf(out, MESSAGE_MOST, "who read the recording has ended\r\n");
	if (!ui->replica.is_over && ui->link && !ui->options->recording)
		snprintf(out, MESSAGE_MOST, "detached: `thrum attach -p %s` comes back, `thrum down -p %s` stops all\r\n",
			ui->options->project, ui->options->project);
}

/* Nobody looks any more, and nobody can be told what comes of it. */
static void end_all(struct ui *ui)
{
	struct error err;

	if (ui->link)
		json_decref(link_call(ui->link, "down", NULL, CALL_MS, &err));
}

/* From the first frame, or line, to the last. */
static bool show(struct loop *loop, struct error *err)
{
	char goodbye[MESSAGE_MOST];

	if (loop->ui->options->is_plain) {
		plain_show(loop->ui);
		return true;
	}
	if (!stage_open(&loop->stage, &loop->ui->settings.style, "thrum up --headless", err))
		return false;
	loop->ui->is_unicode = screen_is_unicode();
	if (loop->ui->options->recording)
		past_go(loop->ui, loop->ui->options->newest_us);
	serve(loop);
	say_goodbye(loop->ui, goodbye);
	stage_close(&loop->stage, goodbye);
	if (loop->stage.is_gone && loop->ui->options->ends_on_hangup)
		end_all(loop->ui);
	return true;
}

int dashboard_run(const struct dashboard_options *options)
{
	struct ui *ui = memory_zeroed(1, sizeof *ui);
	struct loop loop = { .ui = ui };
	struct error err = { 0 };

	ui->options = options;
	ui->settings = *options->settings;
	if (options->problem)
		ui_say(ui, true, "%s", options->problem);
	replica_init(&ui->replica);
	bool ok = connect_engine(ui, &err) && show(&loop, &err);
	if (!ok)
		fprintf(stderr, "thrum: %s\n", err.text);
	link_close(ui->link);
	details_finish(ui);
	crews_forget(ui);
	events_forget(ui);
	stacks_forget(ui);
	traffic_forget(ui);
	logs_finish(&ui->logs);
	replica_finish(&ui->replica);
	replica_finish(&ui->live);
	filter_finish(ui);
	launch_forget(ui);
	ui_keep(&ui->replies, NULL);
	ui_keep(&ui->remains, NULL);
	free(ui);
	return ok ? 0 : BAD_STATUS;
}
