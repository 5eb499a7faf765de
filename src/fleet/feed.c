#include "fleet/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "fleet/script.h"
#include "wire/message.h"

#define REPLY_KEPT_MS "86400000"

enum {
	BLOCK_MS = 1000,
	TASK_MOST = 1024 * 1024 - 1024,   /* bytes; the engine takes no longer line */
	LOOK_MOST = 10 * 1000,            /* entries that are looked at at once */
	RENEW_MOST = 200,                 /* entries in one command */
	AGAIN_MS = 250,                   /* after Redis has refused something */
	TELL_MOST = 100,                  /* answers in one command … */
	TELL_BYTES = 256 * 1024,          /* … and no further one after so many bytes */
	GIVEN_BACK_MS = 24 * 3600 * 1000, /* so long it has been idle, for those who look */
};

void feed_init(struct feed *feed, const struct settings *settings, const char *pool, struct redis *redis)
{
	*feed = (struct feed){ .settings = settings, .pool = pool, .redis = redis };
	feed->stream = memory_format("%s:pool:%s", settings->prefix, pool);
	feed->results = memory_format("%s:results", feed->stream);
	feed->dead = memory_format("%s:dead", feed->stream);
	feed->reader = redis_create(settings);
	local_init(&feed->local, settings, pool, &feed->tasks);
}

void feed_finish(struct feed *feed)
{
	redis_destroy(feed->reader);
	local_finish(&feed->local);
	tasks_finish(&feed->tasks);
	free(feed->stream);
	free(feed->results);
	free(feed->dead);
}

/* Redis has refused something: full, being loaded, a replica now … It is asked again in a while. */
static void note_refusal(struct feed *feed, const redisReply *reply)
{
	if (reply_is_error(reply, "NOGROUP"))
		feed->has_group = false;
	else
		log_line("%s: redis: %.200s", feed->stream, reply->str);
	feed->failed_ms = clock_monotonic_ms();
}

/* A submitter deletes its stream of answers; if it does not, it is gone after a day. */
static const char *kept(const char *reply)
{
	return reply[0] ? REPLY_KEPT_MS : "";
}

/* ---- answers ---- */

/* Answers that go in one command, which costs Redis and us far less than one for each. */
struct telling {
	struct feed *feed;
	size_t count;
	struct task *tasks[TELL_MOST]; /* borrowed: none of them goes before this */
};

static void on_told(void *context, const redisReply *reply)
{
	struct telling *telling = context;
	struct feed *feed = telling->feed;
	bool is_done = reply && reply->type == REDIS_REPLY_INTEGER;

	if (is_done)
		feed->finished += (uint64_t)reply->integer;
	else if (reply)
		note_refusal(feed, reply);
	for (size_t i = 0; i < telling->count; i++)
		if (is_done)
			tasks_remove(&feed->tasks, telling->tasks[i]);
		else
			tasks_tell_again(&feed->tasks, telling->tasks[i]); /* which does nothing if it was done */
	free(telling);
}

/* Those from this one on, as many as one command takes. */
static struct telling *gather(struct feed *feed, struct task *task)
{
	struct telling *telling = memory_zeroed(1, sizeof *telling);
	size_t bytes = 0;

	telling->feed = feed;
	for (; task && telling->count < TELL_MOST && bytes < TELL_BYTES; task = task->next) {
		telling->tasks[telling->count++] = task;
		bytes += strlen(task->answer);
	}
	return telling;
}

static bool tell(struct feed *feed, struct telling *telling)
{
	const char *words[5 + 5 * TELL_MOST] = { "EVAL", script_finish };
	char keys[24];
	size_t count = 2;

	snprintf(keys, sizeof keys, "%zu", telling->count + 1);
	words[count++] = keys;
	words[count++] = feed->stream;
	for (size_t i = 0; i < telling->count; i++)
		words[count++] = telling->tasks[i]->reply[0] ? telling->tasks[i]->reply : feed->results;
	words[count++] = FLEET_GROUP;
	for (size_t i = 0; i < telling->count; i++) {
		const struct task *task = telling->tasks[i];
		words[count++] = task->entry;
		words[count++] = task->id;
		words[count++] = task->answer;
		words[count++] = kept(task->reply);
	}
	return redis_ask_words(feed->redis, on_told, telling, count, words);
}

static void tell_answers(struct feed *feed)
{
	for (struct task *task = tasks_first_answered(&feed->tasks); task;) {
		struct telling *telling = gather(feed, task);
		if (!tell(feed, telling)) {
			free(telling);
			return;
		}
		for (size_t i = 0; i < telling->count; i++)
			telling->tasks[i]->state = TASK_TOLD;
		task = telling->tasks[telling->count - 1]->next;
	}
}

/* ---- dead letters ---- */

static void on_buried(void *context, const redisReply *reply)
{
	struct feed *feed = context;

	if (reply_is_error(reply, ""))
		note_refusal(feed, reply);
	else if (reply && reply->type == REDIS_REPLY_INTEGER)
		feed->buried += (uint64_t)reply->integer;
}

static void bury(struct feed *feed, const char *entry, const redisReply *fields, uint64_t deliveries, const char *reason)
{
	const char *reply = reply_string(reply_field(fields, "reply")), *id = reply_string(reply_field(fields, "id"));
	json_t *answer = json_pack("{s:s,s:b,s:s,s:I,s:n,s:n,s:s}", "taskId", id[0] ? id : entry, "ok", 0, "error", reason, "attempts",
		(json_int_t)deliveries, "wait_ms", "run_ms", "engine", feed->settings->name);
	char *text = json_dumps(answer, JSON_COMPACT);

	json_decref(answer);
	log_line("%s: %s goes to the dead letters: %s", feed->stream, entry, reason);
	if (text)
		redis_ask(feed->redis, on_buried, feed, "EVAL %s 3 %s %s %s %s %s %s %" PRIu64 " %s %s %s", script_bury, feed->stream,
			feed->dead, reply[0] ? reply : feed->results, FLEET_GROUP, entry, reason, deliveries, id[0] ? id : entry,
			text, kept(reply));
	free(text);
}

/* ---- tasks ---- */

/* Why it can be no task; NULL: it is one. */
static const char *find_fault(const redisReply *task)
{
	struct message message;

	if (!task || task->type != REDIS_REPLY_STRING)
		return "it has no field `task`";
	if (task->len > TASK_MOST)
		return "it is longer than 1 MiB";
	return message_scan(&message, task->str, task->len) ? NULL : "its field `task` is no JSON";
}

/* JSON has line ends between values only. */
static char *copy_as_line(const redisReply *text)
{
	char *line = memory_copy_n(text->str, text->len);

	for (char *end = line; (end = strpbrk(end, "\r\n"));)
		*end = ' ';
	return line;
}

static void take_entry(struct feed *feed, const redisReply *found)
{
	const char *entry = reply_string(reply_at(found, 0));
	const redisReply *fields = reply_at(found, 1), *payload = reply_field(fields, "task");
	const char *id = reply_string(reply_field(fields, "id"));
	const char *fault = find_fault(payload);

	if (!entry[0] || !fields)
		return;
	if (fault) {
		bury(feed, entry, fields, 1, fault);
		return;
	}
	struct task *task = tasks_add(&feed->tasks, feed, entry);
	task->id = memory_copy(id[0] ? id : entry);
	task->reply = memory_copy(reply_string(reply_field(fields, "reply")));
	task->payload = copy_as_line(payload);
}

/* ---- those that were delivered before ---- */

struct claim {
	struct feed *feed;
	bool is_doomed; /* it was delivered often enough */
	uint64_t deliveries;
};

static void on_claimed(void *context, const redisReply *reply)
{
	struct claim claim = *(struct claim *)context;
	const redisReply *found = reply_at(reply, 0);
	char reason[80];

	free(context);
	claim.feed->claiming--;
	if (reply_is_error(reply, ""))
		note_refusal(claim.feed, reply);
	if (!found || found->type != REDIS_REPLY_ARRAY)
		return; /* somebody else was faster, or it is not there any more */
	if (claim.is_doomed) {
		snprintf(reason, sizeof reason, "it was delivered %" PRIu64 " times, and never answered", claim.deliveries);
		bury(claim.feed, reply_string(reply_at(found, 0)), reply_at(found, 1), claim.deliveries, reason);
		return;
	}
	if (tasks_find(&claim.feed->tasks, reply_string(reply_at(found, 0))))
		return;
	claim.feed->taken_over++;
	take_entry(claim.feed, found);
}

static void claim_entry(struct feed *feed, const redisReply *pending, bool is_ours)
{
	const redisReply *count = reply_at(pending, 3);
	struct claim *claim = memory_zeroed(1, sizeof *claim);

	claim->feed = feed;
	claim->deliveries = count ? (uint64_t)count->integer : 0;
	claim->is_doomed = claim->deliveries >= feed->settings->deliveries;
	if (redis_ask(feed->redis, on_claimed, claim, "XCLAIM %s " FLEET_GROUP " %s %" PRIu64 " %s", feed->stream, feed->settings->name,
		    is_ours ? 0 : feed->settings->claim_ms, reply_string(reply_at(pending, 0))))
		feed->claiming++;
	else
		free(claim);
}

static uint64_t room_of(const struct feed *feed)
{
	return local_room(&feed->local, feed->claiming);
}

/* Claims what of it we do not have, as far as there is room. False: some is left. */
static bool claim_all(struct feed *feed, const redisReply *reply, bool is_ours)
{
	uint64_t room = room_of(feed);
	const redisReply *pending;

	for (size_t i = 0; (pending = reply_at(reply, i)); i++) {
		if (tasks_find(&feed->tasks, reply_string(reply_at(pending, 0))))
			continue;
		if (!room--)
			return false;
		claim_entry(feed, pending, is_ours);
	}
	return true;
}

static void on_own(void *context, const redisReply *reply)
{
	struct feed *feed = context;

	feed->is_looking = false;
	if (reply_is_error(reply, ""))
		note_refusal(feed, reply);
	else if (reply)
		feed->has_recovered = claim_all(feed, reply, true);
}

static void on_others(void *context, const redisReply *reply)
{
	struct feed *feed = context;

	feed->is_looking = false;
	if (reply_is_error(reply, ""))
		note_refusal(feed, reply);
	else if (reply)
		claim_all(feed, reply, false);
}

/* What was sent to us, and did not arrive or was had by our predecessor. */
static void recover(struct feed *feed)
{
	if (!feed->is_looking && !feed->claiming)
		feed->is_looking = redis_ask(feed->redis, on_own, feed, "XPENDING %s " FLEET_GROUP " - + %d %s", feed->stream, LOOK_MOST,
			feed->settings->name);
}

static void take_over(struct feed *feed, uint64_t now_ms)
{
	uint64_t many = tasks_count(&feed->tasks) + room_of(feed);

	if (feed->is_looking || feed->claiming || !room_of(feed) || now_ms - feed->looked_ms < feed->settings->claim_ms / 4)
		return;
	feed->looked_ms = now_ms;
	feed->is_looking = redis_ask(feed->redis, on_others, feed, "XPENDING %s " FLEET_GROUP " IDLE %" PRIu64 " - + %" PRIu64,
		feed->stream, feed->settings->claim_ms, many < LOOK_MOST ? many : LOOK_MOST);
}

/* ---- those that we have ---- */

static void keep(struct feed *feed, const struct text *entries, unsigned idle_ms)
{
	if (entries->size)
		redis_ask(feed->redis, NULL, NULL, "EVAL %s 1 %s " FLEET_GROUP " %s %u %s", script_keep, feed->stream,
			feed->settings->name, idle_ms, text_string(entries));
}

static void keep_list(struct feed *feed, const struct task_list *list, unsigned idle_ms)
{
	struct text entries;
	unsigned count = 0;

	text_init(&entries, RENEW_MOST * ENTRY_SIZE);
	for (struct task *task = list->first; task; task = task->next) {
		text_format(&entries, "%s ", task->entry);
		if (++count % RENEW_MOST == 0) {
			keep(feed, &entries, idle_ms);
			text_clear(&entries);
		}
	}
	keep(feed, &entries, idle_ms);
	text_finish(&entries);
}

static void keep_all(struct feed *feed, unsigned idle_ms)
{
	keep_list(feed, &feed->tasks.waiting, idle_ms);
	keep_list(feed, &feed->tasks.answered, idle_ms);
}

/* Nobody shall take them over while we work on them, however long that is. */
static void renew(struct feed *feed, uint64_t now_ms)
{
	if (now_ms - feed->renewed_ms < feed->settings->claim_ms / 4 || !feed->local.link)
		return;
	feed->renewed_ms = now_ms;
	keep_all(feed, 0);
}

void feed_release(struct feed *feed)
{
	keep_all(feed, GIVEN_BACK_MS);
}

/* The pool takes nothing now: what it was not given yet is for others. */
static void give_back(struct feed *feed)
{
	struct task_list held = { .first = tasks_first_held(&feed->tasks) };

	if (!held.first)
		return;
	keep_list(feed, &held, GIVEN_BACK_MS);
	for (struct task *task = held.first, *next; task; task = next) {
		next = task->next;
		tasks_remove(&feed->tasks, task);
	}
}

/* ---- reading ---- */

static void on_read(void *context, const redisReply *reply)
{
	struct feed *feed = context;
	const redisReply *entries = reply_at(reply_at(reply, 0), 1), *entry;

	feed->is_reading = false;
	if (!reply)
		feed->has_recovered = false; /* something may have been on its way */
	if (reply_is_error(reply, ""))
		note_refusal(feed, reply);
	for (size_t i = 0; (entry = reply_at(entries, i)); i++)
		take_entry(feed, entry);
}

static void read_more(struct feed *feed)
{
	uint64_t room = room_of(feed);

	if (room && !feed->is_reading && redis_is_up(feed->reader))
		feed->is_reading = redis_ask(feed->reader, on_read, feed,
			"XREADGROUP GROUP " FLEET_GROUP " %s COUNT %" PRIu64 " BLOCK %d STREAMS %s >", feed->settings->name, room, BLOCK_MS,
			feed->stream);
}

static void on_grouped(void *context, const redisReply *reply)
{
	struct feed *feed = context;

	feed->is_grouping = false;
	feed->has_group = reply && (reply->type != REDIS_REPLY_ERROR || reply_is_error(reply, "BUSYGROUP"));
	if (reply && !feed->has_group)
		note_refusal(feed, reply);
}

static void make_group(struct feed *feed)
{
	if (!feed->is_grouping)
		feed->is_grouping = redis_ask(feed->redis, on_grouped, feed, "XGROUP CREATE %s " FLEET_GROUP " 0 MKSTREAM", feed->stream);
}

static void talk(struct feed *feed, uint64_t now_ms)
{
	if (feed->era != redis_era(feed->redis)) {
		feed->era = redis_era(feed->redis);
		feed->has_group = feed->has_recovered = false;
	}
	if (feed->failed_ms && now_ms - feed->failed_ms < AGAIN_MS)
		return;
	feed->failed_ms = 0;
	if (!feed->has_group) {
		make_group(feed);
		return;
	}
	tell_answers(feed);
	if (!feed->local.is_open)
		give_back(feed);
	renew(feed, now_ms);
	if (!feed->has_recovered) {
		recover(feed);
		return;
	}
	take_over(feed, now_ms);
	read_more(feed);
}

void feed_turn(struct feed *feed)
{
	redis_turn(feed->reader);
	local_turn(&feed->local);
	if (redis_is_up(feed->redis))
		talk(feed, clock_monotonic_ms());
}
