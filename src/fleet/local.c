#include "fleet/local.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "protocol/answer.h"
#include "protocol/method.h"
#include "protocol/value.h"

enum {
	RETRY_MS = 250,
	ASK_MS = 3000,
	UNSENT_MOST = 4 * 1024 * 1024,
	UNSENT_ENOUGH = 128 * 1024, /* more is written when the engine has read */
	AHEAD_MS = 50,              /* work for so long is fetched before it is needed … */
	AHEAD_MOST = 4096,          /* … but not more tasks than that for each that can run */
	STRANGE_MOST = 3,
};

static void name_submission(struct local *local)
{
	snprintf(local->submission, sizeof local->submission, "redis-%" PRIx64 "-%x-%u", clock_wall_us(), (unsigned)getpid(),
		++local->number);
	local->next_index = 0;
	local->is_refused = false;
}

void local_init(struct local *local, const struct settings *settings, const char *pool, struct tasks *tasks)
{
	*local = (struct local){ .settings = settings, .pool = pool, .tasks = tasks };
	text_init(&local->unsent, UNSENT_MOST);
	name_submission(local);
}

void local_finish(struct local *local)
{
	link_close(local->link);
	text_finish(&local->unsent);
}

static void lose(struct local *local)
{
	link_close(local->link);
	local->link = NULL;
	local->tried_ms = clock_monotonic_ms();
	text_clear(&local->unsent);
}

/* Those that the engine has not taken are to be sent, first of all. */
static void take_back_from(struct local *local, uint64_t index)
{
	for (struct task *task = local->tasks->waiting.first; task; task = task->next)
		if (task->state == TASK_SENT && task->index >= index)
			task->state = TASK_HELD;
	local->next_index = index;
}

static void start_anew(struct local *local)
{
	lose(local);
	take_back_from(local, 0);
	name_submission(local);
}

static const struct task *first_sent(const struct local *local)
{
	const struct task *task = local->tasks->waiting.first;

	return task && task->state == TASK_SENT ? task : NULL;
}

/* ---- answers ---- */

/* Under the name that it has in Redis, and with ours. */
static char *name_answer(const struct local *local, const struct task *task, struct span outcome)
{
	json_t *names = json_pack("{s:o,s:s}", "taskId", text_to_json(task->id, strlen(task->id)), "engine", local->settings->name);
	char *map = json_dumps(names, JSON_COMPACT);
	char *answer = memory_format("%.*s,%.*s}", (int)strlen(map) - 1, map, (int)outcome.size, outcome.at);

	json_decref(names);
	free(map);
	return answer;
}

static bool take_answer(void *context, const char *line, size_t size)
{
	struct local *local = context;
	struct told_answer told;

	if (!answer_read(&told, line, size))
		return false;
	struct task *task = tasks_by_index(local->tasks, told.index);
	if (task) /* else it came before */
		tasks_answer(local->tasks, task, name_answer(local, task, told.outcome));
	return true;
}

/* ---- connecting ---- */

static bool begin(struct local *local)
{
	struct error err;
	json_t *begun = link_call(local->link, "submit",
		json_pack("{s:s,s:s,s:b}", "name", local->pool, "submission", local->submission, "results", 1), ASK_MS, &err);
	uint64_t accepted = (uint64_t)json_integer_value(json_object_get(begun, "accepted"));
	const struct task *first = first_sent(local);

	json_decref(begun);
	if (!begun)
		return false;
	if (accepted < local->next_index && (!first || accepted < first->index)) { /* it was forgotten */
		start_anew(local);
		return true;
	}
	take_back_from(local, accepted);
	return true;
}

static void connect_again(struct local *local)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct error err;

	if (local->tried_ms && now_ms - local->tried_ms < RETRY_MS)
		return;
	local->tried_ms = now_ms;
	local->link = link_open(local->settings->project, &err);
	if (local->link)
		link_take_lines(local->link, take_answer, local);
	if (local->link && !begin(local))
		lose(local);
}

/* ---- messages ---- */

static void take_refusal(struct local *local, const json_t *params)
{
	const char *why = json_string_value(json_object_get(params, "error"));

	log_line("%s: a task was refused: %s", local->pool, why ? why : "no reason is given");
	text_clear(&local->unsent);
	take_back_from(local, (uint64_t)json_integer_value(json_object_get(params, "accepted")));
	local->is_refused = true;
}

static void take_messages(struct local *local)
{
	struct error err = { 0 };
	json_t *message;

	while (local->link && (message = link_next(local->link, &err))) {
		const char *method = json_string_value(json_object_get(message, "method"));
		if (method && strcmp(method, "submitted") == 0)
			take_refusal(local, json_object_get(message, "params"));
		json_decref(message);
	}
	if (local->link && err.code)
		lose(local);
}

/* ---- tasks ---- */

static void hand_out(struct local *local)
{
	for (struct task *task = tasks_first_held(local->tasks); task && local->unsent.size < UNSENT_ENOUGH; task = task->next) {
		text_puts(&local->unsent, task->payload);
		text_putc(&local->unsent, '\n');
		task->index = local->next_index++;
		task->state = TASK_SENT;
	}
}

static void flush(struct local *local)
{
	struct error err;

	while (local->link && local->unsent.size) {
		ssize_t written = link_write_some(local->link, local->unsent.data, local->unsent.size, &err);
		if (written == 0)
			return;
		if (written < 0)
			lose(local); /* what was answered before is told again */
		else
			text_drop(&local->unsent, (size_t)written);
	}
}

void local_turn(struct local *local)
{
	if (!local->link)
		connect_again(local);
	take_messages(local);
	if (!local->link)
		return;
	if (local->is_refused && !first_sent(local))
		start_anew(local);
	if (!local->is_refused && local->is_open && local->link)
		hand_out(local);
	flush(local);
}

struct pollfd local_poll(const struct local *local)
{
	return (struct pollfd){ .fd = local->link ? link_fd(local->link) : -1,
		.events = (short)(POLLIN | (local->unsent.size ? POLLOUT : 0)) };
}

/* ---- room ---- */

static uint64_t figure(const json_t *pool, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(pool, name));

	return value > 0 ? (uint64_t)value : 0;
}

/* So that workers need not wait for Redis, and tasks not for us while other machines are idle. */
static uint64_t ahead_of(const json_t *pool)
{
	double ms = json_number_value(json_object_get(json_object_get(pool, "run_ms"), "p50"));
	double many = ms > 0 ? AHEAD_MS / ms : 1;

	return many < 1 ? 1 : many > AHEAD_MOST ? AHEAD_MOST
						: (uint64_t)many;
}

/* An answer that got lost would be waited for without end: after a while the tasks are given to the pool again. */
static void look_for_lost(struct local *local, bool is_idle)
{
	bool is_strange = is_idle && local->link && !local->unsent.size && first_sent(local);

	local->strange = is_strange ? local->strange + 1 : 0;
	if (local->strange < STRANGE_MOST)
		return;
	log_line("%s: its answers were lost; the tasks run again", local->pool);
	start_anew(local);
	local->strange = 0;
}

void local_measure(struct local *local, const json_t *pool)
{
	uint64_t known = figure(pool, "queued") + figure(pool, "busy");

	local->slots = figure(pool, "size") * figure(pool, "concurrency");
	local->is_open = pool && !json_is_true(json_object_get(pool, "draining"));
	local->target = local->slots + local->slots * ahead_of(pool);
	local->foreign = known > local->tasks->waiting.count ? known - local->tasks->waiting.count : 0;
	if (pool)
		look_for_lost(local, known == 0);
}

uint64_t local_room(const struct local *local, uint64_t coming)
{
	uint64_t taken = local->tasks->waiting.count + local->foreign + coming;

	return local->link && local->is_open && !local->is_refused && local->target > taken ? local->target - taken : 0;
}
