#include "tui/layout.h"

enum { FULL_WIDTH = 80,
	FULL_HEIGHT = 16,
	COMPACT_WIDTH = 30,
	COMPACT_HEIGHT = 6 };

/* Hands out rows from the top of what is left. */
struct space {
	int width, y, left;
};

static struct rect take(struct space *space, int rows)
{
	if (rows > space->left)
		rows = space->left;
	struct rect taken = { 0, space->y, space->width, rows > 0 ? rows : 0 };
	space->y += taken.height;
	space->left -= taken.height;
	return taken;
}

static struct layout full(struct space space, bool is_zoomed, bool has_header)
{
	struct layout layout = { .kind = LAYOUT_FULL };
	int below = 2; /* event and key line */

	layout.header = take(&space, has_header);
	layout.status = take(&space, has_header);
	int rest = space.left - below;
	int table = is_zoomed ? 0 : 1 + rest * 11 / 20;
	layout.heading = take(&space, table ? 1 : 0);
	layout.table = take(&space, table ? table - 1 : 0);
	layout.title = take(&space, 1);
	layout.detail = take(&space, space.left - below);
	layout.event = take(&space, 1);
	layout.keys = take(&space, 1);
	return layout;
}

static struct layout compact(struct space space, bool is_zoomed)
{
	struct layout layout = { .kind = LAYOUT_COMPACT };

	layout.header = take(&space, 1);
	if (is_zoomed) {
		layout.title = take(&space, 1);
		layout.detail = take(&space, space.left - 2);
	} else {
		layout.heading = take(&space, 1);
		layout.table = take(&space, space.left - 2);
	}
	layout.event = take(&space, 1);
	layout.keys = take(&space, 1);
	return layout;
}

static struct layout stub(struct space space)
{
	struct layout layout = { .kind = LAYOUT_STUB };

	layout.header = take(&space, 1);
	layout.table = take(&space, space.left - 1);
	layout.keys = take(&space, 1);
	return layout;
}

struct layout layout_of(int width, int height, bool is_zoomed, bool has_header)
{
	struct space space = { width, 0, height };

	if (width >= FULL_WIDTH && height >= FULL_HEIGHT)
		return full(space, is_zoomed, has_header);
	if (width >= COMPACT_WIDTH && height >= COMPACT_HEIGHT)
		return compact(space, is_zoomed);
	return stub(space);
}
