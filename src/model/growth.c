#include "model/growth.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "model/sample.h"
#include "model/trace.h"

static uint64_t wide(uint32_t value)
{
	return value == UINT32_MAX ? SAMPLE_UNKNOWN : value;
}

static uint64_t rss_of(const struct trace_entry *entry)
{
	return entry->rss;
}

static uint64_t fds_of(const struct trace_entry *entry)
{
	return wide(entry->fds);
}

static uint64_t threads_of(const struct trace_entry *entry)
{
	return wide(entry->threads);
}

// clang-format off
static const struct kind {
	const char *name, *subject;
	uint64_t (*value_of)(const struct trace_entry *entry);
	double least;    /* that it grew by, to be worth a word */
	bool is_size;
} kinds[GROWTH_FIGURES] = {
	[GROWTH_RSS]     = { "rss",     "its memory grows",           rss_of,     1024 * 1024, true },
	[GROWTH_FDS]     = { "fds",     "its open descriptors grow",  fds_of,     5,           false },
	[GROWTH_THREADS] = { "threads", "its threads grow in number", threads_of, 3,           false },
};
// clang-format on
static const double share_least = 0.02; /* of what it has, and the same holds */

const char *growth_figure_name(enum growth_figure figure)
{
	return kinds[figure].name;
}

void ceiling_lower(struct ceiling *ceiling, uint64_t most, const char *of)
{
	if (most >= ceiling->most)
		return;
	ceiling->most = most;
	snprintf(ceiling->of, sizeof ceiling->of, "%s", of);
}

static bool is_same_process(const struct trace_entry *a, const struct trace_entry *b)
{
	return a->pid == b->pid && a->life == b->life;
}

/* Of the process that there is now. */
static size_t gather(struct slope_point *points, const struct trace *trace, const struct kind *kind)
{
	unsigned size = trace_size(trace), from = size;
	size_t count = 0;

	while (from && is_same_process(trace_entry(trace, from - 1), trace_entry(trace, size - 1)))
		from--;
	for (unsigned i = from; i < size && count < TRACE_MOST; i++) {
		const struct trace_entry *entry = trace_entry(trace, i);
		uint64_t value = kind->value_of(entry);
		if (value != SAMPLE_UNKNOWN && entry->pid)
			points[count++] = (struct slope_point){ (double)entry->ts_us / 1e6, (double)value };
	}
	return count;
}

static uint64_t left_ms(const struct growth *growth)
{
	if (growth->ceiling.most == SAMPLE_UNKNOWN)
		return SAMPLE_UNKNOWN;
	if (growth->now >= growth->ceiling.most)
		return 0;
	return (uint64_t)((double)(growth->ceiling.most - growth->now) / growth->slope.per_s * 1000);
}

static bool find_one(struct growth *growth, const struct trace *trace)
{
	struct slope_point points[TRACE_MOST];
	const struct kind *kind = &kinds[growth->figure];
	size_t count = gather(points, trace, kind);

	if (!slope_find(&growth->slope, points, count))
		return false;
	double grew = growth->slope.per_s * growth->slope.span_s, now = points[count - 1].value;
	growth->now = (uint64_t)now;
	growth->left_ms = left_ms(growth);
	return grew >= kind->least && grew >= share_least * now;
}

size_t growth_find(struct growth growths[GROWTH_FIGURES], const struct trace *trace, const struct ceiling *ceilings)
{
	size_t count = 0;

	for (enum growth_figure figure = 0; figure < GROWTH_FIGURES; figure++) {
		growths[count] = (struct growth){ .figure = figure, .ceiling = ceilings[figure] };
		count += find_one(&growths[count], trace);
	}
	return count;
}

/* ---- the sentence ---- */

static const char *amount(char out[UNITS_TEXT_SIZE], const struct kind *kind, double value)
{
	if (kind->is_size)
		units_format_size(out, (uint64_t)value);
	else
		snprintf(out, UNITS_TEXT_SIZE, "%.*f", value < 10 && value != (double)(uint64_t)value, value);
	return out;
}

void growth_describe(char *out, size_t size, const struct growth *growth)
{
	const struct kind *kind = &kinds[growth->figure];
	const struct slope *slope = &growth->slope;
	char rate[UNITS_TEXT_SIZE], low[UNITS_TEXT_SIZE], high[UNITS_TEXT_SIZE], now[UNITS_TEXT_SIZE], most[UNITS_TEXT_SIZE];
	char span[UNITS_TEXT_SIZE], left[UNITS_TEXT_SIZE];

	units_format_duration(span, (uint64_t)(slope->span_s * 1000));
	int used = snprintf(out, size, "%s by %s a minute (%s to %s), and did so for %s: %s now", kind->subject,
		amount(rate, kind, slope->per_s * 60), amount(low, kind, slope->low_per_s * 60),
		amount(high, kind, slope->high_per_s * 60), span, amount(now, kind, (double)growth->now));
	if (growth->left_ms == SAMPLE_UNKNOWN || used < 0 || (size_t)used >= size)
		return;
	units_format_duration(left, growth->left_ms);
	snprintf(out + used, size - (size_t)used, ", and %s (%s) in %s", amount(most, kind, (double)growth->ceiling.most),
		growth->ceiling.of, left);
}
