#include "server/method.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/load.h"
#include "config/print.h"
#include "engine/apply.h"
#include "engine/attendant.h"
#include "engine/channel.h"
#include "engine/child.h"
#include "engine/environment.h"
#include "engine/leftovers.h"
#include "engine/output.h"
#include "engine/pool.h"
#include "engine/reload.h"
#include "engine/report.h"
#include "protocol/base64.h"
#include "protocol/chunk.h"
#include "protocol/inside.h"
#include "protocol/method.h"
#include "protocol/value.h"
#include "server/call.h"
#include "server/kept.h"
#include "server/mail.h"
#include "server/past.h"
#include "server/remains.h"
#include "server/staging.h"
#include "server/stack.h"
#include "server/tasks.h"
#include "server/threads.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

enum {
	NOTICES_FIRST = 256, /* of `subscribe`, unless it asks for more */
};

/* ---- what is sent ---- */

static uint64_t wall_of(uint64_t monotonic_ms)
{
	int64_t ahead_ms = (int64_t)(monotonic_ms - clock_monotonic_ms());

	return monotonic_ms ? clock_wall_us() + (uint64_t)(ahead_ms * 1000) : 0;
}

struct traffic traffic_of_member(const struct member *member)
{
	struct channel_counts counts;

	channel_count(member, &counts);
	struct traffic ipc = { member->channel != NULL, counts.in, counts.out, counts.in_bytes,
		counts.out_bytes, counts.queued, counts.errors, -1, -1, counts.connections, { 0 } };
	channel_rates(member, &ipc.in_rate, &ipc.out_rate);
	report_metrics(member, &ipc.metrics);
	return ipc;
}

void row_of_member(struct row *row, const struct member *member)
{
	const struct instance *now = &member->now;

	*row = (struct row){
		.instance = now->index,
		.state = now->state,
		.wanted = now->wanted,
		.is_getting_ready = now->pid && now->gates,
		.is_reloading = now->is_to_reload || now->is_spare,
		.is_pool = member_spec(member)->pool.is_pool,
		.is_draining = pool_is_draining(member),
		.pid = now->pid,
		.life = now->life,
		.since_us = now->since_us,
		.started_us = now->pid ? now->started_us : 0,
		.uptime_ms = now->pid ? clock_monotonic_ms() - now->started_ms : 0,
		.deadline_us = wall_of(now->state == STATE_SCHEDULED ? now->due_ms : now->deadline_ms),
		.leftovers = member->leftovers,
		.restarts = now->restarts,
		.has_last_death = now->has_death,
		.last_death = now->death,
	};
	memcpy(row->service, now->service, sizeof row->service);
	for (size_t i = 0; i < member_spec(member)->namespaces.count; i++)
		row_add_namespace(row, member_spec(member)->namespaces.items[i]);
	snprintf(row->detail, sizeof row->detail, "%s", *now->detail ? now->detail : member->status ? member->status
												    : "");
	if (now->pid && member->sample.pid == now->pid)
		row->sample = member->sample;
	row->ipc = traffic_of_member(member);
}

json_t *member_to_json(const struct member *member)
{
	struct row row;

	row_of_member(&row, member);
	return row_to_json(&row);
}

json_t *member_name(const struct member *member)
{
	return json_pack(
		"{s:s,s:i}", "service", member->now.service, "instance", (int)member->now.index);
}

/* ---- acting ---- */

/* What has to be there first is started too, unless it is, or has done its work. Each once. */
static void start_dependencies(struct engine *engine, const struct service *service, bool resumes, bool *seen)
{
	for (size_t i = 0; i < service->spec->depends_count; i++) {
		struct service *on =
			project_find(&engine->project, service->spec->depends_on[i].service);
		size_t place = on ? (size_t)(on - engine->project.services) : 0;
		if (!on || on->spec->disabled || seen[place])
			continue;
		seen[place] = true;
		start_dependencies(engine, on, resumes, seen);
		for (size_t k = 0; k < on->count; k++) {
			enum state state = on->instances[k]->state;
			bool is_left_alone = resumes && on->instances[k]->is_recalled;
			if (!is_left_alone && (state == STATE_STOPPED || state == STATE_SKIPPED))
				engine_report(engine, member_of(on->instances[k]), EVENT_START);
		}
	}
}

/* A project is started, and not what rests in it as in a former run that was cut off. */
static bool resumes(const struct call *call)
{
	return json_is_true(json_object_get(call->params, "resume"));
}

/* When all is started: who is disabled is not meant, nor who rests while a project begins. */
static void leave_alone(const struct call *call, struct selection *selection)
{
	size_t count = selection->count;

	selection->count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct instance *now = &selection->items[i]->now;
		if (now->state != STATE_DISABLED && !(now->is_recalled && resumes(call)))
			selection->items[selection->count++] = selection->items[i];
	}
}

static json_t *act(struct call *call, enum event event)
{
	static struct selection selection;

	if (!call_select(call, &selection, false))
		return NULL;
	if (call->engine->store->is_ending && event == EVENT_START)
		return call_refuse(call, PROTOCOL_REFUSED, "the project is being stopped");
	if (event == EVENT_START && !selection.is_by_name)
		leave_alone(call, &selection);
	json_t *result = call_names(&selection);
	uint32_t seats[STORE_SEATS];
	bool *seen = memory_zeroed(call->engine->project.count + 1, sizeof *seen);
	for (size_t i = 0; i < selection.count; i++)
		seats[i] = selection.items[i]->seat;
	for (size_t i = 0; i < selection.count; i++) {
		struct member *member = call->engine->members[seats[i]];
		if (!member)
			continue;
		if (event == EVENT_START && !json_is_true(json_object_get(call->params, "no_deps")))
			start_dependencies(call->engine, member_service(member), resumes(call), seen);
		engine_report(call->engine, member, event);
	}
	free(seen);
	return result;
}

static json_t *do_start(struct call *call)
{
	return act(call, EVENT_START);
}

static json_t *do_stop(struct call *call)
{
	return act(call, EVENT_STOP);
}

static json_t *do_restart(struct call *call)
{
	return act(call, EVENT_RESTART);
}

/* Whole services: of an instance that is named, its service. */
static json_t *do_reload(struct call *call)
{
	static struct selection selection;
	struct error err = { 0 };
	unsigned begun = 0;

	if (!call_select(call, &selection, false))
		return NULL;
	if (call->engine->store->is_ending)
		return call_refuse(call, PROTOCOL_REFUSED, "the project is being stopped");
	json_t *result = call_names(&selection);
	for (size_t i = 0; i < selection.count; i++) {
		struct service *service = member_service(selection.items[i]);
		if (i == 0 || service != member_service(selection.items[i - 1]))
			begun += reload_begin(call->engine, service, &err);
	}
	if (begun)
		return result;
	json_decref(result);
	return call_refuse(call, PROTOCOL_REFUSED, "%s", err.text[0] ? err.text : "nothing is meant");
}

static json_t *do_kill(struct call *call)
{
	return act(call, EVENT_KILL);
}

static bool signal_member(struct call *call, struct member *member, int number, bool is_tree)
{
	struct engine *engine = call->engine;

	if (!member->now.pid || member->life < 0)
		return false;
	if (is_tree)
		leftovers_signal(engine, member, number);
	return child_signal(&engine->keeper, &engine->store->lives[member->life], number, false);
}

static json_t *do_signal(struct call *call)
{
	static struct selection selection;
	const char *name = json_string_value(json_object_get(call->params, "signal"));
	bool is_tree = json_is_true(json_object_get(call->params, "tree"));
	int number = name ? signal_number(name) : 0;

	if (!number)
		return call_refuse(
			call, PROTOCOL_INVALID_PARAMS, "signal: '%.40s' is none", name ? name : "");
	if (!call_select(call, &selection, false))
		return NULL;
	json_t *list = json_array();
	for (size_t i = 0; i < selection.count; i++)
		if (signal_member(call, selection.items[i], number, is_tree))
			json_array_append_new(list, member_name(selection.items[i]));
	if (json_array_size(list))
		return json_pack("{s:o}", "instances", list);
	json_decref(list);
	return call_refuse(call, PROTOCOL_REFUSED, "none of these has a process now");
}

static json_t *do_scale(struct call *call)
{
	const char *name;
	json_int_t count = -1, delta = 0;

	if (json_object_get(call->params, "pool"))
		return threads_scale(call);
	if (json_unpack(call->params, "{s:s,s?I,s?I}", "name", &name, "count", &count, "delta",
		    &delta) < 0)
		return call_refuse(
			call, PROTOCOL_INVALID_PARAMS, "scale takes name, and count or delta");
	struct service *service = project_find(&call->engine->project, name);
	if (!service) {
		call_say_unknown(call, name);
		return NULL;
	}
	if (service->spec->is_leaving)
		return call_refuse(call, PROTOCOL_REFUSED, "%s is being taken out of the project", name);
	if (count < 0)
		count = (json_int_t)service->spec->instances + delta;
	if (count < 1 || count > SPEC_INSTANCES_MOST)
		return call_refuse(call, PROTOCOL_REFUSED,
			"%s: from 1 to %d instances; to have none: thrum stop %s", name,
			SPEC_INSTANCES_MOST, name);
	if (!engine_scale(call->engine, service, (unsigned)count, &call->err)) {
		call->err.code = PROTOCOL_REFUSED;
		return NULL;
	}
	return json_pack("{s:s,s:I}", "service", name, "instances", count);
}

static json_t *do_run(struct call *call)
{
	json_t *service = json_object_get(call->params, "service");
	struct service_spec spec;
	struct problems problems;

	if (!json_is_object(service))
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "run takes service, an object");
	if (call->engine->store->is_ending)
		return call_refuse(call, PROTOCOL_REFUSED, "the project is being stopped");
	char *text = json_dumps(service, JSON_COMPACT);
	problems_init(&problems);
	service_spec_init(&spec);
	bool ok = config_load_service(text, strlen(text), "run", &problems, &spec);
	if (!ok)
		problems_first(&problems, PROTOCOL_INVALID_PARAMS, &call->err);
	problems_finish(&problems);
	free(text);
	const char *name = ok ? engine_run(call->engine, &spec, &call->err) : NULL;
	service_spec_finish(&spec);
	return name ? json_pack("{s:s}", "service", name) : NULL;
}

static json_t *do_stage(struct call *call)
{
	json_t *text = json_object_get(call->params, "text");

	if (!json_is_string(text))
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "stage takes text, a string");
	bool ok = staging_add(call->session, json_string_value(text), json_string_length(text),
		json_is_true(json_object_get(call->params, "first")), &call->err);
	return ok ? json_object() : NULL;
}

static json_t *do_plan(struct call *call)
{
	struct project_spec *wanted = staging_read(call->session, &call->err);
	json_t *plan = wanted ? apply_plan(call->engine, wanted) : NULL;

	project_spec_destroy(wanted);
	return plan;
}

static json_t *do_apply(struct call *call)
{
	struct project_spec *wanted = staging_read(call->session, &call->err);
	json_t *plan = wanted ? apply_plan(call->engine, wanted) : NULL;

	if (!wanted || apply_spec(call->engine, wanted, &call->err))
		return plan;
	call->err.code = PROTOCOL_REFUSED;
	json_decref(plan);
	return NULL;
}

/* The keeper starts another one from the file of that name: as after any death, but with a farewell. */
static json_t *do_upgrade(struct call *call)
{
	session_reply(call->session, call->id, json_object());
	call->is_answered = true;
	engine_tell(call->engine, "the engine ends, and another one takes over");
	hall_end_engine(call->session->hall);
	return NULL;
}

static json_t *do_down(struct call *call)
{
	json_int_t timeout_ms = json_integer_value(json_object_get(call->params, "timeout_ms"));

	session_reply(call->session, call->id, json_object());
	call->is_answered = true;
	engine_end(call->engine, timeout_ms > 0 ? (uint32_t)timeout_ms : 0);
	return NULL;
}

/* ---- telling ---- */

static json_t *describe_project(struct engine *engine)
{
	const struct project_spec *spec = engine->project.spec;
	json_t *files = json_array();

	for (size_t i = 0; i < spec->files.count; i++)
		json_array_append_new(
			files, text_to_json(spec->files.items[i], strlen(spec->files.items[i])));
	char *program = keeper_link_program(), abi[ABI_TEXT_SIZE];
	store_describe_abi(abi);
	json_t *json = json_pack("{s:s,s:o,s:s,s:i,s:i,s:i,s:o,s:o,s:o,s:s,s:o,s:s,s:b}",
		"project", spec->name, "dir", text_to_json(spec->dir, strlen(spec->dir)),
		"version", PACKAGE_VERSION, "protocol", PROTOCOL_VERSION,
		"engine_pid", (int)getpid(), "keeper_pid", (int)engine->keeper.page->keeper_pid,
		"started", time_to_json(engine->keeper.page->started_us),
		"engine_started", time_to_json(engine->started_us), "files", files,
		"digest", spec->digest,
		"program", program ? text_to_json(program, strlen(program)) : json_null(),
		"abi", abi, "over", engine->is_over);

	free(program);
	return json;
}

static json_t *do_hello(struct call *call)
{
	struct session *session = call->session;

	if (json_is_true(json_object_get(call->params, "owner"))) {
		json_int_t linger = json_integer_value(json_object_get(call->params, "linger_ms"));
		session->is_owner = true;
		hall_owner_came(session->hall, linger > 0 ? (uint64_t)linger : 0);
	}
	return describe_project(call->engine);
}

static void append_row(void *context, struct member *member)
{
	json_array_append_new(context, member_to_json(member));
}

static uint64_t first_notice_since(const struct engine *engine, uint64_t since)
{
	uint64_t first = store_first_notice(engine->store);

	return since + 1 > first ? since + 1 : first;
}

static json_t *rows_of(struct engine *engine)
{
	json_t *rows = json_array();

	call_each_member(engine, append_row, rows);
	return rows;
}

static json_t *notices_since(struct engine *engine, uint64_t since)
{
	json_t *list = json_array();

	for (uint64_t seq = first_notice_since(engine, since); seq <= engine->store->notice_count; seq++)
		json_array_append_new(list, notice_to_json(store_notice(engine->store, seq)));
	return list;
}

static void send_row(void *context, struct member *member)
{
	session_notify(context, "update", member_to_json(member));
}

/* To who wants pieces: the same, in front of the reply. */
static void send_pieces(struct call *call, uint64_t since)
{
	struct engine *engine = call->engine;

	call_each_member(engine, send_row, call->session);
	for (uint64_t seq = first_notice_since(engine, since); seq <= engine->store->notice_count; seq++)
		session_notify(call->session, "event", notice_to_json(store_notice(engine->store, seq)));
}

static uint64_t since_of(struct call *call)
{
	json_t *since = json_object_get(call->params, "since");
	uint64_t count = call->engine->store->notice_count;

	if (json_is_integer(since) && json_integer_value(since) >= 0)
		return (uint64_t)json_integer_value(since);
	return count > NOTICES_FIRST ? count - NOTICES_FIRST : 0;
}

static json_t *do_subscribe(struct call *call)
{
	struct session *session = call->session;
	json_int_t sample_ms = json_integer_value(json_object_get(call->params, "sample_ms"));
	json_t *result = describe_project(call->engine);

	session->wants_pieces = json_is_true(json_object_get(call->params, "pieces"));
	session->knows_samples = false;
	if (session->wants_pieces)
		send_pieces(call, since_of(call));
	json_object_set_new(result, "instances", session->wants_pieces ? json_array() : rows_of(call->engine));
	json_object_set_new(result, "notices", session->wants_pieces ? json_array() : notices_since(call->engine, since_of(call)));
	json_object_set_new(
		result, "seq", json_integer((json_int_t)call->engine->store->notice_count));
	json_object_set_new(result, "over", json_boolean(call->engine->is_over));
	session->is_subscribed = true;
	session->wants_logs = json_is_true(json_object_get(call->params, "logs"));
	session->wants_samples = json_is_true(json_object_get(call->params, "samples"));
	session->sample_ms = sample_ms >= 100 ? (uint64_t)sample_ms : 1000;
	memset(session->told, 0, sizeof session->told);
	hall_arrange_sampling(session->hall);
	session_reply(session, call->id, result);
	call->is_answered = true;
	if (call->engine->is_over)
		session_notify(session, "bye", hall_bye(session->hall));
	return NULL;
}

json_t *method_list(struct session *session, json_t *params)
{
	static struct selection selection;
	struct call call = {
		.session = session, .engine = &session->hall->engine, .params = params
	};
	json_t *rows = json_array();

	if (call_select(&call, &selection, true))
		for (size_t i = 0; i < selection.count; i++)
			json_array_append_new(rows, member_to_json(selection.items[i]));
	return json_pack("{s:o}", "instances", rows);
}

static bool has_too_many(struct call *call)
{
	bool is_full = call->session->list_count == SESSION_LISTS_MOST;

	if (is_full)
		call_refuse(call, PROTOCOL_REFUSED, "too many of these are under way");
	return is_full;
}

/* It is answered once the next pass of the sampler is over. False: no thread can be had to look with. */
static bool wait_for_pass(struct call *call, json_t *(*answer)(struct session *session, json_t *params))
{
	struct session *session = call->session;
	uint64_t pass = engine_sample(call->engine);

	if (!pass)
		return false;
	session->lists[session->list_count++] =
		(struct waiting_list){ json_incref(call->id), json_incref(call->params), pass, answer };
	call->is_answered = true;
	return true;
}

static json_t *do_list(struct call *call)
{
	static struct selection selection;

	if (!call_select(call, &selection, true) || has_too_many(call))
		return NULL;
	return wait_for_pass(call, method_list) ? NULL : method_list(call->session, call->params);
}

/* Of the member that a request names; NULL: none has that name, or has a process. */
static struct member *find_studied(struct engine *engine, json_t *params)
{
	const char *service;
	int instance;

	if (json_unpack(params, "{s:s,s:i}", "service", &service, "instance", &instance) < 0)
		return NULL;
	struct member *member = engine_find(engine, service, (unsigned)instance);
	return member && member->now.pid ? member : NULL;
}

static void name_study(char out[KEPT_NAME_SIZE], const json_t *params)
{
	const char *service = json_string_value(json_object_get(params, "service"));

	snprintf(out, KEPT_NAME_SIZE, "inspect %s/%lld", service ? service : "",
		(long long)json_integer_value(json_object_get(params, "instance")));
}

json_t *method_inspect(struct session *session, json_t *params)
{
	struct member *member = find_studied(&session->hall->engine, params);

	if (!member || !member->study || member->study->pid != member->now.pid)
		return NULL;
	past_trace(session->hall->past, member);
	json_t *study = study_to_json(member->study);
	char what[KEPT_NAME_SIZE];
	name_study(what, params);
	kept_add(&session->hall->kept, what, clock_wall_us(), study);
	return study;
}

static json_t *inspect_then(struct call *call, uint64_t at_us)
{
	char what[KEPT_NAME_SIZE];

	name_study(what, call->params);
	json_t *study = kept_find(call->session->hall->kept, what, at_us);
	return study ? study : call_refuse(call, PROTOCOL_REFUSED, "not measured then: nobody looked into it");
}

static json_t *refuse_without_thread(struct call *call)
{
	return call_refuse(call, PROTOCOL_REFUSED, "no thread can be had to look with");
}

static json_t *do_inspect(struct call *call)
{
	struct member *member = find_studied(call->engine, call->params);
	uint64_t at_us = time_from_json(json_object_get(call->params, "at"));

	if (at_us)
		return inspect_then(call, at_us);
	if (!member)
		return call_refuse(call, PROTOCOL_REFUSED, "service and instance say whom to look into: none such has a process");
	if (has_too_many(call))
		return NULL;
	member->wants_study = true;
	member->wants_holdings = member->wants_holdings || json_is_true(json_object_get(call->params, "files"));
	return wait_for_pass(call, method_inspect) ? NULL : refuse_without_thread(call);
}

/* ---- who talks to whom ---- */

static void name_member(char *out, size_t size, const struct member *member)
{
	snprintf(out, size, "%s/%u", member->now.service, member->now.index);
}

/* A channel is held by the engine and by its keeper. */
static void name_other(char *out, size_t size, const struct engine *engine, const struct peer_report *peer)
{
	if (peer->pid == getpid() || (peer->pid && peer->pid == engine->keeper.page->keeper_pid))
		snprintf(out, size, "engine");
	else if (peer->pid)
		snprintf(out, size, "%s (%d)", peer->process, (int)peer->pid);
	else
		snprintf(out, size, "%s", *peer->remote ? peer->remote : peer->local);
}

/* Of those that are asked for, on either side. */
static json_t *chart_edge_to_json(const struct engine *engine, const struct selection *selection, const struct chart_edge *edge)
{
	const struct member *from = engine_find_pid(engine, edge->from), *to = engine_find_pid(engine, edge->to);
	struct map_edge told = { .peer = edge->peer, .is_inside = to };
	bool is_wanted = false;

	for (size_t i = 0; i < selection->count; i++)
		is_wanted = is_wanted || selection->items[i] == from || (to && selection->items[i] == to);
	if (!from || !is_wanted)
		return NULL;
	name_member(told.from, sizeof told.from, from);
	if (to)
		name_member(told.to, sizeof told.to, to);
	else if (!edge->peer.is_listening)
		name_other(told.to, sizeof told.to, engine, &edge->peer);
	return map_edge_to_json(&told);
}

json_t *method_map(struct session *session, json_t *params)
{
	static struct selection selection;
	struct engine *engine = &session->hall->engine;
	struct call call = { .session = session, .engine = engine, .params = params };
	json_t *edges = json_array(), *names = json_array();

	if (call_select(&call, &selection, true))
		for (size_t i = 0; i < engine->sampler.chart.count; i++) {
			json_t *edge = chart_edge_to_json(engine, &selection, &engine->sampler.chart.edges[i]);
			if (edge)
				json_array_append_new(edges, edge);
		}
	for (size_t i = 0; i < selection.count; i++)
		json_array_append_new(names, json_sprintf("%s/%u", selection.items[i]->now.service, selection.items[i]->now.index));
	return json_pack("{s:o,s:o}", "instances", names, "edges", edges);
}

static json_t *do_map(struct call *call)
{
	static struct selection selection;

	if (!call_select(call, &selection, true) || has_too_many(call))
		return NULL;
	call->engine->wants_chart = true;
	return wait_for_pass(call, method_map) ? NULL : refuse_without_thread(call);
}

struct history_filter {
	struct engine *engine;
	json_t *names;
};

static bool is_wanted(void *context, const char *service, unsigned instance)
{
	struct history_filter *filter = context;
	struct service *known = project_find(&filter->engine->project, service);
	/* one that is gone still has its name */
	struct service_spec spec = { .name = (char *)service };
	json_t *name;
	size_t i;

	json_array_foreach(filter->names, i,
		name) if (name_matches(json_string_value(name), known ? known->spec : &spec,
				  instance)) return true;
	return !json_array_size(filter->names);
}

static bool are_strings(json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (!json_is_string(item)) return false;
	return !list || json_is_array(list);
}

static json_t *do_history(struct call *call)
{
	struct history_filter filter = { call->engine, json_object_get(call->params, "names") };
	struct journal_query query = {
		.limit = deaths_asked_for(call->params),
		.since_us = time_from_json(json_object_get(call->params, "since")),
		.is_wanted = is_wanted,
		.context = &filter,
	};

	if (!are_strings(filter.names))
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "names is a list of strings");
	return json_pack("{s:o}", "deaths", journal_read(&call->engine->journal, &query));
}

/* One death with its record: what is not kept any more is null. */
static json_t *do_death(struct call *call)
{
	const char *service;
	int instance;
	json_int_t life;
	uint64_t started_us = time_from_json(json_object_get(call->params, "started"));
	struct death death;

	if (json_unpack(call->params, "{s:s,s:i,s:I}", "service", &service, "instance", &instance,
		    "life", &life) < 0)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS,
			"service, instance and life say which death");
	json_t *result = journal_find(&call->engine->journal, service, (unsigned)instance,
		(uint32_t)life, started_us);
	if (!result || !death_from_json(&death, result, &call->err)) {
		json_decref(result);
		return call_refuse(call, PROTOCOL_REFUSED, "the history has no end of life %d of %.64s/%d",
			(int)life, service, instance);
	}
	json_t *record =
		recorder_read(&call->engine->recorder, service, (unsigned)instance, &death);
	json_object_set(result, "lines", json_object_get(record, "lines"));
	json_object_set(result, "samples", json_object_get(record, "samples"));
	if (!record)
		json_object_update_new(result, json_pack("{s:n,s:n}", "lines", "samples"));
	json_decref(record);
	return result;
}

static json_t *do_events(struct call *call)
{
	return json_pack("{s:o,s:I}", "events", notices_since(call->engine, since_of(call)),
		"seq", (json_int_t)call->engine->store->notice_count);
}

/* ---- logs ---- */

/* As far as it went at a moment; 0: now. */
static json_t *describe_stream(const struct member *member, enum stream stream, uint64_t until_us)
{
	const struct logfile *log = &member->logs[stream];
	uint64_t end = until_us ? logfile_find_time(log, until_us + 1) : logfile_end(log);
	uint64_t run = member->engine->store->seats[member->seat].run_began[stream];

	return json_pack("{s:s,s:i,s:s,s:I,s:I,s:I,s:s}", "service", member->now.service,
		"instance", (int)member->now.index, "stream", stream_name(stream),
		"first", (json_int_t)logfile_first(log), "end", (json_int_t)end,
		"run", (json_int_t)run, "path", log->path);
}

static json_t *do_log_list(struct call *call)
{
	static struct selection selection;
	struct error err;
	json_t *list = json_array();
	uint64_t until_us = time_from_json(json_object_get(call->params, "until"));
	json_int_t most = json_integer_value(json_object_get(call->params, "most")), left_out = 0;

	if (!call_select(call, &selection, true)) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < selection.count; i++) {
		if (!member_open_logs(selection.items[i], &err))
			continue; /* said when it is started */
		for (enum stream k = 0; k < STREAM_COUNT; k++) {
			if (!selection.items[i]->logs[k].path)
				continue;
			if (most > 0 && json_array_size(list) >= (size_t)most)
				left_out++;
			else
				json_array_append_new(list, describe_stream(selection.items[i], k, until_us));
		}
	}
	return json_pack("{s:o,s:I}", "streams", list, "left_out", left_out);
}

/* The log that a request is about; its stream too. NULL: refused. */
static struct member *find_log(struct call *call, enum stream *stream)
{
	const char *service, *name;
	int instance;

	if (json_unpack(call->params, "{s:s,s:i,s:s}", "service", &service, "instance", &instance,
		    "stream", &name) < 0) {
		call_refuse(call, PROTOCOL_INVALID_PARAMS, "service, instance and stream say which log");
		return NULL;
	}
	struct member *member = engine_find(call->engine, service, (unsigned)instance);
	if (!member) {
		call_say_unknown(call, service);
		return NULL;
	}
	*stream = strcmp(name, "stderr") == 0 ? STREAM_ERR : STREAM_OUT;
	if (!member_open_logs(member, &call->err) || !member->logs[*stream].path) {
		call_refuse(call, PROTOCOL_REFUSED, "%s/%d has no log of %s", service, instance, name);
		return NULL;
	}
	return member;
}

struct reading {
	json_t *chunks;
	struct text *raw; /* NULL: the bytes are in the chunks */
};

static void append_chunk(void *context, const struct log_chunk *piece)
{
	const struct reading *reading = context;
	struct chunk chunk = { .offset = piece->offset,
		.time_us = piece->time_us,
		.pid = piece->pid,
		.bytes = piece->data,
		.size = piece->size,
		.is_final = piece->is_final };

	json_array_append_new(reading->chunks, reading->raw ? chunk_to_raw(&chunk, reading->raw) : chunk_to_json(&chunk));
}

static json_t *do_log_read(struct call *call)
{
	enum stream stream;
	struct member *member = find_log(call, &stream);
	json_int_t offset = json_integer_value(json_object_get(call->params, "offset"));
	json_int_t most = json_integer_value(json_object_get(call->params, "most"));

	if (!member)
		return NULL;
	const struct logfile *log = &member->logs[stream];
	struct text raw;
	bool is_raw = json_is_true(json_object_get(call->params, "raw"));
	struct reading reading = { json_array(), is_raw ? &raw : NULL };
	text_init(&raw, SESSION_QUEUE_MOST);
	uint64_t next = logfile_read(log, offset > 0 ? (uint64_t)offset : 0,
		most > 0 ? (size_t)most : SIZE_MAX, append_chunk, &reading);
	if (next == logfile_end(log))
		session_told_set(call->session, member, stream, false);
	hall_stay(call->session->hall);
	json_t *result = json_pack("{s:o,s:I,s:I,s:I}", "chunks", reading.chunks, "next", (json_int_t)next,
		"first", (json_int_t)logfile_first(log), "end", (json_int_t)logfile_end(log));
	if (!is_raw)
		return result;
	session_reply_raw(call->session, call->id, result, &raw);
	call->is_answered = true;
	return NULL;
}

static json_t *do_log_find(struct call *call)
{
	enum stream stream;
	struct member *member = find_log(call, &stream);
	json_t *lines = json_object_get(call->params, "lines");

	if (!member)
		return NULL;
	const struct logfile *log = &member->logs[stream];
	uint64_t offset = json_is_integer(lines)
				  ? logfile_find_lines(log, (uint64_t)json_integer_value(lines))
				  : logfile_find_time(log,
					    time_from_json(json_object_get(call->params, "since")));
	return json_pack("{s:I}", "offset", (json_int_t)offset);
}

/* How each probe of the running process stands; nothing of those that are not asked now. */
static json_t *describe_probes(const struct member *member)
{
	json_t *list = json_array();

	for (enum probe_role role = 0; member->attendant && role < PROBE_ROLE_COUNT; role++) {
		struct probe_report report;
		if (!member->attendant->probes[role])
			continue;
		probe_tell(member->attendant->probes[role], &report);
		json_array_append_new(list,
			json_pack("{s:s,s:s,s:o,s:i,s:i,s:o,s:o}", "role", probe_role_name(role), "kind",
				probe_kind_name(member_spec(member)->probes[role].kind), "well",
				report.was_asked ? json_boolean(report.is_well) : json_null(), "successes",
				(int)report.successes, "failures", (int)report.failures, "asked",
				time_to_json(report.asked_us), "said",
				text_to_json(report.said, strlen(report.said))));
	}
	return list;
}

static json_t *do_info(struct call *call)
{
	static struct selection selection;
	const char *name = json_string_value(json_object_get(call->params, "name"));
	struct text text;

	selection = (struct selection){ 0 };
	if (!name || !call_select_name(call, &selection, name) || !selection.count)
		return name && call->err.code
			       ? NULL
			       : call_refuse(call, PROTOCOL_INVALID_PARAMS, "info takes name");
	const struct member *member = selection.items[0];
	const struct service_spec *spec = member_spec(member);
	text_init(&text, PROTOCOL_LINE_MOST);
	config_print_service(&text, spec);
	json_t *service = json_loads(text_string(&text), 0, NULL);
	text_finish(&text);
	char *cgroup = leftovers_cgroup(call->engine, member);
	json_t *tree = cgroup ? text_to_json(cgroup, strlen(cgroup)) : json_null();
	free(cgroup);
	return json_pack("{s:o,s:o,s:o*,s:s?,s:o,s:o,s:o,s:o,s:o}", "row", member_to_json(member), "cgroup", tree, "service",
		service, "origin", spec->origin, "probes", describe_probes(member), "channel", mail_describe(member),
		"sockets", mail_describe_sockets(member), "log",
		member->logs[STREAM_OUT].path ? describe_stream(member, STREAM_OUT, 0) : json_null(),
		"log_err",
		member->logs[STREAM_ERR].path ? describe_stream(member, STREAM_ERR, 0) : json_null());
}

static json_t *do_env(struct call *call)
{
	static struct selection selection;
	const char *name = json_string_value(json_object_get(call->params, "name"));

	selection = (struct selection){ 0 };
	if (!name)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "env takes name");
	if (!call_select_name(call, &selection, name))
		return NULL;
	if (!selection.count)
		return call_refuse(call, PROTOCOL_NO_SUCH_SERVICE, "there is none");
	return environment_describe(call->engine, selection.items[0]);
}

/* ---- terminals ---- */

/* The terminal that a request is about. NULL: refused, with what to do about it. */
static struct terminal *find_terminal(struct call *call)
{
	const char *service;
	int instance;

	if (json_unpack(call->params, "{s:s,s:i}", "service", &service, "instance", &instance) < 0) {
		call_refuse(call, PROTOCOL_INVALID_PARAMS, "service and instance say which terminal");
		return NULL;
	}
	struct member *member = engine_find(call->engine, service, (unsigned)instance);
	if (!member) {
		call_say_unknown(call, service);
		return NULL;
	}
	struct terminal *terminal = output_terminal(call->engine, member);
	if (!terminal && !member_spec(member)->pty)
		call_refuse(call, PROTOCOL_REFUSED,
			"%s/%d has no terminal; `pty: true` in its configuration, or `thrum run --pty`, gives it one",
			service, instance);
	else if (!terminal)
		call_refuse(call, PROTOCOL_REFUSED,
			"%s/%d is %s: it has no process that could be typed to; `thrum start %s/%d` starts it",
			service, instance, state_name(member->now.state), service, instance);
	return terminal;
}

static json_t *type(struct call *call, struct terminal *terminal, const struct text *bytes)
{
	if (bytes->full)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "at most %d bytes can be typed at a time",
			PROTOCOL_TYPED_MOST);
	if (!terminal_type(terminal, text_string(bytes), bytes->size))
		return call_refuse(call, PROTOCOL_FULL,
			"it does not read what is typed: %zu bytes wait already, and %d may",
			terminal_waiting(terminal), PROTOCOL_TYPED_MOST);
	return json_pack("{s:I}", "waiting", (json_int_t)terminal_waiting(terminal));
}

static json_t *do_tty_write(struct call *call)
{
	json_t *encoded = json_object_get(call->params, "bytes"), *result = NULL;
	struct terminal *terminal = find_terminal(call);
	struct text bytes;

	if (!terminal)
		return NULL;
	text_init(&bytes, PROTOCOL_TYPED_MOST);
	if (json_is_string(encoded) && (base64_decode(&bytes, json_string_value(encoded),
						json_string_length(encoded)) ||
					       bytes.full))
		result = type(call, terminal, &bytes);
	else
		call_refuse(call, PROTOCOL_INVALID_PARAMS, "bytes is a string in base64");
	text_finish(&bytes);
	return result;
}

static json_t *do_tty_resize(struct call *call)
{
	int columns = 0, rows = 0;
	struct terminal *terminal = find_terminal(call);

	if (!terminal)
		return NULL;
	json_unpack(call->params, "{s:i,s:i}", "columns", &columns, "rows", &rows);
	if (columns < 1 || rows < 1 || columns > TERMINAL_SIZE_MOST || rows > TERMINAL_SIZE_MOST)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "columns and rows are from 1 to %d",
			TERMINAL_SIZE_MOST);
	if (!terminal_resize(terminal, (unsigned)columns, (unsigned)rows))
		return call_refuse(call, PROTOCOL_REFUSED, "it takes no size: %s", strerror(errno));
	return json_object();
}

static const struct {
	const char *name;
	json_t *(*perform)(struct call *call); /* a result; NULL: refused, or answered already */
} methods[] = {
	{ "apply", do_apply },
	{ "death", do_death },
	{ "cancel", tasks_cancel },
	{ "down", do_down },
	{ "drain", tasks_drain },
	{ "env", do_env },
	{ "events", do_events },
	{ "extend", remains_extend },
	{ "hello", do_hello },
	{ "history", do_history },
	{ "info", do_info },
	{ "inspect", do_inspect },
	{ "map", do_map },
	{ "ipc.watch", mail_watch },
	{ "kill", do_kill },
	{ "list", do_list },
	{ "log.find", do_log_find },
	{ "log.list", do_log_list },
	{ "log.read", do_log_read },
	{ "past", past_tell },
	{ "plan", do_plan },
	{ "pool", tasks_pool },
	{ "reload", do_reload },
	{ "remains", remains_tell },
	{ "restart", do_restart },
	{ "run", do_run },
	{ "scale", do_scale },
	{ "send", mail_send },
	{ "send.stream", mail_stream },
	{ "signal", do_signal },
	{ "stack", stack_tell },
	{ "stage", do_stage },
	{ "start", do_start },
	{ "stop", do_stop },
	{ "submit", tasks_submit },
	{ "subscribe", do_subscribe },
	{ "upgrade", do_upgrade },
	{ "trigger", mail_trigger },
	{ "tty.resize", do_tty_resize },
	{ "tty.write", do_tty_write },
};

static void perform(struct call *call, const char *name)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (strcmp(methods[i].name, name) != 0)
			continue;
		json_t *result = methods[i].perform(call);
		if (result)
			session_reply(call->session, call->id, result);
		else if (!call->is_answered)
			session_refuse(call->session, call->id, call->err.code, call->err.text);
		return;
	}
	call_refuse(call, PROTOCOL_METHOD_NOT_FOUND, "no such method: %.60s", name);
	session_refuse(call->session, call->id, call->err.code, call->err.text);
}

void method_call(struct session *session, json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "method"));
	json_t *id = json_object_get(request, "id"), *params = json_object_get(request, "params");
	struct call call = {
		.session = session,
		.engine = &session->hall->engine,
		.id = json_is_integer(id) || json_is_string(id) ? id : json_null(),
	};

	if (!name || (params && !json_is_object(params))) {
		session_refuse(session, call.id, PROTOCOL_INVALID_REQUEST,
			"a request has method, id, and params, an object");
		return;
	}
	call.params = params ? json_incref(params) : json_object();
	perform(&call, name);
	hall_tidy_later(session->hall);
	json_decref(call.params);
}
