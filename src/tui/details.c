#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "protocol/value.h"
#include "tui/ui.h"

void details_forget(struct ui *ui)
{
	ui->epoch++;
	ui->past_asked_us = ui->past_us;
	insight_forget(ui);
	crews_forget(ui);
	traffic_forget(ui);
	feed_forget(ui);
	ui->shown = (struct target){ 0 };
	ui->pending_count = 0;
}

void details_finish(struct ui *ui)
{
	free(ui->deaths);
	ui->deaths = NULL;
	ui->death_count = 0;
	details_close_record(ui);
	ui->death = 0;
	insight_forget(ui);
	ui->epoch++;
}

void details_close_record(struct ui *ui)
{
	json_decref(ui->record);
	ui->record = NULL;
	ui->is_record_open = false;
}

void details_open_record(struct ui *ui)
{
	const struct death *death = history_selected(ui);

	if (!death)
		return;
	ui->is_record_open = true;
	ui->scroll = 0;
	ui_request(ui, REPLY_DEATH, 0, "death",
		json_pack("{s:s,s:i,s:I,s:o}", "service", ui->shown.service, "instance",
			ui->shown.instance, "life", (json_int_t)death->life, "started",
			time_to_json(death->started_us)));
}

static json_t *name_of(const struct replica_row *row)
{
	return json_sprintf("%s/%u", row->row.service, row->row.instance);
}

/* Those that have come since the newest one we know, which comes along; at first all. */
static void ask_deaths(struct ui *ui, const struct replica_row *row)
{
	json_t *params = json_pack("{s:[o],s:i}", "names", name_of(row), "limit", DEATHS_MOST);

	if (ui->death_count)
		json_object_set_new(params, "since",
			time_to_json(ui->deaths[ui->death_count - 1].ended_us));
	ui->asked_death_us = row->row.last_death.started_us;
	ui_request(ui, REPLY_HISTORY, 0, "history", params);
}

static void ask_all(struct ui *ui, const struct replica_row *row)
{
	details_finish(ui);
	ui->cursor = 0;
	ask_deaths(ui, row);
}

static void follow_deaths(struct ui *ui, const struct replica_row *row)
{
	if (row->row.last_death.started_us != ui->asked_death_us)
		ask_deaths(ui, row);
}

/* Only what somebody looks at is fetched: the details of what is selected. */
void details_follow(struct ui *ui)
{
	const struct replica_row *row = rows_selected(ui);

	if (!row || !ui->link)
		return;
	feed_follow(ui);
	bool is_shown = ui->shown.instance == (int)row->row.instance &&
			strcmp(ui->shown.service, row->row.service) == 0;
	if (is_shown)
		follow_deaths(ui, row);
	if (is_shown && ui->shown.life == row->row.life)
		return;
	if (!is_shown)
		ask_all(ui, row);
	ui->shown = (struct target){ .instance = (int)row->row.instance, .life = row->row.life };
	memcpy(ui->shown.service, row->row.service, sizeof ui->shown.service);
}

static void forget_oldest(struct ui *ui)
{
	size_t extra = ui->death_count > DEATHS_MOST ? ui->death_count - DEATHS_MOST : 0;

	ui->death_count -= extra;
	if (extra)
		memmove(ui->deaths, ui->deaths + extra, ui->death_count * sizeof *ui->deaths);
}

static bool is_known(const struct ui *ui, const struct death *death)
{
	for (size_t i = ui->death_count; i > 0; i--)
		if (ui->deaths[i - 1].started_us == death->started_us &&
			ui->deaths[i - 1].life == death->life)
			return true;
	return false;
}

/* A reply may come when another instance is shown already. */
static bool is_of_shown(const struct ui *ui, const json_t *json)
{
	const char *service = json_string_value(json_object_get(json, "service"));

	return service && strcmp(service, ui->shown.service) == 0 &&
	       json_integer_value(json_object_get(json, "instance")) == ui->shown.instance;
}

/* Who looks at an older one goes on looking at that one. */
static void take_deaths(struct ui *ui, const json_t *deaths)
{
	struct death death;
	struct error err;
	const json_t *json;
	size_t i;

	ui->deaths = memory_resize(ui->deaths, ui->death_count + json_array_size(deaths) + 1,
		sizeof *ui->deaths);
	json_array_foreach(deaths, i, json)
	{
		if (!is_of_shown(ui, json) || !death_from_json(&death, json, &err) ||
			is_known(ui, &death))
			continue;
		ui->deaths[ui->death_count++] = death;
		if (ui->death > 0)
			ui->death++;
	}
	forget_oldest(ui);
}

/* What a request was for: what its result does, and what a refusal. */
typedef void reply_function(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why);

static void take_action(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	if (!result)
		ui_say(ui, true, "%s", why);
}

static void take_launch(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	const char *service = json_string_value(json_object_get(result, "service"));

	if (service) {
		ui_say(ui, false, "launched %s", service);
		undo_note_launch(ui, service);
	}
	launch_done(ui, result ? NULL : why);
}

static void take_history(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	(void)why;
	take_deaths(ui, json_object_get(result, "deaths"));
}

static void take_record(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	if (result && ui->is_record_open) {
		ui_keep(&ui->record, result);
	} else if (!result) {
		ui_say(ui, true, "%s", why);
		details_close_record(ui);
	}
}

/* One answer has room on the line that there is; of several, each is shown. */
static void take_sent(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	const json_t *replies = json_object_get(result, "replies"), *reply = json_array_get(replies, 0);
	const json_t *unanswered = json_object_get(result, "unanswered");
	const char *text = json_string_value(json_object_get(reply, "text"));

	(void)pending;
	if (send_take(ui, result, why))
		return;
	if (!result) {
		ui_say(ui, true, "%s", why);
	} else if (json_array_size(replies) + json_array_size(unanswered) > 1) {
		ui_keep(&ui->replies, result);
		ui->scroll = 0;
		ui->dialog = DIALOG_REPLIES;
	} else if (text) {
		ui_say(ui, false, "%s/%d answered %s", json_string_value(json_object_get(reply, "service")),
			(int)json_integer_value(json_object_get(reply, "instance")), text);
	} else if (!replies) {
		ui_say(ui, false, "sent; only an object {...} can be answered");
	} else {
		ui_say(ui, false, "sent; no answer came in time");
	}
}

static void take_insight(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	if (pending->epoch == ui->epoch)
		ui->is_stale |= insight_take(ui, pending->stream, result, why);
}

static void take_past(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	if (result) {
		past_show(ui, result);
		return;
	}
	ui->past_asked_us = ui->past_us;
	ui_say(ui, true, "%s", why);
}

static void take_heard(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	if (!result)
		ui_say(ui, true, "%s", why);
	else if (pending->epoch == ui->epoch)
		traffic_take_then(ui, result);
}

static void take_stack(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	stacks_take(ui, result, why);
}

static void take_holdings(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	stacks_take_holdings(ui, result, why);
}

static void take_crew(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)why;
	crews_take(ui, pending->stream, result);
}

static void take_remains(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	(void)why;
	if (ui->dialog == DIALOG_STOP)
		ui_keep(&ui->remains, result);
}

static void take_template(
	struct ui *ui, const struct pending *pending, const json_t *result, const char *why)
{
	(void)pending;
	launch_take_template(ui, result, why);
}

static void take_reply(struct ui *ui, const struct pending *pending, const json_t *message)
{
	static reply_function *const takers[] = {
		[REPLY_ACTION] = take_action,
		[REPLY_LAUNCH] = take_launch,
		[REPLY_HISTORY] = take_history,
		[REPLY_DEATH] = take_record,
		[REPLY_SEND] = take_sent,
		[REPLY_INSIGHT] = take_insight,
		[REPLY_PAST] = take_past,
		[REPLY_HEARD] = take_heard,
		[REPLY_STACK] = take_stack,
		[REPLY_HOLDINGS] = take_holdings,
		[REPLY_CREW] = take_crew,
		[REPLY_REMAINS] = take_remains,
		[REPLY_TEMPLATE] = take_template,
	};
	const char *why = json_string_value(
		json_object_get(json_object_get(message, "error"), "message"));

	ui->is_stale |= pending->kind != REPLY_INSIGHT;
	takers[pending->kind](
		ui, pending, json_object_get(message, "result"), why ? why : "refused");
}

void details_message(struct ui *ui, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	json_int_t id = json_integer_value(json_object_get(message, "id"));

	if (method && strcmp(method, "log") == 0)
		feed_grown(ui, json_object_get(message, "params"));
	if (method && strcmp(method, "message") == 0) {
		traffic_take(ui, json_object_get(message, "params"));
		ui->is_stale = true;
	}
	if (method)
		return;
	if (feed_reply(ui, message)) {
		ui->is_stale = true;
		return;
	}
	for (unsigned i = 0; i < ui->pending_count; i++) {
		if (ui->pending[i].id != id)
			continue;
		struct pending pending = ui->pending[i];
		ui->pending[i] = ui->pending[--ui->pending_count];
		take_reply(ui, &pending, message);
		return;
	}
}
