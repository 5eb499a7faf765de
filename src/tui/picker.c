#include "tui/picker.h"

#include <string.h>

#include "tui/keymap.h"

enum { WIDTH_LEAST = 44, /* that of the last line */
	MARK_WIDTH = 5 };

const char *const picker_signals[PICKER_SIGNALS] = { "TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "STOP", "CONT", "ALRM", "WINCH",
	"ABRT", "KILL" };

/* So that two keys do what is often done. Letters that move or leave are no marks. */
static char mark_of(int index)
{
	static const char marks[] = "123456789abcdefghilmnoprstuvwxyz";

	return index < (int)sizeof marks - 1 ? marks[index] : ' ';
}

static int marked(const struct picker *picker, uint32_t key)
{
	for (int i = 0; i < picker->count; i++)
		if (key == (uint32_t)mark_of(i) && key != ' ')
			return i;
	return PICKER_OPEN;
}

int picker_key(const struct picker *picker, int *choice, uint32_t key)
{
	if (key == INPUT_ESCAPE || key == 'q' || key == INPUT_CONTROL('c'))
		return PICKER_LEFT;
	if (key == INPUT_RETURN)
		return *choice;
	if (key == 'j' || key == INPUT_ARROW_DOWN)
		*choice = (*choice + 1) % picker->count;
	else if (key == 'k' || key == INPUT_ARROW_UP)
		*choice = (*choice + picker->count - 1) % picker->count;
	return marked(picker, key);
}

static int width_of(const struct picker *picker)
{
	size_t width = WIDTH_LEAST;

	for (int i = 0; i < picker->count; i++)
		if (strlen(picker->item(picker->context, i)) + MARK_WIDTH > width)
			width = strlen(picker->item(picker->context, i)) + MARK_WIDTH;
	return (int)width;
}

void picker_draw(const struct picker *picker, int choice, struct grid *grid, bool is_unicode)
{
	int count = picker->count;
	struct rect area = grid_box(grid, is_unicode, width_of(picker), count + 2, picker->title);
	int first = choice >= area.height ? choice - area.height + 1 : 0;

	for (int i = first; i < count && i - first < area.height; i++) {
		struct rect line = { area.x, area.y + i - first, area.width, 1 };
		grid_format(grid, line, i == choice ? LOOK_KEY : LOOK_NORMAL, "%s %c  %s", i == choice ? ">" : " ", mark_of(i),
			picker->item(picker->context, i));
		if (mark_of(i) != ' ')
			grid_spot(grid, line, SPOT_KEY, (uint32_t)mark_of(i));
	}
	if (area.height > count + 1)
		grid_put(grid, (struct rect){ area.x, area.y + count + 1, area.width, 1 }, LOOK_DIM,
			"Enter or its mark takes it   Esc leaves it");
}
