/* The Logs tab: the lines of the window that are looked at, and a line about how far that is. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "tui/log_text.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { NAME_MOST = 20,
	TIME_WIDTH = 13,
	AGO_WIDTH = 9,
	LINE = 512,
	MATCH_SHOWN = 64 /* of a line */ };

/* ---- columns before the text ---- */

static bool has_names(const struct log_view *view)
{
	const struct log_source *all = view->sources.items;

	for (unsigned i = 1; i < view->sources.count; i++)
		if (all[i].instance != all[0].instance || strcmp(all[i].service, all[0].service) != 0)
			return true;
	return false;
}

static int name_width(const struct log_view *view)
{
	int widest = 0;

	for (unsigned i = 0; i < view->sources.count && has_names(view); i++) {
		int width = snprintf(NULL, 0, "%s/%u ", view->sources.items[i].service, view->sources.items[i].instance);
		widest = width > widest ? width : widest;
	}
	return widest < NAME_MOST ? widest : NAME_MOST;
}

static int time_width(const struct log_view *view)
{
	static const int widths[LOG_TIMES_COUNT] = { [LOG_TIMES_LOCAL] = TIME_WIDTH, [LOG_TIMES_AGO] = AGO_WIDTH };

	return widths[view->times];
}

static void draw_time(const struct ui *ui, struct grid *grid, struct rect at, const struct log_line *line)
{
	char text[CLOCK_TEXT_SIZE + UNITS_TEXT_SIZE];

	if (ui->logs.times == LOG_TIMES_LOCAL)
		clock_format_local(text, line->time_us);
	else
		units_format_duration(text, ui->now_us > line->time_us ? (ui->now_us - line->time_us) / 1000 : 0);
	at.width = time_width(&ui->logs);
	if (at.width)
		grid_format(grid, at, LOOK_DIM, "%*s ", at.width - 1, text);
}

/* Each name has a colour of its own, as far as they go. */
static void draw_name(const struct log_view *view, struct grid *grid, struct rect at, const struct log_line *line)
{
	static const uint16_t colours[] = { 7, 3, 4, 6, 5, 13, 15, 11 };
	const struct log_source *source = &view->sources.items[line->source];
	char name[NAME_MOST * 4 + 80];
	struct cell cell = { .paint.fore = colours[line->source / 2 % (sizeof colours / sizeof *colours)] };

	snprintf(name, sizeof name, "%s/%u", source->service, source->instance);
	for (const char *c = name; *c && at.width > 1; c++) {
		cell.character = (unsigned char)*c;
		int used = grid_put_cell(grid, at, &cell);
		at.x += used;
		at.width -= used;
	}
}

/* ---- text ---- */

/* Where the bytes of a line, without its colours, match what is searched for. */
struct matches {
	size_t begin[MATCH_SHOWN], end[MATCH_SHOWN];
	unsigned count, next;
};

static void find_matches(const struct log_view *view, const struct log_line *line, struct matches *matches)
{
	size_t size, from = 0;
	struct text spare;

	matches->count = matches->next = 0;
	if (!view->search)
		return;
	text_init(&spare, (size_t)LOG_LINE_MOST * 4);
	const char *text = logs_plain(line, &spare, &size);
	for (unsigned i = 0; i < MATCH_SHOWN && pattern_find(view->search, text, size, from, &matches->begin[i], &matches->end[i]); i++) {
		from = matches->end[i];
		matches->count++;
	}
	text_finish(&spare);
}

static bool is_matched(struct matches *matches, size_t at)
{
	while (matches->next < matches->count && at >= matches->end[matches->next])
		matches->next++;
	return matches->next < matches->count && at >= matches->begin[matches->next];
}

/* Without colours, and in the line that is looked at, which is all in reverse, it is seen by this. */
static const struct paint match_paint = { .attributes = PAINT_UNDERLINE };

/* Rows of a line from `skip` on; column and row of each character are counted as log_text_rows counts them. */
static void draw_text(const struct log_view *view, struct grid *grid, struct rect at, const struct log_line *line, int skip)
{
	struct cell cell = { .look = view->sources.items[line->source].is_err ? LOOK_WARN : LOOK_NORMAL };
	const char *text = line->text;
	struct matches matches;
	char encoded[4];
	size_t byte = 0;
	int row = -skip, column = view->is_wrapped ? 0 : -view->shift;

	find_matches(view, line, &matches);
	while ((cell.character = log_text_next(&text, &cell.paint))) {
		int columns = (int)utf8_width(cell.character);
		if (column > 0 && column + columns > at.width) {
			if (!view->is_wrapped || ++row == at.height)
				return;
			column = 0;
		}
		const struct cell found = { .character = cell.character, .look = LOOK_KEY | LOOK_SELECTED, .paint = match_paint };
		struct rect place = { at.x + column, at.y + row, at.width - column, 1 };
		bool is_found = is_matched(&matches, byte);
		if (row >= 0 && column >= 0)
			grid_put_cell(grid, place, is_found ? &found : &cell);
		column += columns;
		byte += utf8_encode(encoded, cell.character);
	}
}

static void draw_line(const struct ui *ui, struct grid *grid, struct rect at, const struct log_line *line, int skip)
{
	const struct log_view *view = &ui->logs;
	int time = time_width(view), name = name_width(view);

	at.x++;
	if (!skip) {
		draw_time(ui, grid, at, line);
		draw_name(view, grid, (struct rect){ at.x + time, at.y, name, 1 }, line);
	}
	at.x += time + name;
	at.width = view->width;
	draw_text(view, grid, at, line, skip);
}

/* ---- the line above ---- */

static void describe_place(const struct log_view *view, char out[LINE])
{
	char size[UNITS_TEXT_SIZE], newer[UNITS_TEXT_SIZE];
	uint64_t all = 0, below = log_walk_left(&view->down, &view->sources);

	for (unsigned i = 0; i < view->sources.count; i++)
		all += view->sources.items[i].end - view->sources.items[i].first;
	units_format_size(size, all);
	for (uint64_t i = view->at + 1; i < view->first + view->count; i++)
		below += logs_line(view, i)->size;
	units_format_size(newer, below);
	if (view->follows)
		snprintf(out, LINE, "%s, following", size);
	else
		snprintf(out, LINE, "%s, at %.0f%%; %s below, G follows", size,
			below < all ? 100.0 * (double)(all - below) / (double)all : 0, newer);
}

static void describe_work(const struct log_view *view, char out[LINE])
{
	char done[UNITS_TEXT_SIZE], all[UNITS_TEXT_SIZE];
	uint64_t done_bytes, all_bytes;

	out[0] = '\0';
	if (!logs_is_busy(view, &done_bytes, &all_bytes))
		return;
	units_format_size(done, done_bytes);
	units_format_size(all, all_bytes);
	snprintf(out, LINE, " searched %s of %s, Esc stops;", done, all);
}

/* Nothing is left out without a word: of what, and how far back. */
static void draw_sum(const struct ui *ui, struct grid *grid, struct rect at)
{
	const struct log_view *view = &ui->logs;
	char work[LINE], place[LINE], left_out[48] = "";

	describe_work(view, work);
	describe_place(view, place);
	if (ui->feed.left_out)
		snprintf(left_out, sizeof left_out, "%u logs left out, ", ui->feed.left_out);
	grid_format(grid, at, LOOK_DIM, "%s %s%s%s%s%s%s%s", work, left_out, place, view->filter ? "; filter " : "", view->filter_text,
		view->search ? "; search " : "", view->search_text, view->is_held ? "; stopped" : "");
}

/* ---- the tab ---- */

static const char *empty_word(const struct log_view *view)
{
	uint64_t done, all;

	if (logs_is_busy(view, &done, &all) || view->is_rewinding)
		return " reading ...";
	return view->filter ? " the filter lets no line through" : " nothing was written yet";
}

void logs_prepare(struct ui *ui, int width, int height)
{
	struct rect area = view_layout(ui, width, height).detail;

	logs_fit(&ui->logs, area.height - ui->is_zoomed, area.width - 1 - time_width(&ui->logs) - name_width(&ui->logs));
}

void logs_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	const struct log_view *view = &ui->logs;
	unsigned count;
	int above;

	if (area.height <= 0 || area.width <= 0)
		return;
	if (ui->is_zoomed && area.height > 1) {
		draw_sum(ui, grid, rect_line(area, 0));
		area.y++;
		area.height--;
	}
	uint64_t top = logs_page(view, area.height, &count, &above);
	if (!count)
		grid_put(grid, rect_line(area, 0), LOOK_DIM, empty_word(view));
	for (uint64_t number = top; number < top + count && area.height > 0; number++) {
		const struct log_line *line = logs_line(view, number);
		int rows = logs_rows(view, line) - above;
		draw_line(ui, grid, area, line, above);
		if (number == view->at && !view->follows && ui->is_zoomed)
			grid_select(grid, (struct rect){ area.x, area.y, area.width, rows < area.height ? rows : area.height });
		area.y += rows;
		area.height -= rows;
		above = 0;
	}
}
