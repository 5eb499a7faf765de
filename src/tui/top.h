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
#include "tui/top_columns.h"

/* What is told of one process. */
enum top_tab { TOP_TAB_NONE,
	TOP_TAB_INFO,
	TOP_TAB_THREADS,
	TOP_TAB_FILES,
	TOP_TAB_SOCKETS,
	TOP_TAB_LOCKS,
	TOP_TAB_ENVIRONMENT,
	TOP_TAB_ARGUMENTS,
	TOP_TAB_CALLS,
	TOP_TAB_COUNT };

/* What is asked of the inside of processes, and filled in: only of those that are shown. */
struct top_look {
	struct machine_id id;
	uint64_t threads;
	struct inside inside;
};
struct top_quest {
	struct top_look *looks; /* owned */
	size_t count;
	struct machine_id studied; /* what this tab tells of this one; pid 0: of nobody */
	enum top_tab tab;
	struct study study; /* owned; when is_studied */
	struct text told;   /* … or when is_told: lines that are safe to show */
	bool is_studied, is_told;
	struct error why; /* … it is not */
};
/* Those of these rows that have an inside, all of one; top_quest_destroy(). */
struct top_quest *top_quest_create(const struct machine_row *rows, size_t count, const struct machine_id *studied, enum top_tab tab);
void top_quest_destroy(struct top_quest *quest); /* accepts NULL */
/* What was found into the machine. */
void top_quest_tell(const struct top_quest *quest, struct machine *machine);

struct top_processors {
	unsigned count; /* that there are */
	bool may_use[MACHINE_CORES_MOST];
};

/* What the screen asks of the machine; `context` is handed to each. */
struct top_source {
	void *context;
	bool (*sample)(void *context, struct machine *machine, struct error *err);
	/* A quest begins, and is the source's; one is under way at a time. Once answer_fd can be read, it is to be taken. */
	void (*ask)(void *context, struct top_quest *quest);
	struct top_quest *(*take)(void *context);
	int answer_fd;
	/* "TERM", "HUP" …; to this very process, or to nobody; as all that follows. */
	bool (*signal)(void *context, const struct machine_id *id, const char *name, struct error *err);
	/* The nice value of all its threads, by so much; now: what its own is then. */
	bool (*renice)(void *context, const struct machine_id *id, int by, int *now, struct error *err);
	/* Which processors it may use. */
	bool (*get_processors)(void *context, const struct machine_id *id, struct top_processors *processors, struct error *err);
	bool (*set_processors)(void *context, const struct machine_id *id, const struct top_processors *processors, struct error *err);
	/* Its turn at disks: a class and what is within it, as ioprio_set(2) has them. */
	bool (*get_io)(void *context, const struct machine_id *id, int *priority, struct error *err);
	bool (*set_io)(void *context, const struct machine_id *id, int priority, struct error *err);
	/* Tell of its system calls from now on, and of nobody else's; pid 0: of nobody's. */
	bool (*trace)(void *context, const struct machine_id *id, struct error *err);
	/* Those that were made so far, the newest last; whose they are. Does something new stand there? */
	bool (*hear)(void *context, struct machine_id *id, struct text *out);
};

struct settings;

struct top_options {
	const struct top_source *source;
	const int32_t *pids;    /* only these and what descends from them */
	size_t pid_count;       /* 0: all */
	uint64_t interval_ms;   /* between two passes; 0: as settings have it */
	enum machine_sort sort; /* for whoever prints it, as the next one: the screen has it in its settings */
	bool is_tree, read_only;
	const char *filter; /* a pattern that is right; or NULL */
	const struct settings *settings;
	const char *problem; /* of their file, to be told first; NULL: none */
};

/* Runs until the user leaves; returns the exit status. */
int top_run(const struct top_options *options);

/* For whoever prints it. The lines of a tree before a command; the number of columns is that of the characters. */
void top_guides(struct text *out, const struct machine_row *row, bool is_tree, bool is_unicode);

#endif
