/* What is asked before something is done to several, or cannot be taken back: whom it hits, and what else could be done. */
#include <stdio.h>
#include <string.h>

#include "tui/pane.h"
#include "tui/ui.h"

enum { LINE = 256,
	MEANT_SHOWN = 8,
	WIDTH = 62 };

/* ---- who is meant ---- */

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

static int count_meant(const struct ui *ui)
{
	int count = 0;

	for (size_t i = 0; i < ui->replica.row_count; i++)
		count += is_meant(ui, &ui->replica.rows[i].row);
	return count;
}

/* Every pool that a worker of is meant, once. */
static const char *next_pool(const struct ui *ui, size_t *at)
{
	const char *before = *at ? ui->replica.rows[*at - 1].row.service : "";

	while (*at < ui->replica.row_count) {
		const struct row *row = &ui->replica.rows[(*at)++].row;
		if (row->is_pool && is_meant(ui, row) && strcmp(row->service, before) != 0)
			return row->service;
	}
	return NULL;
}

/* ---- what can be done ---- */

static bool always(const struct ui *ui)
{
	(void)ui;
	return true;
}

static bool is_one(const struct ui *ui)
{
	return !ui->is_asked_tagged && ui->asked.instance >= 0;
}

static bool are_several(const struct ui *ui)
{
	return !is_one(ui);
}

static bool has_pool(const struct ui *ui)
{
	size_t at = 0;

	return next_pool(ui, &at);
}

/* What waits is still worked on; x stops the workers when it is done. */
static void drain(struct ui *ui, const char *method)
{
	const char *pool;
	size_t at = 0;
	unsigned count = 0;

	while ((pool = next_pool(ui, &at)) && ui_request(ui, REPLY_ACTION, 0, method, json_pack("{s:s,s:b}", "name", pool, "off", 0)))
		count++;
	if (count)
		ui_say(ui, false, "%u drained: takes no more tasks, finishes what waits; u undoes", count);
}

/* In the order in which they are offered; y is what the key was pressed for. */
static const struct choice {
	const char *asked; /* the method that is asked about */
	char key;
	const char *word, *method;
	bool (*is_offered)(const struct ui *ui);
	void (*act)(struct ui *ui, const char *method);
} choices[] = {
	{ "stop", 'y', "Stop", "stop", always, action_asked },
	{ "stop", 'K', "Kill now", "kill", always, action_asked },
	{ "stop", 'd', "Drain", "drain", has_pool, drain },
	{ "restart", 'y', "All at once", "restart", are_several, action_asked },
	{ "restart", 'y', "Restart", "restart", is_one, action_asked },
	{ "restart", 'R', "One after the other", "reload", are_several, action_asked },
	{ "reload", 'y', "One after the other", "reload", always, action_asked },
	{ "kill", 'y', "Kill", "kill", always, action_asked },
};
enum { CHOICES = sizeof choices / sizeof *choices };

static bool is_offered(const struct ui *ui, const struct choice *choice)
{
	return strcmp(choice->asked, ui->asked_method) == 0 && choice->is_offered(ui);
}

void confirm_key(struct ui *ui, uint32_t key)
{
	ui->dialog = DIALOG_NONE;
	if (key == 'Y')
		key = 'y';
	for (int i = 0; i < CHOICES; i++)
		if (key == (uint32_t)choices[i].key && is_offered(ui, &choices[i])) {
			ui->asked_method = choices[i].method;
			choices[i].act(ui, ui->asked_method);
			return;
		}
}

/* ---- drawing ---- */

static const char *consequence(const char *method)
{
	static const struct {
		const char *method, *text;
	} texts[] = {
		{ "stop", "told to end, killed if they do not, and stay stopped; u undoes" },
		{ "kill", "no warning: what is not saved is lost; they stay stopped" },
		{ "restart", "told to end, killed if they do not, and started again" },
		{ "reload", "each when the one before it is ready" },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(texts[i].method, method) == 0)
			return texts[i].text;
	return "";
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

static void describe(const struct ui *ui, int count, char out[LINE])
{
	char method[16];

	snprintf(method, sizeof method, "%s", ui->asked_method);
	method[0] = (char)(method[0] - 'a' + 'A');
	if (ui->is_asked_tagged)
		snprintf(out, LINE, "%s %u tagged?", method, ui->tag_count);
	else if (ui->asked.instance >= 0)
		snprintf(out, LINE, "%s %s/%d?", method, ui->asked.service, ui->asked.instance);
	else
		snprintf(out, LINE, "%s %s (%s%d instances)?", method, ui->asked.service, count > 1 ? "all its " : "", count);
}

/* Whoever has ended by the time that it is answered is left alone: it is the process that is meant. */
void confirm_draw(const struct ui *ui, struct grid *grid)
{
	struct button buttons[CHOICES + 1];
	int count = count_meant(ui), shown = count < MEANT_SHOWN ? count : MEANT_SHOWN, line = 0, offered = 0;
	char title[LINE];

	for (int i = 0; i < CHOICES; i++)
		if (is_offered(ui, &choices[i]))
			buttons[offered++] = (struct button){ (uint32_t)choices[i].key, choices[i].word };
	buttons[offered++] = (struct button){ 'n', "Cancel" };
	describe(ui, count, title);
	int rows = dialog_button_rows(grid, WIDTH, buttons, offered), told = dialog_rows(grid, WIDTH, consequence(ui->asked_method));
	struct rect area = dialog_box(ui, grid, WIDTH, shown + (count > shown) + told + rows, title);
	if (area.height - rows - told < 1)
		told = 0; /* what can be pressed is of more use */
	int room = area.height > rows + told ? area.height - rows - told : 0;
	if (shown + (count > shown) > room)
		shown = room > 1 ? room - 1 : 0;
	for (size_t i = 0; i < ui->replica.row_count && line < shown; i++)
		if (is_meant(ui, &ui->replica.rows[i].row))
			draw_meant(ui, grid, rect_line(area, line++), &ui->replica.rows[i].row);
	if (count > shown && room)
		grid_format(grid, rect_line(area, line), LOOK_DIM, "  ... and %d more", count - shown);
	grid_wrap(grid, (struct rect){ area.x, area.y + room, area.width, told }, LOOK_DIM, consequence(ui->asked_method));
	dialog_buttons(grid, area, buttons, offered);
}
