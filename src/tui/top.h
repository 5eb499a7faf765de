/* The table of all processes of the machine, on a screen of its own. It knows no engine. */
#ifndef TUI_TOP_H
#define TUI_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "model/inside.h"
#include "model/machine.h"

/* What the screen asks of the machine; `context` is handed to each. */
struct top_source {
	void *context;
	bool (*sample)(void *context, struct machine *machine, struct error *err);
	/* Everything about one process: it is asked only for what is open. */
	bool (*study)(void *context, int32_t pid, struct study *study, struct error *err);
	/* Its open files, one a line, safe to show. */
	bool (*files)(void *context, int32_t pid, struct text *out, struct error *err);
	/* "TERM", "HUP" …; to this very process, or to nobody. */
	bool (*signal)(void *context, const struct machine_id *id, const char *name, struct error *err);
};

struct settings;

struct top_options {
	const struct top_source *source;
	const int32_t *pids; /* only these and what descends from them */
	size_t pid_count;    /* 0: all */
	uint64_t interval_ms;
	enum machine_sort sort;
	bool is_tree, read_only;
	const char *filter; /* a pattern that is right; or NULL */
	const struct settings *settings;
	const char *problem; /* of their file, to be told first; NULL: none */
};

/* Runs until the user leaves; returns the exit status. */
int top_run(const struct top_options *options);

/* ---- the columns, for whoever prints them ---- */

enum { TOP_CELL_SIZE = 64 };

struct top_column {
	const char *title;
	int width; /* below 0: to the left */
	enum machine_sort sort;
	void (*format)(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process);
};

extern const struct top_column top_columns[]; /* all but the command; ends with a NULL title */

/* The lines of a tree before a command; the number of columns is that of the characters. */
void top_guides(struct text *out, const struct machine_row *row, bool is_tree, bool is_unicode);

#endif
