/* Where everything is on a screen of any size. Pure. */
#ifndef TUI_LAYOUT_H
#define TUI_LAYOUT_H

#include <stdbool.h>

#include "tui/grid.h"

enum layout_kind {
	LAYOUT_STUB,    /* a few words */
	LAYOUT_COMPACT, /* the table, and one line */
	LAYOUT_FULL,
};

struct layout {
	enum layout_kind kind;
	/* any of these may be empty */
	struct rect header, status, heading, table, title, detail, event, keys;
};

/*
 * For every size from 1×1 on; with is_zoomed the detail takes the place of the table too. The lines above it can be left
 * out where there is room for much else.
 */
struct layout layout_of(int width, int height, bool is_zoomed, bool has_header);

#endif
