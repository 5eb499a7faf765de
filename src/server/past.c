#include "server/past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/store.h"
#include "model/trace.h"
#include "procfs/ceiling.h"
#include "protocol/method.h"
#include "protocol/value.h"
#include "server/call.h"
#include "server/method.h"

enum { TREND_SIZE = 60, /* figures of CPU before the moment that is asked for */
	MOST_LEAST = 60 };

struct past {
	struct past_of {
		char service[64]; /* "": nothing is kept at this seat */
		unsigned instance;
		struct trace trace;
	} seats[STORE_SEATS];
	unsigned used; /* of the seats */
};

static unsigned most_of_each(const struct past *past)
{
	size_t most = PAST_BYTES_MOST / sizeof(struct trace_entry) / (past->used ? past->used : 1);

	return most < MOST_LEAST ? MOST_LEAST : most < TRACE_MOST ? (unsigned)most
								  : TRACE_MOST;
}

static bool is_of(const struct past_of *of, const char *service, unsigned instance)
{
	return of->instance == instance && strcmp(of->service, service) == 0;
}

static struct trace_entry entry_of(const struct row *row)
{
	const struct sample *sample = &row->sample;

	return (struct trace_entry){
		.ts_us = clock_wall_us(),
		.since_us = row->since_us,
		.started_us = row->started_us,
		.rss = sample->pid ? sample->rss : SAMPLE_UNKNOWN,
		.tree_rss = sample->pid ? sample->tree_rss : SAMPLE_UNKNOWN,
		.queue = sample->pid ? sample->inside.queue : SAMPLE_UNKNOWN,
		.busy = sample->pid ? sample->inside.busy : SAMPLE_UNKNOWN,
		.cpu_pct = sample->pid ? (float)sample->cpu_pct : -1,
		.tree_cpu_pct = sample->pid ? (float)sample->tree_cpu_pct : -1,
		.in_rate = (float)row->ipc.in_rate,
		.out_rate = (float)row->ipc.out_rate,
		.restarts = row->restarts,
		.pid = row->pid,
		.life = row->life,
		.threads = (uint32_t)(sample->pid ? sample->threads : UINT32_MAX),
		.fds = (uint32_t)(sample->pid ? sample->fds : UINT32_MAX),
		.leftovers = row->leftovers,
		.state = row->state,
	};
}

void past_take(struct past **past, const struct member *member)
{
	struct row row;

	if (!*past)
		*past = memory_zeroed(1, sizeof **past);
	struct past_of *of = &(*past)->seats[member->seat];
	row_of_member(&row, member);
	if (!is_of(of, row.service, row.instance)) {
		(*past)->used += !of->service[0];
		trace_finish(&of->trace);
		memcpy(of->service, row.service, sizeof of->service);
		of->instance = row.instance;
	}
	struct trace_entry entry = entry_of(&row);
	trace_add(&of->trace, &entry, most_of_each(*past));
}

void past_forget(struct past *past, const char *service, unsigned instance)
{
	for (uint32_t seat = 0; past && seat < STORE_SEATS; seat++) {
		if (!is_of(&past->seats[seat], service, instance))
			continue;
		trace_finish(&past->seats[seat].trace);
		past->seats[seat] = (struct past_of){ 0 };
		past->used--;
		return;
	}
}

void past_destroy(struct past *past)
{
	for (uint32_t seat = 0; past && seat < STORE_SEATS; seat++)
		trace_finish(&past->seats[seat].trace);
	free(past);
}

/* ---- what it leaks ---- */

static const struct trace *trace_of(const struct past *past, const struct member *member)
{
	const struct past_of *of = past ? &past->seats[member->seat] : NULL;

	return of && is_of(of, member->now.service, member->now.index) ? &of->trace : NULL;
}

/* Those that its service has set, for the whole tree of it. */
static void take_limits(struct ceiling ceilings[GROWTH_FIGURES], const struct service_spec *spec)
{
	static const enum limit_metric metrics[GROWTH_FIGURES] = {
		[GROWTH_RSS] = LIMIT_RSS, [GROWTH_FDS] = LIMIT_FDS, [GROWTH_THREADS] = LIMIT_THREADS
	};
	char of[48];

	for (unsigned i = 0; i < spec->limit_count; i++) {
		const struct limit_spec *limit = &spec->limits[i];
		snprintf(of, sizeof of, "its limit, action %s", limit_action_name(limit->action));
		for (enum growth_figure figure = 0; figure < GROWTH_FIGURES; figure++)
			if (metrics[figure] == limit->metric)
				ceiling_lower(&ceilings[figure], limit->over, of);
	}
}

void past_trace(const struct past *past, struct member *member)
{
	const struct trace *trace = trace_of(past, member);
	struct ceiling ceilings[GROWTH_FIGURES];

	if (!trace || member->study->is_traced)
		return;
	ceilings_read(ceilings, member->now.pid);
	take_limits(ceilings, member_spec(member));
	study_trace(member->study, trace, ceilings);
}

/* ---- telling ---- */

static uint64_t wide(uint32_t value)
{
	return value == UINT32_MAX ? SAMPLE_UNKNOWN : value;
}

/* The row of now, with what was different then. */
static struct row row_then(const struct member *member, const struct trace_entry *then)
{
	struct row row;

	row_of_member(&row, member);
	bool is_same = row.state == then->state && row.life == then->life;
	row.state = then->state;
	row.pid = then->pid;
	row.life = then->life;
	row.since_us = then->since_us;
	row.started_us = then->started_us;
	row.uptime_ms = then->pid && then->ts_us > then->started_us ? (then->ts_us - then->started_us) / 1000 : 0;
	row.restarts = then->restarts;
	row.leftovers = then->leftovers;
	row.deadline_us = is_same ? row.deadline_us : 0;
	row.is_draining = false; /* whether it was is not kept */
	if (!is_same)
		row.detail[0] = '\0';
	row.has_last_death = row.has_last_death && row.last_death.ended_us <= then->ts_us;
	row.ipc.in_rate = then->in_rate;
	row.ipc.out_rate = then->out_rate;
	struct inside inside = INSIDE_UNKNOWN;
	inside.queue = then->queue;
	inside.busy = then->busy;
	row.sample = (struct sample){
		.pid = then->cpu_pct < 0 ? 0 : then->pid,
		.rss = then->rss,
		.cpu_pct = then->cpu_pct,
		.threads = wide(then->threads),
		.fds = wide(then->fds),
		.tree_cpu_pct = then->tree_cpu_pct,
		.tree_rss = then->tree_rss,
		.tree_processes = SAMPLE_UNKNOWN,
		.inside = inside,
	};
	return row;
}

static json_t *trend_of(const struct trace *trace, int until)
{
	json_t *trend = json_array();

	for (int i = until >= TREND_SIZE ? until - TREND_SIZE + 1 : 0; i <= until; i++) {
		float cpu = trace_entry(trace, (unsigned)i)->cpu_pct;
		if (cpu >= 0)
			json_array_append_new(trend, rate_to_json(cpu));
	}
	return trend;
}

static json_t *instance_then(const struct member *member, const struct past_of *of, uint64_t at_us)
{
	int index = trace_find(&of->trace, at_us);

	if (index < 0 || !is_of(of, member->now.service, member->now.index))
		return NULL;
	struct row row = row_then(member, trace_entry(&of->trace, (unsigned)index));
	json_t *json = row_to_json(&row);
	json_object_set_new(json, "trend", trend_of(&of->trace, index));
	return json;
}

static uint64_t oldest(const struct past *past)
{
	uint64_t first_us = UINT64_MAX;

	for (uint32_t seat = 0; past && seat < STORE_SEATS; seat++)
		if (trace_size(&past->seats[seat].trace) && trace_entry(&past->seats[seat].trace, 0)->ts_us < first_us)
			first_us = trace_entry(&past->seats[seat].trace, 0)->ts_us;
	return first_us;
}

/* When the nearest event was that is kept; at_us: there is none. */
static uint64_t event_beside(const struct store *store, uint64_t at_us, bool is_before)
{
	uint64_t found_us = at_us;

	for (uint64_t seq = store_first_notice(store); seq <= store->notice_count; seq++) {
		uint64_t ts_us = store_notice(store, seq)->ts_us;
		if (is_before && ts_us < at_us)
			found_us = ts_us;
		if (!is_before && ts_us > at_us)
			return ts_us;
	}
	return found_us;
}

/* As near to what is asked for as is kept. */
json_t *past_tell(struct call *call)
{
	struct hall *hall = call->session->hall;
	const struct engine *engine = &hall->engine;
	uint64_t asked_us = time_from_json(json_object_get(call->params, "at")), at_us = asked_us, first_us = oldest(hall->past);
	const char *event = json_string_value(json_object_get(call->params, "event"));

	if (first_us == UINT64_MAX)
		return call_refuse(call, PROTOCOL_REFUSED, "nothing is kept of the past yet");
	if (event)
		at_us = event_beside(engine->store, at_us, strcmp(event, "before") == 0);
	if (at_us < first_us)
		at_us = first_us;
	json_t *instances = json_array();
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		const struct member *member = engine->members[seat];
		json_t *json = member ? instance_then(member, &hall->past->seats[seat], at_us) : NULL;
		if (json)
			json_array_append_new(instances, json);
	}
	return json_pack("{s:o*,s:o,s:o,s:o}", "moved", event ? json_boolean(at_us != asked_us) : NULL, "ts", time_to_json(at_us),
		"first", time_to_json(first_us), "instances", instances);
}
