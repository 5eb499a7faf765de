/* The columns of the table of all processes, and what somebody has chosen of that table for good. */
#ifndef TUI_TOP_COLUMNS_H
#define TUI_TOP_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/machine.h"

enum { TOP_CELL_SIZE = 64,
	TOP_COLUMNS_MOST = 32 };

struct top_column {
	const char *name; /* for who chooses it */
	const char *title;
	int width;        /* below 0: to the left */
	int leaves;       /* those with a high number go first when the screen is narrow; 0 never goes */
	bool is_built_in; /* shown unless others were chosen */
	enum machine_sort sort;
	void (*format)(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process);
};

extern const struct top_column top_columns[]; /* all but the command; ends with a NULL name */

/* Zeroed: nothing was chosen. Numbers are those of the words in settings.c. */
struct top_choices {
	unsigned sort; /* enum machine_sort */
	unsigned is_tree, has_threads, hides_kernel, hides_names, hides_paths, hides_meters;
	uint8_t columns[TOP_COLUMNS_MOST]; /* of top_columns, in their order */
	unsigned column_count;             /* 0: those that are built in */
};

/* NULL: none has this name. */
const struct top_column *top_column_find(const char *name);
/* The one at this place, from the left; NULL: there are no more. */
const struct top_column *top_column_at(const struct top_choices *choices, unsigned place);
/* From names with commas between. False: one is none, or is there twice, and nothing has changed. */
bool top_columns_take(struct top_choices *choices, const char *names);
/* Its place, or that it is not shown: TOP_COLUMNS_MOST. */
unsigned top_column_place(const struct top_choices *choices, const struct top_column *column);
/* Shown at the end, or no more. False: it is the last one. */
bool top_column_toggle(struct top_choices *choices, const struct top_column *column);
/* One place to the left or to the right; nothing at the ends. */
void top_column_move(struct top_choices *choices, const struct top_column *column, int by);

#endif
