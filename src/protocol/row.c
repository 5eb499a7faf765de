#include "protocol/row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/spec.h"
#include "protocol/inside.h"
#include "protocol/method.h"
#include "protocol/value.h"

static json_t *count_or_null(uint64_t value)
{
	return value ? json_integer((json_int_t)value) : json_null();
}

static json_t *string_or_null(const char *text)
{
	return text && text[0] ? text_to_json(text, strlen(text)) : json_null();
}

static uint64_t get_count(const json_t *object, const char *key)
{
	uint64_t value = figure_from_json(object, key);

	return value == SAMPLE_UNKNOWN ? 0 : value;
}

static uint32_t get_small(const json_t *object, const char *key)
{
	uint64_t value = get_count(object, key);

	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int32_t get_pid(const json_t *object)
{
	uint64_t value = get_count(object, "pid");

	return value > INT32_MAX ? 0 : (int32_t)value;
}

static uint64_t get_time(const json_t *object, const char *key)
{
	return time_from_json(json_object_get(object, key));
}

static void get_text(char *out, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(out, size, "%s", text ? text : "");
}

/* Samples */

static json_t *tree_to_json(const struct sample *sample)
{
	return json_pack("{s:o, s:o, s:o}",
		"cpu_pct", rate_to_json(sample->tree_cpu_pct),
		"rss", figure_to_json(sample->tree_rss),
		"processes", figure_to_json(sample->tree_processes));
}

static const struct sample no_sample = {
	.cpu_pct = -1,
	.rss = SAMPLE_UNKNOWN,
	.threads = SAMPLE_UNKNOWN,
	.fds = SAMPLE_UNKNOWN,
	.tree_cpu_pct = -1,
	.tree_rss = SAMPLE_UNKNOWN,
	.tree_processes = SAMPLE_UNKNOWN,
	.inside = INSIDE_UNKNOWN,
};

/* As `info` has them: {NAME:{"value","unit"}}. NULL: there are none. */
static json_t *metrics_to_json(const struct metrics *metrics)
{
	json_t *json = metrics->count ? json_object() : NULL;

	for (unsigned i = 0; i < metrics->count; i++)
		json_object_set_new(json, metrics->items[i].name,
			json_pack("{s:s, s:s}", "value", metrics->items[i].value, "unit", metrics->items[i].unit));
	return json;
}

static void metrics_from_json(struct metrics *metrics, json_t *json)
{
	const char *name;
	json_t *said;

	metrics->count = 0;
	json_object_foreach(json, name, said)
	{
		if (metrics->count == METRICS_MOST)
			break;
		struct metric *metric = &metrics->items[metrics->count++];
		snprintf(metric->name, sizeof metric->name, "%s", name);
		get_text(metric->value, sizeof metric->value, said, "value");
		get_text(metric->unit, sizeof metric->unit, said, "unit");
	}
}

static json_t *traffic_to_json(const struct traffic *ipc)
{
	if (!ipc->is_known)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o*}",
		"in", (json_int_t)ipc->in,
		"out", (json_int_t)ipc->out,
		"in_bytes", (json_int_t)ipc->in_bytes,
		"out_bytes", (json_int_t)ipc->out_bytes,
		"queued", (json_int_t)ipc->queued,
		"errors", (json_int_t)ipc->errors,
		"connections", (json_int_t)ipc->connections,
		"in_rate", ipc->in_rate < 0 ? json_null() : json_real(ipc->in_rate),
		"out_rate", ipc->out_rate < 0 ? json_null() : json_real(ipc->out_rate),
		"metrics", metrics_to_json(&ipc->metrics));
}

static struct traffic traffic_from_json(const json_t *json)
{
	struct traffic ipc = {
		.is_known = json_is_object(json),
		.in = get_count(json, "in"),
		.out = get_count(json, "out"),
		.in_bytes = get_count(json, "in_bytes"),
		.out_bytes = get_count(json, "out_bytes"),
		.queued = get_count(json, "queued"),
		.errors = get_count(json, "errors"),
		.connections = get_count(json, "connections"),
		.in_rate = rate_from_json(json, "in_rate"),
		.out_rate = rate_from_json(json, "out_rate"),
	};

	metrics_from_json(&ipc.metrics, json_object_get(json, "metrics"));
	return ipc;
}

json_t *sample_to_json(const char *service, unsigned instance, const struct sample *sample, const struct traffic *ipc)
{
	if (!sample->pid)
		sample = &no_sample;
	json_t *json = json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o}",
		"service", service,
		"instance", (int)instance,
		"pid", count_or_null((uint64_t)sample->pid),
		"cpu_pct", rate_to_json(sample->cpu_pct),
		"rss", figure_to_json(sample->rss),
		"threads", figure_to_json(sample->threads),
		"fds", figure_to_json(sample->fds),
		"tree", tree_to_json(sample));
	inside_put(json, &sample->inside);
	if (ipc && ipc->is_known)
		json_object_set_new(json, "ipc", traffic_to_json(ipc));
	return json;
}

static bool is_empty(const struct sample *sample)
{
	return sample->cpu_pct < 0 && sample->rss == SAMPLE_UNKNOWN &&
	       sample->threads == SAMPLE_UNKNOWN && sample->fds == SAMPLE_UNKNOWN &&
	       sample->tree_rss == SAMPLE_UNKNOWN;
}

void sample_from_json(struct row *row, const json_t *json)
{
	const json_t *tree = json_object_get(json, "tree");
	struct sample sample = {
		.pid = get_pid(json),
		.cpu_pct = rate_from_json(json, "cpu_pct"),
		.rss = figure_from_json(json, "rss"),
		.threads = figure_from_json(json, "threads"),
		.fds = figure_from_json(json, "fds"),
		.tree_cpu_pct = rate_from_json(tree, "cpu_pct"),
		.tree_rss = figure_from_json(tree, "rss"),
		.tree_processes = figure_from_json(tree, "processes"),
	};

	inside_get(&sample.inside, json);
	if (sample.pid == row->pid && !is_empty(&sample))
		row->sample = sample;
	if (json_is_object(json_object_get(json, "ipc")))
		row->ipc = traffic_from_json(json_object_get(json, "ipc"));
}

/* Deaths */

static json_t *cause_to_json(const struct death *death)
{
	char text[CAUSE_TEXT_SIZE];

	if (death->cause == CAUSE_NONE)
		return json_null();
	death_describe(text, death);
	return json_string(text);
}

static json_t *signal_to_json(int number)
{
	char text[16];
	const char *name = signal_name(number);

	if (!number)
		return json_null();
	snprintf(text, sizeof text, "%d", number);
	return json_string(name ? name : text);
}

static json_t *code_to_json(int code)
{
	return code < 0 ? json_null() : json_integer(code);
}

/* "exit 3" and "signal SEGV" say more than the cause; what they say is in code and signal too. */
static enum cause cause_from_text(const char *text)
{
	size_t length = text ? strcspn(text, " ") : 0;

	for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
		const char *name = cause_name((enum cause)cause);
		if (length == strlen(name) && memcmp(text, name, length) == 0)
			return (enum cause)cause;
	}
	return CAUSE_NONE;
}

static enum cause get_cause(const json_t *object)
{
	return cause_from_text(json_string_value(json_object_get(object, "cause")));
}

static int16_t get_code(const json_t *object)
{
	uint64_t code = figure_from_json(object, "code");

	return code > INT16_MAX ? -1 : (int16_t)code;
}

static int16_t get_signal(const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "signal"));

	return name ? (int16_t)signal_number(name) : 0;
}

json_t *death_to_json(const char *service, unsigned instance, const struct death *death)
{
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:b, s:o, s:I, s:o}",
		"service", service,
		"instance", (int)instance,
		"life", count_or_null(death->life),
		"pid", count_or_null((uint64_t)death->pid),
		"started", time_to_json(death->started_us),
		"ended", time_to_json(death->ended_us),
		"uptime_ms", (json_int_t)death->uptime_ms,
		"cause", cause_to_json(death),
		"code", code_to_json(death->code),
		"signal", signal_to_json(death->signal),
		"core", (int)death->core,
		"peak_rss", count_or_null(death->peak_rss),
		"cpu_ms", (json_int_t)death->cpu_ms,
		"detail", string_or_null(death->detail));
}

size_t deaths_asked_for(const json_t *params)
{
	json_int_t limit = json_integer_value(json_object_get(params, "limit"));

	if (limit <= 0)
		return PROTOCOL_DEATHS;
	return limit < PROTOCOL_DEATHS_MOST ? (size_t)limit : PROTOCOL_DEATHS_MOST;
}

bool death_from_json(struct death *death, const json_t *json, struct error *err)
{
	if (!json_is_object(json))
		return error_set(err, 0, "a death is not an object");
	*death = (struct death){
		.life = get_small(json, "life"),
		.pid = get_pid(json),
		.started_us = get_time(json, "started"),
		.ended_us = get_time(json, "ended"),
		.uptime_ms = get_count(json, "uptime_ms"),
		.cause = (uint8_t)get_cause(json),
		.code = get_code(json),
		.signal = get_signal(json),
		.core = json_is_true(json_object_get(json, "core")),
		.peak_rss = get_count(json, "peak_rss"),
		.cpu_ms = get_count(json, "cpu_ms"),
	};
	get_text(death->detail, sizeof death->detail, json, "detail");
	return true;
}

/* Notices */

static json_t *notice_cause_to_json(const struct notice *notice)
{
	struct death death = {
		.cause = notice->cause,
		.code = notice->code,
		.signal = notice->signal,
	};
	return cause_to_json(&death);
}

json_t *notice_to_json(const struct notice *notice)
{
	bool is_of_engine = !notice->service[0];
	bool has_uptime = notice->kind == NOTICE_EXITED || notice->uptime_ms;
	bool has_delay = notice->kind == NOTICE_BACKOFF;
	bool has_code = notice->cause != CAUSE_NONE;

	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}",
		"ts", time_to_json(notice->ts_us),
		"kind", "event",
		"event", notice_name((enum notice_kind)notice->kind),
		"service", string_or_null(notice->service),
		"instance", is_of_engine ? json_null() : json_integer(notice->instance),
		"pid", count_or_null((uint64_t)notice->pid),
		"cause", notice_cause_to_json(notice),
		"code", has_code ? code_to_json(notice->code) : json_null(),
		"signal", signal_to_json(notice->signal),
		"uptime_ms", figure_to_json(has_uptime ? notice->uptime_ms : SAMPLE_UNKNOWN),
		"restarts", is_of_engine ? json_null() : json_integer(notice->restarts),
		"delay_ms", figure_to_json(has_delay ? notice->delay_ms : SAMPLE_UNKNOWN),
		"detail", string_or_null(notice->detail),
		"seq", (json_int_t)notice->seq);
}

static bool get_notice_kind(uint8_t *kind, const json_t *json, struct error *err)
{
	const char *name = json_string_value(json_object_get(json, "event"));

	for (int i = 0; name && i < NOTICE_COUNT; i++) {
		if (strcmp(name, notice_name((enum notice_kind)i)) != 0)
			continue;
		*kind = (uint8_t)i;
		return true;
	}
	return error_set(err, 0, "an event of the unknown kind '%s'", name ? name : "");
}

bool notice_from_json(struct notice *notice, const json_t *json, struct error *err)
{
	*notice = (struct notice){
		.seq = get_count(json, "seq"),
		.ts_us = get_time(json, "ts"),
		.cause = (uint8_t)get_cause(json),
		.code = get_code(json),
		.signal = get_signal(json),
		.instance = get_small(json, "instance"),
		.pid = get_pid(json),
		.restarts = get_small(json, "restarts"),
		.delay_ms = get_small(json, "delay_ms"),
		.uptime_ms = get_count(json, "uptime_ms"),
	};
	get_text(notice->service, sizeof notice->service, json, "service");
	get_text(notice->detail, sizeof notice->detail, json, "detail");
	return get_notice_kind(&notice->kind, json, err);
}

/* Rows */

static const char *health_name(enum state state)
{
	return state == STATE_READY ? "healthy" : state == STATE_UNHEALTHY ? "unhealthy"
									   : NULL;
}

static json_t *restarts_to_json(const struct restart_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}",
		"crash", (json_int_t)counts->crash,
		"manual", (json_int_t)counts->manual,
		"limit", (json_int_t)counts->limit,
		"probe", (json_int_t)counts->probe,
		"watch", (json_int_t)counts->watch);
}

static json_t *row_figures_to_json(const struct row *row)
{
	/* What was measured of a former process says nothing of this one. */
	bool is_current = row->pid && row->sample.pid == row->pid;
	const struct sample *sample = is_current ? &row->sample : &no_sample;

	json_t *json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}",
		"cpu_pct", rate_to_json(sample->cpu_pct),
		"rss", figure_to_json(sample->rss),
		"threads", figure_to_json(sample->threads),
		"fds", figure_to_json(sample->fds),
		"tree", tree_to_json(sample),
		"ipc", traffic_to_json(&row->ipc));
	inside_put(json, &sample->inside);
	return json;
}

static json_t *row_times_to_json(const struct row *row)
{
	return json_pack("{s:o, s:b, s:b, s:o, s:o, s:o, s:i, s:o}",
		"life", count_or_null(row->life),
		"reloading", row->is_reloading,
		"getting_ready", row->is_getting_ready,
		"since", time_to_json(row->since_us),
		"started", time_to_json(row->started_us),
		"deadline", time_to_json(row->deadline_us),
		"leftovers", (int)row->leftovers,
		"detail", string_or_null(row->detail));
}

static void take_over(json_t *to, json_t *from)
{
	json_object_update(to, from);
	json_decref(from);
}

/* As a list, each once; NULL: it is in none. */
static json_t *namespaces_to_json(const struct row *row)
{
	json_t *list = row->namespaces[0] ? json_array() : NULL;

	for (const char *at = row->namespaces; list && *at;) {
		size_t size = strcspn(at, ",");
		json_array_append_new(list, text_to_json(at, size));
		at += size + (at[size] == ',');
	}
	return list;
}

void row_add_namespace(struct row *row, const char *name)
{
	size_t used = strlen(row->namespaces);

	if (used + strlen(name) + 2 <= sizeof row->namespaces)
		snprintf(row->namespaces + used, sizeof row->namespaces - used, "%s%s", used ? "," : "", name);
}

static void get_namespaces(struct row *row, const json_t *list)
{
	const json_t *name;
	size_t i;

	json_array_foreach(list, i, name)
	{
		if (json_is_string(name))
			row_add_namespace(row, json_string_value(name));
	}
}

bool row_is_in_namespace(const struct row *row, const char *name)
{
	size_t wanted = strlen(name);

	for (const char *at = row->namespaces; *at;) {
		size_t size = strcspn(at, ",");
		if (size == wanted && memcmp(at, name, size) == 0)
			return true;
		at += size + (at[size] == ',');
	}
	return false;
}

/* NULL: it is none. */
static const char *pool_name(const struct row *row)
{
	return !row->is_pool ? NULL : row->is_draining ? "draining"
						       : "open";
}

json_t *row_to_json(const struct row *row)
{
	json_t *json = json_pack("{s:s, s:i, s:o*, s:s*, s:s, s:s, s:s?, s:o, s:o, s:o}",
		"service", row->service,
		"instance", (int)row->instance,
		"namespaces", namespaces_to_json(row),
		"pool", pool_name(row),
		"state", state_name(row->state),
		"wanted", row->wanted ? "up" : "down",
		"health", health_name(row->state),
		"pid", count_or_null((uint64_t)row->pid),
		"uptime_ms", row->pid ? figure_to_json(row->uptime_ms) : json_null(),
		"restarts", restarts_to_json(&row->restarts));

	take_over(json, row_figures_to_json(row));
	json_object_set_new(json, "last_death",
		row->has_last_death ? death_to_json(row->service, row->instance, &row->last_death)
				    : json_null());
	take_over(json, row_times_to_json(row));
	return json;
}

static bool get_state(enum state *state, const json_t *json, struct error *err)
{
	const char *name = json_string_value(json_object_get(json, "state"));

	for (int i = STATE_SAME + 1; name && i < STATE_COUNT; i++) {
		if (strcmp(name, state_name((enum state)i)) != 0)
			continue;
		*state = (enum state)i;
		return true;
	}
	return error_set(err, 0, "a row with the unknown state '%s'", name ? name : "");
}

static bool get_last_death(struct row *row, const json_t *json, struct error *err)
{
	const json_t *death = json_object_get(json, "last_death");

	row->has_last_death = json_is_object(death);
	return !row->has_last_death || death_from_json(&row->last_death, death, err);
}

static void get_restarts(struct restart_counts *counts, const json_t *json)
{
	*counts = (struct restart_counts){
		.crash = get_small(json, "crash"),
		.manual = get_small(json, "manual"),
		.limit = get_small(json, "limit"),
		.probe = get_small(json, "probe"),
		.watch = get_small(json, "watch"),
	};
}

bool row_from_json(struct row *row, const json_t *json, struct error *err)
{
	const char *wanted = json_string_value(json_object_get(json, "wanted"));
	const char *pool = json_string_value(json_object_get(json, "pool"));

	*row = (struct row){
		.instance = get_small(json, "instance"),
		.wanted = wanted && strcmp(wanted, "up") == 0,
		.is_reloading = json_is_true(json_object_get(json, "reloading")),
		.is_getting_ready = json_is_true(json_object_get(json, "getting_ready")),
		.is_pool = pool != NULL,
		.is_draining = pool && strcmp(pool, "draining") == 0,
		.pid = get_pid(json),
		.life = get_small(json, "life"),
		.since_us = get_time(json, "since"),
		.started_us = get_time(json, "started"),
		.uptime_ms = get_count(json, "uptime_ms"),
		.deadline_us = get_time(json, "deadline"),
		.leftovers = get_small(json, "leftovers"),
		.ipc = traffic_from_json(json_object_get(json, "ipc")),
	};
	get_text(row->service, sizeof row->service, json, "service");
	if (!row->service[0] || figure_from_json(json, "instance") == SAMPLE_UNKNOWN)
		return error_set(err, 0, "a row without service or instance");
	get_namespaces(row, json_object_get(json, "namespaces"));
	get_text(row->detail, sizeof row->detail, json, "detail");
	get_restarts(&row->restarts, json_object_get(json, "restarts"));
	if (row->pid)
		sample_from_json(row, json);
	return get_state(&row->state, json, err) && get_last_death(row, json, err);
}
