/* Figures that processes tell of themselves, under names of their own; and those of many as the columns of a table. Pure. */
#ifndef MODEL_METRIC_H
#define MODEL_METRIC_H

#include <stdbool.h>
#include <stddef.h>

/* It lies in memory that outlives the engine: a change of its size is one of that. */
struct metric {
	char name[40];
	char value[32]; /* a figure, or text */
	char unit[12];
};

enum {
	METRICS_MOST = 8, /* that are told of a process wherever it is listed; the others with what is told of it alone */
	METRIC_COLUMNS_MOST = 6,
	METRIC_WIDTH_LEAST = 5,
	METRIC_WIDTH_MOST = 12,
};

struct metrics {
	unsigned count;
	struct metric items[METRICS_MOST];
};

struct metric_columns {
	unsigned count;
	struct metric_column {
		char name[sizeof((struct metric *)0)->name];
		int width; /* of its title, and of all values so far, within bounds */
	} items[METRIC_COLUMNS_MOST];
};

/*
 * A column for the figure of this rank among these, if there is room. Of several processes first all of rank 0, and so on:
 * then each has what it told first.
 */
void metric_columns_add(struct metric_columns *columns, const struct metrics *metrics, unsigned rank);
/* "12.5MiB"; "-": it has none of that name. */
void metric_cell(char *out, size_t size, const struct metrics *metrics, const char *name);

#endif
