/* A place that is written line by line; what is above its first line or below its last is left out. */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include <stddef.h>

#include "tui/grid.h"

struct pane {
	struct grid *grid;
	struct rect area;
	int line; /* the next one */
	int skip; /* lines that are scrolled away */
};

/* The room of the next line; its height is 0 when it cannot be seen. */
struct rect pane_next(struct pane *pane);

/* One line each. Text that is not ours goes through pane_safe: nothing in it is obeyed, or hides what follows. */
void pane_format(struct pane *pane, enum look look, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void pane_safe(struct pane *pane, enum look look, const char *before, const char *bytes, size_t size);
void pane_pair(struct pane *pane, const char *name, const char *value);
/* In as many lines as it takes. */
void pane_pair_whole(struct pane *pane, const char *name, const char *value);

/* In as many lines as it takes, broken between words where that can be; returns how many. grid NULL: only that. */
int grid_wrap(struct grid *grid, struct rect area, enum look look, const char *text);
struct rect rect_line(struct rect area, int row);
/* Ours, and then text of others, neutralised. */
void grid_put_safe(struct grid *grid, struct rect at, enum look look, const char *before, const char *bytes, size_t size);

#endif
