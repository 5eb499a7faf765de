#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "tui/ui.h"

enum {
	LINE_MOST = 4096,
	LINES_FIRST = 300,
	NOT_YET =
		-1, /* a request that no reply answers: nothing is read before its start is known */
};

/* Neutralised before it is kept: nothing else ever sees the bytes. */
static void on_line(void *context, const struct tail_line *line)
{
	struct ui *ui = context;
	unsigned place = ui->line_count % LOG_LINES;
	char local[CLOCK_TEXT_SIZE];
	struct text text;

	text_init(&text, LINE_MOST * 4);
	clock_format_local(local, line->time_us);
	text_format(&text, "%s ", local);
	utf8_append_safe(&text, line->text, line->size < LINE_MOST ? line->size : LINE_MOST, false);
	free(ui->lines[place]);
	ui->lines[place] = text_take(&text);
	ui->line_is_err[place] = line->stream->is_err;
	ui->line_count++;
	if (ui->scroll > 0)
		ui->scroll++; /* who reads further back stays there */
}

static void clear_lines(struct ui *ui)
{
	for (unsigned i = 0; i < LOG_LINES; i++) {
		free(ui->lines[i]);
		ui->lines[i] = NULL;
	}
	ui->line_count = 0;
	ui->scroll = 0;
}

void details_forget(struct ui *ui)
{
	tail_finish(&ui->tail);
	ui->shown = (struct target){ 0 };
	ui->pending_count = 0;
}

void details_finish(struct ui *ui)
{
	tail_finish(&ui->tail);
	clear_lines(ui);
	json_decref(ui->history);
	json_decref(ui->info);
	ui->history = ui->info = NULL;
}

static json_t *name_of(const struct replica_row *row)
{
	return json_sprintf("%s/%u", row->row.service, row->row.instance);
}

static void ask_all(struct ui *ui, const struct replica_row *row)
{
	details_finish(ui);
	ui->tail = (struct tail){ .take = on_line, .context = ui };
	ui_request(ui, REPLY_STREAMS, 0, "log.list", json_pack("{s:[o]}", "names", name_of(row)));
	ui_request(ui, REPLY_HISTORY, 0, "history",
		json_pack("{s:[o],s:i}", "names", name_of(row), "limit", 50));
	ui_request(ui, REPLY_INFO, 0, "info", json_pack("{s:o}", "name", name_of(row)));
}

/* Only what somebody looks at is fetched: the details of what is selected. */
void details_follow(struct ui *ui)
{
	const struct replica_row *row = rows_selected(ui);

	if (!row || !ui->link)
		return;
	bool is_shown = ui->shown.instance == (int)row->row.instance &&
			strcmp(ui->shown.service, row->row.service) == 0;
	if (is_shown && ui->shown.life == row->row.life)
		return;
	if (is_shown) /* a new life: its log goes on, its history has grown */
		ui_request(ui, REPLY_HISTORY, 0, "history",
			json_pack("{s:[o],s:i}", "names", name_of(row), "limit", 50));
	else
		ask_all(ui, row);
	ui->shown = (struct target){ .instance = (int)row->row.instance, .life = row->row.life };
	memcpy(ui->shown.service, row->row.service, sizeof ui->shown.service);
	if (is_shown && !ui->tail.count)
		ui_request(ui, REPLY_STREAMS, 0, "log.list",
			json_pack("{s:[o]}", "names", name_of(row)));
}

static void find_starts(struct ui *ui, const json_t *result)
{
	json_t *description;
	size_t i;

	json_array_foreach(json_object_get(result, "streams"), i, description)
	{
		struct tail_stream *stream = tail_know(&ui->tail, description);
		if (stream)
			stream->request = NOT_YET;
		if (stream)
			ui_request(ui, REPLY_FIND, (unsigned)(stream - ui->tail.streams),
				"log.find",
				json_pack("{s:s,s:i,s:s,s:i}", "service", stream->service,
					"instance", (int)stream->instance, "stream",
					stream->is_err ? "stderr" : "stdout", "lines",
					LINES_FIRST));
	}
}

static void keep(json_t **place, const json_t *value)
{
	json_decref(*place);
	*place = json_deep_copy(value);
}

static void take_reply(struct ui *ui, const struct pending *pending, const json_t *message)
{
	const json_t *result = json_object_get(message, "result"),
		     *error = json_object_get(message, "error");
	const char *why = json_string_value(json_object_get(error, "message"));

	if (error && pending->kind == REPLY_LAUNCH) {
		snprintf(ui->launch_error, sizeof ui->launch_error, "%s", why ? why : "refused");
		ui->dialog = DIALOG_LAUNCH;
	} else if (error && pending->kind == REPLY_ACTION) {
		ui_say(ui, true, "%s", why ? why : "refused");
	} else if (pending->kind == REPLY_LAUNCH) {
		ui_say(ui, false, "launched %s",
			json_string_value(json_object_get(result, "service")));
	} else if (pending->kind == REPLY_STREAMS) {
		find_starts(ui, result);
	} else if (pending->kind == REPLY_FIND && pending->stream < ui->tail.count) {
		ui->tail.streams[pending->stream].offset =
			(uint64_t)json_integer_value(json_object_get(result, "offset"));
		ui->tail.streams[pending->stream].request = 0;
		tail_ask(&ui->tail, &ui->tail.streams[pending->stream], ui->link);
	} else if (pending->kind == REPLY_HISTORY) {
		keep(&ui->history, json_object_get(result, "deaths"));
	} else if (pending->kind == REPLY_INFO) {
		keep(&ui->info, result);
	}
}

static void take_log(struct ui *ui, const json_t *params)
{
	const char *service = json_string_value(json_object_get(params, "service"));
	json_int_t instance = json_integer_value(json_object_get(params, "instance"));

	if (!service || strcmp(service, ui->shown.service) != 0 || instance != ui->shown.instance)
		return;
	size_t known = ui->tail.count;
	struct tail_stream *stream = tail_know(&ui->tail, params);
	if (ui->tail.count > known)
		ui->tail.count = known; /* log.list has not told of it yet */
	else if (stream)
		tail_ask(&ui->tail, stream, ui->link);
}

void details_message(struct ui *ui, const json_t *message)
{
	const char *method = json_string_value(json_object_get(message, "method"));
	json_int_t id = json_integer_value(json_object_get(message, "id"));

	if (method && strcmp(method, "log") == 0)
		take_log(ui, json_object_get(message, "params"));
	if (method || tail_reply(&ui->tail, message, ui->link))
		return;
	for (unsigned i = 0; i < ui->pending_count; i++) {
		if (ui->pending[i].id != id)
			continue;
		struct pending pending = ui->pending[i];
		ui->pending[i] = ui->pending[--ui->pending_count];
		take_reply(ui, &pending, message);
		return;
	}
}
