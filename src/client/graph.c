#include "client/graph.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

enum { SAMPLES_MOST = 256 };

static void format_figure(char out[UNITS_TEXT_SIZE], const char *key, double value)
{
	if (strstr(key, "_pct"))
		snprintf(out, UNITS_TEXT_SIZE, "%.1f%%", value);
	else
		units_format_size(out, (uint64_t)value);
}

bool graph_append(struct text *out, const json_t *samples, const char *key, enum spark_style style)
{
	size_t count = json_array_size(samples);
	double values[SAMPLES_MOST], most = 0;
	char last[UNITS_TEXT_SIZE], top[UNITS_TEXT_SIZE];

	count = count < SAMPLES_MOST ? count : SAMPLES_MOST;
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(json_array_get(samples, i), key);
		values[i] = json_is_number(value) ? json_number_value(value) : -1;
		most = values[i] > most ? values[i] : most;
	}
	if (!count || values[count - 1] < 0)
		return false;
	format_figure(last, key, values[count - 1]);
	format_figure(top, key, most);
	spark_append(out, values, count, most, style);
	return text_format(out, "  %s at the end, %s at the most", last, top);
}
