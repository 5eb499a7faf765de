/* How the screen looks and behaves: what a person chooses, and colours and attributes for what a cell means. */
#ifndef TUI_STYLE_H
#define TUI_STYLE_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/grid.h"

enum theme { THEME_DEFAULT,
	THEME_MONO, /* no colours at all */
	THEME_LIGHT,
	THEME_CONTRAST,
	THEME_COUNT };

/* How many colours there may be; as many as the terminal has, at the most. */
enum colours { COLOURS_AUTO, /* none where NO_COLOR says so */
	COLOURS_NEVER,
	COLOURS_8,
	COLOURS_256,
	COLOURS_COUNT };

struct style {
	unsigned theme;     /* enum theme, as numbers of settings.c */
	unsigned colours;   /* enum colours */
	unsigned has_mouse; /* else the terminal selects text, as it always does */
	unsigned is_torn;   /* frames are sent as they are, not as one (DEC 2026) */
};

/* Zeroed: what nobody chose. */
extern const char *const theme_names[THEME_COUNT];
extern const char *const colours_names[COLOURS_COUNT];

/* fore and back: as in a paint. Nothing is told by a colour alone, so one theme has none. */
const struct paint *style_paint(enum theme theme, enum look look);

#endif
