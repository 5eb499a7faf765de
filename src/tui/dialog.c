#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tui/keymap.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { LINE = 256,
	HELP_COLUMNS = 3,
	HELP_WIDTH = 32,
	KEYS_WIDTH = 8 };

struct rect dialog_box(
	const struct ui *ui, struct grid *grid, int width, int height, const char *title)
{
	return grid_box(grid, ui->is_unicode, width, height, title);
}

static void name_target(const struct target *target, char out[LINE])
{
	if (target->instance < 0)
		snprintf(out, LINE, "%s (all its instances)", target->service);
	else
		snprintf(out, LINE, "%s/%d", target->service, target->instance);
}

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
			at.width = area.x + area.width - at.x;
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

static int help_columns_seen(const struct grid *grid)
{
	int seen = (grid->width - HELP_MARGIN) / HELP_WIDTH;

	return seen < 1 ? 1 : seen < HELP_COLUMNS ? seen
						  : HELP_COLUMNS;
}

bool dialog_help_has_more(const struct ui *ui, int width, int height)
{
	struct grid nothing = { .width = width, .height = height };
	struct rect room = { 0, 0, 0, height - HELP_MARGIN - 2 > 2 ? height - HELP_MARGIN - 2 : 2 };

	return ui->help_column + help_columns_seen(&nothing) < lay_help(ui, &(struct grid){ 0 }, room, 0);
}

static void draw_help(const struct ui *ui, struct grid *grid)
{
	bool has_more = dialog_help_has_more(ui, grid->width, grid->height);
	struct rect area = dialog_box(ui, grid, HELP_COLUMNS * HELP_WIDTH, grid->height - HELP_MARGIN,
		has_more ? "Help - any key shows more, Esc closes" : "Help - Esc closes");

	area.height = area.height > 2 ? area.height : 2;
	lay_help(ui, grid, area, ui->help_column);
}

bool dialog_offers_rolling(const struct ui *ui)
{
	return strcmp(ui->asked_method, "restart") == 0 && (ui->is_asked_tagged || ui->asked.instance < 0);
}

static bool is_meant(const struct ui *ui, const struct row *row)
{
	struct target target = { .instance = (int)row->instance };
	struct target service = { .instance = -1 };

	memcpy(target.service, row->service, sizeof target.service);
	memcpy(service.service, row->service, sizeof service.service);
	if (ui->is_asked_tagged)
		return tags_has(ui, &target) || tags_has(ui, &service);
	return strcmp(ui->asked.service, row->service) == 0 && (ui->asked.instance < 0 || ui->asked.instance == target.instance);
}

static void draw_meant(const struct ui *ui, struct grid *grid, struct rect at, const struct row *row)
{
	char name[LINE], state[64], queue[32] = "";

	snprintf(name, sizeof name, "%s/%u", row->service, row->instance);
	view_state(state, sizeof state, row, ui->now_us);
	if (row->sample.pid && row->sample.inside.queue != SAMPLE_UNKNOWN && row->sample.inside.queue)
		snprintf(queue, sizeof queue, "  %llu queued", (unsigned long long)row->sample.inside.queue);
	if (row->pid)
		grid_format(grid, at, LOOK_NORMAL, "  %-18s pid %-8d %s%s", name, row->pid, state, queue);
	else
		grid_format(grid, at, LOOK_DIM, "  %-18s %s", name, state);
}

enum { MEANT_SHOWN = 8,
	CONFIRM_WIDTH = 62 };

/* Whoever has ended by the time that it is answered is left alone: it is the process that is meant. */
static void draw_confirm(const struct ui *ui, struct grid *grid)
{
	char name[LINE], title[LINE * 2];
	int count = 0, line = 0;

	if (ui->is_asked_tagged)
		snprintf(name, sizeof name, "%u tagged", ui->tag_count);
	else
		name_target(&ui->asked, name);
	snprintf(title, sizeof title, "%s %s?", ui->asked_method, name);
	for (size_t i = 0; i < ui->replica.row_count; i++)
		count += is_meant(ui, &ui->replica.rows[i].row);
	int shown = count < MEANT_SHOWN ? count : MEANT_SHOWN;
	struct rect area = dialog_box(ui, grid, CONFIRM_WIDTH, shown + 3, title);
	for (size_t i = 0; i < ui->replica.row_count && line < shown; i++)
		if (is_meant(ui, &ui->replica.rows[i].row))
			draw_meant(ui, grid, rect_line(area, line++), &ui->replica.rows[i].row);
	if (count > shown)
		grid_format(grid, rect_line(area, line), LOOK_DIM, "  ... and %d more", count - shown);
	int last = area.height - 1 < shown + 2 ? area.height - 1 : shown + 1;
	bool is_stop = strcmp(ui->asked_method, "stop") == 0;
	if (is_stop && count == shown)
		grid_put(grid, rect_line(area, last - 1), LOOK_DIM, "told to end, killed if they do not, and stay stopped; u undoes");
	grid_put(grid, rect_line(area, last), LOOK_KEY,
		dialog_offers_rolling(ui) ? "[ y All at once ] [ R One after the other ] > [ n Cancel ]"
		: is_stop                 ? "[ y Stop ] [ K Kill now ] > [ n Cancel ]"
					  : "[ y Yes ]   > [ n Cancel ]");
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
	char title[LINE];

	snprintf(title, sizeof title, "Quit? %u processes are running", count_alive(ui));
	struct rect area = dialog_box(ui, grid, 62, 4, title);
	grid_format(grid, rect_line(area, 0), LOOK_KEY,
		"d  Detach: they run on; thrum attach -p %s comes back", ui->options->project);
	grid_put(grid, rect_line(area, 1), LOOK_KEY,
		"s  Stop all, in reverse order of dependency, then quit");
	grid_put(grid, rect_line(area, 2), LOOK_KEY,
		"Esc / n / Enter  Stay                         > default");
}

static void draw_ending(const struct ui *ui, struct grid *grid)
{
	struct rect area = dialog_box(ui, grid, 60, 8, "Stopping all");
	int row = 0;

	for (size_t i = 0; i < ui->replica.row_count && row < 6; i++) {
		const struct row *facts = &ui->replica.rows[i].row;
		char state[64];
		if (!state_has_process(facts->state))
			continue;
		view_state(state, sizeof state, facts, ui->now_us);
		grid_format(grid, rect_line(area, row++), LOOK_NORMAL, "%s/%u  pid %d  %s",
			facts->service, facts->instance, facts->pid, state);
	}
	grid_put(grid, rect_line(area, 7), LOOK_KEY, "[ K Kill all now ]   [ d Leave, it goes on ]");
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
		[DIALOG_CONFIRM] = draw_confirm,
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
