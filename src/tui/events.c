#include "tui/events.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/pattern.h"
#include "tui/keymap.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { LINE = 512,
	PAGE = 10 };

/* Of those that are kept and that the filter lets through, the newest first: their numbers, from 1 on. */
struct shown {
	uint64_t numbers[REPLICA_NOTICES];
	int count, cursor;
};

static const struct notice *notice_at(const struct ui *ui, uint64_t number)
{
	return &ui->replica.notices[(number - 1) % REPLICA_NOTICES];
}

static bool matches(const struct ui *ui, const struct pattern *pattern, uint64_t number)
{
	char line[LINE];

	view_notice(line, sizeof line, notice_at(ui, number));
	return pattern_matches(pattern, line, strlen(line));
}

static void list(const struct ui *ui, struct shown *shown)
{
	const struct events_view *events = &ui->events;
	uint64_t newest = ui->replica.notice_count, oldest = newest > REPLICA_NOTICES ? newest - REPLICA_NOTICES : 0;

	shown->count = shown->cursor = 0;
	for (uint64_t number = newest; number > oldest; number--) {
		if (events->filter && matches(ui, events->filter, number) == events->is_inverse)
			continue;
		if (events->chosen && number >= events->chosen)
			shown->cursor = shown->count;
		shown->numbers[shown->count++] = number;
	}
}

/* ---- keys ---- */

void events_open(struct ui *ui)
{
	ui->dialog = DIALOG_EVENTS;
	ui->events.chosen = 0;
	ui->events.seen = ui->seen_notices;
	ui->seen_notices = ui->replica.notice_count;
}

void events_forget(struct ui *ui)
{
	pattern_destroy(ui->events.search);
	pattern_destroy(ui->events.filter);
	ui->events.search = ui->events.filter = NULL;
}

static void choose(struct ui *ui, const struct shown *shown, int index)
{
	index = index >= shown->count ? shown->count - 1 : index;
	ui->events.chosen = index > 0 ? shown->numbers[index] : 0;
}

static void find(struct ui *ui, int direction)
{
	static struct shown shown;

	list(ui, &shown);
	for (int i = shown.cursor + direction; ui->events.search && i >= 0 && i < shown.count; i += direction)
		if (matches(ui, ui->events.search, shown.numbers[i])) {
			choose(ui, &shown, i);
			return;
		}
	ui_say(ui, true, ui->events.search ? "no %s event has it" : "nothing is searched for: /", direction > 0 ? "older" : "newer");
}

/* What was done with last is searched for from the cursor on, itself too. */
void events_find(struct ui *ui)
{
	static struct shown shown;

	list(ui, &shown);
	if (ui->events.search && !(shown.count && matches(ui, ui->events.search, shown.numbers[shown.cursor])))
		find(ui, 1);
}

void events_type(struct ui *ui)
{
	struct events_view *events = &ui->events;
	bool is_filter = ui->prompt == PROMPT_EVENT_FILTER, is_inverse = is_filter && ui->input[0] == '!';
	struct pattern **place = is_filter ? &events->filter : &events->search, *pattern = NULL;
	struct error err;

	events->error[0] = '\0';
	if (ui->input[is_inverse] && !(pattern = pattern_create(ui->input + is_inverse, &err))) {
		snprintf(events->error, sizeof events->error, "%.120s", err.text);
		return;
	}
	pattern_destroy(*place);
	*place = pattern;
	if (is_filter)
		events->is_inverse = is_inverse;
	snprintf(is_filter ? events->filter_text : events->search_text, sizeof events->filter_text, "%s", pattern ? ui->input : "");
}

static void ask(struct ui *ui, enum prompt prompt, const char *text)
{
	ui->prompt = prompt;
	snprintf(ui->input, sizeof ui->input, "%s", text);
}

/* Whom it happened to is selected. */
static void go_there(struct ui *ui, const struct notice *notice)
{
	const struct replica_row *row = replica_find(&ui->replica, notice->service, notice->instance);

	ui->dialog = DIALOG_NONE;
	if (!row) {
		ui_say(ui, true, "%s/%u is not there any more", notice->service, notice->instance);
		return;
	}
	rows_fold(ui, notice->service, false);
	ui->selected = (struct target){ .instance = (int)notice->instance, .life = row->row.life };
	memcpy(ui->selected.service, notice->service, sizeof ui->selected.service);
	if (!filter_shows(ui, &row->row))
		ui_say(ui, true, "%s/%u is hidden by the filter; Esc clears it", notice->service, notice->instance);
}

static const struct {
	uint32_t key;
	int by;
} moves[] = {
	{ 'j', 1 },
	{ INPUT_ARROW_DOWN, 1 },
	{ 'k', -1 },
	{ INPUT_ARROW_UP, -1 },
	{ INPUT_PAGE_DOWN, PAGE },
	{ INPUT_CONTROL('f'), PAGE },
	{ ' ', PAGE },
	{ INPUT_CONTROL('d'), PAGE / 2 },
	{ INPUT_PAGE_UP, -PAGE },
	{ INPUT_CONTROL('b'), -PAGE },
	{ INPUT_CONTROL('u'), -PAGE / 2 },
	{ 'g', -REPLICA_NOTICES },
	{ INPUT_TOP, -REPLICA_NOTICES },
	{ 'G', REPLICA_NOTICES },
	{ INPUT_BOTTOM, REPLICA_NOTICES },
};

/* Once more, of what is kept: a filter goes first. */
static void leave(struct ui *ui)
{
	struct events_view *events = &ui->events;

	if (events->filter) {
		pattern_destroy(events->filter);
		events->filter = NULL;
		events->filter_text[0] = '\0';
		return;
	}
	ui->dialog = DIALOG_NONE;
	ui->seen_notices = ui->replica.notice_count;
}

void events_key(struct ui *ui, uint32_t key)
{
	static struct shown shown;

	ui->message[0] = '\0';
	list(ui, &shown);
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
		if (moves[i].key == key) {
			choose(ui, &shown, shown.cursor + moves[i].by);
			return;
		}
	if (key == '/')
		ask(ui, PROMPT_EVENT_SEARCH, "");
	else if (key == '\\')
		ask(ui, PROMPT_EVENT_FILTER, ui->events.filter_text);
	else if (key == 'n' || key == 'N')
		find(ui, key == 'n' ? 1 : -1);
	else if (key == INPUT_RETURN && shown.count)
		go_there(ui, notice_at(ui, shown.numbers[shown.cursor]));
	else if (key == 't' && shown.count) {
		ui->dialog = DIALOG_NONE;
		past_go(ui, notice_at(ui, shown.numbers[shown.cursor])->ts_us);
	} else if (key == INPUT_ESCAPE || key == 'q' || key == 'E' || key == INPUT_CONTROL('c'))
		leave(ui);
}

/* ---- drawing ---- */

static enum look look_of(const struct notice *notice)
{
	static const enum look looks[NOTICE_COUNT] = {
		[NOTICE_READY] = LOOK_GOOD,
		[NOTICE_COMPLETED] = LOOK_GOOD,
		[NOTICE_BACKOFF] = LOOK_WARN,
		[NOTICE_UNHEALTHY] = LOOK_BAD,
		[NOTICE_FAILED] = LOOK_BAD,
		[NOTICE_FATAL] = LOOK_BAD,
		[NOTICE_LIMIT] = LOOK_WARN,
	};

	return looks[notice->kind];
}

static void draw_line(const struct ui *ui, struct grid *grid, struct rect at, uint64_t number, bool is_chosen)
{
	const struct notice *notice = notice_at(ui, number);
	char line[LINE];

	view_notice(line, sizeof line, notice);
	grid_put_safe(grid, at, look_of(notice), number > ui->events.seen ? "*" : " ", line + 1, strlen(line) - 1);
	if (!is_chosen)
		return;
	grid_put(grid, (struct rect){ at.x, at.y, 1, at.height }, LOOK_NORMAL, ">");
	grid_select(grid, at);
}

static void draw_sum(const struct ui *ui, struct grid *grid, struct rect at, const struct shown *shown)
{
	const struct events_view *events = &ui->events;
	uint64_t kept = ui->replica.notice_count < REPLICA_NOTICES ? ui->replica.notice_count : REPLICA_NOTICES;

	if (events->error[0] && (ui->prompt == PROMPT_EVENT_SEARCH || ui->prompt == PROMPT_EVENT_FILTER))
		grid_format(grid, at, LOOK_BAD, " %s - the last good one holds", events->error);
	else if (events->filter)
		grid_format(grid, at, LOOK_WARN, " %d of %llu: only those with %s - Esc shows all", shown->count, (unsigned long long)kept,
			events->filter_text);
	else
		grid_format(grid, at, LOOK_DIM, " %d of %llu; * new   `thrum events` has all", shown->count ? shown->cursor + 1 : 0,
			(unsigned long long)kept);
}

void events_draw(const struct ui *ui, struct grid *grid)
{
	static struct shown shown;
	struct rect area = grid_box(grid, ui->is_unicode, grid->width - 4, grid->height - 5,
		"Events - Esc closes  Enter goes there  t then  / n N find  \\ filter");
	int room = area.height - 1;

	list(ui, &shown);
	int first = shown.cursor >= room ? shown.cursor - room + 1 : 0;
	if (!shown.count)
		grid_put(grid, rect_line(area, 0), LOOK_DIM, ui->events.filter ? " no event has that" : " nothing has happened yet");
	for (int i = 0; i < room && first + i < shown.count; i++)
		draw_line(ui, grid, rect_line(area, i), shown.numbers[first + i], first + i == shown.cursor);
	draw_sum(ui, grid, rect_line(area, room), &shown);
}
