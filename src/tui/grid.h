/*
 * The picture of one frame: cells of characters with a look. Views draw here; only screen.c knows a
 * terminal. Nothing that a terminal would obey gets in.
 */
#ifndef TUI_GRID_H
#define TUI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a cell means; colours and attributes are the screen's business. */
enum look {
	LOOK_NORMAL,
	LOOK_TITLE,
	LOOK_HEADING,
	LOOK_DIM,
	LOOK_GOOD,
	LOOK_WARN,
	LOOK_BAD,
	LOOK_KEY,
	LOOK_DIALOG,
	LOOK_COUNT,
	LOOK_SELECTED = 0x80 /* a flag beside the others */
};

/* Colours that are somebody else's: of the 256, plus 1; 0: as the look has it. */
enum { PAINT_BOLD = 1,
	PAINT_DIM = 2,
	PAINT_ITALIC = 4,
	PAINT_UNDERLINE = 8,
	PAINT_REVERSE = 16 };
struct paint {
	uint16_t fore, back;
	uint8_t attributes;
};

enum { MARKS_MOST = 2 };
struct cell {
	uint32_t character; /* 0: covered by the wide one before it */
	uint8_t look;
	struct paint paint;         /* over the look */
	uint16_t marks[MARKS_MOST]; /* accents and the like that stand on it; 0: none */
};

struct rect {
	int x, y, width, height;
};

/* What a click at a place means. */
enum spot_kind {
	SPOT_NOTHING,
	SPOT_KEY,    /* as if this key were pressed */
	SPOT_ACTION, /* as if the key of this action were */
	SPOT_ROW,    /* of the table: this one is meant */
	SPOT_SORT    /* a column: by this */
};

struct spot {
	struct rect at;
	enum spot_kind kind;
	uint32_t value;
};

enum { SPOTS_MOST = 512 }; /* rows of the highest screen, columns, labels; what is more does nothing */

struct grid {
	int width, height;
	struct cell *cells;     /* owned; row by row */
	int cursor_x, cursor_y; /* where eyes, or a screen reader's ears, should be */
	struct spot *spots;     /* owned; of a screen with a mouse, or NULL: none is kept */
	size_t spot_count;
};

void grid_init(struct grid *grid);
void grid_finish(struct grid *grid);

/* Of this size, all blank. */
void grid_reset(struct grid *grid, int width, int height);

/*
 * Draw text (UTF-8) at a place, clipped to it; what is left of the width stays as it is. Returns the
 * columns used. Controls become '?', a wide character that would be cut becomes a blank; the first two
 * marks that combine with a character stay on it.
 */
int grid_put(struct grid *grid, struct rect at, enum look look, const char *text);
int grid_format(struct grid *grid, struct rect at, enum look look, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* One character, at a place that is on the grid; with what lies below a wide one. Returns its columns, 0 when it does not fit. */
int grid_put_cell(struct grid *grid, struct rect at, const struct cell *cell);

/* Fill with one character. */
void grid_fill(struct grid *grid, struct rect at, enum look look, uint32_t character);

/* Put the flag on what is there; the cursor goes to its beginning. */
void grid_select(struct grid *grid, struct rect at);

/* A box in the middle with a title; returns the room inside. */
struct rect grid_box(struct grid *grid, bool is_unicode, int width, int height, const char *title);

/* A place that can be clicked on. The last one counts where several are. */
void grid_spot(struct grid *grid, struct rect at, enum spot_kind kind, uint32_t value);
struct spot grid_spot_at(const struct grid *grid, int x, int y);

const struct cell *grid_at(const struct grid *grid, int x, int y);

#endif
