#include "model/figure.h"

#include <inttypes.h>
#include <stdio.h>

#include "model/sample.h"

const char *figure_count(char out[FIGURE_SIZE], uint64_t value, const char *unknown)
{
	if (value == SAMPLE_UNKNOWN)
		return unknown;
	snprintf(out, FIGURE_SIZE, "%" PRIu64, value);
	return out;
}

const char *figure_size(char out[FIGURE_SIZE], uint64_t bytes, const char *unknown)
{
	if (bytes == SAMPLE_UNKNOWN)
		return unknown;
	units_format_size(out, bytes);
	return out;
}

const char *figure_rate(char out[FIGURE_SIZE], double value, const char *unknown)
{
	if (value < 0)
		return unknown;
	snprintf(out, FIGURE_SIZE, "%.1f", value);
	return out;
}

const char *figure_whole(char out[FIGURE_SIZE], double value, const char *unknown)
{
	if (value < 0)
		return unknown;
	snprintf(out, FIGURE_SIZE, "%.0f", value);
	return out;
}

const char *figure_speed(char out[FIGURE_SIZE], double bytes, const char *unknown)
{
	return figure_size(out, bytes < 0 ? SAMPLE_UNKNOWN : (uint64_t)bytes, unknown);
}

const char *figure_ms(char out[FIGURE_SIZE], double ms, const char *unknown)
{
	if (ms < 0)
		return unknown;
	snprintf(out, FIGURE_SIZE, "%.*f", ms < 10 ? 2 : 0, ms);
	return out;
}

const char *figure_duration(char out[FIGURE_SIZE], uint64_t ms, const char *unknown)
{
	if (ms == SAMPLE_UNKNOWN)
		return unknown;
	units_format_duration(out, ms);
	return out;
}

const char *figure_arrow(const struct peer_report *peer)
{
	if (peer->is_listening)
		return "(o)";
	return peer->reads && peer->writes ? "<->" : peer->reads ? "<- "
								 : "-> ";
}
