#include "engine/limit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"
#include "engine/attendant.h"

enum { EARLY_PERCENT = 80 }; /* a sample may come this much before its time and still count */

static const struct limit_spec *limits_of(const struct member *member, unsigned *count)
{
	const struct service_spec *spec = member_spec(member);

	*count = member->attendant ? spec->limit_count : 0;
	return spec->limits;
}

unsigned limit_wants(const struct member *member)
{
	static const unsigned wants[LIMIT_METRIC_COUNT] = { [LIMIT_PSS] = SWEEP_TREE_PSS,
		[LIMIT_FDS] = SWEEP_TREE_FDS };
	unsigned count, all = 0;
	const struct limit_spec *limits = limits_of(member, &count);

	for (unsigned i = 0; i < count; i++)
		all |= wants[limits[i].metric];
	return all;
}

/* SAMPLE_UNKNOWN is never over. */
static uint64_t value_of(const struct sample *sample, enum limit_metric metric)
{
	switch (metric) {
	case LIMIT_RSS:
		return sample->tree_rss;
	case LIMIT_PSS:
		return sample->tree_pss;
	case LIMIT_CPU:
		return (uint64_t)(sample->tree_cpu_pct + 0.5);
	case LIMIT_FDS:
		return sample->tree_fds;
	case LIMIT_THREADS:
		return sample->tree_threads;
	case LIMIT_QUEUE:
		return sample->inside.queue;
	case LIMIT_LOOP_LAG:
		return sample->inside.lag_ms;
	default:
		return SAMPLE_UNKNOWN;
	}
}

static void format_value(char out[UNITS_TEXT_SIZE], enum limit_metric metric, uint64_t value)
{
	if (metric == LIMIT_RSS || metric == LIMIT_PSS)
		units_format_size(out, value);
	else if (metric == LIMIT_LOOP_LAG)
		units_format_duration(out, value);
	else
		snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "%s", value, metric == LIMIT_CPU ? "%" : "");
}

static void act(struct engine *engine, struct member *member, const struct limit_spec *limit,
	uint64_t value)
{
	char why[DEATH_DETAIL_SIZE], has[UNITS_TEXT_SIZE], may[UNITS_TEXT_SIZE];
	struct eviction eviction = { .cause = CAUSE_LIMIT,
		.why = why,
		.is_ordered = limit->action == LIMIT_RESTART,
		.at_once = limit->action == LIMIT_KILL,
		.is_final = limit->action == LIMIT_STOP };

	format_value(has, limit->metric, value);
	format_value(may, limit->metric, limit->over);
	snprintf(why, sizeof why, "%s %s over %s, %u times", limit_metric_name(limit->metric), has, may,
		limit->samples);
	if (limit->action == LIMIT_WARN)
		engine_warn(engine, member, why);
	else
		engine_evict(engine, member, &eviction);
}

/* One limit, one new sample. It may be the end of the attendant: the last thing done. */
static void count(struct member *member, const struct limit_spec *limit, struct limit_count *counted)
{
	const struct sample *sample = &member->sample;
	uint64_t value = value_of(sample, limit->metric);

	if (sample->taken_us - counted->counted_us < limit->every_ms * 10ull * EARLY_PERCENT)
		return;
	counted->counted_us = sample->taken_us;
	bool is_over = value != SAMPLE_UNKNOWN && value > limit->over;
	counted->streak = is_over ? counted->streak + 1 : 0;
	if (!is_over)
		counted->is_told = false;
	if (counted->streak < limit->samples || (limit->action == LIMIT_WARN && counted->is_told))
		return;
	counted->streak = 0;
	counted->is_told = true;
	act(member->engine, member, limit, value);
}

void limit_check(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		struct member *member = engine->members[seat];
		if (!member || !member->attendant || member->sample.pid != member->now.pid)
			continue;
		unsigned limit_count;
		const struct limit_spec *limits = limits_of(member, &limit_count);
		for (unsigned i = 0; i < limit_count && member->attendant; i++)
			count(member, &limits[i], &member->attendant->limits[i]);
	}
}

static void on_timer(uv_timer_t *timer)
{
	engine_sample(timer->data);
}

void limit_arrange(struct engine *engine)
{
	uint64_t wanted_ms = 0;

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		unsigned count = 0;
		const struct limit_spec *limits =
			engine->members[seat] ? limits_of(engine->members[seat], &count) : NULL;
		for (unsigned i = 0; i < count; i++)
			if (!wanted_ms || limits[i].every_ms < wanted_ms)
				wanted_ms = limits[i].every_ms;
	}
	if (wanted_ms == engine->limit_ms)
		return;
	engine->limit_ms = wanted_ms;
	uv_timer_stop(&engine->limit_timer);
	uv_update_time(engine->loop);
	if (wanted_ms)
		uv_timer_start(&engine->limit_timer, on_timer, wanted_ms, wanted_ms);
}
