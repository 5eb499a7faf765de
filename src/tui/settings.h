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

/* Zeroed: nothing is chosen. */
struct settings {
	struct style style;
	struct bindings bindings;
};

/* Is it the name of one? */
bool settings_has(const char *name);

/*
 * Take one line. False: err says what is wrong with it; column (from 1 on, in characters; may be NULL) where. A line with
 * nothing but a comment is fine.
 */
bool settings_take(struct settings *settings, const char *line, unsigned *column, struct error *err);

/* The words that a setting takes, with commas between: for its help. */
void settings_words(const char *name, struct text *out);

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
