#include "protocol/inside.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "protocol/value.h"

static json_t *text_or_null(const char *text)
{
	return *text ? text_to_json(text, strlen(text)) : json_null();
}

static void take_text(char *out, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(out, size, "%s", text ? text : "");
}

static int32_t take_number(const json_t *object, const char *key, int32_t otherwise)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;

	return number < 0 || number > INT32_MAX ? otherwise : (int32_t)number;
}

static json_t *number_or_null(int32_t number)
{
	return number > 0 ? json_integer(number) : json_null();
}

/* ---- sums ---- */

static json_t *loop_sum_to_json(const struct inside *inside)
{
	if (inside->utilisation < 0 && inside->lag_ms == UINT64_MAX)
		return json_null();
	return json_pack("{s:o,s:o,s:o}",
		"utilisation", fraction_to_json(inside->utilisation),
		"lag_ms", figure_to_json(inside->lag_ms),
		"worst_ms", figure_to_json(inside->worst_ms));
}

void inside_put(json_t *object, const struct inside *inside)
{
	json_object_set_new(object, "queue", figure_to_json(inside->queue));
	json_object_set_new(object, "busy", figure_to_json(inside->busy));
	json_object_set_new(object, "size", figure_to_json(inside->size));
	json_object_set_new(object, "loop", loop_sum_to_json(inside));
}

void inside_get(struct inside *inside, const json_t *object)
{
	const json_t *loop = json_object_get(object, "loop");

	*inside = (struct inside){
		.queue = figure_from_json(object, "queue"),
		.busy = figure_from_json(object, "busy"),
		.size = figure_from_json(object, "size"),
		.utilisation = rate_from_json(loop, "utilisation"),
		.lag_ms = figure_from_json(loop, "lag_ms"),
		.worst_ms = figure_from_json(loop, "worst_ms"),
	};
}

/* ---- loops ---- */

static json_t *loop_to_json(const void *item)
{
	const struct loop_report *loop = item;

	return json_pack("{s:o,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
		"tid", number_or_null(loop->tid),
		"main", (int)loop->is_main,
		"utilisation", fraction_to_json(loop->utilisation),
		"lag_ms", figure_to_json(loop->lag_ms),
		"worst_ms", figure_to_json(loop->worst_ms),
		"iterations", rate_to_json(loop->iterations),
		"handles", figure_to_json(loop->handles),
		"requests", figure_to_json(loop->requests),
		"undelivered", figure_to_json(loop->undelivered));
}

static void loop_from_json(void *item, const json_t *json)
{
	*(struct loop_report *)item = (struct loop_report){
		.tid = take_number(json, "tid", 0),
		.is_main = json_is_true(json_object_get(json, "main")),
		.utilisation = rate_from_json(json, "utilisation"),
		.iterations = rate_from_json(json, "iterations"),
		.lag_ms = figure_from_json(json, "lag_ms"),
		.worst_ms = figure_from_json(json, "worst_ms"),
		.handles = figure_from_json(json, "handles"),
		.requests = figure_from_json(json, "requests"),
		.undelivered = figure_from_json(json, "undelivered"),
	};
}

/* ---- pools ---- */

static json_t *kinds_to_json(const struct pool_report *pool)
{
	json_t *kinds = json_object();

	if (!pool->has_kinds) {
		json_decref(kinds);
		return json_null();
	}
	for (enum work_kind kind = 0; kind < WORK_KIND_COUNT; kind++)
		if (pool->by_kind[kind])
			json_object_set_new(kinds, work_kind_name(kind), figure_to_json(pool->by_kind[kind]));
	return kinds;
}

static json_t *pool_to_json(const void *item)
{
	const struct pool_report *pool = item;

	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:b,s:o}",
		"kind", pool_kind_name(pool->kind),
		"name", text_or_null(pool->name),
		"threads", figure_to_json(pool->threads),
		"busy", figure_to_json(pool->busy),
		"queued", figure_to_json(pool->queued),
		"by_kind", kinds_to_json(pool),
		"exact", (int)pool->is_exact,
		"reason", text_or_null(pool->reason));
}

static void kinds_from_json(struct pool_report *pool, const json_t *kinds)
{
	pool->has_kinds = json_is_object(kinds);
	for (enum work_kind kind = 0; kind < WORK_KIND_COUNT; kind++) {
		uint64_t count = figure_from_json(kinds, work_kind_name(kind));
		pool->by_kind[kind] = count == UINT64_MAX ? 0 : count;
	}
}

static void pool_from_json(void *item, const json_t *json)
{
	struct pool_report *pool = item;
	const char *kind = json_string_value(json_object_get(json, "kind"));

	*pool = (struct pool_report){
		.kind = kind && strcmp(kind, pool_kind_name(POOL_THRUM)) == 0 ? POOL_THRUM : POOL_LIBUV,
		.threads = figure_from_json(json, "threads"),
		.busy = figure_from_json(json, "busy"),
		.queued = figure_from_json(json, "queued"),
		.is_exact = json_is_true(json_object_get(json, "exact")),
	};
	take_text(pool->name, sizeof pool->name, json, "name");
	take_text(pool->reason, sizeof pool->reason, json, "reason");
	kinds_from_json(pool, json_object_get(json, "by_kind"));
}

static json_t *times_to_json(const double times[3])
{
	return json_pack("{s:o,s:o,s:o}", "p50", fraction_to_json(times[0]), "p95", fraction_to_json(times[1]), "p99",
		fraction_to_json(times[2]));
}

json_t *thread_pool_to_json(const struct thread_pool *pool)
{
	json_t *histogram = json_array();

	for (size_t i = 0; i < pool->bucket_count; i++)
		json_array_append_new(histogram,
			json_pack("{s:f,s:I,s:I}", "below_ms", pool->buckets[i].below_ms, "waits",
				(json_int_t)pool->buckets[i].waits, "runs", (json_int_t)pool->buckets[i].runs));
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:o}",
		"name", text_or_null(pool->name),
		"threads", figure_to_json(pool->threads),
		"target", figure_to_json(pool->target),
		"queue_max", figure_to_json(pool->queue_max),
		"busy", figure_to_json(pool->busy),
		"queued", figure_to_json(pool->queued),
		"submitted", figure_to_json(pool->submitted),
		"completed", figure_to_json(pool->completed),
		"failed", figure_to_json(pool->failed),
		"cancelled", figure_to_json(pool->cancelled),
		"draining", (int)pool->is_closed,
		"wait_ms", times_to_json(pool->wait_ms),
		"run_ms", times_to_json(pool->run_ms),
		"histogram", histogram);
}

/* ---- threads ---- */

static json_t *thread_to_json(const void *item)
{
	const struct thread_report *thread = item;
	char state[2] = { thread->state, '\0' };

	return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
		"tid", (int)thread->tid,
		"name", text_or_null(thread->name),
		"role", text_or_null(thread->role),
		"state", text_or_null(state),
		"cpu_pct", rate_to_json(thread->cpu_pct),
		"cpu_ms", figure_to_json(thread->cpu_ms),
		"run_wait_ms", figure_to_json(thread->run_wait_ms),
		"switches", figure_to_json(thread->switches),
		"switch_rate", rate_to_json(thread->switch_rate),
		"last_cpu", thread->last_cpu < 0 ? json_null() : json_integer(thread->last_cpu),
		"wchan", text_or_null(thread->wchan),
		"syscall", text_or_null(thread->syscall));
}

static void thread_from_json(void *item, const json_t *json)
{
	struct thread_report *thread = item;
	const char *state = json_string_value(json_object_get(json, "state"));

	*thread = (struct thread_report){
		.tid = take_number(json, "tid", 0),
		.state = state ? state[0] : '\0',
		.cpu_pct = rate_from_json(json, "cpu_pct"),
		.cpu_ms = figure_from_json(json, "cpu_ms"),
		.run_wait_ms = figure_from_json(json, "run_wait_ms"),
		.switches = figure_from_json(json, "switches"),
		.switch_rate = rate_from_json(json, "switch_rate"),
		.last_cpu = take_number(json, "last_cpu", -1),
	};
	take_text(thread->name, sizeof thread->name, json, "name");
	take_text(thread->role, sizeof thread->role, json, "role");
	take_text(thread->wchan, sizeof thread->wchan, json, "wchan");
	take_text(thread->syscall, sizeof thread->syscall, json, "syscall");
}

/* ---- peers ---- */

json_t *peer_to_json(const void *item)
{
	const struct peer_report *peer = item;
	const char *direction = peer->is_listening ? "listen" : peer->reads && peer->writes ? "both"
							: peer->reads                       ? "in"
											    : "out";

	return json_pack("{s:s,s:i,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
		"transport", peer_transport_name(peer->transport),
		"fd", (int)peer->fd,
		"direction", direction,
		"pid", number_or_null(peer->pid),
		"process", text_or_null(peer->process),
		"local", text_or_null(peer->local),
		"remote", text_or_null(peer->remote),
		"in_queued", figure_to_json(peer->in_queued),
		"out_queued", figure_to_json(peer->out_queued),
		"in_bytes", figure_to_json(peer->in_bytes),
		"out_bytes", figure_to_json(peer->out_bytes),
		"in_rate", rate_to_json(peer->in_rate),
		"out_rate", rate_to_json(peer->out_rate),
		"rtt_ms", fraction_to_json(peer->rtt_ms),
		"resent", figure_to_json(peer->resent),
		"resent_rate", rate_to_json(peer->resent_rate),
		"unanswered", figure_to_json(peer->unanswered));
}

static enum peer_transport transport_from_json(const json_t *json)
{
	const char *name = json_string_value(json_object_get(json, "transport"));

	for (enum peer_transport i = 0; name && i < PEER_TRANSPORT_COUNT; i++)
		if (strcmp(name, peer_transport_name(i)) == 0)
			return i;
	return PEER_UNIX;
}

void peer_from_json(void *item, const json_t *json)
{
	struct peer_report *peer = item;
	const char *direction = json_string_value(json_object_get(json, "direction"));

	if (!direction)
		direction = "both";
	*peer = (struct peer_report){
		.transport = transport_from_json(json),
		.fd = take_number(json, "fd", -1),
		.is_listening = strcmp(direction, "listen") == 0,
		.reads = strcmp(direction, "out") != 0,
		.writes = strcmp(direction, "in") != 0,
		.pid = take_number(json, "pid", 0),
		.in_queued = figure_from_json(json, "in_queued"),
		.out_queued = figure_from_json(json, "out_queued"),
		.in_bytes = figure_from_json(json, "in_bytes"),
		.out_bytes = figure_from_json(json, "out_bytes"),
		.in_rate = rate_from_json(json, "in_rate"),
		.out_rate = rate_from_json(json, "out_rate"),
		.rtt_ms = rate_from_json(json, "rtt_ms"),
		.resent = figure_from_json(json, "resent"),
		.resent_rate = rate_from_json(json, "resent_rate"),
		.unanswered = figure_from_json(json, "unanswered"),
	};
	take_text(peer->process, sizeof peer->process, json, "process");
	take_text(peer->local, sizeof peer->local, json, "local");
	take_text(peer->remote, sizeof peer->remote, json, "remote");
}

/* ---- growth ---- */

static json_t *growth_to_json(const void *item)
{
	const struct growth *growth = item;
	const struct slope *slope = &growth->slope;

	return json_pack("{s:s,s:f,s:f,s:f,s:f,s:o,s:o,s:o,s:o}",
		"figure", growth_figure_name(growth->figure),
		"per_s", slope->per_s,
		"low_per_s", slope->low_per_s,
		"high_per_s", slope->high_per_s,
		"over_s", slope->span_s,
		"now", figure_to_json(growth->now),
		"most", figure_to_json(growth->ceiling.most),
		"most_of", text_or_null(growth->ceiling.of),
		"left_ms", figure_to_json(growth->left_ms));
}

static void growth_from_json(void *item, const json_t *json)
{
	struct growth *growth = item;
	const char *name = json_string_value(json_object_get(json, "figure"));

	*growth = (struct growth){
		.slope = { json_number_value(json_object_get(json, "per_s")), json_number_value(json_object_get(json, "low_per_s")),
			json_number_value(json_object_get(json, "high_per_s")), json_number_value(json_object_get(json, "over_s")) },
		.now = figure_from_json(json, "now"),
		.ceiling.most = figure_from_json(json, "most"),
		.left_ms = figure_from_json(json, "left_ms"),
	};
	for (enum growth_figure i = 0; name && i < GROWTH_FIGURES; i++)
		if (strcmp(name, growth_figure_name(i)) == 0)
			growth->figure = i;
	take_text(growth->ceiling.of, sizeof growth->ceiling.of, json, "most_of");
}

static void growths_from_json(struct study *study, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list) && study->growth_count < GROWTH_FIGURES; i++)
		growth_from_json(&study->growths[study->growth_count++], json_array_get(list, i));
}

/* ---- what it holds ---- */

static json_t *memory_to_json(const struct study *study)
{
	const struct holding_memory *memory = &study->memory;

	if (!study->has_holdings)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o}", "rss", figure_to_json(memory->rss), "pss", figure_to_json(memory->pss), "own",
		figure_to_json(memory->own), "swap", figure_to_json(memory->swap));
}

static json_t *file_to_json(const void *item)
{
	const struct file_report *file = item;

	return json_pack("{s:i,s:s,s:o,s:o,s:o,s:o}", "fd", (int)file->fd, "kind", file->kind, "mode", text_or_null(file->mode),
		"position", figure_to_json(file->position), "size", figure_to_json(file->size), "name", text_or_null(file->name));
}

static void file_from_json(void *item, const json_t *json)
{
	struct file_report *file = item;

	*file = (struct file_report){ .fd = take_number(json, "fd", -1),
		.position = figure_from_json(json, "position"),
		.size = figure_from_json(json, "size") };
	take_text(file->kind, sizeof file->kind, json, "kind");
	take_text(file->mode, sizeof file->mode, json, "mode");
	take_text(file->name, sizeof file->name, json, "name");
}

static json_t *list_to_json(const void *items, size_t count, size_t size, json_t *(*to_json)(const void *item));
static void *list_from_json(size_t *count, size_t most, const json_t *list, size_t size,
	void (*from_json)(void *item, const json_t *json));

static void holdings_to_json(json_t *json, const struct study *study)
{
	json_object_set_new(json, "memory", memory_to_json(study));
	json_object_set_new(json, "files",
		study->has_holdings ? list_to_json(study->files, study->file_count, sizeof *study->files, file_to_json) : json_null());
	json_object_set_new(json, "files_left_out", json_integer((json_int_t)study->files_left_out));
}

static void holdings_from_json(struct study *study, const json_t *json)
{
	const json_t *memory = json_object_get(json, "memory");

	study->has_holdings = json_is_object(memory);
	study->memory = (struct holding_memory){ figure_from_json(memory, "rss"), figure_from_json(memory, "pss"),
		figure_from_json(memory, "own"), figure_from_json(memory, "swap") };
	study->files = list_from_json(&study->file_count, INSIDE_FILES_MOST, json_object_get(json, "files"), sizeof *study->files,
		file_from_json);
	study->files_left_out = (size_t)json_integer_value(json_object_get(json, "files_left_out"));
}

/* ---- all of it ---- */

static json_t *list_to_json(const void *items, size_t count, size_t size, json_t *(*to_json)(const void *item))
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, to_json((const char *)items + i * size));
	return list;
}

json_t *study_to_json(const struct study *study)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < study->finding_count; i++)
		json_array_append_new(findings, text_to_json(study->findings[i], strlen(study->findings[i])));
	json_t *json = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
		"pid", number_or_null(study->pid),
		"process", text_or_null(study->process),
		"threads", list_to_json(study->threads, study->thread_count, sizeof *study->threads, thread_to_json),
		"loops", list_to_json(study->loops, study->loop_count, sizeof *study->loops, loop_to_json),
		"pools", list_to_json(study->pools, study->pool_count, sizeof *study->pools, pool_to_json),
		"peers", list_to_json(study->peers, study->peer_count, sizeof *study->peers, peer_to_json),
		"growth", list_to_json(study->growths, study->growth_count, sizeof *study->growths, growth_to_json),
		"findings", findings);
	holdings_to_json(json, study);
	inside_put(json, &study->inside);
	return json;
}

static void *list_from_json(size_t *count, size_t most, const json_t *list, size_t size,
	void (*from_json)(void *item, const json_t *json))
{
	size_t there = json_array_size(list);

	*count = there > most ? most : there;
	char *items = *count ? memory_zeroed(*count, size) : NULL;
	for (size_t i = 0; i < *count; i++)
		from_json(items + i * size, json_array_get(list, i));
	return items;
}

void study_from_json(struct study *study, const json_t *json)
{
	const json_t *findings = json_object_get(json, "findings");
	const char *sentence;

	*study = (struct study){ .pid = take_number(json, "pid", 0) };
	take_text(study->process, sizeof study->process, json, "process");
	inside_get(&study->inside, json);
	study->loops = list_from_json(&study->loop_count, INSIDE_LOOPS_MOST, json_object_get(json, "loops"),
		sizeof *study->loops, loop_from_json);
	study->pools = list_from_json(&study->pool_count, INSIDE_POOLS_MOST, json_object_get(json, "pools"),
		sizeof *study->pools, pool_from_json);
	study->threads = list_from_json(&study->thread_count, INSIDE_THREADS_MOST,
		json_object_get(json, "threads"), sizeof *study->threads, thread_from_json);
	study->peers = list_from_json(&study->peer_count, INSIDE_PEERS_MOST, json_object_get(json, "peers"),
		sizeof *study->peers, peer_from_json);
	holdings_from_json(study, json);
	growths_from_json(study, json_object_get(json, "growth"));
	for (size_t i = 0; i < json_array_size(findings); i++)
		if ((sentence = json_string_value(json_array_get(findings, i))))
			study_find(study, "%s", sentence);
}
