/* The whole screen as it was some time ago: the engine remembers, the table shows it as it would now. */
#include <string.h>

#include "base/clock.h"
#include "protocol/value.h"
#include "tui/ui.h"

enum { STEP_US = 5000000 };

void past_go(struct ui *ui, uint64_t at_us)
{
	ui_request(ui, REPLY_PAST, 0, "past", json_pack("{s:o}", "at", time_to_json(at_us)));
	ui->past_asked_us = at_us;
}

void past_leave(struct ui *ui)
{
	ui->past_us = ui->past_asked_us = 0;
	ui_pause(ui, false);
}

/* From where the last step went, though it may not be on the screen yet. */
void past_step(struct ui *ui, int steps)
{
	uint64_t now_us = clock_wall_us(), from_us = ui->past_asked_us ? ui->past_asked_us : now_us;
	uint64_t at_us = steps < 0 ? from_us - (uint64_t)-steps * STEP_US : from_us + (uint64_t)steps * STEP_US;

	if (at_us >= now_us)
		past_leave(ui);
	else
		past_go(ui, at_us);
}

/* What is known of inside a process is of now. */
void past_show(struct ui *ui, const json_t *result)
{
	uint64_t first_us = time_from_json(json_object_get(result, "first"));

	if (!ui->past_asked_us)
		return; /* now again, before the answer came */
	if (ui->past_asked_us < first_us) {
		ui->past_asked_us = first_us;
		ui_say(ui, false, "nothing is kept of what was before");
	}
	ui_pause(ui, true);
	ui->past_us = time_from_json(json_object_get(result, "ts"));
	study_finish(&ui->insight.study);
	replica_recall(&ui->replica, &ui->live, ui->past_us, json_object_get(result, "instances"));
	rows_keep_selection(ui);
}
