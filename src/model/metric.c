#include "model/metric.h"

#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), least = strlen(end);

	return length >= least && strcmp(text + length - least, end) == 0;
}

/* Some say "1ms", and that the unit is ms. */
static void put(char *out, size_t size, const struct metric *metric)
{
	snprintf(out, size, "%s%s", metric->value, ends_with(metric->value, metric->unit) ? "" : metric->unit);
}

void metric_cell(char *out, size_t size, const struct metrics *metrics, const char *name)
{
	snprintf(out, size, "-");
	for (unsigned i = 0; i < metrics->count; i++)
		if (strcmp(metrics->items[i].name, name) == 0)
			put(out, size, &metrics->items[i]);
}

static struct metric_column *column_of(struct metric_columns *columns, const char *name)
{
	for (unsigned i = 0; i < columns->count; i++)
		if (strcmp(columns->items[i].name, name) == 0)
			return &columns->items[i];
	if (columns->count == METRIC_COLUMNS_MOST)
		return NULL;
	struct metric_column *column = &columns->items[columns->count++];
	snprintf(column->name, sizeof column->name, "%s", name);
	column->width = METRIC_WIDTH_LEAST;
	return column;
}

static void widen(struct metric_column *column, const char *text)
{
	int width = (int)strlen(text);

	if (width > METRIC_WIDTH_MOST)
		width = METRIC_WIDTH_MOST;
	if (column->width < width)
		column->width = width;
}

void metric_columns_add(struct metric_columns *columns, const struct metrics *metrics, unsigned rank)
{
	char cell[sizeof(struct metric)];
	struct metric_column *column = rank < metrics->count ? column_of(columns, metrics->items[rank].name) : NULL;

	if (!column)
		return;
	put(cell, sizeof cell, &metrics->items[rank]);
	widen(column, column->name);
	widen(column, cell);
}
