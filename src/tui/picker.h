/* A list of choices over the screen: keys move in it, Enter or the mark of an item takes it, Esc leaves all as it was. */
#ifndef TUI_PICKER_H
#define TUI_PICKER_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/grid.h"

enum { PICKER_OPEN = -1,
	PICKER_LEFT = -2 };

struct picker {
	const char *title;
	int count; /* 1 at the least */
	const char *(*item)(const void *context, int index);
	const void *context;
};

/* The index of what is taken; else PICKER_OPEN, with the choice perhaps moved, or PICKER_LEFT. */
int picker_key(const struct picker *picker, int *choice, uint32_t key);
void picker_draw(const struct picker *picker, int choice, struct grid *grid, bool is_unicode);

/* What can be sent, the usual ones first. */
enum { PICKER_SIGNALS = 12 };
extern const char *const picker_signals[PICKER_SIGNALS];

#endif
