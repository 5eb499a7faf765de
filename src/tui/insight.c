#include "tui/insight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/inside.h"
#include "protocol/value.h"
#include "tui/day.h"
#include "tui/ui.h"

#define ON(tab) (1u << (tab))
enum { SECOND_US = 1000000 };

/* ---- figures of late ---- */

void gauge_add(struct gauge *gauge, double value)
{
	gauge->values[gauge->count++ % GAUGE_MOST] = value;
}

unsigned gauge_size(const struct gauge *gauge)
{
	return gauge->count < GAUGE_MOST ? gauge->count : GAUGE_MOST;
}

double gauge_at(const struct gauge *gauge, unsigned index)
{
	return gauge->values[(gauge->count - gauge_size(gauge) + index) % GAUGE_MOST];
}

double gauge_most(const struct gauge *gauge)
{
	double most = 0;

	for (unsigned i = 0; i < gauge_size(gauge); i++)
		if (gauge_at(gauge, i) > most)
			most = gauge_at(gauge, i);
	return most;
}

/* ---- what is asked, and what is done with the answer ---- */

static json_t *name_of_shown(const struct ui *ui)
{
	return json_pack("{s:o}", "name", ui_name(&ui->shown));
}

static json_t *shown_process(const struct ui *ui)
{
	return json_pack("{s:s,s:i}", "service", ui->shown.service, "instance", ui->shown.instance);
}

static json_t *shown_service(const struct ui *ui)
{
	return json_pack("{s:s}", "name", ui->shown.service);
}

static bool has_process(const struct ui *ui)
{
	const struct replica_row *row = rows_selected(ui);

	return row && row->row.pid;
}

static bool has_pool(const struct ui *ui)
{
	const struct study *study = &ui->insight.study;

	for (size_t i = 0; i < study->pool_count; i++)
		if (study->pools[i].kind == POOL_THRUM)
			return true;
	return json_object_get(json_object_get(ui->insight.info, "service"), "pool");
}

bool insight_is_pool(const struct insight *insight)
{
	const char *kind = json_string_value(json_object_get(insight->pool, "kind"));

	return kind && strcmp(kind, "process") == 0;
}

const json_t *insight_thread_pool(const struct ui *ui, int number)
{
	const json_t *pool;
	size_t i;

	json_array_foreach(json_object_get(ui->insight.pool, "thread_pools"), i, pool)
	{
		if (json_integer_value(json_object_get(pool, "instance")) == ui->shown.instance && number-- == 0)
			return pool;
	}
	return NULL;
}

static bool always(const struct ui *ui)
{
	(void)ui;
	return true;
}

static bool is_zoomed(const struct ui *ui)
{
	return ui->is_zoomed;
}

/* Those of the pools inside the process; a pool of processes has its own, and it goes first. */
static void measure_study(struct insight *insight)
{
	uint64_t queue = 0, busy = 0;
	bool is_known = false;

	for (size_t i = 0; i < insight->study.pool_count; i++) {
		const struct pool_report *pool = &insight->study.pools[i];
		if (pool->queued == UINT64_MAX || pool->busy == UINT64_MAX)
			continue;
		is_known = true;
		queue += pool->queued;
		busy += pool->busy;
	}
	if (is_known && !insight_is_pool(insight)) {
		gauge_add(&insight->depth, (double)queue);
		gauge_add(&insight->busy, (double)busy);
	}
}

static void take_values(struct gauge *gauge, const json_t *values)
{
	const json_t *value;
	size_t i;

	gauge->count = 0;
	json_array_foreach(values, i, value) gauge_add(gauge, json_number_value(value));
}

/* How it went until then; who remembers tells. */
static void take_course(struct insight *insight, const json_t *result)
{
	const json_t *course = json_object_get(result, "course");

	take_values(&insight->depth_then, json_object_get(course, "queued"));
	take_values(&insight->busy_then, json_object_get(course, "busy"));
}

static void take_study(struct ui *ui, const json_t *result)
{
	struct insight *insight = &ui->insight;

	study_finish(&insight->study);
	insight->study = (struct study){ 0 };
	study_from_json(&insight->study, result);
	if (!ui->past_us)
		measure_study(insight);
	else if (!insight_is_pool(insight))
		take_course(insight, result);
}

static void take_pool(struct ui *ui, const json_t *result)
{
	ui_keep(&ui->insight.pool, result);
	if (insight_is_pool(&ui->insight) && ui->past_us)
		take_course(&ui->insight, result);
	if (!insight_is_pool(&ui->insight) || ui->past_us)
		return;
	gauge_add(&ui->insight.depth, (double)json_integer_value(json_object_get(result, "queued")));
	gauge_add(&ui->insight.busy, (double)json_integer_value(json_object_get(result, "busy")));
}

static void take_info(struct ui *ui, const json_t *result)
{
	ui_keep(&ui->insight.info, result);
}

static json_t *nothing(const struct ui *ui)
{
	(void)ui;
	return json_object();
}

static bool is_mapping(const struct ui *ui)
{
	return ui->is_zoomed && ui->insight.is_map;
}

static void take_map(struct ui *ui, const json_t *result)
{
	ui_keep(&ui->insight.map, result);
}

static json_t *selected_service(const struct ui *ui)
{
	return json_pack("{s:[s]}", "names", ui->selected.service);
}

static bool is_of_service(const struct ui *ui)
{
	return ui->selected.instance < 0 && !is_mapping(ui);
}

static void take_peers(struct ui *ui, const json_t *result)
{
	ui_keep(&ui->insight.peers, result);
}

/* A day, and what is on the edge of it. */
static json_t *last_day(const struct ui *ui)
{
	return json_pack("{s:[s],s:o,s:i}", "names", ui->shown.service, "since", time_to_json(ui->now_us - DAY_US), "limit", DEATHS_MOST);
}

static void take_day(struct ui *ui, const json_t *result)
{
	day_take(&ui->insight, json_object_get(result, "deaths"));
}

static void take_environment(struct ui *ui, const json_t *result)
{
	ui_keep(&ui->insight.environment, result);
}

static const struct question {
	bool is_kept;  /* it may be asked how it was */
	unsigned tabs; /* that show it */
	uint64_t every_us;
	const char *method;
	json_t *(*params)(const struct ui *ui);
	bool (*is_wanted)(const struct ui *ui);
	void (*take)(struct ui *ui, const json_t *result);
} questions[INSIGHT_QUESTIONS] = {
	{ true, ON(TAB_THREADS) | ON(TAB_POOL), SECOND_US, "inspect", shown_process, has_process, take_study },
	{ true, ON(TAB_INFO) | ON(TAB_IPC), 3 * SECOND_US, "inspect", shown_process, has_process, take_study },
	{ true, ON(TAB_POOL), SECOND_US, "pool", shown_service, has_pool, take_pool },
	{ false, ON(TAB_INFO) | ON(TAB_POOL), 3 * SECOND_US, "info", name_of_shown, always, take_info },
	{ false, ON(TAB_INFO), 10 * SECOND_US, "env", name_of_shown, is_zoomed, take_environment },
	{ false, ON(TAB_IPC), 3 * SECOND_US, "map", nothing, is_mapping, take_map },
	{ false, ON(TAB_IPC), 3 * SECOND_US, "map", selected_service, is_of_service, take_peers },
	{ true, ON(TAB_HISTORY), SECOND_US, "history", last_day, day_is_wanted, take_day },
};

/* A frame comes a little early or late: nearly due is due. */
static bool is_due(const struct ui *ui, unsigned question)
{
	const struct question *it = &questions[question];
	uint64_t asked_us = ui->insight.asked_us[question];

	return it->tabs & ON(ui->tab) && !ui->insight.is_waiting[question] &&
	       (!asked_us || ui->now_us + SECOND_US / 10 >= asked_us + it->every_us) && it->is_wanted(ui);
}

static void ask(struct ui *ui, unsigned question, json_t *params)
{
	ui->insight.asked_us[question] = ui->now_us;
	ui->insight.is_waiting[question] = ui_request(ui, REPLY_INSIGHT, question, questions[question].method, params);
}

/* Once for each moment; has_process is of then. */
static bool is_due_then(const struct ui *ui, unsigned question)
{
	const struct question *it = &questions[question];

	return it->is_kept && it->tabs & ON(ui->tab) && !ui->insight.is_waiting[question] &&
	       ui->insight.asked_us[question] != ui->past_us && it->is_wanted(ui);
}

static void follow_then(struct ui *ui)
{
	for (unsigned i = 0; i < INSIGHT_QUESTIONS; i++) {
		if (!is_due_then(ui, i))
			continue;
		json_t *params = questions[i].params(ui);
		json_object_set_new(params, "at", time_to_json(ui->past_us));
		ask(ui, i, params);
	}
}

void insight_follow(struct ui *ui)
{
	if (ui->past_us)
		follow_then(ui);
	for (unsigned i = 0; i < INSIGHT_QUESTIONS && !ui->is_paused; i++)
		if (is_due(ui, i))
			ask(ui, i, questions[i].params(ui));
}

bool insight_is_waiting(const struct insight *insight)
{
	for (unsigned i = 0; i < INSIGHT_QUESTIONS; i++)
		if (insight->is_waiting[i])
			return true;
	return false;
}

bool insight_take(struct ui *ui, unsigned question, const json_t *result, const char *why)
{
	struct insight *insight = &ui->insight;

	if (question >= INSIGHT_QUESTIONS || !insight->is_waiting[question])
		return false; /* of what was shown before */
	bool is_first = !insight->is_known[question] || ui->past_us;
	insight->is_known[question] = true;
	insight->is_waiting[question] = false;
	snprintf(insight->why, sizeof insight->why, "%s", result ? "" : why);
	if (result && (!ui->is_paused || ui->past_us))
		questions[question].take(ui, result);
	return is_first;
}

void insight_forget(struct ui *ui)
{
	enum thread_order order = ui->insight.order;
	bool is_map = ui->insight.is_map;

	study_finish(&ui->insight.study);
	json_decref(ui->insight.pool);
	json_decref(ui->insight.info);
	json_decref(ui->insight.environment);
	json_decref(ui->insight.map);
	json_decref(ui->insight.peers);
	free(ui->insight.day);
	ui->insight = (struct insight){ .order = order, .is_map = is_map };
}
