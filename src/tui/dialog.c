#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tui/keymap.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { LINE = 256,
	WIDTH = 62,
	ENDING_SHOWN = 6,
	HELP_COLUMNS = 3,
	HELP_WIDTH = 32,
	BOX_FRAME = 4, /* of a box, from side to side */
	KEYS_WIDTH = 8 };

struct rect dialog_box(
	const struct ui *ui, struct grid *grid, int width, int height, const char *title)
{
	return grid_box(grid, ui->is_unicode, width, height, title);
}

/* ---- buttons ---- */

/* Each in brackets, with a blank between them; what is left behind a row's end goes to the next. */
static int lay_buttons(struct grid *grid, struct rect area, const struct button *buttons, int count)
{
	int x = 0, row = 0;

	for (int i = 0; i < count; i++) {
		char text[LINE];
		bool is_default = buttons[i].key == 'n';
		int width = snprintf(text, sizeof text, "%s[ %s %s ]", is_default ? "> " : "",
			buttons[i].key == INPUT_ESCAPE ? "Esc" : (char[]){ (char)buttons[i].key, '\0' }, buttons[i].word);
		if (x && x + width > area.width) {
			x = 0;
			row++;
		}
		struct rect at = rect_line(area, row);
		at.x += x;
		at.width -= x;
		if (grid) {
			int used = grid_put(grid, at, LOOK_KEY, text);
			grid_spot(grid, (struct rect){ at.x, at.y, used, at.height }, SPOT_KEY, buttons[i].key);
		}
		x += width + 1;
	}
	return row + 1;
}

static int room_of(const struct grid *grid, int width)
{
	return width < grid->width - BOX_FRAME ? width : grid->width - BOX_FRAME;
}

int dialog_rows(const struct grid *grid, int width, const char *text)
{
	return grid_wrap(NULL, (struct rect){ 0, 0, room_of(grid, width), 0 }, LOOK_NORMAL, text);
}

int dialog_button_rows(const struct grid *grid, int width, const struct button *buttons, int count)
{
	return lay_buttons(NULL, (struct rect){ 0, 0, room_of(grid, width), 0 }, buttons, count);
}

void dialog_buttons(struct grid *grid, struct rect area, const struct button *buttons, int count)
{
	int rows = lay_buttons(NULL, area, buttons, count);

	rows = rows < area.height ? rows : area.height;
	lay_buttons(grid, (struct rect){ area.x, area.y + area.height - rows, area.width, rows }, buttons, count);
}

/* ---- help ---- */

/* Made from the key table: what is not there has no key. Returns how many columns all of it takes. */
static int lay_help(const struct ui *ui, struct grid *grid, struct rect area, int first)
{
	const char *group = "";
	int row = 0, column = 0;
	char keys[KEYS_WIDTH * 4];

	for (enum action action = ACTION_NONE + 1; action < ACTION_COUNT; action++) {
		bool is_new = strcmp(group, action_rows[action].group) != 0;
		if (row + (is_new ? 2 : 1) > area.height) {
			column++;
			row = 0;
		}
		struct rect at = { area.x + (column - first) * HELP_WIDTH, area.y + row, column < first ? 0 : HELP_WIDTH - 1, 1 };
		if (at.x + at.width > area.x + area.width)
			at.width = column == first ? area.width : 0; /* one that is cut off is of no use beside others */
		if (is_new) {
			group = action_rows[action].group;
			grid_put(grid, at, LOOK_TITLE, group);
			at.y++;
			row++;
		}
		keymap_names(&ui->settings.bindings, action, keys, sizeof keys);
		grid_put(grid, (struct rect){ at.x, at.y, at.width < KEYS_WIDTH ? at.width : KEYS_WIDTH, 1 }, LOOK_KEY, keys);
		at.x += KEYS_WIDTH + 1;
		at.width -= KEYS_WIDTH + 1;
		grid_put(grid, at, LOOK_NORMAL, ui->is_naming ? action_rows[action].name : action_rows[action].help);
		row++;
	}
	return column + 1;
}

enum { HELP_MARGIN = 4 };

int dialog_help_page(int width)
{
	int seen = (width - HELP_MARGIN) / HELP_WIDTH;

	return seen < 1 ? 1 : seen < HELP_COLUMNS ? seen
						  : HELP_COLUMNS;
}

bool dialog_help_has_more(const struct ui *ui, int width, int height)
{
	struct rect room = { 0, 0, 0, height - HELP_MARGIN - 2 > 2 ? height - HELP_MARGIN - 2 : 2 };

	return ui->help_column + dialog_help_page(width) < lay_help(ui, &(struct grid){ 0 }, room, 0);
}

static void draw_help(const struct ui *ui, struct grid *grid)
{
	bool has_more = dialog_help_has_more(ui, grid->width, grid->height);
	struct rect area = dialog_box(ui, grid, HELP_COLUMNS * HELP_WIDTH, grid->height - HELP_MARGIN,
		has_more ? "Help - any key shows more, k what was before, Esc closes" : "Help - Esc closes");

	area.height = area.height > 2 ? area.height : 2;
	lay_help(ui, grid, area, ui->help_column);
}

static unsigned count_alive(const struct ui *ui)
{
	unsigned alive = 0;

	for (size_t i = 0; i < ui->replica.row_count; i++)
		alive += state_has_process(ui->replica.rows[i].row.state);
	return alive;
}

static void draw_quit(const struct ui *ui, struct grid *grid)
{
	char title[LINE], lines[3][LINE] = { "", "s  Stop all, in reverse order of dependency, then quit",
		"Esc / n / Enter  Stay                         > default" };
	int rows[3], all = 0;

	snprintf(title, sizeof title, "Quit? %u processes are running", count_alive(ui));
	snprintf(lines[0], LINE, "d  Detach: they run on; thrum attach -p %s comes back", ui->options->project);
	for (int i = 0; i < 3; i++)
		all += rows[i] = dialog_rows(grid, WIDTH, lines[i]);
	struct rect area = dialog_box(ui, grid, WIDTH, all, title);
	for (int i = 0; i < 3; i++) {
		grid_wrap(grid, area, LOOK_KEY, lines[i]);
		area.y += rows[i];
		area.height -= rows[i];
	}
}

static void draw_ending(const struct ui *ui, struct grid *grid)
{
	static const struct button buttons[] = { { 'K', "Kill all now" }, { 'd', "Leave, it goes on" } };
	int left = (int)count_alive(ui), shown = left < ENDING_SHOWN ? left : ENDING_SHOWN, row = 0;
	int rows = dialog_button_rows(grid, WIDTH, buttons, 2);
	struct rect area = dialog_box(ui, grid, WIDTH, ENDING_SHOWN + 1 + rows, "Stopping all");

	for (size_t i = 0; i < ui->replica.row_count && row < shown && row < area.height - rows; i++) {
		const struct row *facts = &ui->replica.rows[i].row;
		char state[64];
		if (!state_has_process(facts->state))
			continue;
		view_state(state, sizeof state, facts, ui->now_us);
		grid_format(grid, rect_line(area, row++), LOOK_NORMAL, "%s/%u  pid %d  %s",
			facts->service, facts->instance, facts->pid, state);
	}
	if (left > shown)
		grid_format(grid, rect_line(area, row), LOOK_DIM, "... and %d more", left - shown);
	dialog_buttons(grid, area, buttons, 2);
}

/* Those that answered, and those that did not in time. */
static void draw_replies(const struct ui *ui, struct grid *grid)
{
	const json_t *replies = json_object_get(ui->replies, "replies"), *unanswered = json_object_get(ui->replies, "unanswered"), *one;
	struct rect area = dialog_box(ui, grid, grid->width - 8, grid->height - 6, "Answers - j k move, Esc closes");
	struct pane pane = { .grid = grid, .area = area, .skip = ui->scroll };
	char name[LINE];
	size_t i;

	json_array_foreach(replies, i, one)
	{
		const json_t *text = json_object_get(one, "text");
		snprintf(name, sizeof name, "%s/%lld  ", json_string_value(json_object_get(one, "service")),
			(long long)json_integer_value(json_object_get(one, "instance")));
		pane_safe(&pane, LOOK_NORMAL, name, json_string_value(text), json_string_length(text));
	}
	json_array_foreach(unanswered, i, one)
		pane_format(&pane, LOOK_WARN, "%s  did not answer in time", json_string_value(one));
}

void dialog_draw(const struct ui *ui, struct grid *grid)
{
	static void (*const draws[])(const struct ui *ui, struct grid *grid) = {
		[DIALOG_HELP] = draw_help,
		[DIALOG_EVENTS] = events_draw,
		[DIALOG_CONFIRM] = confirm_draw,
		[DIALOG_STOP] = stopping_draw,
		[DIALOG_QUIT] = draw_quit,
		[DIALOG_ENDING] = draw_ending,
		[DIALOG_LAUNCH] = launch_draw,
		[DIALOG_SEND] = send_draw,
		[DIALOG_REPLIES] = draw_replies,
		[DIALOG_MENU] = menu_draw,
		[DIALOG_STACK_ASK] = stacks_draw_ask,
		[DIALOG_STACK] = stacks_draw,
	};

	if (draws[ui->dialog])
		draws[ui->dialog](ui, grid);
}
