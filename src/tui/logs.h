/*
 * The newest lines that a process wrote, both streams in the order of their times, and what of them is looked at.
 * LOG_LINES are kept; the oldest go first. The files of the log have the rest (`thrum logs`).
 */
#ifndef TUI_LOGS_H
#define TUI_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/pattern.h"

enum { LOG_LINES = 5000,
	LOG_LINE_MOST = 4096 };

struct log_line {
	char *text; /* owned; safe to show */
	uint64_t time_us;
	bool is_err;
	bool is_hidden; /* by the filter */
};

/* Zeroed is empty. */
struct log_view {
	struct log_line lines[LOG_LINES]; /* ring */
	unsigned count;                   /* ever taken */
	unsigned hidden;                  /* of those that are kept */
	unsigned back;                    /* lines that are seen are so many back from the newest; 0: follows */
	struct pattern *filter;           /* owned; NULL: none */
	char filter_text[128];
	bool is_inverse;
	struct pattern *search; /* owned; NULL: none */
	char search_text[128];
	bool hides_times;
};

/* A line came; text is taken over. Who reads further back stays there. One older than all, with no room left, is not kept. */
void logs_add(struct log_view *view, char *text, uint64_t time_us, bool is_err);
/* No lines any more; what was searched for and filtered holds on. */
void logs_clear(struct log_view *view);
void logs_finish(struct log_view *view);

/* How many the filter lets through. */
unsigned logs_size(const struct log_view *view);
/* What is seen: the first is the one that is so many back, the next are older. Returns how many, `most` at the most. */
unsigned logs_page(const struct log_view *view, const struct log_line **lines, unsigned most);

/* Above 0: to newer ones. With room for so many, the oldest page is a whole one. */
void logs_scroll(struct log_view *view, int by, int room);

/* PCRE2; "" takes it away, a leading ! inverts a filter. False, and the last good one holds: err says why. */
bool logs_filter(struct log_view *view, const char *text, struct error *err);
bool logs_search(struct log_view *view, const char *text, struct error *err);

/* Has it what is searched for? */
bool logs_is_found(const struct log_view *view, const struct log_line *line);
/* Written to stderr, or about an error. */
bool logs_is_error(const struct log_view *view, const struct log_line *line);
typedef bool logs_test(const struct log_view *view, const struct log_line *line);
/* Go to the next one above (direction 1) or below (-1), or from this one on above (0), that passes. False: there is none. */
bool logs_find(struct log_view *view, int direction, logs_test *test);

/* What the filter lets through, with times, to a new file. False: err says why not. */
bool logs_save(const struct log_view *view, const char *path, unsigned *count, struct error *err);

#endif
