/*
 * What is seen of one or more logs: a window of lines, in the order of their times, that slides over the whole of what is
 * kept on disk; what of it is looked at; and the search for a line. Pure: it knows no engine and no terminal. Each step
 * is one line, so that whoever drives it can stop between any two.
 */
#ifndef TUI_LOGS_H
#define TUI_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pattern.h"
#include "tui/log_walk.h"

enum { LOG_LINES = 5000,      /* in the window; the farthest from what is looked at make room */
	LOG_MARGIN = 1000,    /* so many more than are seen are fetched, on each side */
	LOG_LINE_MOST = 4096, /* bytes of a line that are shown */
	LOG_MARKS = 128 };

struct log_line {
	char *text; /* owned; safe to show, colours are kept */
	uint64_t time_us;
	uint64_t offset;
	uint32_t size; /* of the bytes in the log, with their end */
	unsigned source;
};

enum log_times { LOG_TIMES_LOCAL,
	LOG_TIMES_AGO,
	LOG_TIMES_NONE,
	LOG_TIMES_COUNT };

/* What a line is looked for by. */
enum log_quarry { QUARRY_MATCH,
	QUARRY_ERROR,
	QUARRY_PLACE /* the first from a mark on */ };

enum hunt_state { HUNT_NONE,
	HUNT_ON,
	HUNT_FOUND,
	HUNT_FAILED };

struct log_hunt {
	enum hunt_state state;
	enum log_quarry quarry;
	unsigned source; /* of QUARRY_PLACE */
	uint64_t offset;
	uint64_t all; /* bytes there were to be searched */
	struct log_walk walk;
};

struct log_mark_set {
	bool is_set;
	unsigned source;
	uint64_t offset;
	uint64_t at[LOG_SOURCES];
};

/* Zeroed is empty. */
struct log_view {
	struct log_sources sources;
	struct log_line lines[LOG_LINES]; /* ring: line number N is at N % LOG_LINES */
	uint64_t first;                   /* number of the oldest */
	unsigned count;
	struct log_walk up, down;     /* where the window ends */
	uint64_t opened[LOG_SOURCES]; /* where it was opened: there is who looks at no line */
	uint64_t at;                  /* number of the line that is looked at */
	bool follows;                 /* … which is always the newest */
	bool is_rewinding;            /* the ends of the logs are to be found first */
	bool is_held;                 /* no more lines are fetched until it moves again */
	int room;                     /* lines that are seen */
	int width;                    /* … columns of each */
	bool is_wrapped;
	int shift; /* columns to the left that are not seen, unless wrapped */
	enum log_times times;

	struct pattern *filter; /* owned; NULL: none */
	char filter_text[128];
	bool is_inverse;
	struct pattern *search; /* owned; NULL: none */
	char search_text[128];
	int search_direction;
	struct pattern *errors; /* owned */
	struct log_hunt hunt;
	struct log_mark_set marks[LOG_MARKS]; /* by letter */
	struct text plain;
};

/* Other logs, of which the newest lines are seen; sources are taken over. What was searched for and filtered holds on. */
void logs_begin(struct log_view *view, struct log_source *sources, unsigned count);
void logs_finish(struct log_view *view);

/* So many lines of so many columns are seen. */
void logs_fit(struct log_view *view, int room, int width);

/* One line further: LOG_FOUND: there is more to do; LOG_WAITS: sources are to be read; LOG_NONE: all is done. */
enum log_step logs_step(struct log_view *view);
/* Is a line looked for, or fetched that is to be seen? Of so many bytes, so many are done. */
bool logs_is_busy(const struct log_view *view, uint64_t *done, uint64_t *all);
/* No more of it. False: there was nothing. */
bool logs_stop(struct log_view *view);

/* How many lines there are; the newest is 0. */
const struct log_line *logs_line(const struct log_view *view, uint64_t number);
/* The rows that a line takes. */
int logs_rows(const struct log_view *view, const struct log_line *line);
/* The first line that is seen, and how many there is room for; the rows of the first that are above the room. */
uint64_t logs_page(const struct log_view *view, int room, unsigned *count, int *above);

/* Above 0: to newer ones, and from the newest on it follows. */
void logs_scroll(struct log_view *view, int by);
void logs_shift(struct log_view *view, int by);
void logs_to_oldest(struct log_view *view);
void logs_follow(struct log_view *view);

/* PCRE2; "" takes it away, a leading ! inverts a filter. False, and the last good one holds: err says why. */
bool logs_filter(struct log_view *view, const char *text, struct error *err);
bool logs_search(struct log_view *view, const char *text, struct error *err);

/* Look for it to newer (1) or older (-1) lines; is_first: from the first line that is seen, else beyond the one that is looked at. */
void logs_hunt(struct log_view *view, enum log_quarry quarry, int direction, bool is_first);
/* Of a line: without colours; spare is used when it has some. */
const char *logs_plain(const struct log_line *line, struct text *spare, size_t *size);

/* Letters: false: there is no such mark. */
void logs_mark(struct log_view *view, unsigned letter);
bool logs_to_mark(struct log_view *view, unsigned letter);
/* The line that is looked at, or, with a letter, all from that mark to there. False: there is none, or too much. */
bool logs_copy(struct log_view *view, unsigned letter, struct text *out, unsigned *count);

/* The lines of the window, with times, to a new file. False: err says why not. */
bool logs_save(struct log_view *view, const char *path, unsigned *count, struct error *err);

#endif
