#include "tui/stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/holdings.h"
#include "protocol/inside.h"
#include "protocol/stack.h"
#include "tui/keymap.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { TEXT_MOST = 256 * 1024,
	WIDTH_MOST = 110,
	PAGE = 10 };

void stacks_forget(struct ui *ui)
{
	free(ui->stacks.text);
	ui->stacks = (struct stacks){ 0 };
}

/* ---- asking ---- */

void stacks_ask(struct ui *ui)
{
	int32_t tid = threads_selected(ui);

	if (ui->options->read_only) {
		ui_say(ui, true, "this dashboard is read-only, and a thread would be stopped for its stack");
		return;
	}
	if (!tid) {
		ui_say(ui, true, "no thread is selected");
		return;
	}
	stacks_forget(ui);
	memcpy(ui->stacks.service, ui->shown.service, sizeof ui->stacks.service);
	ui->stacks.instance = ui->shown.instance;
	ui->stacks.tid = tid;
	ui->dialog = DIALOG_STACK_ASK;
}

void stacks_ask_key(struct ui *ui, uint32_t key)
{
	struct stacks *stacks = &ui->stacks;

	ui->dialog = DIALOG_NONE;
	if (key != 'y' && key != 'Y')
		return;
	ui_say(ui, false, "reading the stack of thread %d", stacks->tid);
	ui_request(ui, REPLY_STACK, 0, "stack",
		json_pack("{s:s,s:i,s:i}", "service", stacks->service, "instance", stacks->instance, "tid", stacks->tid));
}

static void show(struct ui *ui, struct text *text)
{
	free(ui->stacks.text);
	ui->stacks.text = text_take(text);
	ui->stacks.skip = 0;
	ui->message[0] = '\0';
	if (ui->dialog == DIALOG_NONE)
		ui->dialog = DIALOG_STACK;
}

void stacks_take(struct ui *ui, const json_t *result, const char *why)
{
	struct text text;

	if (!result) {
		ui_say(ui, true, "%s", why);
		return;
	}
	text_init(&text, TEXT_MOST);
	stack_describe(&text, result);
	show(ui, &text);
}

void stacks_ask_holdings(struct ui *ui)
{
	stacks_forget(ui);
	memcpy(ui->stacks.service, ui->shown.service, sizeof ui->stacks.service);
	ui->stacks.instance = ui->shown.instance;
	ui_request(ui, REPLY_HOLDINGS, 0, "inspect",
		json_pack("{s:s,s:i,s:b}", "service", ui->stacks.service, "instance", ui->stacks.instance, "files", 1));
}

void stacks_take_holdings(struct ui *ui, const json_t *result, const char *why)
{
	struct study study;
	struct text text;

	if (!result) {
		ui_say(ui, true, "%s", why);
		return;
	}
	study_from_json(&study, result);
	text_init(&text, TEXT_MOST);
	holdings_describe(&text, &study);
	show(ui, &text);
	study_finish(&study);
}

void stacks_draw_ask(const struct ui *ui, struct grid *grid)
{
	char title[128];

	snprintf(title, sizeof title, "Stop thread %d for its stack?", ui->stacks.tid);
	struct rect area = grid_box(grid, ui->is_unicode, 66, 4, title);
	grid_put(grid, rect_line(area, 0), LOOK_NORMAL, "It is held for about a millisecond; a call that it is in, such");
	grid_put(grid, rect_line(area, 1), LOOK_NORMAL, "as epoll_wait, may say EINTR for that.");
	grid_put(grid, rect_line(area, 3), LOOK_KEY, "[ y Yes ]     > [ n Cancel ]");
}

/* ---- showing ---- */

static int count_lines(const char *text)
{
	int count = 0;

	for (; text && *text; text++)
		count += *text == '\n';
	return count;
}

void stacks_key(struct ui *ui, uint32_t key)
{
	static const struct {
		uint32_t key;
		int by;
	} moves[] = { { 'j', 1 }, { INPUT_ARROW_DOWN, 1 }, { 'k', -1 }, { INPUT_ARROW_UP, -1 }, { INPUT_PAGE_DOWN, PAGE },
		{ INPUT_CONTROL('f'), PAGE }, { INPUT_PAGE_UP, -PAGE }, { INPUT_CONTROL('b'), -PAGE } };
	int last = count_lines(ui->stacks.text) - 1;

	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
		if (moves[i].key != key)
			continue;
		ui->stacks.skip += moves[i].by;
		ui->stacks.skip = ui->stacks.skip > last ? last : ui->stacks.skip;
		ui->stacks.skip = ui->stacks.skip < 0 ? 0 : ui->stacks.skip;
		return;
	}
	ui->dialog = DIALOG_NONE;
}

void stacks_draw(const struct ui *ui, struct grid *grid)
{
	const struct stacks *stacks = &ui->stacks;
	int width = grid->width - 4 < WIDTH_MOST ? grid->width - 4 : WIDTH_MOST, row = 0;
	char title[128], what[32] = "memory and files";

	if (stacks->tid)
		snprintf(what, sizeof what, "thread %d", stacks->tid);
	snprintf(title, sizeof title, "%s/%d %s - j k move, Esc closes", stacks->service, stacks->instance, what);
	struct rect area = grid_box(grid, ui->is_unicode, width, grid->height - 4, title);
	const char *line = stacks->text ? stacks->text : "";
	for (int skip = stacks->skip; skip && *line; skip--) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	for (; *line && row < area.height; row++) {
		size_t size = strcspn(line, "\n");
		grid_put_safe(grid, rect_line(area, row), LOOK_NORMAL, "", line, size);
		line += size + (line[size] == '\n');
	}
}
