/*
 * What a person has chosen for all dashboards, in a file of their own: a line a setting, as it is typed behind a colon
 * (`theme light`, `key F2 events`); # begins a comment. It is written only when that is asked for.
 */
#ifndef TUI_SETTINGS_H
#define TUI_SETTINGS_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "tui/bindings.h"
#include "tui/style.h"
#include "tui/top_columns.h"

enum sort { SORT_FILE, /* as in the configuration */
	SORT_CPU,
	SORT_MEMORY,
	SORT_UPTIME,
	SORT_QUEUE,
	SORT_LAG,
	SORT_RESTARTS,
	SORT_NAME,
	SORT_COUNT };
extern const char *const sort_names[SORT_COUNT];

enum graph { GRAPH_BLOCKS, /* graphs of a terminal without Unicode are ASCII, whatever is chosen */
	GRAPH_BRAILLE,
	GRAPH_ASCII,
	GRAPH_COUNT };

/* Of the table, in their order. */
enum column { COLUMN_STATE,
	COLUMN_NAMESPACE,
	COLUMN_PID,
	COLUMN_UPTIME,
	COLUMN_RESTARTS,
	COLUMN_CPU,
	COLUMN_RSS,
	COLUMN_THREADS,
	COLUMN_FDS,
	COLUMN_QUEUE,
	COLUMN_LOOP,
	COLUMN_LAG,
	COLUMN_IN,
	COLUMN_OUT,
	COLUMN_TREND,
	COLUMN_COUNT };

/* How the table is shown. Zeroed: as it is when nobody has chosen. The numbers are those of words of settings.c. */
struct table_style {
	unsigned sort; /* enum sort */
	unsigned is_inverted;
	unsigned is_flat; /* instances without their services */
	unsigned has_threads;
	unsigned is_headless; /* the lines above the table are hidden */
	unsigned graph;       /* enum graph */
	unsigned columns;     /* a bit for each; 0: those that have room and something to say */
	unsigned sample_ms;   /* between two measurements; 0: SETTINGS_SAMPLE_MS */
};
enum { SETTINGS_SAMPLE_MS = 1000 };
unsigned settings_sample_ms(unsigned chosen);

/* Zeroed: nothing is chosen. */
struct settings {
	struct style style;
	struct table_style table;
	struct bindings bindings;
	struct top_choices top; /* of `thrum top` */
};

/* Is it the name of one? */
bool settings_has(const char *name);
/* Those there are, by number; NULL: no more. */
const char *settings_name(size_t index);

/*
 * Take one line. False: err says what is wrong with it; column (from 1 on, in characters; may be NULL) where. A line with
 * nothing but a comment is fine.
 */
bool settings_take(struct settings *settings, const char *line, unsigned *column, struct error *err);

/* The words that a setting takes, with commas between: for its help. False: it is not words that it takes. */
bool settings_words(const char *name, struct text *out);

/* THRUM_SETTINGS, else $XDG_CONFIG_HOME/thrum/settings, else ~/.config/thrum/settings. */
bool settings_path(char out[PATH_MAX], struct error *err);

/*
 * Read that file. False: err says, as "FILE:LINE:COLUMN: …", what is wrong with the first wrong line; all others are
 * taken. That there is none is no error.
 */
bool settings_load(struct settings *settings, struct error *err);

/*
 * Write it, whole or not at all. Comments, and lines that are wrong, stay as they are; a setting keeps its line, a new
 * one goes to the end.
 */
bool settings_save(const struct settings *settings, struct error *err);

#endif
