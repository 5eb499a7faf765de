/* The last day of all instances of a service. */
#ifndef TUI_DAY_H
#define TUI_DAY_H

#include <jansson.h>

#include "protocol/row.h"
#include "tui/grid.h"
#include "tui/insight.h"

struct ui;

/* What `history` tells of the whole service, in place of what was known. */
void day_take(struct insight *insight, const json_t *deaths);
/* How many lines of so many it takes: at the most half of them. */
int day_height(const struct ui *ui, const struct row *row, int height);
void day_draw(const struct ui *ui, struct grid *grid, struct rect area, const struct row *row);

#endif
