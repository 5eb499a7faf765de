#include "tui/style.h"

const char *const theme_names[THEME_COUNT] = {
	[THEME_DEFAULT] = "default",
	[THEME_MONO] = "mono",
	[THEME_LIGHT] = "light",
	[THEME_CONTRAST] = "contrast",
};

const char *const colours_names[COLOURS_COUNT] = {
	[COLOURS_AUTO] = "auto",
	[COLOURS_NEVER] = "never",
	[COLOURS_8] = "8",
	[COLOURS_256] = "256",
};

/* As a paint has them: one more than the terminal's number. */
enum { RED = 2,
	GREEN,
	YELLOW,
	BLUE,
	MAGENTA,
	CYAN,
	WHITE };

static const struct paint paints[THEME_COUNT][LOOK_COUNT] = {
	[THEME_DEFAULT] = {
		[LOOK_TITLE] = { CYAN, 0, PAINT_BOLD },
		[LOOK_HEADING] = { 0, 0, PAINT_BOLD | PAINT_UNDERLINE },
		[LOOK_DIM] = { 0, 0, PAINT_DIM },
		[LOOK_GOOD] = { GREEN, 0, 0 },
		[LOOK_WARN] = { YELLOW, 0, 0 },
		[LOOK_BAD] = { RED, 0, PAINT_BOLD },
		[LOOK_KEY] = { CYAN, 0, 0 },
	},
	[THEME_MONO] = {
		[LOOK_TITLE] = { 0, 0, PAINT_BOLD },
		[LOOK_HEADING] = { 0, 0, PAINT_BOLD | PAINT_UNDERLINE },
		[LOOK_DIM] = { 0, 0, PAINT_DIM },
		[LOOK_WARN] = { 0, 0, PAINT_BOLD },
		[LOOK_BAD] = { 0, 0, PAINT_BOLD | PAINT_REVERSE },
	},
	/* yellow and cyan cannot be read on white */
	[THEME_LIGHT] = {
		[LOOK_TITLE] = { BLUE, 0, PAINT_BOLD },
		[LOOK_HEADING] = { 0, 0, PAINT_BOLD | PAINT_UNDERLINE },
		[LOOK_GOOD] = { GREEN, 0, 0 },
		[LOOK_WARN] = { MAGENTA, 0, 0 },
		[LOOK_BAD] = { RED, 0, PAINT_BOLD },
		[LOOK_KEY] = { BLUE, 0, 0 },
	},
	/* nothing is dim, and red is not looked for on black */
	[THEME_CONTRAST] = {
		[LOOK_TITLE] = { WHITE, 0, PAINT_BOLD | PAINT_REVERSE },
		[LOOK_HEADING] = { WHITE, 0, PAINT_BOLD | PAINT_UNDERLINE },
		[LOOK_GOOD] = { WHITE, 0, 0 },
		[LOOK_WARN] = { YELLOW, 0, PAINT_BOLD },
		[LOOK_BAD] = { YELLOW, 0, PAINT_BOLD | PAINT_REVERSE },
		[LOOK_KEY] = { CYAN, 0, PAINT_BOLD },
	},
};

const struct paint *style_paint(enum theme theme, enum look look)
{
	return &paints[theme][look];
}
