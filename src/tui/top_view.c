/* The frame of `thrum top`. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "base/utf8.h"
#include "model/sample.h"
#include "tui/keymap.h"
#include "tui/top_ui.h"

enum { HELP_WIDTH = 39,
	HELP_KEYS = 9,
	CORE_WIDTH = 20,
	CORE_ROWS_MOST = 4,
	TABS_WIDTH = 71,
	COMMAND_LEAST = 20,
	COMMAND_MOST = 4096 };

enum { LEAVES_MOST = 9 };

/* Columns that leave at this or above have no room beside enough of the command. */
static int leaves_of(const struct top *top, int width)
{
	const struct top_column *column;

	int leaves = LEAVES_MOST + 1;

	for (; leaves > 1; leaves--) {
		int used = 1;
		for (unsigned place = 0; (column = top_column_at(&top->settings.top, place)); place++)
			used += column->leaves < leaves ? abs(column->width) + 1 : 0;
		if (width - used >= COMMAND_LEAST)
			break;
	}
	return leaves;
}

void top_guides(struct text *out, const struct machine_row *row, bool is_tree, bool is_unicode)
{
	static const char *const unicode[] = { "│  ", "   ", "├─ ", "└─ " };
	static const char *const ascii[] = { "|  ", "   ", "|- ", "`- " };
	const char *const *parts = is_unicode ? unicode : ascii;

	for (unsigned depth = 1; is_tree && depth <= row->depth && depth < 32; depth++) {
		bool goes_on = row->guides >> depth & 1;
		text_puts(out, parts[(depth == row->depth ? 2 : 0) + (goes_on ? 0 : 1)]);
	}
	if (row->is_folded)
		text_puts(out, "+ ");
}

/* ---- the head ---- */

static enum look look_of_share(double share)
{
	return share > 90 ? LOOK_BAD : share > 60 ? LOOK_WARN
						  : LOOK_GOOD;
}

static void draw_meter(const struct top *top, struct grid *grid, struct rect at, const char *name, double share,
	const char *text)
{
	int room = at.width - (int)strlen(name) - 3;
	int filled = (int)((double)room * (share < 0 ? 0 : share) / 100 + 0.5);

	if (room < 1)
		return;
	at.x += grid_format(grid, at, LOOK_KEY, "%s", name);
	grid_put(grid, at, LOOK_NORMAL, "[");
	grid_fill(grid, (struct rect){ at.x + 1, at.y, filled, 1 }, look_of_share(share),
		top->is_unicode ? 0x2588 : '|');
	int length = (int)strlen(text);
	if (length <= room)
		grid_put(grid, (struct rect){ at.x + 1 + room - length, at.y, length, 1 }, LOOK_NORMAL, text);
	grid_put(grid, (struct rect){ at.x + 1 + room, at.y, 1, 1 }, LOOK_NORMAL, "]");
}

static void draw_core(const struct top *top, struct grid *grid, struct rect at, unsigned core)
{
	char name[16], text[16] = "-";
	double share = top->machine.core_pct[core];

	snprintf(name, sizeof name, "%3u", core);
	if (share >= 0)
		snprintf(text, sizeof text, "%.1f%%", share);
	draw_meter(top, grid, at, name, share, text);
}

/* As many cores as there is room for; returns the rows that it took. */
static int draw_cores(const struct top *top, struct grid *grid, int y)
{
	int columns = grid->width / CORE_WIDTH > 0 ? grid->width / CORE_WIDTH : 1;
	int most = grid->height < 16 ? 1 : CORE_ROWS_MOST;
	int rows = ((int)top->machine.cores + columns - 1) / columns;

	rows = rows < most ? rows : most;
	for (int i = 0; i < rows * columns && i < (int)top->machine.cores; i++)
		draw_core(top, grid, (struct rect){ i % columns * CORE_WIDTH, y + i / columns, CORE_WIDTH - 1, 1 },
			(unsigned)i);
	return rows;
}

static void draw_memory(const struct top *top, struct grid *grid, struct rect at, const char *name, uint64_t total,
	uint64_t left)
{
	char used[UNITS_TEXT_SIZE], of[UNITS_TEXT_SIZE], text[UNITS_TEXT_SIZE * 2 + 2];

	if (total == SAMPLE_UNKNOWN || left == SAMPLE_UNKNOWN || left > total) {
		draw_meter(top, grid, at, name, -1, "-");
		return;
	}
	units_format_size(used, total - left);
	units_format_size(of, total);
	snprintf(text, sizeof text, "%s/%s", used, of);
	draw_meter(top, grid, at, name, total ? 100.0 * (double)(total - left) / (double)total : 0, text);
}

static void draw_counts(const struct top *top, struct grid *grid, struct rect at)
{
	const struct machine *machine = &top->machine;
	char up[UNITS_TEXT_SIZE];
	unsigned long long threads = 0;
	size_t running = 0, tasks = 0;

	for (size_t i = 0; i < machine->count; i++) {
		if (machine->processes[i].is_thread)
			continue;
		tasks++;
		threads += machine->processes[i].threads;
		running += machine->processes[i].state == 'R';
	}
	units_format_duration(up, machine->uptime_s * 1000);
	grid_format(grid, at, LOOK_NORMAL, " tasks %zu, %llu thr, %zu running  load %.2f %.2f %.2f  up %s", tasks,
		threads, running, machine->load[0], machine->load[1], machine->load[2], up);
}

static int draw_head(const struct top *top, struct grid *grid)
{
	int y = top->settings.top.hides_meters ? 0 : draw_cores(top, grid, 0), half = CORE_WIDTH * 2 - 1;

	if (top->settings.top.hides_meters)
		return 0;
	draw_memory(top, grid, (struct rect){ 0, y, half, 1 }, "Mem", top->machine.memory_total,
		top->machine.memory_available);
	draw_memory(top, grid, (struct rect){ half + 1, y, half, 1 }, "Swp", top->machine.swap_total,
		top->machine.swap_free);
	draw_counts(top, grid, (struct rect){ 0, y + 1, grid->width, 1 });
	return y + 2;
}

/* ---- the table ---- */

static int draw_cell(struct grid *grid, struct rect at, enum look look, int width, const char *text)
{
	int columns = width < 0 ? -width : width, length = (int)strlen(text);
	int indent = width > 0 && length < columns ? columns - length : 0;

	grid_put(grid, (struct rect){ at.x + indent, at.y, columns - indent, 1 }, look, text);
	return at.x + columns + 1;
}

static void draw_heading(const struct top *top, struct grid *grid, int y)
{
	struct rect at = { 1, y, grid->width, 1 };
	int leaves = leaves_of(top, grid->width);
	const struct top_column *column;

	for (unsigned place = 0; (column = top_column_at(&top->settings.top, place)); place++) {
		int x = at.x;
		if (column->leaves >= leaves)
			continue;
		at.x = draw_cell(grid, at, column->sort == top->wish.sort ? LOOK_KEY : LOOK_HEADING, column->width,
			column->title);
		if (column->sort != MACHINE_SORT_COUNT)
			grid_spot(grid, (struct rect){ x, y, at.x - x - 1, 1 }, SPOT_SORT, column->sort);
	}
	grid_spot(grid, at, SPOT_SORT, MACHINE_BY_COMMAND);
	grid_put(grid, at, top->wish.sort == MACHINE_BY_COMMAND ? LOOK_KEY : LOOK_HEADING, "COMMAND");
}

/* The same text, so many columns later. */
static const char *skip_columns(const char *text, int columns)
{
	uint32_t character;

	while (columns > 0 && *text) {
		text += utf8_decode(text, strnlen(text, 4), &character);
		columns -= (int)utf8_width(character);
	}
	return text;
}

/* As it was chosen to be seen. */
static const char *command_of(const struct top *top, const struct machine_process *process)
{
	const struct machine_process *owner = process->is_thread ? machine_find(&top->machine, process->parent) : NULL;

	if (owner && top->settings.top.hides_names)
		process = owner;
	return process->command + (top->settings.top.hides_paths ? process->path : 0);
}

static void draw_command(const struct top *top, struct grid *grid, struct rect at, const struct machine_row *row)
{
	struct text line;

	text_init(&line, COMMAND_MOST * 4);
	top_guides(&line, row, top->wish.is_tree, top->is_unicode);
	at.x += grid_put(grid, at, LOOK_DIM, text_string(&line));
	grid_put(grid, at, row->process->is_kernel || row->process->is_thread ? LOOK_DIM : LOOK_NORMAL,
		skip_columns(command_of(top, row->process), top->left));
	text_finish(&line);
}

static enum look look_of(const struct top_column *column, const struct machine_process *process)
{
	bool is_blocked = column->sort == MACHINE_BY_LAG && process->inside.lag_ms != SAMPLE_UNKNOWN &&
			  process->inside.lag_ms >= INSIDE_BLOCKED_MS;
	bool is_bad = is_blocked || (column->sort == MACHINE_BY_STATE && (process->state == 'D' || process->state == 'Z'));

	return is_bad ? LOOK_BAD : column->sort == MACHINE_BY_STATE && process->state == 'R' ? LOOK_GOOD
											     : LOOK_NORMAL;
}

static void draw_row(const struct top *top, struct grid *grid, int y, long place, int leaves)
{
	const struct machine_row *row = &top->rows[place];
	struct rect at = { 1, y, grid->width, 1 };
	const struct top_column *column;
	char cell[TOP_CELL_SIZE];

	if (machine_set_has(&top->tags, &row->process->id))
		grid_put(grid, (struct rect){ 0, y, 1, 1 }, LOOK_WARN, "*");
	for (unsigned i = 0; (column = top_column_at(&top->settings.top, i)); i++) {
		if (column->leaves >= leaves)
			continue;
		column->format(cell, &top->machine, row->process);
		at.x = draw_cell(grid, at, look_of(column, row->process), column->width, cell);
	}
	draw_command(top, grid, at, row);
	if (place == top->place)
		grid_select(grid, (struct rect){ 0, y, grid->width, 1 });
}

static void draw_table(struct top *top, struct grid *grid, struct rect area)
{
	long last = (long)top->row_count - area.height;
	int leaves = leaves_of(top, grid->width);

	top->shown = area.height > 0 ? area.height : 1;
	top->first = top->first < last ? top->first : last;
	if (top->place >= top->first + top->shown)
		top->first = top->place - top->shown + 1;
	top->first = top->first < top->place ? top->first : top->place;
	top->first = top->first > 0 ? top->first : 0;
	for (int i = 0; i < area.height && top->first + i < (long)top->row_count; i++) {
		draw_row(top, grid, area.y + i, top->first + i, leaves);
		grid_spot(grid, (struct rect){ 0, area.y + i, grid->width, 1 }, SPOT_ROW, (uint32_t)(top->first + i));
	}
	if (!top->row_count)
		grid_put(grid, area, LOOK_DIM, " no process is like that: Esc takes the filter away, u shows everybody's");
}

/* ---- details ---- */

static void draw_tabs(const struct top *top, struct grid *grid, struct rect area)
{
	struct rect at = { area.x, area.y, area.width, 1 };
	char pid[TOP_CELL_SIZE];

	snprintf(pid, sizeof pid, " pid %d ", (int)top->studied.pid);
	grid_fill(grid, at, LOOK_DIM, top->is_unicode ? 0x2500 : '-');
	at.x += 2;
	if (at.width >= TABS_WIDTH + (int)strlen(pid) + 2)
		at.x += grid_put(grid, at, LOOK_TITLE, pid);
	for (enum top_tab tab = TOP_TAB_INFO; tab < TOP_TAB_COUNT; tab++) {
		int used = grid_format(grid, at, tab == top->tab ? LOOK_TITLE : LOOK_DIM, tab == top->tab ? "[%u %s]" : " %u %s ",
			(unsigned)tab, top_tab_names[tab]);
		grid_spot(grid, (struct rect){ at.x, at.y, used, 1 }, SPOT_KEY, '0' + (uint32_t)tab);
		at.x += used;
	}
}

/* The next line of a text, or as much of it as the width has room for. */
struct piece {
	size_t length, whole; /* whole: with what ends it */
};

static struct piece piece_of(const char *text, int width)
{
	size_t at = 0;
	uint32_t character;

	while (text[at] && text[at] != '\n') {
		size_t size = utf8_decode(text + at, strnlen(text + at, 4), &character);
		width -= (int)utf8_width(character);
		if (width < 0 && at)
			return (struct piece){ at, at };
		at += size;
	}
	return (struct piece){ at, at + (text[at] == '\n') };
}

static void draw_details(struct top *top, struct grid *grid, struct rect area)
{
	bool is_wrapped = top->tab == TOP_TAB_ENVIRONMENT || top->tab == TOP_TAB_ARGUMENTS;
	int lines = 0, y = area.y + 1, width = is_wrapped ? area.width - 1 : INT_MAX;
	const char *line = text_string(&top->details);
	char shown[COMMAND_MOST];

	for (const char *at = line; *at; lines++)
		at += piece_of(at, width).whole;
	int most = lines > area.height - 1 ? lines - area.height + 1 : 0;
	top->scroll = top->scroll < most ? top->scroll : most;
	draw_tabs(top, grid, area);
	for (int i = 0; *line && y < area.y + area.height; i++) {
		struct piece piece = piece_of(line, width);
		snprintf(shown, sizeof shown, "%.*s", (int)piece.length, line);
		if (i >= top->scroll)
			grid_put(grid, (struct rect){ area.x + 1, y++, area.width - 1, 1 }, LOOK_NORMAL, shown);
		line += piece.whole;
	}
}

/* ---- what lies over it ---- */

static void draw_help_row(const struct top *top, struct grid *grid, struct rect at, const struct top_key *key)
{
	char keys[TOP_CELL_SIZE];
	int right = at.x + at.width;

	top_key_names(&top->settings.bindings, key, keys, sizeof keys);
	int x = at.x + grid_put(grid, at, LOOK_KEY, keys) + 1;
	x = x > at.x + HELP_KEYS ? x : at.x + HELP_KEYS;
	grid_put(grid, (struct rect){ x, at.y, right - x, 1 }, LOOK_NORMAL, key->help);
}

/* In as many columns as there is room for; and what does not fit is another page. */
static void draw_help(struct top *top, struct grid *grid)
{
	int fit = grid->width / HELP_WIDTH > 1 ? grid->width / HELP_WIDTH : 1, rows = grid->height > 5 ? grid->height - 4 : 1, count = 0;

	for (const struct top_key *key = top_keys; key->key; key++)
		count += key->help != NULL;
	int wanted = (count + rows - 1) / rows, columns = wanted < fit ? wanted : fit;
	struct rect area = grid_box(grid, top->is_unicode, columns * HELP_WIDTH, grid->height - 2,
		"Help - arrows turn the page, any other key closes");
	int page = area.height * columns, number = 0;

	if (page <= 0)
		return;
	top->scroll_help = top->scroll_help < (count - 1) / page ? top->scroll_help : (count - 1) / page;
	for (const struct top_key *key = top_keys; key->key; key++) {
		int place = number - top->scroll_help * page;
		number += key->help != NULL;
		struct rect at = { area.x + place / area.height * HELP_WIDTH, area.y + place % area.height, HELP_WIDTH - 1, 1 };
		at.width = at.x + at.width < area.x + area.width ? at.width : area.x + area.width - at.x;
		if (key->help && place >= 0 && place < page)
			draw_help_row(top, grid, at, key);
	}
}

static void draw_sure(struct top *top, struct grid *grid)
{
	char who[TOP_MESSAGE_SIZE], title[TOP_MESSAGE_SIZE + 16];

	top_name_asked(top, who);
	snprintf(title, sizeof title, "%s to %s?", top->asked_signal, who);
	struct rect area = grid_box(grid, top->is_unicode, 50, 3, title);
	grid_put(grid, (struct rect){ area.x, area.y + 1, area.width, area.height > 1 ? 1 : 0 }, LOOK_KEY,
		"[ y Yes ]     > [ n Cancel ]");
}

static void draw_dialog(struct top *top, struct grid *grid)
{
	static void (*const draws[])(struct top * top, struct grid * grid) = {
		[TOP_DIALOG_HELP] = draw_help,
		[TOP_DIALOG_SURE] = draw_sure,
		[TOP_DIALOG_SORT] = top_menu_draw,
		[TOP_DIALOG_SIGNAL] = top_menu_draw,
		[TOP_DIALOG_USER] = top_menu_draw,
		[TOP_DIALOG_IO] = top_menu_draw,
		[TOP_DIALOG_PROCESSORS] = top_menu_draw,
		[TOP_DIALOG_SETUP] = top_menu_draw,
	};

	if (draws[top->dialog])
		draws[top->dialog](top, grid);
}

/* As htop has them where the key is a function key; a click is the key. */
static void draw_labels(const struct top *top, struct grid *grid, struct rect at)
{
	static const struct {
		const char *action, *word;
	} labels[] = { { "help", "Help" }, { "setup", "Setup" }, { "search", "Search" }, { "filter", "Filter" }, { "tree", "Tree" },
		{ "sort", "Sort" }, { "nice-lower", "Nice-" }, { "nice-higher", "Nice+" }, { "signal", "Signal" }, { "quit", "Quit" },
		{ "open", "Details" }, { "users", "User" }, { "tag", "Tag" },
		{ "pause", "Pause" } };
	char keys[TOP_CELL_SIZE];

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		const struct top_key *row = top_find_action(labels[i].action);
		uint32_t key = top_key_names(&top->settings.bindings, row, keys, sizeof keys);
		keys[strcspn(keys, " ")] = '\0';
		if (!key)
			continue;
		int used = grid_format(grid, at, LOOK_KEY, "%s%s%s ", keys, key > INPUT_FUNCTION ? "" : " ", labels[i].word);
		grid_spot(grid, (struct rect){ at.x, at.y, used - 1, 1 }, SPOT_KEY, key);
		at.x += used;
	}
}

static void draw_foot(const struct top *top, struct grid *grid, struct rect at)
{
	static const char *const prompts[] = { "", "search: ", "filter: ", "pid: ", ":" };

	if (top->prompt != TOP_PROMPT_NONE) {
		at.x += grid_format(grid, at, LOOK_KEY, "%s%s_  ", prompts[top->prompt], top->input);
		grid->cursor_x = at.x > 3 ? at.x - 3 : 0;
		grid->cursor_y = at.y;
		grid_put(grid, at, LOOK_BAD, top->filter_error);
		return;
	}
	if (top->is_paused)
		at.x += grid_put(grid, at, LOOK_WARN, "PAUSED (Z) ");
	if (top->tags.count)
		at.x += grid_format(grid, at, LOOK_WARN, "tagged %zu ", top->tags.count);
	if (top->filter)
		at.x += grid_format(grid, at, LOOK_WARN, "filter %s ", top->filter_text);
	if (top->wish.user[0])
		at.x += grid_format(grid, at, LOOK_WARN, "user %s ", top->wish.user);
	if (top->message[0])
		grid_put(grid, at, top->is_bad ? LOOK_BAD : LOOK_GOOD, top->message);
	else
		draw_labels(top, grid, at);
}

void top_draw(struct top *top, struct grid *grid)
{
	int y = draw_head(top, grid), room = grid->height - y - 2;
	int below = top->tab == TOP_TAB_NONE ? 0 : top->is_zoomed ? room
								  : room / 2;

	draw_heading(top, grid, y);
	draw_table(top, grid, (struct rect){ 0, y + 1, grid->width, room - below });
	if (below > 1)
		draw_details(top, grid, (struct rect){ 0, grid->height - 1 - below, grid->width, below });
	draw_foot(top, grid, (struct rect){ 0, grid->height - 1, grid->width, 1 });
	draw_dialog(top, grid);
}
