#include "tui/top.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tui/keymap.h"
#include "tui/screen.h"
#include "tui/stage.h"
#include "tui/top_ui.h"

enum { MESSAGE_MS = 6000,
	RANK_MS = 4000,
	BAD_STATUS = 2 };

struct loop {
	struct top *top;
	struct stage stage;
	uint64_t sampled_ms; /* monotonic: when the last pass was, and when … */
	uint64_t ranked_ms;  /* … rows that are sorted by CPU were put in order anew */
	unsigned passes;
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

/* The first pass tells of whole lives, the second of now. */
static void rank(struct loop *loop)
{
	bool is_due = loop->passes++ < 2 || loop->sampled_ms - loop->ranked_ms >= RANK_MS;

	machine_rank(&loop->top->machine, is_due);
	if (is_due)
		loop->ranked_ms = loop->sampled_ms;
}

static bool sample(struct loop *loop, struct error *err)
{
	struct top *top = loop->top;
	const struct top_source *source = top->options->source;

	bool ok = source->sample(source->context, &top->machine, err);
	loop->sampled_ms = clock_monotonic_ms();
	rank(loop);
	machine_set_tidy(&top->tags, &top->machine);
	machine_set_tidy(&top->wish.folded, &top->machine);
	top_rows_build(top);
	top->is_stale = top->is_untold = true;
	loop->stage.is_dirty = true;
	return ok;
}

static uint64_t interval_of(const struct top *top)
{
	return top->options->interval_ms ? top->options->interval_ms : settings_sample_ms(top->settings.table.sample_ms);
}

static void sample_if_due(struct loop *loop)
{
	struct error err;
	struct top *top = loop->top;
	bool is_due = top->is_due || (!top->is_paused && clock_monotonic_ms() - loop->sampled_ms >= interval_of(top));

	top->is_due = false;
	if (is_due && !sample(loop, &err))
		top_say(loop->top, true, "%.200s", err.text);
}

static void draw(struct loop *loop)
{
	struct top *top = loop->top;

	top->now_ms = clock_monotonic_ms();
	if (top->message[0] && top->now_ms - top->message_ms > MESSAGE_MS)
		top->message[0] = '\0';
	top_details_read(top);
	top_draw(top, stage_begin(&loop->stage));
	stage_show(&loop->stage);
	top_ask(top);
}

static void take_answer(struct loop *loop)
{
	struct top *top = loop->top;

	if (top->is_waiting) {
		top_take(top);
		loop->stage.is_dirty |= !top->is_waiting;
	}
	if (top_hear(top))
		loop->stage.is_dirty = true;
}

static void take_keys(struct loop *loop)
{
	uint32_t key;
	int x, y;

	while (!loop->top->is_leaving && (key = stage_key(&loop->stage))) {
		if (key != INPUT_CLICK) {
			top_key(loop->top, key);
			continue;
		}
		screen_click(&x, &y);
		top_click(loop->top, &loop->stage.grid, x, y);
	}
}

/* Until the next pass or frame is due. */
static int patience(const struct loop *loop)
{
	uint64_t now = clock_monotonic_ms(), due = stage_due_ms(&loop->stage);
	uint64_t sample = loop->sampled_ms + interval_of(loop->top);

	if (!loop->top->is_paused && sample < due)
		due = sample;
	if (due == UINT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

static void serve(struct loop *loop)
{
	struct top *top = loop->top;
	struct stage *stage = &loop->stage;

	while (!top->is_leaving) {
		sample_if_due(loop);
		if (clock_monotonic_ms() >= stage_due_ms(stage))
			draw(loop);
		stage_wait(stage, top->options->source->answer_fd, patience(loop));
		top->is_leaving |= stage->is_leaving;
		take_answer(loop);
		take_keys(loop);
	}
}

/* From the first frame to the last. */
static bool show(struct loop *loop, struct error *err)
{
	if (!stage_open(&loop->stage, &loop->top->settings.style, "thrum top -b", err))
		return false;
	loop->top->is_unicode = screen_is_unicode();
	serve(loop);
	stage_close(&loop->stage, "");
	return true;
}

static void finish(struct top *top)
{
	machine_finish(&top->machine);
	top_quest_destroy(top->known);
	pattern_destroy(top->filter);
	text_finish(&top->details);
	free(top->rows);
	free(top);
}

int top_run(const struct top_options *options)
{
	struct loop loop = { .top = memory_zeroed(1, sizeof *loop.top) };
	struct top *top = loop.top;
	struct error err = { 0 };

	top->options = options;
	top->settings = *options->settings;
	if (options->problem)
		top_say(top, true, "%.240s", options->problem);
	top->wish.pids = options->pids;
	top->wish.pid_count = options->pid_count;
	top_filter(top, options->filter ? options->filter : "");
	bool ok = sample(&loop, &err) && show(&loop, &err);
	if (!ok)
		fprintf(stderr, "thrum: %s\n", err.text);
	finish(top);
	return ok ? 0 : BAD_STATUS;
}
