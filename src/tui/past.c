/* The whole screen as it was some time ago: who remembers tells, and the table shows it as it would now. */
#include <string.h>

#include "base/clock.h"
#include "protocol/value.h"
#include "tui/ui.h"

enum { STEP_US = 5000000 };

uint64_t past_newest(const struct ui *ui)
{
	return ui->options->recording ? ui->options->newest_us : clock_wall_us();
}

/* From where the last step went, though it may not be on the screen yet. */
static uint64_t present(const struct ui *ui)
{
	return ui->past_asked_us ? ui->past_asked_us : past_newest(ui);
}

static void ask(struct ui *ui, uint64_t at_us, const char *event)
{
	json_t *params = json_pack("{s:o,s:s*}", "at", time_to_json(at_us), "event", event);

	ui_request(ui, REPLY_PAST, 0, "past", params);
	ui->past_asked_us = at_us;
}

void past_go(struct ui *ui, uint64_t at_us)
{
	ask(ui, at_us, NULL);
}

void past_go_back(struct ui *ui, uint64_t ago_us)
{
	uint64_t now_us = past_newest(ui);

	past_go(ui, ago_us < now_us ? now_us - ago_us : 1);
}

/* What is known of inside a process is of another moment, and so is what is asked for already. */
static void forget_inside(struct ui *ui)
{
	struct insight *insight = &ui->insight;

	ui->epoch++;
	memset(insight->is_waiting, 0, sizeof insight->is_waiting);
	memset(insight->asked_us, 0, sizeof insight->asked_us);
	ui->traffic.then_us = 0;
	study_finish(&ui->insight.study);
	ui_keep(&ui->insight.pool, NULL);
	ui->insight.depth_then.count = ui->insight.busy_then.count = 0;
}

void past_leave(struct ui *ui)
{
	if (ui->options->recording) {
		past_go(ui, ui->options->newest_us);
		return;
	}
	if (ui->past_us)
		forget_inside(ui);
	ui->past_us = ui->past_asked_us = 0;
	ui_pause(ui, false);
}

void past_step(struct ui *ui, int steps)
{
	uint64_t from_us = present(ui);
	uint64_t at_us = steps < 0 ? from_us - (uint64_t)-steps * STEP_US : from_us + (uint64_t)steps * STEP_US;

	if (at_us >= past_newest(ui))
		past_leave(ui);
	else
		past_go(ui, at_us);
}

void past_event(struct ui *ui, int direction)
{
	if (direction > 0 && !ui->past_us) {
		ui_say(ui, true, "this is now");
		return;
	}
	ask(ui, present(ui), direction < 0 ? "before" : "after");
}

void past_show(struct ui *ui, const json_t *result)
{
	uint64_t first_us = time_from_json(json_object_get(result, "first"));
	const json_t *moved = json_object_get(result, "moved");

	if (!ui->past_asked_us)
		return; /* now again, before the answer came */
	if (ui->past_asked_us < first_us)
		ui_say(ui, false, "nothing is kept of what was before");
	ui_pause(ui, true);
	ui->past_us = time_from_json(json_object_get(result, "ts"));
	if (ui->past_asked_us < first_us || moved)
		ui->past_asked_us = ui->past_us;
	if (json_is_false(moved))
		ui_say(ui, true, "no other event is known in that direction");
	forget_inside(ui);
	replica_recall(&ui->replica, &ui->live, ui->past_us, result);
	rows_keep_selection(ui);
	ui->is_untidy = true;
}
