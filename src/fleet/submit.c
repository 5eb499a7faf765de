/* `thrum-redis submit`: tasks into the stream, once each, whatever happens to Redis meanwhile; and their answers. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "client/signals.h"
#include "fleet/fleet.h"
#include "fleet/redis.h"
#include "fleet/script.h"
#include "wire/message.h"

enum {
	AT_ONCE = 256,       /* commands under way */
	READ_AT_ONCE = 1000, /* answers */
	LINE_MOST = 1024 * 1024 - 1024,
	BLOCK_MS = 1000,
	TURN_MS = 500,
	KEPT_MS = 24 * 3600 * 1000, /* the counter, after the last task */
};

struct sending {
	const struct settings *settings; /* borrowed */
	struct redis *redis, *reader;    /* owned */
	char id[64], last[48];           /* of the submission; the answer that was read last */
	char *stream, *counter, *reply;  /* owned; keys */
	char **tasks;                    /* owned, each */
	uint8_t *seen;                   /* owned; of each task: it is answered */
	size_t count, sent, next;        /* tasks: all, those that Redis has for certain, the next to send */
	size_t asked, answered, failed;  /* asked: commands under way */
	unsigned era;
	bool wants_answers, wants_json, is_known, is_asking, is_reading;
	char *refusal; /* owned */
};

/* ---- the tasks ---- */

static bool add_task(struct sending *work, const char *text, size_t size)
{
	struct message message;

	while (size && (text[size - 1] == '\n' || text[size - 1] == '\r'))
		size--;
	if (!size)
		return true;
	const char *fault = size > LINE_MOST ? "longer than 1 MiB" : message_scan(&message, text, size) ? NULL
													: "no JSON";
	if (fault)
		return fleet_fail(FLEET_FAILED, "task %zu is %s: '%.60s'", work->count + 1, fault, text) == FLEET_OK;
	if (work->count % 1024 == 0)
		work->tasks = memory_resize(work->tasks, work->count + 1024, sizeof *work->tasks);
	work->tasks[work->count++] = memory_copy_n(text, size);
	return true;
}

static bool read_file(struct sending *work, const char *path)
{
	bool is_input = strcmp(path, "-") == 0, ok = true;
	FILE *file = is_input ? stdin : fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t size;

	if (!file)
		return fleet_fail(FLEET_FAILED, "%s: %s", path, strerror(errno)) == FLEET_OK;
	while (ok && (size = getline(&line, &room, file)) >= 0)
		ok = add_task(work, line, (size_t)size);
	free(line);
	if (!is_input)
		fclose(file);
	return ok;
}

/* ---- sending ---- */

static void refuse(struct sending *work, const redisReply *reply)
{
	if (!work->refusal)
		work->refusal = memory_copy(reply->str);
}

/* How many are there: by that it is known what is to be sent, the first time and after any accident. */
static void on_counted(void *context, const redisReply *reply)
{
	struct sending *work = context;

	work->is_asking = false;
	if (!reply || reply_is_error(reply, ""))
		return;
	work->next = work->sent = (size_t)strtoull(reply_string(reply), NULL, 10);
	work->is_known = work->sent <= work->count;
}

static void on_added(void *context, const redisReply *reply)
{
	struct sending *work = context;

	work->asked--;
	if (reply_is_error(reply, "LOADING") || reply_is_error(reply, "READONLY") || reply_is_error(reply, "OOM"))
		work->is_known = false; /* that passes */
	else if (reply_is_error(reply, ""))
		refuse(work, reply);
	else if (reply && (size_t)reply->integer > work->sent)
		work->sent = (size_t)reply->integer;
	else if (reply)
		work->is_known = false;
}

static bool send_task(struct sending *work, size_t index)
{
	char id[96];

	snprintf(id, sizeof id, "%s:%zu", work->id, index);
	bool ok = redis_ask(work->redis, on_added, work, "EVAL %s 2 %s %s %llu %s %s %s %d", script_add, work->stream, work->counter,
		(unsigned long long)index, id, work->tasks[index], work->wants_answers ? work->reply : "", KEPT_MS);
	work->next += ok;
	work->asked += ok;
	return ok;
}

static void send_more(struct sending *work)
{
	if (!redis_is_up(work->redis))
		return;
	if (work->era != redis_era(work->redis)) {
		work->era = redis_era(work->redis);
		work->is_known = false;
	}
	if (!work->is_known && !work->is_asking && !work->asked)
		work->is_asking = redis_ask(work->redis, on_counted, work, "GET %s", work->counter);
	while (work->is_known && work->next < work->count && work->asked < AT_ONCE && send_task(work, work->next))
		;
}

/* ---- answers ---- */

/* As the worker said it. A quote in a string has a backslash before it: what looks like the member is it. */
static void print_answer(struct sending *work, const char *text, size_t index)
{
	static const char ok[] = "\"ok\":true";
	const char *end = strrchr(text, '}'), *member = strstr(text, "\"ok\":");

	work->failed += !member || strncmp(member, ok, sizeof ok - 1) != 0;
	if (end)
		printf("%.*s,\"index\":%zu}\n", (int)(end - text), text, index);
}

static void take_answer(struct sending *work, const redisReply *entry)
{
	const redisReply *fields = reply_at(entry, 1);
	const char *id = reply_string(reply_field(fields, "id")), *colon = strrchr(id, ':');
	size_t index = colon ? (size_t)strtoull(colon + 1, NULL, 10) : work->count;

	snprintf(work->last, sizeof work->last, "%s", reply_string(reply_at(entry, 0)));
	if (index >= work->count || work->seen[index])
		return;
	work->seen[index] = 1;
	work->answered++;
	print_answer(work, reply_string(reply_field(fields, "answer")), index);
}

static void on_answers(void *context, const redisReply *reply)
{
	struct sending *work = context;
	const redisReply *entries = reply_at(reply_at(reply, 0), 1), *entry;

	work->is_reading = false;
	if (reply_is_error(reply, "LOADING"))
		return;
	if (reply_is_error(reply, ""))
		refuse(work, reply);
	for (size_t i = 0; (entry = reply_at(entries, i)); i++)
		take_answer(work, entry);
	fflush(stdout);
}

static void read_more(struct sending *work)
{
	if (work->wants_answers && !work->is_reading && redis_is_up(work->reader))
		work->is_reading = redis_ask(work->reader, on_answers, work, "XREAD COUNT %d BLOCK %d STREAMS %s %s", READ_AT_ONCE,
			BLOCK_MS, work->reply, work->last);
}

/* ---- the whole of it ---- */

static bool is_over(const struct sending *work)
{
	if (work->refusal || ferror(stdout))
		return true;
	return work->wants_answers ? work->answered == work->count : work->is_known && work->sent == work->count;
}

/* False: interrupted. */
static bool turn(struct sending *work, int signal_fd)
{
	redis_turn(work->redis);
	redis_turn(work->reader);
	send_more(work);
	read_more(work);
	struct pollfd ready[] = { { .fd = signal_fd, .events = POLLIN }, redis_poll(work->redis), redis_poll(work->reader) };
	int ms = redis_wait_ms(work->redis) < redis_wait_ms(work->reader) ? redis_wait_ms(work->redis) : redis_wait_ms(work->reader);
	if (poll(ready, 3, ms < TURN_MS ? ms : TURN_MS) <= 0)
		return true;
	redis_handle(work->redis, ready[1].revents);
	redis_handle(work->reader, ready[2].revents);
	return !ready[0].revents;
}

static void on_cleaned(void *context, const redisReply *reply)
{
	(void)reply;
	*(bool *)context = true;
}

/* The keys of this submission; if that is not to be, they are gone in a day. */
static void clean(struct sending *work)
{
	bool is_done = !redis_ask(work->redis, on_cleaned, &is_done, "DEL %s %s", work->reply, work->counter);

	while (!is_done) {
		struct pollfd ready = redis_poll(work->redis);
		if (poll(&ready, 1, TURN_MS) <= 0)
			return;
		redis_handle(work->redis, ready.revents);
	}
}

static int tell_end(const struct sending *work, bool is_interrupted)
{
	if (work->refusal)
		return fleet_fail(FLEET_FAILED, "%zu of %zu tasks were taken; redis: %s", work->sent, work->count, work->refusal);
	if (is_interrupted)
		return fleet_fail(FLEET_FAILED, "%zu of %zu tasks were taken, %zu were answered", work->sent, work->count, work->answered);
	if (!work->wants_answers)
		printf(work->wants_json ? "{\"submitted\": %zu, \"submission\": \"%s\"}\n" : "%zu submitted\n", work->sent, work->id);
	return work->failed || ferror(stdout) ? FLEET_FAILED : FLEET_OK;
}

static int submit(struct sending *work, const char *pool)
{
	int signal_fd = signals_open(signals_of_service, NULL);
	bool goes_on = true;

	snprintf(work->id, sizeof work->id, "%" PRIx64 "-%lx-%.30s", clock_wall_us(), (long)getpid(), work->settings->machine);
	snprintf(work->last, sizeof work->last, "0");
	work->stream = memory_format("%s:pool:%s", work->settings->prefix, pool);
	work->counter = memory_format("%s:sent:%s", work->stream, work->id);
	work->reply = memory_format("%s:reply:%s", work->stream, work->id);
	work->seen = memory_zeroed(work->count, 1);
	work->redis = redis_create(work->settings);
	work->reader = redis_create(work->settings);
	while (goes_on && !is_over(work))
		goes_on = turn(work, signal_fd);
	if (goes_on && work->wants_answers)
		clean(work);
	redis_destroy(work->reader);
	redis_destroy(work->redis);
	close(signal_fd);
	return tell_end(work, !goes_on);
}

static void finish(struct sending *work)
{
	for (size_t i = 0; i < work->count; i++)
		free(work->tasks[i]);
	free(work->tasks);
	free(work->seen);
	free(work->stream);
	free(work->counter);
	free(work->reply);
	free(work->refusal);
}

int fleet_submit(const struct settings *settings, int argc, char **argv)
{
	static const struct option options[] = {
		{ "wait", no_argument, NULL, 'w' }, { "from", required_argument, NULL, 'f' }, { "json", no_argument, NULL, 'j' }, { 0 }
	};
	struct sending work = { .settings = settings };
	const char *from = NULL;
	int option, status = FLEET_USAGE;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return FLEET_USAGE;
		work.wants_answers |= option == 'w';
		work.wants_json |= option == 'j';
		from = option == 'f' ? optarg : from;
	}
	bool ok = optind < argc && (from || optind + 1 < argc);
	for (int i = optind + 1; i < argc && ok; i++)
		ok = add_task(&work, argv[i], strlen(argv[i]));
	if (ok && (!from || read_file(&work, from)))
		status = submit(&work, argv[optind]);
	else if (optind + 1 < argc || from)
		status = FLEET_FAILED;
	finish(&work);
	return status;
}
