/* The last day of all instances of a service. */
#ifndef TUI_DAY_H
#define TUI_DAY_H

#include <jansson.h>
#include <stdbool.h>

#include "protocol/row.h"
#include "tui/grid.h"
#include "tui/insight.h"

struct ui;

#define DAY_US (25 * 3600 * 1000000ull)

/* Are there several, of which one has ended since it was told? */
bool day_is_wanted(const struct ui *ui);
/* What `history` tells of the whole service, in place of what was known. */
void day_take(struct insight *insight, const json_t *deaths);
/* How many lines of so many it takes: at the most half of them. */
int day_height(const struct ui *ui, const struct row *row, int height);
void day_draw(const struct ui *ui, struct grid *grid, struct rect area, const struct row *row);

#endif
