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

/* What is asked of the inside of processes, and filled in: only of those that are shown. */
struct top_look {
	struct machine_id id;
	uint64_t threads;
	struct inside inside;
};
struct top_quest {
	struct top_look *looks; /* owned */
	size_t count;
	struct machine_id studied; /* everything about this one; pid 0: about nobody */
	struct study study;        /* owned; when is_studied */
	bool is_studied;
	struct error why; /* … it is not */
};
/* Those of these rows that have an inside, all of one; top_quest_destroy(). */
struct top_quest *top_quest_create(const struct machine_row *rows, size_t count, const struct machine_id *studied);
void top_quest_destroy(struct top_quest *quest); /* accepts NULL */
/* What was found into the machine. */
void top_quest_tell(const struct top_quest *quest, struct machine *machine);

/* What the screen asks of the machine; `context` is handed to each. */
struct top_source {
	void *context;
	bool (*sample)(void *context, struct machine *machine, struct error *err);
	/* A quest begins, and is the source's; one is under way at a time. Once answer_fd can be read, it is to be taken. */
	void (*ask)(void *context, struct top_quest *quest);
	struct top_quest *(*take)(void *context);
	int answer_fd;
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
	int width;  /* below 0: to the left */
	int leaves; /* those with a high number go first when the screen is narrow; 0 never goes */
	enum machine_sort sort;
	void (*format)(char out[TOP_CELL_SIZE], const struct machine *machine, const struct machine_process *process);
};

extern const struct top_column top_columns[]; /* all but the command; ends with a NULL title */

/* The lines of a tree before a command; the number of columns is that of the characters. */
void top_guides(struct text *out, const struct machine_row *row, bool is_tree, bool is_unicode);

#endif
