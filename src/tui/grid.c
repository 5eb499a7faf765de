#include "tui/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

enum { LINE_MOST = 2048 };

void grid_init(struct grid *grid)
{
	*grid = (struct grid){ 0 };
}

void grid_finish(struct grid *grid)
{
	free(grid->cells);
	free(grid->spots);
	*grid = (struct grid){ 0 };
}

void grid_reset(struct grid *grid, int width, int height)
{
	if (width != grid->width || height != grid->height)
		grid->cells = memory_resize(
			grid->cells, (size_t)width * (size_t)height, sizeof *grid->cells);
	grid->width = width;
	grid->height = height;
	grid->cursor_x = grid->cursor_y = 0;
	grid->spot_count = 0;
	grid_fill(grid, (struct rect){ 0, 0, width, height }, LOOK_NORMAL, ' ');
}

/* The part of a rectangle that is on the grid. */
static struct rect clip(const struct grid *grid, struct rect at)
{
	int right = at.x + at.width < grid->width ? at.x + at.width : grid->width;
	int bottom = at.y + at.height < grid->height ? at.y + at.height : grid->height;

	at.x = at.x > 0 ? at.x : 0;
	at.y = at.y > 0 ? at.y : 0;
	at.width = right > at.x ? right - at.x : 0;
	at.height = bottom > at.y ? bottom - at.y : 0;
	return at;
}

static struct cell *cell_at(struct grid *grid, int x, int y)
{
	return &grid->cells[y * grid->width + x];
}

const struct cell *grid_at(const struct grid *grid, int x, int y)
{
	return &grid->cells[y * grid->width + x];
}

/* Of a wide character that is written over in part, the other half is a blank: before its place is written, and after. */
static void free_left(struct grid *grid, int x, int y)
{
	if (x > 0 && x < grid->width && !cell_at(grid, x, y)->character)
		cell_at(grid, x - 1, y)->character = ' ';
}

static void free_right(struct grid *grid, int x, int y)
{
	if (x < grid->width && !cell_at(grid, x, y)->character)
		cell_at(grid, x, y)->character = ' ';
}

void grid_fill(struct grid *grid, struct rect at, enum look look, uint32_t character)
{
	at = clip(grid, at);
	for (int y = at.y; y < at.y + at.height && at.width; y++) {
		free_left(grid, at.x, y);
		for (int x = at.x; x < at.x + at.width; x++)
			*cell_at(grid, x, y) = (struct cell){ .character = character, .look = (uint8_t)look };
		free_right(grid, at.x + at.width, y);
	}
}

void grid_select(struct grid *grid, struct rect at)
{
	at = clip(grid, at);
	for (int y = at.y; y < at.y + at.height; y++)
		for (int x = at.x; x < at.x + at.width; x++)
			cell_at(grid, x, y)->look |= LOOK_SELECTED;
	if (at.width && at.height) {
		grid->cursor_x = at.x;
		grid->cursor_y = at.y;
	}
}

void grid_spot(struct grid *grid, struct rect at, enum spot_kind kind, uint32_t value)
{
	at = clip(grid, at);
	if (grid->spots && grid->spot_count < SPOTS_MOST && at.width && at.height)
		grid->spots[grid->spot_count++] = (struct spot){ at, kind, value };
}

struct spot grid_spot_at(const struct grid *grid, int x, int y)
{
	for (size_t i = grid->spot_count; i-- > 0;) {
		const struct rect *at = &grid->spots[i].at;
		if (x >= at->x && x < at->x + at->width && y >= at->y && y < at->y + at->height)
			return grid->spots[i];
	}
	return (struct spot){ .kind = SPOT_NOTHING };
}

/* Views sanitise; this is the second wall. */
static uint32_t harmless(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ? '?' : c;
}

/* On the character before this place; a third one, and one without a character, is left out. */
static void put_mark(struct grid *grid, struct rect room, int used, uint32_t mark)
{
	struct cell *cell = used ? cell_at(grid, room.x + used - 1, room.y) : NULL;

	if (cell && !cell->character && used > 1)
		cell--;
	for (int i = 0; cell && cell->character && mark <= UINT16_MAX && i < MARKS_MOST; i++)
		if (!cell->marks[i]) {
			cell->marks[i] = (uint16_t)mark;
			return;
		}
}

int grid_put(struct grid *grid, struct rect at, enum look look, const char *text)
{
	struct rect room = clip(grid, (struct rect){ at.x, at.y, at.width, at.height < 1 ? at.height : 1 });
	size_t size = strlen(text);
	int used = 0;

	if (room.height && room.width)
		free_left(grid, room.x, room.y);
	for (size_t i = 0; i < size && room.height;) {
		uint32_t c;
		i += utf8_decode(text + i, size - i, &c);
		c = harmless(c);
		int width = (int)utf8_width(c);
		if (width == 0) {
			put_mark(grid, room, used, c);
			continue;
		}
		if (used + width > room.width) {
			if (width == 2 && used < room.width)
				*cell_at(grid, room.x + used++, room.y) =
					(struct cell){ .character = ' ', .look = (uint8_t)look };
			break;
		}
		*cell_at(grid, room.x + used, room.y) = (struct cell){ .character = c, .look = (uint8_t)look };
		if (width == 2)
			*cell_at(grid, room.x + used + 1, room.y) =
				(struct cell){ .character = 0, .look = (uint8_t)look };
		used += width;
	}
	if (used)
		free_right(grid, room.x + used, room.y);
	return used;
}

int grid_put_cell(struct grid *grid, struct rect at, const struct cell *cell)
{
	struct rect room = clip(grid, (struct rect){ at.x, at.y, at.width, at.height < 1 ? at.height : 1 });
	struct cell put = *cell;
	int width = (int)utf8_width(put.character);

	if (!width && at.x > 0 && room.height)
		put_mark(grid, (struct rect){ 0, room.y, grid->width, 1 }, room.x, put.character);
	if (!width || !room.height || width > room.width)
		return 0;
	put.character = harmless(put.character);
	memset(put.marks, 0, sizeof put.marks);
	free_left(grid, room.x, room.y);
	*cell_at(grid, room.x, room.y) = put;
	put.character = 0;
	if (width == 2)
		*cell_at(grid, room.x + 1, room.y) = put;
	free_right(grid, room.x + width, room.y);
	return width;
}

int grid_format(struct grid *grid, struct rect at, enum look look, const char *fmt, ...)
{
	char line[LINE_MOST];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	return grid_put(grid, at, look, line);
}

struct rect grid_box(struct grid *grid, bool is_unicode, int width, int height, const char *title)
{
	static const uint32_t unicode[] = { 0x2500, 0x2502, 0x256d, 0x256e, 0x2570, 0x256f };
	static const uint32_t ascii[] = { '-', '|', '+', '+', '+', '+' };
	const uint32_t *line = is_unicode ? unicode : ascii;

	width = width + 4 < grid->width ? width + 4 : grid->width;
	height = height + 2 < grid->height ? height + 2 : grid->height;
	struct rect box = { (grid->width - width) / 2, (grid->height - height) / 2, width, height };
	int right = box.x + width - 1, bottom = box.y + height - 1;
	grid_fill(grid, box, LOOK_DIALOG, ' ');
	grid_spot(grid, box, SPOT_NOTHING, 0);
	grid_fill(grid, (struct rect){ box.x, box.y, width, 1 }, LOOK_DIALOG, line[0]);
	grid_fill(grid, (struct rect){ box.x, bottom, width, 1 }, LOOK_DIALOG, line[0]);
	grid_fill(grid, (struct rect){ box.x, box.y, 1, height }, LOOK_DIALOG, line[1]);
	grid_fill(grid, (struct rect){ right, box.y, 1, height }, LOOK_DIALOG, line[1]);
	grid_fill(grid, (struct rect){ box.x, box.y, 1, 1 }, LOOK_DIALOG, line[2]);
	grid_fill(grid, (struct rect){ right, box.y, 1, 1 }, LOOK_DIALOG, line[3]);
	grid_fill(grid, (struct rect){ box.x, bottom, 1, 1 }, LOOK_DIALOG, line[4]);
	grid_fill(grid, (struct rect){ right, bottom, 1, 1 }, LOOK_DIALOG, line[5]);
	grid_format(grid, (struct rect){ box.x + 1, box.y, width - 2, 1 }, LOOK_TITLE, " %s ", title);
	return (struct rect){ box.x + 2, box.y + 1, width - 4 > 0 ? width - 4 : 0, height - 2 > 0 ? height - 2 : 0 };
}
