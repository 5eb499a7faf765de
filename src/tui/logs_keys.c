/* What keys do in the Logs tab. */
#include "tui/logs_keys.h"

#include <stdio.h>
#include <string.h>

#include "protocol/base64.h"
#include "tui/screen.h"
#include "tui/ui.h"

enum {
	SHIFT = 16
};

/* ---- finding ---- */

static void hunt(struct ui *ui, enum log_quarry quarry, int direction, bool is_first)
{
	logs_hunt(&ui->logs, quarry, direction, is_first);
	logs_keys_told(ui);
}

/* What came of it is said once. */
void logs_keys_told(struct ui *ui)
{
	static const char *const whats[] = { [QUARRY_MATCH] = "such line", [QUARRY_ERROR] = "error", [QUARRY_PLACE] = "line of that mark" };
	struct log_hunt *hunt = &ui->logs.hunt;

	if (hunt->state == HUNT_FAILED)
		ui_say(ui, true, "no %s %s", whats[hunt->quarry], hunt->walk.direction > 0 ? "after this" : "further back");
	if (hunt->state != HUNT_ON)
		hunt->state = HUNT_NONE;
}

static void next(struct ui *ui, int sign)
{
	struct log_view *view = &ui->logs;

	if (view->search)
		hunt(ui, QUARRY_MATCH, sign * view->search_direction, false);
	else
		ui_say(ui, true, "nothing is searched for: / does, and ? to older lines");
}

/* Nothing typed is what was searched for before. */
void logs_keys_search(struct ui *ui)
{
	struct log_view *view = &ui->logs;
	struct error err;

	if (ui->input[0] && !logs_search(view, ui->input, &err))
		ui_say(ui, true, "%s", err.text);
	else if (view->search)
		hunt(ui, QUARRY_MATCH, view->search_direction, true);
}

/* While it is typed; half a pattern changes nothing. */
void logs_keys_filter(struct ui *ui)
{
	struct error err = { .text = "" };

	ui->filter_error[0] = '\0';
	if (!logs_filter(&ui->logs, ui->input, &err))
		snprintf(ui->filter_error, sizeof ui->filter_error, "%.120s", err.text);
}

void logs_keys_save(struct ui *ui)
{
	struct error err;
	unsigned count = 0;

	if (logs_save(&ui->logs, ui->input, &count, &err))
		ui_say(ui, false, "%u lines saved to %s", count, ui->input);
	else
		ui_say(ui, true, "%s", err.text);
}

static void open_search(struct ui *ui, int direction)
{
	ui->logs.search_direction = direction;
	ui->prompt = direction > 0 ? PROMPT_LOG_SEARCH : PROMPT_LOG_SEARCH_BACK;
	ui->input[0] = '\0';
}

/* ---- marks ---- */

void ui_copy(const char *bytes, size_t size)
{
	struct text encoded;

	text_init(&encoded, (size_t)UI_COPY_MOST * 2);
	base64_encode(&encoded, bytes, size);
	screen_copy(text_string(&encoded), encoded.size);
	text_finish(&encoded);
}

static void copy(struct ui *ui, unsigned letter)
{
	struct text text;
	unsigned count;

	text_init(&text, UI_COPY_MOST);
	if (!logs_copy(&ui->logs, letter, &text, &count)) {
		ui_say(ui, true, letter ? "from that mark to here is too far (64K), or there is no such mark" : "there is no line");
	} else {
		ui_copy(text_string(&text), text.size);
		ui_say(ui, false, "%u line%s copied", count, count == 1 ? "" : "s");
	}
	text_finish(&text);
}

static void mark(struct ui *ui, unsigned letter)
{
	logs_mark(&ui->logs, letter);
	ui_say(ui, false, "mark %c is here: '%c comes back, Y%c copies from there", (int)letter, (int)letter, (int)letter);
}

static void go_to_mark(struct ui *ui, unsigned letter)
{
	if (!logs_to_mark(&ui->logs, letter))
		ui_say(ui, true, "there is no mark %c", (int)letter);
}

bool logs_keys_letter(struct ui *ui, uint32_t key)
{
	static void (*const takers[])(struct ui * ui, unsigned letter) = {
		[LETTER_MARK] = mark,
		[LETTER_GO] = go_to_mark,
		[LETTER_COPY] = copy,
	};
	enum log_letter wants = ui->log_letter;

	ui->log_letter = LETTER_NONE;
	if (wants == LETTER_NONE)
		return false;
	if (key > ' ' && key < LOG_MARKS - 1)
		takers[wants](ui, key);
	return true;
}

static void ask_letter(struct ui *ui, enum log_letter wants, const char *what)
{
	ui->log_letter = wants;
	ui_say(ui, false, "which letter? %s", what);
}

/* ---- keys ---- */

void do_log_search(struct ui *ui)
{
	open_search(ui, 1);
}

void do_log_search_back(struct ui *ui)
{
	open_search(ui, -1);
}

void do_log_next(struct ui *ui)
{
	next(ui, 1);
}

void do_log_previous(struct ui *ui)
{
	next(ui, -1);
}

void do_log_error(struct ui *ui)
{
	hunt(ui, QUARRY_ERROR, -1, ui->logs.follows);
}

void do_log_error_after(struct ui *ui)
{
	hunt(ui, QUARRY_ERROR, 1, false);
}

void do_log_filter(struct ui *ui)
{
	ui->prompt = PROMPT_LOG_FILTER;
	snprintf(ui->input, sizeof ui->input, "%s", ui->logs.filter_text);
}

void do_log_save(struct ui *ui)
{
	ui->prompt = PROMPT_LOG_SAVE;
	snprintf(ui->input, sizeof ui->input, "%s-%d.log", ui->shown.service, ui->shown.instance);
}

void do_log_times(struct ui *ui)
{
	ui->logs.times = (ui->logs.times + 1) % LOG_TIMES_COUNT;
}

void do_log_wrap(struct ui *ui)
{
	ui->logs.is_wrapped = !ui->logs.is_wrapped;
}

void do_log_oldest(struct ui *ui)
{
	logs_to_oldest(&ui->logs);
}

void do_log_follow(struct ui *ui)
{
	logs_follow(&ui->logs);
}

void do_log_left(struct ui *ui)
{
	logs_shift(&ui->logs, -SHIFT);
}

void do_log_right(struct ui *ui)
{
	logs_shift(&ui->logs, SHIFT);
}

void do_log_mark(struct ui *ui)
{
	ask_letter(ui, LETTER_MARK, "a mark is set here");
}

void do_log_go(struct ui *ui)
{
	ask_letter(ui, LETTER_GO, "to that mark");
}

void do_log_copy(struct ui *ui)
{
	copy(ui, 0);
}

void do_log_copy_from(struct ui *ui)
{
	ask_letter(ui, LETTER_COPY, "from that mark to here is copied");
}
