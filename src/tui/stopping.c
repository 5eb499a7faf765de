/* A stop that is under way, until it is over or hidden: how long ago it was asked for, and what is still there. */
#include <stdio.h>
#include <string.h>

#include "tui/keymap.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { WIDTH = 62,
	SHOWN = 4, /* processes */
	BAR_WIDTH = 16,
	KILL_WIDTH = 14, /* what stands behind it */
	AGAIN_US = 1000000,
	WAIT_MS = 30000 };

static struct replica_row *find(const struct ui *ui)
{
	return replica_find((struct replica *)&ui->replica, ui->asked.service, (unsigned)ui->asked.instance);
}

/* ---- following it ---- */

void stopping_open(struct ui *ui)
{
	ui_keep(&ui->remains, NULL);
	ui->remains_asked_us = 0;
	ui->dialog = DIALOG_STOP;
}

void stopping_follow(struct ui *ui)
{
	const struct replica_row *row = ui->dialog == DIALOG_STOP ? find(ui) : NULL;

	if (ui->dialog != DIALOG_STOP)
		return;
	if (!row || state_is_over(row->row.state) || row->row.life != ui->asked.life) {
		ui->dialog = DIALOG_NONE;
		return;
	}
	if (row->row.state != STATE_STOPPING || (ui->remains_asked_us && ui->now_us < ui->remains_asked_us + AGAIN_US))
		return;
	ui->remains_asked_us = ui->now_us;
	ui_request(ui, REPLY_REMAINS, 0, "remains", json_pack("{s:s,s:i}", "service", ui->asked.service, "instance", ui->asked.instance));
}

/* More than there is; again and again, if need be. */
static void wait_longer(struct ui *ui)
{
	const struct replica_row *row = find(ui);
	json_t *params = ui_identity(&ui->asked);

	json_object_set_new(params, "ms", json_integer((json_int_t)(row ? view_left_ms(&row->row, ui->now_us) : 0) + WAIT_MS));
	if (ui_request(ui, REPLY_ACTION, 0, "extend", params))
		ui_say(ui, false, "%s/%d has 30 s more", ui->asked.service, ui->asked.instance);
}

void stopping_key(struct ui *ui, uint32_t key)
{
	if (key == 'K') {
		if (ui_request(ui, REPLY_ACTION, 0, "kill", ui_identity(&ui->asked)))
			ui_say(ui, false, "kill %s/%d", ui->asked.service, ui->asked.instance);
	} else if (key == 'w') {
		wait_longer(ui);
	} else if (key == INPUT_ESCAPE || key == 'q') {
		ui->dialog = DIALOG_NONE;
	} else if (key != 'x') {
		ui->dialog = DIALOG_NONE;
		action_key(ui, key); /* it goes on by itself; the key is meant for what is below */
	}
}

/* ---- drawing ---- */

static void draw_bar(struct grid *grid, struct rect at, unsigned percent, bool is_unicode)
{
	int filled = at.width * (int)(percent < 100 ? percent : 100) / 100;

	grid_fill(grid, at, LOOK_DIM, is_unicode ? 0x2591 : '.');
	at.width = filled;
	grid_fill(grid, at, LOOK_WARN, is_unicode ? 0x2588 : '#');
}

static void draw_time(const struct ui *ui, struct grid *grid, struct rect at, const struct row *row)
{
	uint64_t ago = ui->now_us > row->since_us ? (ui->now_us - row->since_us) / 1000 : 0;
	uint64_t left = view_left_ms(row, ui->now_us);
	int used = grid_format(grid, at, LOOK_NORMAL, "told to end %.1fs ago ", (double)ago / 1000);

	int bar = at.width - used - KILL_WIDTH < BAR_WIDTH ? at.width - used - KILL_WIDTH : BAR_WIDTH;

	if (bar > 0)
		draw_bar(grid, (struct rect){ at.x + used, at.y, bar, at.height },
			ago + left ? (unsigned)(ago * 100 / (ago + left)) : 100, ui->is_unicode);
	used += bar > 0 ? bar + 1 : 0;
	at.x += used;
	at.width -= used;
	grid_format(grid, at, LOOK_NORMAL, "KILL in %.1fs", (double)left / 1000);
}

static void draw_process(struct pane *pane, const json_t *process)
{
	const char *name = json_string_value(json_object_get(process, "name"));
	const char *state = json_string_value(json_object_get(process, "state"));
	const char *wchan = json_string_value(json_object_get(process, "wchan"));
	json_int_t threads = json_integer_value(json_object_get(process, "threads"));
	json_int_t stuck = json_integer_value(json_object_get(process, "stuck"));
	char text[256], of[64] = "";

	if (threads > 1)
		snprintf(of, sizeof of, ", %lld threads", (long long)threads);
	if (stuck)
		snprintf(of, sizeof of, ", %lld of %lld threads in D: no signal ends them", (long long)stuck, (long long)threads);
	snprintf(text, sizeof text, "  %-8lld%-16s %s%s%s%s%s", (long long)json_integer_value(json_object_get(process, "pid")),
		name ? name : "?", state ? state : "?", wchan ? " (" : "", wchan ? wchan : "", wchan ? ")" : "", of);
	pane_safe(pane, stuck ? LOOK_BAD : LOOK_NORMAL, "", text, strlen(text));
}

static void draw_remains(const struct ui *ui, struct pane *pane, const struct row *row)
{
	const json_t *processes = json_object_get(ui->remains, "processes"), *process;
	size_t count = json_array_size(processes) + (size_t)json_integer_value(json_object_get(ui->remains, "left_out")), i;

	if (!ui->remains && row->leftovers)
		pane_format(pane, LOOK_WARN, "%u processes of its tree are still alive", row->leftovers);
	else if (!count)
		pane_format(pane, LOOK_DIM, ui->remains ? "nothing is left of it" : "");
	else
		pane_format(pane, LOOK_WARN, "still there: %zu of its processes%s", count, row->pid ? "" : "; the main one has ended");
	json_array_foreach(processes, i, process)
	{
		if (i < SHOWN)
			draw_process(pane, process);
	}
	if (count > SHOWN)
		pane_format(pane, LOOK_DIM, "  ... and %zu more", count - SHOWN);
}

void stopping_draw(const struct ui *ui, struct grid *grid)
{
	const struct replica_row *found = find(ui);
	size_t count = json_array_size(json_object_get(ui->remains, "processes"));
	char title[128];

	if (!found || found->row.state != STATE_STOPPING)
		return;
	const struct row *row = &found->row;
	if (row->pid)
		snprintf(title, sizeof title, "Stopping %s/%u - pid %d", row->service, row->instance, row->pid);
	else
		snprintf(title, sizeof title, "Stopping %s/%u", row->service, row->instance);
	static const struct button buttons[] = { { 'K', "Kill now" }, { 'w', "Wait 30s more" }, { INPUT_ESCAPE, "Hide, go on" } };
	enum { BUTTONS = sizeof buttons / sizeof *buttons };
	int rows = dialog_button_rows(grid, WIDTH, buttons, BUTTONS);
	struct rect area = dialog_box(ui, grid, WIDTH, 3 + rows + (int)(count > SHOWN ? SHOWN + 1 : count), title);
	struct pane pane = { .grid = grid, .area = area, .line = 1 };
	pane.area.height -= rows;
	draw_time(ui, grid, rect_line(area, 0), row);
	draw_remains(ui, &pane, row);
	dialog_buttons(grid, area, buttons, BUTTONS);
}
