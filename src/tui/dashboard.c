#include "tui/dashboard.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tui/screen.h"
#include "tui/stage.h"
#include "tui/ui.h"

enum {
	TAKE_MS = 15, /* messages are taken in for so long before the next frame and the next key */
	CALL_MS = 5000,
	TICK_MS = 1000, /* a frame at least so often: clocks and countdowns move */
	LATE_MS = 150,  /* samples come as often, and bring the frame with them, though not to the millisecond */
	ANSWER_MS = 60, /* what is asked with a sample is shown with it, if it comes so soon */
	COUNTDOWN_MS = 200,
	RETRY_MS = 250, /* between tries to find the engine again */
	MESSAGE_US = 6000000,
	MESSAGE_MOST = 512,
	LARGE = 64 * 1024, /* bytes: memory that goes back to the system as soon as it is free */
	BAD_STATUS = 2,
};

struct loop {
	struct ui *ui;
	struct stage stage;
	uint64_t ticked_ms; /* when the figures came that the screen does not show yet; 0: none did */
	bool was_working;   /* on logs */
};

/* Where the news go: a paused screen stays as it is. */
static struct replica *ui_live(struct ui *ui)
{
	return ui->is_paused ? &ui->live : &ui->replica;
}

json_t *ui_subscription(const struct ui *ui)
{
	return json_pack("{s:b,s:i,s:b,s:b}", "samples", 1, "sample_ms",
		(int)settings_sample_ms(ui->settings.table.sample_ms), "logs", 1, "pieces", 1);
}

static bool connect_engine(struct ui *ui, struct error *err)
{
	ui->link = ui->options->recording ? ui->options->recording : link_open(ui->options->project, err);
	if (!ui->link)
		return false;
	bool ok = replica_subscribe(ui_live(ui), ui->link, ui_subscription(ui), CALL_MS, err);
	if (!ok) {
		link_close(ui->link);
		ui->link = NULL;
	}
	ui->is_untidy = true;
	return ok;
}

static void lose_engine(struct ui *ui)
{
	link_close(ui->link);
	ui->link = NULL;
	ui->lost_us = clock_wall_us();
	ui->is_stale = true;
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
	ui->is_stale = true;
	rows_keep_selection(ui);
	if (ui->dialog == DIALOG_ENDING)
		ui_request(ui, REPLY_ACTION, 0, "down", NULL);
}

/* Figures come again and again, in pieces, of which the last has those of the machine: then is the time to look at them. */
static void take_news(struct ui *ui, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	bool is_sample = method && strcmp(method, "sample") == 0;
	bool is_changed = replica_apply(ui_live(ui), message);

	if (is_sample && json_object_get(json_object_get(message, "params"), "machine"))
		ui->has_ticked = true;
	ui->is_stale |= is_changed && !is_sample && (!ui->is_paused || ui_live(ui)->is_over);
}

bool news_take(struct ui *ui, void (*see)(void *context, const json_t *message), void *context)
{
	uint64_t end_ms = clock_monotonic_ms() + TAKE_MS;
	struct error err = { 0 };
	json_t *message = NULL;
	bool is_late = false;

	while (ui->link && !is_late && (message = link_next(ui->link, &err))) {
		take_news(ui, message);
		details_message(ui, message);
		if (see)
			see(context, message);
		json_decref(message);
		is_late = clock_monotonic_ms() >= end_ms;
	}
	if (ui->link && err.code)
		lose_engine(ui);
	if (ui_live(ui)->is_over && ui->dialog == DIALOG_ENDING)
		ui->is_leaving = true;
	ui->is_untidy |= is_late;
	return is_late;
}

static void draw(struct loop *loop)
{
	struct ui *ui = loop->ui;

	ui->now_us = clock_wall_us();
	if (ui->message[0] && ui->now_us - ui->message_us > MESSAGE_US)
		ui->message[0] = '\0';
	if (ui->is_paused) /* a paused screen stands still, and so does the past */
		ui->now_us = ui->past_us ? ui->past_us : ui->paused_us;
	loop->ticked_ms = 0;
	sort_measure(ui);
	table_measure(ui);
	tags_tidy(ui);
	rows_keep_selection(ui);
	details_follow(ui);
	insight_follow(ui);
	traffic_follow(ui);
	stopping_follow(ui);
	struct grid *grid = stage_begin(&loop->stage);
	crews_follow(ui, view_layout(ui, grid->width, grid->height).table.height);
	logs_prepare(ui, grid->width, grid->height);
	view_draw(ui, grid);
	stage_show(&loop->stage);
}

/* What one long answer needed is not held for good: it goes back when nobody waits for anything. */
static void tidy(struct ui *ui)
{
	if (ui->is_untidy)
		malloc_trim(0);
	ui->is_untidy = false;
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

/* In tenths of a second. */
static bool counts_down(const struct ui *ui)
{
	for (size_t i = 0; i < ui->replica.row_count; i++) {
		const struct row *row = &ui->replica.rows[i].row;
		if (row->deadline_us && row->state != STATE_SCHEDULED)
			return true;
	}
	return false;
}

/* How long a frame is good for. UINT64_MAX: until something changes. */
static uint64_t good_ms(const struct loop *loop)
{
	const struct ui *ui = loop->ui;

	if (ui->is_paused)
		return ui->message[0] || stage_has_dropped(&loop->stage) ? TICK_MS : UINT64_MAX;
	return counts_down(ui) ? COUNTDOWN_MS : ui->link ? TICK_MS + LATE_MS
							 : TICK_MS;
}

/* The figures, and what is asked of the process with each of them. */
static uint64_t figures_due_ms(const struct loop *loop)
{
	uint64_t answered_ms = loop->ticked_ms + (insight_is_waiting(&loop->ui->insight) ? ANSWER_MS : 0);
	uint64_t due = stage_frame_ms(&loop->stage);

	return !loop->ticked_ms ? UINT64_MAX : due > answered_ms ? due
								 : answered_ms;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When something is new, and at times when nothing is. */
static uint64_t due_ms(const struct loop *loop)
{
	uint64_t good = good_ms(loop);
	uint64_t until = good == UINT64_MAX ? good : loop->stage.drawn_ms + good;

	if (loop->stage.is_behind)
		return UINT64_MAX;
	return least(stage_due_ms(&loop->stage), least(figures_due_ms(loop), until));
}

/* Until the next frame is due, or the next try to find the engine. */
static int patience(const struct loop *loop)
{
	uint64_t now = clock_monotonic_ms(), due = due_ms(loop);

	if (!loop->ui->link)
		due = least(due, now + RETRY_MS);
	if (due == UINT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

/* With figures comes the time to ask for what goes with them. */
static void note_tick(struct loop *loop)
{
	struct ui *ui = loop->ui;

	if (ui->has_ticked && !ui->is_paused) {
		ui->now_us = clock_wall_us();
		insight_follow(ui);
		loop->ticked_ms = clock_monotonic_ms();
		loop->stage.is_dirty |= loop->stage.is_behind; /* a frame is due, and cannot be drawn */
	}
	ui->has_ticked = false;
}

/* Is there more to be done at once? */
static bool work(struct loop *loop)
{
	struct ui *ui = loop->ui;
	bool has_more = news_take(ui, NULL, NULL), has_work = feed_work(ui);

	logs_keys_told(ui);
	note_tick(loop);
	loop->stage.is_dirty |= ui->is_stale || has_work || loop->was_working;
	ui->is_stale = false;
	loop->was_working = has_work;
	return has_more || has_work;
}

static void serve(struct loop *loop)
{
	struct ui *ui = loop->ui;
	struct stage *stage = &loop->stage;

	while (!ui->is_leaving) {
		if (!ui->link)
			news_find(ui);
		bool has_more = work(loop);
		if (clock_monotonic_ms() >= due_ms(loop))
			draw(loop);
		else if (!has_more && !stage->is_dirty)
			tidy(ui);
		if (ui->is_leaving)
			break;
		stage_wait(stage, ui->link ? link_fd(ui->link) : -1, has_more ? 0 : patience(loop));
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

/* From the first frame to the last. */
static bool show_screen(struct loop *loop, struct error *err)
{
	char goodbye[MESSAGE_MOST];

	if (!stage_open(&loop->stage, &loop->ui->settings.style, "thrum up --headless", err))
		return false;
	loop->ui->is_unicode = screen_is_unicode();
	if (loop->ui->options->recording)
		past_go(loop->ui, loop->ui->options->newest_us);
	serve(loop);
	say_goodbye(loop->ui, goodbye);
	stage_close(&loop->stage, goodbye);
	return true;
}

static bool show(struct loop *loop, struct error *err)
{
	bool is_plain = loop->ui->options->is_plain, is_gone = is_plain && plain_show(loop->ui);

	if (!is_plain && !show_screen(loop, err))
		return false;
	if ((is_gone || loop->stage.is_gone) && loop->ui->options->ends_on_hangup)
		end_all(loop->ui);
	return true;
}

int dashboard_run(const struct dashboard_options *options)
{
	struct ui *ui = memory_zeroed(1, sizeof *ui);
	struct loop loop = { .ui = ui };
	struct error err = { 0 };

	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TRIM_THRESHOLD, LARGE);
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
	undo_forget(ui);
	send_forget(ui);
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
