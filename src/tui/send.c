#include "tui/send.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/value.h"
#include "tui/keymap.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { ANSWER_MS = 2000,
	HEIGHT = 12,
	MARGIN = 12 };

void send_forget(struct ui *ui)
{
	json_decref(ui->sending.former);
	json_decref(ui->sending.replies);
	ui->sending = (struct sending){ 0 };
}

/* What was sent, and answered, before is still there. */
void send_open(struct ui *ui)
{
	ui->dialog = DIALOG_SEND;
	ui->input[0] = '\0';
	ui->sending.recalled = 0;
}

static void push(json_t **list, json_t *item, size_t most)
{
	if (!*list)
		*list = json_array();
	list_keep(*list, item, most);
}

/* ---- sending ---- */

static json_t *name_tagged(const struct ui *ui)
{
	json_t *names = json_array();

	for (unsigned i = 0; i < ui->tag_count; i++)
		json_array_append_new(names, ui_name(&ui->tags[i]));
	return json_pack("{s:o}", "names", names);
}

bool send_text(struct ui *ui, json_t *params, const char *text)
{
	json_t *message = json_loads(text, JSON_DECODE_ANY, NULL);

	if (json_is_object(message))
		json_object_set_new(params, "wait_ms", json_integer(ANSWER_MS));
	json_object_set_new(params, "message", message ? message : json_string(text));
	return ui_request(ui, REPLY_SEND, 0, "send", params);
}

static void send(struct ui *ui)
{
	if (!send_text(ui, ui->is_asked_tagged ? name_tagged(ui) : ui_identity(&ui->asked), ui->input))
		return;
	ui->sending.asked_us = clock_wall_us();
	push(&ui->sending.former, json_string(ui->input), SEND_FORMER_MOST);
	ui->sending.recalled = 0;
	ui->input[0] = '\0';
}

static void recall(struct ui *ui, int by)
{
	size_t count = json_array_size(ui->sending.former), *at = &ui->sending.recalled;

	if ((by > 0 && *at == count) || (by < 0 && !*at))
		return;
	*at += (size_t)by;
	const char *text = *at ? json_string_value(json_array_get(ui->sending.former, count - *at)) : "";
	snprintf(ui->input, sizeof ui->input, "%s", text ? text : "");
}

void send_key(struct ui *ui, uint32_t key)
{
	if (key == INPUT_ESCAPE || key == INPUT_CONTROL('c'))
		ui->dialog = DIALOG_NONE;
	else if (key == INPUT_RETURN && ui->input[0])
		send(ui);
	else if (key == INPUT_ARROW_UP || key == INPUT_CONTROL('p'))
		recall(ui, 1);
	else if (key == INPUT_ARROW_DOWN || key == INPUT_CONTROL('n'))
		recall(ui, -1);
	else
		keymap_type(ui->input, sizeof ui->input, key);
}

/* ---- answers ---- */

static void add_reply(struct ui *ui, json_t *from, const json_t *text)
{
	uint64_t now_us = clock_wall_us(), took_us = now_us > ui->sending.asked_us ? now_us - ui->sending.asked_us : 0;
	json_t *reply = json_pack("{s:I,s:I,s:o}", "at_us", (json_int_t)now_us, "ms", (json_int_t)(took_us / 1000), "from", from);

	if (text)
		json_object_set(reply, "text", (json_t *)text);
	push(&ui->sending.replies, reply, SEND_REPLIES_MOST);
}

bool send_take(struct ui *ui, const json_t *result, const char *why)
{
	const json_t *unanswered = json_object_get(result, "unanswered"), *one;
	size_t i;

	if (ui->dialog != DIALOG_SEND)
		return false;
	json_array_foreach(json_object_get(result, "replies"), i, one)
	{
		json_int_t instance = json_integer_value(json_object_get(one, "instance"));
		json_t *from = json_sprintf("%s/%d", json_string_value(json_object_get(one, "service")), (int)instance);
		add_reply(ui, from, json_object_get(one, "text"));
	}
	json_array_foreach(unanswered, i, one)
	{
		add_reply(ui, json_incref((json_t *)one), NULL);
	}
	if (!result)
		ui_say(ui, true, "%s", why);
	else if (!json_object_get(result, "replies"))
		ui_say(ui, false, "sent; only an object {...} can be answered");
	return true;
}

/* ---- drawing ---- */

static void draw_reply(struct pane *pane, const json_t *reply)
{
	const json_t *text = json_object_get(reply, "text");
	char clock[CLOCK_TEXT_SIZE], before[160];

	clock_format_local(clock, (uint64_t)json_integer_value(json_object_get(reply, "at_us")));
	snprintf(before, sizeof before, "%.8s  %s ", clock, json_string_value(json_object_get(reply, "from")));
	if (!text) {
		pane_format(pane, LOOK_WARN, "%sgave no answer within %d s", before, ANSWER_MS / 1000);
		return;
	}
	size_t used = strlen(before);
	snprintf(before + used, sizeof before - used, "answered in %lld ms  ", (long long)json_integer_value(json_object_get(reply, "ms")));
	pane_safe(pane, LOOK_NORMAL, before, json_string_value(text), json_string_length(text));
}

static const char *judge(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_DECODE_ANY, &error);

	json_decref(json);
	return !*text ? "JSON, or any text" : json ? "valid JSON"
						   : "no JSON: it is sent as a string";
}

void send_draw(const struct ui *ui, struct grid *grid)
{
	const json_t *replies = ui->sending.replies;
	size_t count = json_array_size(replies);
	char title[128], shown[INPUT_MOST + 1];

	if (ui->is_asked_tagged)
		snprintf(title, sizeof title, "Send a message to %u tagged", ui->tag_count);
	else if (ui->asked.instance < 0)
		snprintf(title, sizeof title, "Send a message to all of %s", ui->asked.service);
	else
		snprintf(title, sizeof title, "Send a message to %s/%d", ui->asked.service, ui->asked.instance);
	struct rect area = grid_box(grid, ui->is_unicode, grid->width - MARGIN, HEIGHT, title);
	size_t length = strlen(ui->input), room = area.width > 2 ? (size_t)area.width - 2 : 1;
	snprintf(shown, sizeof shown, "%s_", ui->input + (length > room ? length - room : 0));
	grid_put_safe(grid, rect_line(area, 0), LOOK_NORMAL, "", shown, strlen(shown));
	grid_put(grid, rect_line(area, 1), LOOK_DIM, judge(ui->input));
	struct pane pane = { .grid = grid, .area = area, .line = 3 };
	for (size_t i = 0; i < count && pane.line < area.height - 1; i++)
		draw_reply(&pane, json_array_get(replies, count - 1 - i));
	grid_put(grid, rect_line(area, area.height - 1), LOOK_KEY, "Enter Send   ^ v former ones (arrows)   Esc closes");
}
