/* What the screen of a fleet consists of; private to its files. */
#ifndef TUI_FLEET_UI_H
#define TUI_FLEET_UI_H

#include <stddef.h>
#include <stdint.h>

#include "tui/fleet.h"
#include "tui/grid.h"

/* One line of the table: an engine, or one of its services. */
struct fleet_row {
	json_t *engine, *service; /* borrowed; service NULL: the engine itself */
};

struct fleet {
	const char *where;      /* borrowed */
	json_t *engines;        /* owned; NULL: nothing was heard yet */
	json_t *folded;         /* owned; a map, by the engines' names */
	struct fleet_row *rows; /* owned */
	size_t row_count;
	size_t place, first;                /* the selected row, and the first one that is shown */
	int shown;                          /* rows that were */
	char selected[2 * FLEET_NAME_SIZE]; /* what is at place, when other news come */
	char trouble[FLEET_TROUBLE_SIZE];
	bool is_unicode, is_helping, is_leaving;
	struct fleet_choice choice;
	uint64_t now_us;
};

/* Takes other news (stolen): what is selected stays so, and what was answered since the last ones becomes a rate. */
void fleet_take(struct fleet *fleet, json_t *engines);
void fleet_build_rows(struct fleet *fleet);
void fleet_move(struct fleet *fleet, long rows);
void fleet_fold(struct fleet *fleet, bool is_folded);
void fleet_fold_all(struct fleet *fleet);
/* Chooses the engine that is selected; one that is lost has no dashboard. */
void fleet_choose(struct fleet *fleet);
void fleet_finish(struct fleet *fleet);

void fleet_draw(struct fleet *fleet, struct grid *grid);

struct fleet_key {
	uint32_t key;
	const char *name;
	void (*act)(struct fleet *fleet);
	const char *help; /* NULL: another key for the one above */
};
extern const struct fleet_key fleet_keys[]; /* ends with key 0 */

void fleet_key(struct fleet *fleet, uint32_t key);

#endif
