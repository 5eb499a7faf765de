#include "tui/pane.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { LINE_MOST = 4096,
	NAME_WIDTH = 10 };

struct rect rect_line(struct rect area, int row)
{
	return (struct rect){ area.x, area.y + row, area.width, row >= 0 && row < area.height ? 1 : 0 };
}

void grid_put_safe(struct grid *grid, struct rect at, enum look look, const char *before, const char *bytes, size_t size)
{
	struct text safe;

	if (at.height <= 0 || at.width <= 0)
		return;
	text_init(&safe, LINE_MOST * 4);
	text_puts(&safe, before);
	utf8_append_safe(&safe, bytes, size < LINE_MOST ? size : LINE_MOST, false);
	grid_put(grid, at, look, text_string(&safe));
	text_finish(&safe);
}

/* How many bytes of a text have room in a line: whole words, if there is one. */
static size_t line_size(const char *text, int width)
{
	size_t size = strlen(text), used = 0, words = 0;

	while (used < size && width > 0) {
		uint32_t c;
		size_t bytes = utf8_decode(text + used, size - used, &c);
		width -= (int)utf8_width(c);
		words = c == ' ' ? used : words;
		used += width >= 0 ? bytes : 0;
	}
	return used == size || text[used] == ' ' || !words ? used : words;
}

int grid_wrap(struct grid *grid, struct rect area, enum look look, const char *text)
{
	char line[LINE_MOST];
	int row = 0;

	for (size_t size; *text && (size = line_size(text, area.width)); text += strspn(text, " ")) {
		snprintf(line, sizeof line, "%.*s", (int)size, text);
		if (grid)
			grid_put(grid, rect_line(area, row), look, line);
		row++;
		text += size;
	}
	return row;
}

struct rect pane_next(struct pane *pane)
{
	return rect_line(pane->area, pane->line++ - pane->skip);
}

void pane_format(struct pane *pane, enum look look, const char *fmt, ...)
{
	struct rect at = pane_next(pane);
	char line[LINE_MOST];
	va_list args;

	if (!at.height)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	grid_put(pane->grid, at, look, line);
}

void pane_safe(struct pane *pane, enum look look, const char *before, const char *bytes, size_t size)
{
	grid_put_safe(pane->grid, pane_next(pane), look, before, bytes, size);
}

void pane_pair(struct pane *pane, const char *name, const char *value)
{
	struct rect at = pane_next(pane);

	grid_format(pane->grid, (struct rect){ at.x + 1, at.y, NAME_WIDTH, at.height }, LOOK_DIM, "%s", name);
	grid_put_safe(pane->grid, (struct rect){ at.x + 1 + NAME_WIDTH, at.y, at.width - 1 - NAME_WIDTH, at.height }, LOOK_NORMAL,
		"", value, strlen(value));
}

void pane_pair_whole(struct pane *pane, const char *name, const char *value)
{
	int width = pane->area.width - 1 - NAME_WIDTH;
	struct text safe;
	char part[LINE_MOST];

	text_init(&safe, LINE_MOST * 4);
	utf8_append_safe(&safe, value, strlen(value) < LINE_MOST ? strlen(value) : LINE_MOST, false);
	const char *rest = text_string(&safe);
	size_t size = line_size(rest, width);
	do {
		snprintf(part, sizeof part, "%.*s", size ? (int)size : (int)strlen(rest), rest);
		pane_pair(pane, rest == text_string(&safe) ? name : "", part);
		rest += size;
		rest += strspn(rest, " ");
	} while (*rest && (size = line_size(rest, width)));
	text_finish(&safe);
}
