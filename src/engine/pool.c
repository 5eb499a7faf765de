#include "engine/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/channel.h"
#include "protocol/answer.h"

enum {
	JOURNAL_MOST = 256 * 1024 * 1024, /* bytes that wait to be written */
	JOURNAL_FULL = 4 * 1024 * 1024,   /* … when no more tasks are taken */
	COMPACT_FROM = 64 * 1024 * 1024,  /* the file is written anew when it is larger, and most of it is over */
	FILE_MOST = 1024 * 1024 * 1024,
	HELD_MOST = 64 * 1024,     /* bytes of what happened that are written and told together, … */
	HELD_US = 1000,            /* … or what happened in so long */
	ID_GAP = 10 * 1000 * 1000, /* ids that an engine may have given to tasks that it did not write down */
	TASK_MOST = 1024 * 1024,   /* bytes of a task */
	MESSAGE_MOST = TASK_MOST + 256,
	TOLD_MOST = 1024 * 1024, /* bytes of answers that are not dropped at once */
};

#define ID_CHARACTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_."

/* ---- the file ---- */

static char *path_of(const struct pool *pool, const char *suffix)
{
	return memory_format("%s/pool-%s.tasks%s", pool->engine->state_dir, pool->service, suffix);
}

static void touch(struct pool *pool)
{
	pool->is_dirty = true;
}

static void complain(struct pool *pool, const char *what)
{
	if (!pool->has_complained)
		engine_tell(pool->engine, "%s: its tasks cannot be kept: %s", pool->service, what);
	pool->has_complained = true;
}

static void write_journal(struct pool *pool)
{
	while (pool->journal.size && pool->fd >= 0) {
		ssize_t size = write(pool->fd, pool->journal.data, pool->journal.size);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0) {
			complain(pool, strerror(errno));
			return;
		}
		pool->journal_size += (uint64_t)size;
		text_drop(&pool->journal, (size_t)size);
		pool->has_complained = false;
	}
}

static void note_task(struct text *out, const struct task *task)
{
	text_puts(out, "T ");
	text_put_number(out, task->submission, ' ');
	text_put_number(out, task->index, ' ');
	text_put_number(out, task->id, ' ');
	text_put_number(out, task->priority, ' ');
	text_put_number(out, task->timeout_ms, ' ');
	text_put_number(out, task->added_us, ' ');
	text_append(out, task->payload, task->payload_size);
	text_putc(out, '\n');
}

static void note_submission(struct text *out, const struct submission *submission)
{
	text_format(out, "S %" PRIu32 " %d %s\n", submission->number, submission->wants_results, submission->id);
	if (submission->is_ended)
		text_format(out, "E %" PRIu32 " %" PRIu64 "\n", submission->number, submission->accepted);
}

static void note_list(struct text *out, const struct task_list *list)
{
	for (const struct task *task = list->first; task; task = task->next)
		note_task(out, task);
}

static void note_origin(struct text *out, const struct pool *pool)
{
	text_format(out, "O %" PRId32 " %" PRIu64 "\n", pool->origin.pid, pool->origin.us);
}

/* All that is not over, as a new file has it, and how much is. */
static void note_all(struct text *out, const struct pool *pool)
{
	text_format(out, "N %" PRIu64 " %" PRIu32 "\n", pool->last_id, pool->last_submission);
	note_origin(out, pool);
	text_format(out, "P %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", pool->tasks.completed, pool->tasks.failed,
		pool->tasks.retried, pool->dropped);
	text_format(out, "D %d\n", pool->tasks.is_draining);
	for (const struct submission *submission = pool->submissions; submission; submission = submission->next) {
		note_submission(out, submission);
		text_format(out, "C %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", submission->number, submission->accepted,
			submission->answered, submission->failed);
		for (const char *at = submission->results.data; at && at < submission->results.data + submission->results.size;) {
			const char *end = strchr(at, '\n') + 1;
			text_format(out, "K %" PRIu32 " ", submission->number);
			text_append(out, at, (size_t)(end - at));
			at = end;
		}
	}
	for (uint32_t i = 0; i < pool->tasks.seat_count; i++)
		note_list(out, &pool->tasks.workers[i].tasks);
	for (int i = TASK_PRIORITIES - 1; i >= 0; i--)
		note_list(out, &pool->tasks.queues[i]);
}

/* Whole, or not at all. */
static bool replace_file(struct pool *pool, const struct text *content)
{
	char *path = path_of(pool, ""), *fresh = path_of(pool, ".new");
	int fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok = fd >= 0 && write(fd, content->data, content->size) == (ssize_t)content->size && rename(fresh, path) == 0;

	if (ok) {
		close_if_open(pool->fd);
		pool->fd = fd;
		pool->journal_size = content->size;
	} else if (fd >= 0) {
		close(fd);
		unlink(fresh);
	}
	free(path);
	free(fresh);
	return ok;
}

/* Nothing waits to be written at this moment. */
static void compact(struct pool *pool)
{
	struct text all;

	text_init(&all, FILE_MOST);
	note_all(&all, pool);
	if (!all.full && all.size * 2 < pool->journal_size)
		replace_file(pool, &all);
	text_finish(&all);
}

static void compact_if_large(struct pool *pool)
{
	bool is_idle = !pool->submissions && !pool->tasks.queued && !pool->tasks.running;
	uint64_t least = is_idle ? 4096 : COMPACT_FROM;

	if (pool->fd >= 0 && !pool->journal.size && pool->journal_size > least)
		compact(pool);
}

/* ---- submissions ---- */

static struct submission *find_submission(struct pool *pool, uint32_t number)
{
	struct submission *submission = pool->submissions;

	while (submission && submission->number != number)
		submission = submission->next;
	return submission;
}

struct submission *pool_find_submission(const struct pool *pool, const char *id)
{
	struct submission *submission = pool->submissions;

	while (submission && strcmp(submission->id, id) != 0)
		submission = submission->next;
	return submission;
}

static struct submission *add_submission(struct pool *pool, uint32_t number, const char *id, bool wants_results)
{
	struct submission *submission = memory_zeroed(1, sizeof *submission);

	submission->pool = pool;
	submission->number = number;
	submission->wants_results = wants_results;
	submission->lost_ms = clock_monotonic_ms();
	snprintf(submission->id, sizeof submission->id, "%s", id);
	text_init(&submission->results, POOL_RESULTS_MOST);
	submission->next = pool->submissions;
	pool->submissions = submission;
	return submission;
}

static void remove_submission(struct submission *submission)
{
	struct submission **place = &submission->pool->submissions;

	while (*place != submission)
		place = &(*place)->next;
	*place = submission->next;
	text_finish(&submission->results);
	free(submission);
}

static bool is_id(const char *id)
{
	return *id && strlen(id) < SUBMISSION_ID_SIZE && strspn(id, ID_CHARACTERS) == strlen(id);
}

struct submission *pool_submit(struct pool *pool, const char *id, bool wants_results, struct error *err)
{
	struct submission *submission = pool_find_submission(pool, id);

	if (!is_id(id)) {
		error_set(err, EINVAL, "submission: up to %d letters, digits, '-', '_' and '.'", SUBMISSION_ID_SIZE - 1);
		return NULL;
	}
	if (!submission && pool->tasks.is_draining) {
		error_set(err, EAGAIN, "%s is being drained: it takes no tasks; `thrum drain --off %s` ends that", pool->service,
			pool->service);
		return NULL;
	}
	if (!submission) {
		submission = add_submission(pool, ++pool->last_submission, id, wants_results);
		note_submission(&pool->journal, submission);
	}
	submission->told = 0; /* all of it again: who comes back knows what it had */
	touch(pool);
	return submission;
}

static void drop_task(struct pool *pool, struct task *task);

bool pool_add(struct submission *submission, struct span payload, unsigned priority, uint32_t timeout_ms, struct error *err)
{
	struct pool *pool = submission->pool;
	struct task *task;

	if (payload.size > TASK_MOST)
		return error_set(err, EMSGSIZE, "a task of %zu bytes; %d are the most", payload.size, TASK_MOST);
	if (pool->journal.size > JOURNAL_FULL)
		write_journal(pool); /* much has come in this turn */
	if (pool->fd < 0 || pool->journal.size > JOURNAL_FULL)
		return error_set(err, EIO, "tasks cannot be kept: %s",
			pool->fd < 0 ? "the file cannot be opened" : "the disk takes no more");
	task = task_create(payload.at, payload.size);
	task->id = ++pool->last_id;
	task->submission = submission->number;
	task->index = submission->accepted++;
	task->priority = (uint8_t)priority;
	task->timeout_ms = timeout_ms ? timeout_ms : pool->tasks.limits.timeout_ms;
	task->added_us = clock_wall_us();
	note_task(&pool->journal, task);
	touch(pool);
	if (submission->is_cancelled) {
		pool->tasks.submitted++;
		drop_task(pool, task);
	} else {
		task_pool_add(&pool->tasks, task);
	}
	return true;
}

void pool_end_submission(struct submission *submission)
{
	if (!submission->is_ended)
		text_format(&submission->pool->journal, "E %" PRIu32 " %" PRIu64 "\n", submission->number, submission->accepted);
	submission->is_ended = true;
	touch(submission->pool);
}

bool pool_is_kept(const struct pool *pool)
{
	return pool->fd >= 0 && !pool->journal.size;
}

void pool_forget(struct submission *submission)
{
	text_format(&submission->pool->journal, "F %" PRIu32 "\n", submission->number);
	touch(submission->pool);
	remove_submission(submission);
}

void pool_lose(struct submission *submission)
{
	submission->reader = NULL;
	submission->lost_ms = clock_monotonic_ms();
	touch(submission->pool);
}

/* ---- answers ---- */

/* Nobody takes them: who comes is told that some are missing. */
static void keep_result(struct submission *submission, const struct text *line)
{
	if (!text_append(&submission->results, line->data, line->size))
		submission->is_overfull = true;
}

/* What was handed on stays with its reader, even if we die. */
void pool_told(struct submission *submission, size_t size)
{
	submission->told += size;
	if (submission->told < TOLD_MOST && submission->told < submission->results.size)
		return;
	text_drop(&submission->results, submission->told);
	submission->told = 0;
}

/* Whatever became of it: it is over, and is written down so. Takes the task over. */
static void answer(struct pool *pool, struct task *task, bool ok, struct span value, uint64_t run_us)
{
	struct submission *submission = find_submission(pool, task->submission);
	struct text line;

	text_puts(&pool->journal, "R ");
	text_put_number(&pool->journal, task->submission, ' ');
	text_put_number(&pool->journal, task->id, ' ');
	text_puts(&pool->journal, ok ? "1 " : "0 ");
	if (submission) {
		submission->answered++;
		submission->failed += !ok;
	}
	if (submission && submission->wants_results) {
		text_init(&line, value.size + ANSWER_ROOM);
		answer_write(&line, &(struct answer){ task->id, task->index, ok, value, task->attempts + 1u, task->wait_us, run_us });
		keep_result(submission, &line);
		text_append(&pool->journal, line.data, line.size);
		text_finish(&line);
	} else {
		text_putc(&pool->journal, '\n');
	}
	task_destroy(task);
	touch(pool);
}

static void answer_failure(struct pool *pool, struct task *task, const char *why, uint64_t run_us)
{
	char text[200];
	int size = snprintf(text, sizeof text, "\"%.190s\"", why);

	answer(pool, task, false, (struct span){ text, (size_t)size }, run_us);
}

static void drop_task(struct pool *pool, struct task *task)
{
	pool->tasks.failed++;
	pool->dropped++;
	text_puts(&pool->journal, "X\n");
	answer_failure(pool, task, "it was cancelled", 0);
}

uint64_t pool_cancel(struct pool *pool, const struct task_filter *filter, uint64_t *running)
{
	struct submission *submission = find_submission(pool, filter->submission);
	uint64_t count = 0;

	if (submission && !filter->id)
		submission->is_cancelled = true;
	for (struct task *task = task_pool_cancel(&pool->tasks, filter, running), *next; task; task = next) {
		next = task->next;
		count++;
		drop_task(pool, task);
	}
	return count;
}

/* ---- workers ---- */

/* What a worker has, where the next engine finds it. */
static void mark(struct member *member, uint64_t from, uint64_t to)
{
	struct inbox_page *page = channel_page(member);

	for (size_t i = 0; page && i < sizeof page->tasks / sizeof *page->tasks; i++)
		if (page->tasks[i] == from) {
			page->tasks[i] = to;
			return;
		}
}

static bool takes_tasks(const struct member *member)
{
	const struct instance *now = &member->now;
	bool is_up = now->state == STATE_READY || (now->state == STATE_RUNNING && !now->gates);

	return is_up && !now->removing && member->channel;
}

static void on_given_up(void *context, struct task *task)
{
	struct pool *pool = context;
	char why[96];

	snprintf(why, sizeof why, "its worker died, at attempt %u", task->attempts);
	task->attempts--; /* answer counts the one under way */
	answer_failure(pool, task, why, 0);
}

static void close_worker(struct pool *pool, struct member *member, bool is_charged)
{
	uint64_t retried = pool->tasks.retried;

	task_pool_close_worker(&pool->tasks, member->seat, is_charged, on_given_up, pool);
	if (pool->tasks.retried > retried)
		text_format(&pool->journal, "A %" PRIu64 "\n", pool->tasks.retried - retried);
	touch(pool);
}

/* NULL: its service is none. */
static struct pool *pool_of_member(const struct member *member)
{
	return member_spec(member)->pool.is_pool ? pool_of(member->engine, member_service(member)) : NULL;
}

void pool_consider(struct member *member)
{
	struct pool *pool = pool_of_member(member);

	if (!pool)
		return;
	if (!takes_tasks(member)) {
		/* it is asked to end while it works: that is none of the task's fault */
		if (member->now.state == STATE_STOPPING)
			close_worker(pool, member, false);
		return;
	}
	task_pool_open_worker(&pool->tasks, member->seat);
	touch(pool);
}

void pool_ended(struct member *member)
{
	struct pool *pool = pool_of_member(member);

	if (pool)
		close_worker(pool, member, member->now.state != STATE_STOPPING);
}

static bool read_id(struct span value, uint64_t *id)
{
	char text[24] = "", *end;

	if (value.size == 0 || value.size >= sizeof text)
		return false;
	memcpy(text, value.at, value.size);
	*id = strtoull(text, &end, 10);
	return !*end;
}

bool pool_take(struct member *member, const struct message *message)
{
	bool ok = span_is(message->members[MEMBER_TYPE], "task_complete");
	struct pool *pool = ok || span_is(message->members[MEMBER_TYPE], "task_error") ? pool_of_member(member) : NULL;
	uint64_t id;

	if (!pool)
		return false;
	if (!read_id(message->members[MEMBER_TASK_ID], &id) || !id)
		return true;
	mark(member, id, 0);
	uint64_t now_us = channel_acted_us(member);
	struct task *task = task_pool_end(&pool->tasks, member->seat, id, ok, now_us);
	if (!task)
		return true; /* late, or twice, or of nobody */
	eager_answered(&member->engine->eager, now_us);
	struct span value = message->members[ok ? MEMBER_RESULT : MEMBER_ERROR];
	answer(pool, task, ok, value.size ? value : (struct span){ "null", 4 }, now_us - task->started_us);
	return true;
}

/* ---- handing out ---- */

/* The payload with the task's number in it; one that is no map becomes the value of one. */
static void put_task(struct text *out, const struct task *task)
{
	const char *end = task->payload + task->payload_size;

	text_puts(out, "{\"type\":\"task\",\"payload\":");
	while (end > task->payload && strchr(" \t\r", end[-1]))
		end--;
	const char *begin = task->payload + strspn(task->payload, " \t\r");
	if (*begin == '{') {
		const char *first = begin + 1 + strspn(begin + 1, " \t\r");
		text_append(out, begin, (size_t)(end - 1 - begin));
		text_puts(out, *first == '}' ? "\"id\":" : ",\"id\":");
	} else {
		text_puts(out, "{\"value\":");
		text_append(out, begin, (size_t)(end - begin));
		text_puts(out, ",\"id\":");
	}
	text_put_number(out, task->id, '}');
	text_putc(out, '}');
}

static void remember_fresh(struct pool *pool, const struct task *task)
{
	if (pool->fresh_count == pool->fresh_room) {
		pool->fresh_room = pool->fresh_room ? pool->fresh_room * 2 : 64;
		pool->fresh = memory_resize(pool->fresh, pool->fresh_room, sizeof *pool->fresh);
	}
	pool->fresh[pool->fresh_count++] = (struct handed_out){ task->id, task->worker };
}

/* It does not read, or has just gone: it is considered again when it does. */
static void set_aside(struct pool *pool, uint32_t seat)
{
	struct member *member = pool->engine->members[seat];

	task_pool_close_worker(&pool->tasks, seat, false, on_given_up, pool);
	if (member)
		channel_wants_pause(member);
}

static void hand_out(struct pool *pool)
{
	struct task *task;
	struct text text;
	struct error err;

	if (!pool->tasks.queued)
		return;
	uint64_t now_us = clock_monotonic_us(), wall_us = clock_wall_us();
	text_init(&text, MESSAGE_MOST);
	while ((task = task_pool_next(&pool->tasks, now_us))) {
		struct member *member = pool->engine->members[task->worker];
		task->wait_us = wall_us > task->added_us ? wall_us - task->added_us : 0;
		text_clear(&text);
		put_task(&text, task);
		if (member && channel_post(member, text.data, text.size, &err))
			remember_fresh(pool, task);
		else
			set_aside(pool, task->worker);
	}
	text_finish(&text);
	if (pool->fresh_count)
		eager_expect(&pool->engine->eager, now_us);
}

static void mark_fresh(struct pool *pool)
{
	for (size_t i = 0; i < pool->fresh_count; i++) {
		struct member *member = pool->engine->members[pool->fresh[i].seat];
		if (member)
			mark(member, 0, pool->fresh[i].id);
	}
	pool->fresh_count = 0;
}

void pool_refill(struct member *member)
{
	struct pool *pool = pool_of_member(member);

	if (!pool || !pool->is_dirty)
		return;
	hand_out(pool);
	channel_flush_all(pool->engine);
	mark_fresh(pool);
}

/* A worker that does not come back from a task is of no use to the next one. */
static void end_overdue(struct pool *pool, struct task *task, uint64_t now_us)
{
	struct member *member = pool->engine->members[task->worker];
	char why[DEATH_DETAIL_SIZE];
	uint64_t run_us = now_us - task->started_us;

	snprintf(why, sizeof why, "a task ran for more than %.1f s", task->timeout_ms / 1000.0);
	uint64_t id = task->id;
	task = task_pool_end(&pool->tasks, task->worker, id, false, now_us);
	if (member)
		mark(member, id, 0);
	answer_failure(pool, task, "its time was up", run_us);
	struct eviction eviction = { .cause = CAUSE_LIMIT, .why = why, .is_ordered = true, .at_once = true };
	if (member && member->now.pid)
		engine_evict(pool->engine, member, &eviction);
}

static void forget_lost(struct pool *pool, uint64_t now_ms)
{
	for (struct submission *submission = pool->submissions, *next; submission; submission = next) {
		next = submission->next;
		bool is_done = submission->is_told && submission->answered == submission->accepted;
		bool is_lost = !submission->reader && now_ms >= submission->lost_ms + POOL_LOST_MS &&
			       submission->answered == submission->accepted;
		if (is_done || is_lost)
			pool_forget(submission);
	}
}

static void on_timer(uv_timer_t *timer);

/* When something is to be looked at again although nothing happens. */
static void arm(struct pool *pool, uint64_t now_us)
{
	uint64_t next_us, ms = 0;

	task_pool_overdue(&pool->tasks, now_us, &next_us);
	if (next_us)
		ms = (next_us - now_us) / 1000 + 1;
	else if (pool->submissions)
		ms = POOL_LOST_MS;
	if (!ms)
		return;
	uv_update_time(pool->engine->loop);
	if (!uv_is_active((uv_handle_t *)&pool->timer) || uv_timer_get_due_in(&pool->timer) > ms)
		uv_timer_start(&pool->timer, on_timer, ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct pool *pool = timer->data;
	uint64_t now_us = clock_monotonic_us(), next_us;
	struct task *task;

	while ((task = task_pool_overdue(&pool->tasks, now_us, &next_us)))
		end_overdue(pool, task, now_us);
	forget_lost(pool, now_us / 1000);
	touch(pool);
}

static void on_held(uv_timer_t *timer)
{
	touch(timer->data);
}

/* While workers are busy, what is written and told is so in pieces that are worth it. */
static bool is_held(struct pool *pool)
{
	uint64_t now_us = clock_monotonic_us();

	if (!pool->held_us)
		pool->held_us = now_us;
	bool is_worth_it = !pool->tasks.running || pool->journal.size > HELD_MOST || now_us - pool->held_us >= HELD_US;
	if (is_worth_it) {
		pool->held_us = 0;
	} else if (!uv_is_active((uv_handle_t *)&pool->hold)) {
		uv_update_time(pool->engine->loop);
		uv_timer_start(&pool->hold, on_held, HELD_US / 1000, 0);
	}
	return !is_worth_it;
}

void pool_before_sending(struct engine *engine)
{
	for (struct pool *pool = engine->pools; pool; pool = pool->next) {
		if (!pool->is_dirty)
			continue;
		hand_out(pool);
		if (!is_held(pool))
			write_journal(pool);
	}
}

void pool_after_sending(struct engine *engine)
{
	for (struct pool *pool = engine->pools; pool; pool = pool->next) {
		if (!pool->is_dirty)
			continue;
		pool->is_dirty = false;
		mark_fresh(pool);
		if (pool->held_us)
			continue;
		if (pool->submissions)
			engine->listener.on_pool(engine->listener.context, pool);
		forget_lost(pool, clock_monotonic_ms());
		compact_if_large(pool);
		arm(pool, clock_monotonic_us());
	}
}

void pool_measure(const struct member *member, struct inside *inside)
{
	const struct pool *pool = pool_of_member(member);

	if (!pool)
		return;
	bool is_known = member->seat < pool->tasks.seat_count;
	inside->queue = member->now.index == 0 ? pool->tasks.queued : 0;
	inside->busy = is_known ? pool->tasks.workers[member->seat].running : 0;
	inside->size = pool->tasks.limits.concurrency;
}

bool pool_is_dirty(const struct engine *engine)
{
	for (const struct pool *pool = engine->pools; pool; pool = pool->next)
		if (pool->is_dirty)
			return true;
	return false;
}

void pool_drain(struct pool *pool, bool is_on)
{
	struct engine *engine = pool->engine;
	struct service *service = project_find(&engine->project, pool->service);

	pool->tasks.is_draining = is_on;
	text_format(&pool->journal, "D %d\n", is_on);
	touch(pool);
	for (size_t i = 0; service && i < service->count; i++)
		engine->listener.on_changed(engine->listener.context, member_of(service->instances[i]));
}

bool pool_is_draining(const struct member *member)
{
	const struct pool *pool = pool_of_member(member);

	return pool && pool->tasks.is_draining;
}

/* ---- reading back ---- */

/* One line of the file. */
struct note {
	char kind;
	const char *rest; /* behind the kind */
	size_t size;
};

/* Which tasks have an answer in the file. */
struct answered {
	uint64_t *ids; /* owned; sorted */
	size_t count;
};

static uint64_t number(struct note *note)
{
	char *end;
	uint64_t value = strtoull(note->rest, &end, 10);

	while (*end == ' ')
		end++;
	note->size -= (size_t)(end - note->rest);
	note->rest = end;
	return value;
}

static bool next_note(struct span *file, struct note *note)
{
	const char *newline = file->size ? memchr(file->at, '\n', file->size) : NULL;

	if (!newline) /* cut off: nobody was told that it was taken */
		return false;
	*note = (struct note){ file->at[0], file->at + 2, newline - file->at >= 2 ? (size_t)(newline - file->at - 2) : 0 };
	file->size -= (size_t)(newline + 1 - file->at);
	file->at = newline + 1;
	return true;
}

static int compare_ids(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return a < b ? -1 : a > b;
}

static void find_answered(struct answered *answered, struct span file)
{
	struct note note;
	size_t room = 0;

	*answered = (struct answered){ 0 };
	while (next_note(&file, &note)) {
		if (note.kind != 'R')
			continue;
		if (answered->count == room) {
			room = room ? room * 2 : 1024;
			answered->ids = memory_resize(answered->ids, room, sizeof *answered->ids);
		}
		number(&note);
		answered->ids[answered->count++] = number(&note);
	}
	if (answered->count)
		qsort(answered->ids, answered->count, sizeof *answered->ids, compare_ids);
}

static bool is_answered(const struct answered *answered, uint64_t id)
{
	return answered->count && bsearch(&id, answered->ids, answered->count, sizeof id, compare_ids);
}

static struct task *read_task(struct pool *pool, struct note *note)
{
	uint32_t submission = (uint32_t)number(note);
	uint64_t index = number(note), id = number(note);
	uint64_t priority = number(note), timeout_ms = number(note), added_us = number(note);
	struct task *task = task_create(note->rest, note->size);

	task->submission = submission;
	task->index = index;
	task->id = id;
	task->priority = (uint8_t)(priority < TASK_PRIORITIES ? priority : TASK_PRIORITY);
	task->timeout_ms = (uint32_t)timeout_ms;
	task->added_us = added_us;
	pool->last_id = id > pool->last_id ? id : pool->last_id;
	return task;
}

/* Whose channel says that it has it; UINT32_MAX: nobody's. */
static uint32_t find_holder(const struct pool *pool, uint64_t id)
{
	for (uint32_t seat = 0; seat < pool->engine->store->seat_top; seat++) {
		const struct member *member = pool->engine->members[seat];
		const struct inbox_page *page = member ? channel_page(member) : NULL;
		if (!page || strcmp(member->now.service, pool->service) != 0)
			continue;
		for (size_t i = 0; i < sizeof page->tasks / sizeof *page->tasks; i++)
			if (page->tasks[i] == id)
				return seat;
	}
	return UINT32_MAX;
}

static void take_task(struct pool *pool, struct note *note, const struct answered *answered)
{
	struct task *task = read_task(pool, note);
	struct submission *submission = find_submission(pool, task->submission);

	if (submission && submission->accepted <= task->index)
		submission->accepted = task->index + 1;
	if (is_answered(answered, task->id)) {
		task_destroy(task);
		return;
	}
	uint32_t holder = find_holder(pool, task->id);
	if (holder == UINT32_MAX)
		task_pool_add(&pool->tasks, task);
	else
		task_pool_adopt(&pool->tasks, task, holder, clock_monotonic_us());
}

static void take_submission(struct pool *pool, struct note *note)
{
	uint32_t which = (uint32_t)number(note);
	bool wants_results = number(note);
	char id[SUBMISSION_ID_SIZE];

	snprintf(id, sizeof id, "%.*s", (int)note->size, note->rest);
	if (!find_submission(pool, which))
		add_submission(pool, which, id, wants_results);
	pool->last_submission = which > pool->last_submission ? which : pool->last_submission;
}

static void take_result(struct pool *pool, struct note *note)
{
	struct submission *submission = find_submission(pool, (uint32_t)number(note));

	number(note);
	bool ok = number(note);
	*(ok ? &pool->tasks.completed : &pool->tasks.failed) += 1;
	if (!submission)
		return;
	submission->answered++;
	submission->failed += !ok;
	if (note->size && text_append(&submission->results, note->rest, note->size))
		text_putc(&submission->results, '\n');
}

static void take_kept(struct pool *pool, struct note *note)
{
	struct submission *submission = find_submission(pool, (uint32_t)number(note));

	if (submission && text_append(&submission->results, note->rest, note->size))
		text_putc(&submission->results, '\n');
}

static void take_counts(struct pool *pool, struct note *note)
{
	struct submission *submission = find_submission(pool, (uint32_t)number(note));

	if (!submission)
		return;
	submission->accepted = number(note);
	submission->answered = number(note);
	submission->failed = number(note);
}

static void take_end(struct pool *pool, struct note *note)
{
	struct submission *submission = find_submission(pool, (uint32_t)number(note));

	if (submission)
		submission->is_ended = true;
}

static void take_forgotten(struct pool *pool, struct note *note)
{
	struct submission *submission = find_submission(pool, (uint32_t)number(note));

	if (submission)
		remove_submission(submission);
}

static void take_top(struct pool *pool, struct note *note)
{
	uint64_t id = number(note);
	uint32_t submission = (uint32_t)number(note);

	pool->last_id = id > pool->last_id ? id : pool->last_id;
	pool->last_submission = submission > pool->last_submission ? submission : pool->last_submission;
}

static void set_counts(struct pool *pool, uint64_t completed, uint64_t failed, uint64_t retried, uint64_t dropped)
{
	pool->tasks.completed = completed;
	pool->tasks.failed = failed;
	pool->tasks.retried = retried;
	pool->dropped = dropped;
}

/* What is over by now was of a former run, and so were its operator's wishes. */
static void begin_run(struct pool *pool, struct origin run)
{
	pool->origin = run;
	pool->tasks.is_draining = false;
	set_counts(pool, 0, 0, 0, 0);
}

static void take_origin(struct pool *pool, struct note *note)
{
	int32_t pid = (int32_t)number(note);

	begin_run(pool, (struct origin){ pid, number(note) });
}

static void take_drain(struct pool *pool, struct note *note)
{
	pool->tasks.is_draining = number(note);
}

static void take_totals(struct pool *pool, struct note *note)
{
	uint64_t completed = number(note), failed = number(note), retried = number(note);

	set_counts(pool, completed, failed, retried, number(note));
}

static void take_retried(struct pool *pool, struct note *note)
{
	pool->tasks.retried += number(note);
}

static void take_dropped(struct pool *pool, struct note *note)
{
	(void)note;
	pool->dropped++;
}

static const struct {
	char kind;
	void (*take)(struct pool *pool, struct note *note);
} kinds[] = {
	{ 'S', take_submission },
	{ 'C', take_counts },
	{ 'K', take_kept },
	{ 'R', take_result },
	{ 'E', take_end },
	{ 'F', take_forgotten },
	{ 'N', take_top },
	{ 'O', take_origin },
	{ 'P', take_totals },
	{ 'D', take_drain },
	{ 'A', take_retried },
	{ 'X', take_dropped },
};

static void read_back(struct pool *pool, const struct text *text)
{
	struct span file = { text_string(text), text->size };
	struct answered answered;
	struct note note;

	find_answered(&answered, file);
	while (next_note(&file, &note)) {
		if (note.kind == 'T')
			take_task(pool, &note, &answered);
		for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
			if (kinds[i].kind == note.kind)
				kinds[i].take(pool, &note);
	}
	free(answered.ids);
	if (pool->last_id)
		pool->last_id += ID_GAP;
}

/* Counts go on with the run, whatever becomes of its engines; with a new run they begin anew. */
static void go_on_counting(struct pool *pool)
{
	const struct origin *run = &pool->engine->store->origin;
	struct task_pool *tasks = &pool->tasks;

	if (pool->origin.pid != run->pid || pool->origin.us != run->us) {
		begin_run(pool, *run);
		note_origin(&pool->journal, pool);
	}
	tasks->submitted = tasks->completed + tasks->failed + tasks->queued + tasks->running;
	tasks->started = tasks->completed + tasks->failed - pool->dropped + tasks->retried + tasks->running;
}

/* What was cut off is dropped: further notes begin on a line of their own. */
static void open_file(struct pool *pool)
{
	char *path = path_of(pool, "");
	struct text text;
	struct error err;

	pool->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	text_init(&text, FILE_MOST);
	if (pool->fd < 0) {
		complain(pool, strerror(errno));
	} else if (!text_read_fd(&text, pool->fd, &err)) {
		complain(pool, err.text);
	} else {
		const char *last = text.size ? memrchr(text.data, '\n', text.size) : NULL;
		pool->journal_size = last ? (uint64_t)(last + 1 - text.data) : 0;
		if (pool->journal_size < text.size && ftruncate(pool->fd, (off_t)pool->journal_size) < 0)
			complain(pool, strerror(errno));
		read_back(pool, &text);
	}
	text_finish(&text);
	free(path);
}

static struct pool *find_pool(struct engine *engine, const char *service)
{
	struct pool *pool = engine->pools;

	while (pool && strcmp(pool->service, service) != 0)
		pool = pool->next;
	return pool;
}

struct pool *pool_of(struct engine *engine, struct service *service)
{
	struct pool *pool = find_pool(engine, service->spec->name);

	if (!service->spec->pool.is_pool)
		return NULL;
	if (pool) {
		pool->tasks.limits = service->spec->pool;
		return pool;
	}
	pool = memory_zeroed(1, sizeof *pool);
	pool->engine = engine;
	snprintf(pool->service, sizeof pool->service, "%s", service->spec->name);
	task_pool_init(&pool->tasks, &service->spec->pool);
	text_init(&pool->journal, JOURNAL_MOST);
	uv_timer_init(engine->loop, &pool->timer);
	uv_timer_init(engine->loop, &pool->hold);
	pool->timer.data = pool->hold.data = pool;
	pool->next = engine->pools;
	engine->pools = pool;
	open_file(pool);
	go_on_counting(pool);
	touch(pool);
	return pool;
}

void pool_restore_all(struct engine *engine)
{
	for (size_t i = 0; i < engine->project.count; i++) {
		struct service *service = &engine->project.services[i];
		if (!service->spec->pool.is_pool)
			continue;
		pool_of(engine, service);
		for (size_t k = 0; k < service->count; k++)
			pool_consider(member_of(service->instances[k]));
	}
}

void pool_close_all(struct engine *engine)
{
	for (struct pool *pool = engine->pools; pool; pool = pool->next)
		write_journal(pool);
}
