#include "server/tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "engine/pool.h"
#include "protocol/method.h"
#include "protocol/value.h"
#include "server/kept.h"
#include "server/mail.h"
#include "server/threads.h"

enum {
	RESULTS_AT_ONCE = 256 * 1024, /* bytes of answers in one write … */
	RESULTS_WAITING = 512 * 1024, /* … and when no more are written until the client has read */
};

/* A session whose lines are tasks. */
struct tasks {
	struct submission *submission; /* NULL: it is over for this session */
	unsigned priority;
	uint32_t timeout_ms;
	bool is_paused;  /* the queue is full */
	bool is_refused; /* what comes is passed over until the end */
	bool has_ended;  /* no more tasks come */
};

static struct pool *find_pool(struct call *call, const char *name)
{
	struct service *service = name ? project_find(&call->engine->project, name) : NULL;
	struct pool *pool = service ? pool_of(call->engine, service) : NULL;

	if (!name)
		call_refuse(call, PROTOCOL_INVALID_PARAMS, "name: which pool?");
	else if (!service)
		call_say_unknown(call, name);
	else if (!pool)
		call_refuse(call, PROTOCOL_REFUSED, "%s is no pool; `pool: {size: 4}` in its configuration makes it one", name);
	return pool;
}

static unsigned read_priority(const json_t *params)
{
	json_t *value = json_object_get(params, "priority");
	json_int_t priority = json_is_integer(value) ? json_integer_value(value) : TASK_PRIORITY;

	return (unsigned)(priority < 0 ? 0 : priority >= TASK_PRIORITIES ? TASK_PRIORITIES - 1
									 : priority);
}

json_t *tasks_submit(struct call *call)
{
	struct pool *pool = find_pool(call, json_string_value(json_object_get(call->params, "name")));
	const char *id = json_string_value(json_object_get(call->params, "submission"));
	bool wants_results = json_is_true(json_object_get(call->params, "results"));
	json_int_t timeout = json_integer_value(json_object_get(call->params, "timeout_ms"));
	struct tasks *tasks;

	if (!pool)
		return NULL;
	if (!id)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "submit takes name, and submission: a name that no other has");
	struct submission *submission = pool_submit(pool, id, wants_results, &call->err);
	if (!submission) {
		call->err.code = call->err.code == EINVAL ? PROTOCOL_INVALID_PARAMS : PROTOCOL_REFUSED;
		return NULL;
	}
	if (submission->reader)
		return call_refuse(call, PROTOCOL_REFUSED, "submission '%s' has a client already", id);
	tasks = memory_zeroed(1, sizeof *tasks);
	*tasks = (struct tasks){ .submission = submission,
		.priority = read_priority(call->params),
		.timeout_ms = timeout > 0 && timeout < UINT32_MAX ? (uint32_t)timeout : 0 };
	submission->reader = call->session;
	call->session->tasks = tasks;
	return json_pack("{s:s,s:I,s:I,s:b}", "submission", submission->id, "accepted", (json_int_t)submission->accepted, "answered",
		(json_int_t)submission->answered, "ended", submission->is_ended);
}

static void leave(struct session *session)
{
	free(session->tasks);
	session->tasks = NULL;
}

/* How it went; the session's lines are requests again. */
static void say_submitted(struct session *session, const char *error)
{
	const struct submission *submission = session->tasks->submission;

	session_notify(session, "submitted",
		json_pack("{s:I,s:I,s:I,s:b,s:s*}", "accepted", (json_int_t)submission->accepted, "answered",
			(json_int_t)submission->answered, "failed", (json_int_t)submission->failed, "incomplete",
			submission->is_overfull, "error", error));
}

/* Answers that wait, as many as it reads; and that all are there. */
static void push(struct session *session)
{
	struct submission *submission = session->tasks->submission;

	while (submission->told < submission->results.size && session_waiting(session) < RESULTS_WAITING) {
		size_t rest = submission->results.size - submission->told;
		const char *from = submission->results.data + submission->told;
		size_t size = rest < RESULTS_AT_ONCE ? rest : RESULTS_AT_ONCE;
		if (size < rest) {
			const char *end = memrchr(from, '\n', size);
			size = end ? (size_t)(end + 1 - from) : (size_t)((const char *)memchr(from, '\n', rest) + 1 - from);
		}
		session_write(session, from, size);
		if (!session->tasks)
			return; /* it was closed */
		pool_told(submission, size);
	}
	bool is_told = submission->told == submission->results.size;
	if (!submission->is_ended || !is_told || submission->answered < submission->accepted)
		return;
	say_submitted(session, NULL);
	if (!session->tasks)
		return;
	leave(session);
	pool_forget(submission);
}

/* Who wants no answers is told that its tasks are taken when they are written down, or cannot be. */
static void confirm(struct session *session, bool is_kept)
{
	struct submission *submission = session->tasks->submission;

	say_submitted(session, is_kept ? NULL : "they may be lost, for they cannot be kept: the disk takes no more");
	if (!session->tasks)
		return; /* it was closed */
	submission->is_told = true;
	tasks_left(session);
	session_go_on(session);
}

void tasks_caught_up(struct session *session)
{
	if (session->tasks && session->tasks->submission->wants_results)
		push(session);
}

/* What goes on in here is written down the next time. */
void tasks_on_pool(void *context, struct pool *pool)
{
	struct hall *hall = context;
	bool is_kept = pool_is_kept(pool);

	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next;
		struct tasks *tasks = session->tasks;
		if (!tasks || tasks->submission->pool != pool)
			continue;
		if (tasks->submission->wants_results)
			push(session);
		else if (tasks->has_ended)
			confirm(session, is_kept);
		tasks = session->tasks;
		if (tasks && tasks->is_paused && task_pool_has_room(&pool->tasks)) {
			tasks->is_paused = false;
			session_go_on(session);
		}
	}
}

/* What it has sent is run; what follows is passed over until the end. */
static void refuse(struct session *session, const char *why)
{
	say_submitted(session, why);
	if (session->tasks)
		session->tasks->is_refused = true;
}

static void end(struct session *session)
{
	struct submission *submission = session->tasks->submission;

	session->tasks->has_ended = true;
	pool_end_submission(submission);
	if (!session->tasks->is_refused)
		return; /* `submitted` follows the last answer, or the writing */
	submission->is_told = !submission->wants_results;
	tasks_left(session);
}

bool tasks_take_line(struct session *session, const char *line, size_t size)
{
	struct tasks *tasks = session->tasks;
	struct message message;
	struct error err;
	char why[200], excerpt[60];

	if (size == 0) {
		end(session);
		return !session->tasks || tasks->submission->wants_results; /* else it goes on soon */
	}
	if (tasks->is_refused)
		return true;
	if (!message_scan(&message, line, size)) {
		utf8_excerpt(excerpt, sizeof excerpt, line, size);
		snprintf(why, sizeof why, "it is no JSON, or too deep: '%s'", excerpt);
		refuse(session, why);
	} else if (!pool_add(tasks->submission, message.whole, tasks->priority, tasks->timeout_ms, &err)) {
		refuse(session, err.text);
	} else {
		tasks->is_paused = !task_pool_has_room(&tasks->submission->pool->tasks);
	}
	return !session->tasks || !tasks->is_paused;
}

void tasks_left(struct session *session)
{
	struct tasks *tasks = session->tasks;

	if (!tasks)
		return;
	pool_lose(tasks->submission);
	leave(session);
}

/* ---- how it is ---- */

static json_t *describe_times(const struct histogram *histogram)
{
	if (!histogram->count)
		return json_pack("{s:n,s:n,s:n}", "p50", "p95", "p99");
	return json_pack("{s:f,s:f,s:f}", "p50", (double)histogram_quantile(histogram, 0.5) / 1e3, "p95",
		(double)histogram_quantile(histogram, 0.95) / 1e3, "p99", (double)histogram_quantile(histogram, 0.99) / 1e3);
}

static json_t *describe_worker(const struct member *member, const struct task_pool *tasks)
{
	const struct task_worker *worker = member->seat < tasks->seat_count ? &tasks->workers[member->seat] : NULL;
	const struct task *task = worker ? worker->tasks.first : NULL;
	uint64_t now_us = uv_hrtime() / 1000;

	return json_pack("{s:i,s:s,s:i,s:o,s:o,s:I,s:I}", "instance", (int)member->now.index, "state", state_name(member->now.state),
		"running", worker ? (int)worker->running : 0, "task", task ? json_integer((json_int_t)task->id) : json_null(), "since_ms",
		task ? json_integer((json_int_t)(now_us - task->started_us) / 1000) : json_null(), "completed",
		(json_int_t)(worker ? worker->completed : 0), "failed", (json_int_t)(worker ? worker->failed : 0));
}

static json_t *describe_submissions(const struct pool *pool)
{
	json_t *list = json_array();

	for (const struct submission *submission = pool->submissions; submission; submission = submission->next)
		json_array_append_new(list,
			json_pack("{s:s,s:I,s:I,s:I,s:b,s:b}", "submission", submission->id, "accepted", (json_int_t)submission->accepted,
				"answered", (json_int_t)submission->answered, "failed", (json_int_t)submission->failed, "ended",
				submission->is_ended, "waited_for", submission->reader != NULL));
	return list;
}

static struct pool *pool_of_name(struct call *call, const char *name)
{
	struct service *service = name ? project_find(&call->engine->project, name) : NULL;

	return service && service->spec->pool.is_pool ? find_pool(call, name) : NULL;
}

static json_t *describe_pool(struct call *call)
{
	const char *name = json_string_value(json_object_get(call->params, "name"));
	struct pool *pool = pool_of_name(call, name);

	if (!name)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "pool takes a name");
	if (!pool)
		return call->err.code ? NULL : threads_describe(call, name);
	json_t *workers = json_array();
	const struct task_pool *tasks = &pool->tasks;
	struct service *service = project_find(&call->engine->project, pool->service);
	for (size_t i = 0; i < service->count; i++)
		json_array_append_new(workers, describe_worker(member_of(service->instances[i]), tasks));
	return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:o,s:o,s:o,s:o,s:o}",
		"name", pool->service, "kind", "process", "size", (json_int_t)tasks->worker_count,
		"target", (json_int_t)service->spec->instances, "concurrency",
		(json_int_t)tasks->limits.concurrency, "busy", (json_int_t)tasks->running, "queued", (json_int_t)tasks->queued, "submitted",
		(json_int_t)tasks->submitted, "started", (json_int_t)tasks->started, "completed", (json_int_t)tasks->completed, "failed",
		(json_int_t)tasks->failed, "retried", (json_int_t)tasks->retried, "draining", tasks->is_draining, "wait_ms",
		describe_times(&tasks->waits), "run_ms", describe_times(&tasks->runs), "workers", workers,
		"submissions", describe_submissions(pool), "thread_pools", threads_list(call, name));
}

/* How it is, or how it was at a moment when somebody looked. */
json_t *tasks_pool(struct call *call)
{
	const char *name = json_string_value(json_object_get(call->params, "name"));
	uint64_t at_us = time_from_json(json_object_get(call->params, "at"));
	struct hall *hall = call->session->hall;
	char what[KEPT_NAME_SIZE];

	snprintf(what, sizeof what, "pool %s", name ? name : "");
	json_t *pool = at_us ? kept_find(hall->kept, what, at_us) : describe_pool(call);
	if (at_us && !pool)
		return call_refuse(call, PROTOCOL_REFUSED, "not measured then: nobody looked at it");
	if (pool && !at_us)
		kept_add(&hall->kept, what, clock_wall_us(), pool);
	return pool;
}

json_t *tasks_drain(struct call *call)
{
	if (json_object_get(call->params, "pool"))
		return threads_drain(call);
	struct pool *pool = find_pool(call, json_string_value(json_object_get(call->params, "name")));
	if (!pool)
		return NULL;
	pool_drain(pool, !json_is_true(json_object_get(call->params, "off")));
	return json_pack("{s:b,s:I,s:I}", "draining", pool->tasks.is_draining, "queued", (json_int_t)pool->tasks.queued, "busy",
		(json_int_t)pool->tasks.running);
}

json_t *tasks_cancel(struct call *call)
{
	struct pool *pool = find_pool(call, json_string_value(json_object_get(call->params, "name")));
	const char *id = json_string_value(json_object_get(call->params, "submission"));
	json_int_t task = json_integer_value(json_object_get(call->params, "task"));
	struct submission *submission = pool && id ? pool_find_submission(pool, id) : NULL;
	uint64_t cancelled, running;

	if (!pool)
		return NULL;
	if (id && !submission)
		return call_refuse(call, PROTOCOL_REFUSED, "no submission '%.60s' is under way", id);
	if (!id && task <= 0 && !json_is_true(json_object_get(call->params, "all")))
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "cancel takes submission, task, or all");
	struct task_filter filter = { .submission = submission ? submission->number : 0, .id = task > 0 ? (uint64_t)task : 0 };
	cancelled = pool_cancel(pool, &filter, &running);
	if (filter.id && !cancelled && !running)
		return call_refuse(call, PROTOCOL_REFUSED, "no task %" JSON_INTEGER_FORMAT " waits or runs", task);
	return json_pack("{s:I,s:I}", "cancelled", (json_int_t)cancelled, "running", (json_int_t)running);
}
