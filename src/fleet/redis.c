#include "fleet/redis.h"

#include <hiredis/async.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

enum {
	RETRY_LEAST_MS = 100,
	RETRY_MOST_MS = 5000,
	PATIENCE_MS = 10 * 1000, /* for a connection, and for an answer */
};

struct redis {
	const struct settings *settings; /* borrowed */
	redisAsyncContext *context;      /* NULL: none */
	short wanted;                    /* events of poll() */
	bool is_up, has_complained;
	unsigned era, waiting; /* commands under way */
	uint64_t heard_ms;     /* something came, or nothing was waited for */
	uint64_t tried_ms, retry_ms;
	char trouble[160];
};

/* ---- what hiredis asks of an event loop ---- */

static void add_read(void *data)
{
	((struct redis *)data)->wanted |= POLLIN;
}

static void delete_read(void *data)
{
	((struct redis *)data)->wanted &= (short)~POLLIN;
}

static void add_write(void *data)
{
	((struct redis *)data)->wanted |= POLLOUT;
}

static void delete_write(void *data)
{
	((struct redis *)data)->wanted &= (short)~POLLOUT;
}

/* The context is being freed, whoever did it. */
static void forget(void *data)
{
	struct redis *redis = data;

	redis->context = NULL;
	redis->wanted = 0;
	redis->is_up = false;
	redis->waiting = 0;
	redis->tried_ms = clock_monotonic_ms();
}

/* ---- coming and going ---- */

static void note_trouble(struct redis *redis, const char *why)
{
	snprintf(redis->trouble, sizeof redis->trouble, "%.150s", why);
	if (!redis->has_complained)
		log_line("redis %s: %s; it is tried again", redis->settings->server, redis->trouble);
	redis->has_complained = true;
}

static void let_go(struct redis *redis)
{
	if (redis->context)
		redisAsyncFree(redis->context);
}

static void on_greeted(void *context, const redisReply *reply)
{
	struct redis *redis = context;

	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		note_trouble(redis, reply->str);
		redisAsyncDisconnect(redis->context);
		return;
	}
	if (redis->has_complained)
		log_line("redis %s: connected", redis->settings->server);
	redis->is_up = true;
	redis->has_complained = false;
	redis->retry_ms = RETRY_LEAST_MS;
	redis->trouble[0] = '\0';
	redis->era++;
}

static void on_connected(const redisAsyncContext *context, int status)
{
	struct redis *redis = context->data;
	const struct settings *settings = redis->settings;

	if (status != REDIS_OK) {
		note_trouble(redis, context->errstr);
		return;
	}
	if (settings->password && settings->user)
		redis_ask(redis, NULL, NULL, "AUTH %s %s", settings->user, settings->password);
	else if (settings->password)
		redis_ask(redis, NULL, NULL, "AUTH %s", settings->password);
	/* Refused without a password, while it is being loaded, and where there is no such database. */
	redis_ask(redis, on_greeted, redis, "SELECT %llu", (unsigned long long)settings->database);
}

static void on_disconnected(const redisAsyncContext *context, int status)
{
	if (status != REDIS_OK)
		note_trouble(context->data, context->errstr[0] ? context->errstr : "the connection was lost");
}

static void connect_again(struct redis *redis, uint64_t now_ms)
{
	const struct settings *settings = redis->settings;

	redis->tried_ms = redis->heard_ms = now_ms;
	redis->retry_ms = redis->retry_ms * 2 < RETRY_MOST_MS ? redis->retry_ms * 2 : RETRY_MOST_MS;
	redisAsyncContext *context =
		settings->path ? redisAsyncConnectUnix(settings->path) : redisAsyncConnect(settings->host, (int)settings->port);
	if (!context || context->err) {
		note_trouble(redis, context ? context->errstr : "no memory");
		if (context)
			redisAsyncFree(context);
		return;
	}
	redis->context = context;
	context->data = context->ev.data = redis;
	context->ev.addRead = add_read;
	context->ev.delRead = delete_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = delete_write;
	context->ev.cleanup = forget;
	redisAsyncSetConnectCallback(context, on_connected);
	redisAsyncSetDisconnectCallback(context, on_disconnected);
}

struct redis *redis_create(const struct settings *settings)
{
	struct redis *redis = memory_zeroed(1, sizeof *redis);

	redis->settings = settings;
	redis->retry_ms = RETRY_LEAST_MS;
	return redis;
}

void redis_destroy(struct redis *redis)
{
	if (redis)
		let_go(redis);
	free(redis);
}

void redis_turn(struct redis *redis)
{
	uint64_t now_ms = clock_monotonic_ms();

	if (redis->context && (redis->waiting || !redis->is_up) && now_ms - redis->heard_ms > PATIENCE_MS) {
		note_trouble(redis, "it does not answer");
		let_go(redis);
	}
	if (!redis->context && (!redis->tried_ms || now_ms - redis->tried_ms >= redis->retry_ms))
		connect_again(redis, now_ms);
}

struct pollfd redis_poll(const struct redis *redis)
{
	return (struct pollfd){ .fd = redis->context ? redis->context->c.fd : -1, .events = redis->wanted };
}

void redis_handle(struct redis *redis, short events)
{
	if (!redis->context || !events)
		return;
	redis->heard_ms = clock_monotonic_ms();
	/* A connection that was refused is told to hiredis as one that can be written to. */
	if (events & (POLLOUT | POLLERR | POLLHUP) && redis->wanted & POLLOUT)
		redisAsyncHandleWrite(redis->context);
	if (redis->context && events & (POLLIN | POLLERR | POLLHUP))
		redisAsyncHandleRead(redis->context);
}

int redis_wait_ms(const struct redis *redis)
{
	return redis->context ? PATIENCE_MS : (int)redis->retry_ms;
}

bool redis_is_up(const struct redis *redis)
{
	return redis->is_up;
}

unsigned redis_era(const struct redis *redis)
{
	return redis->era;
}

const char *redis_trouble(const struct redis *redis)
{
	return redis->trouble;
}

/* ---- commands ---- */

struct asked {
	struct redis *redis;
	redis_on_reply *on_reply;
	void *context;
};

static void answer(redisAsyncContext *context, void *reply, void *data)
{
	struct asked asked = *(struct asked *)data;

	(void)context;
	free(data);
	if (asked.redis->waiting)
		asked.redis->waiting--;
	if (asked.on_reply)
		asked.on_reply(asked.context, reply);
}

static struct asked *asked_create(struct redis *redis, redis_on_reply *on_reply, void *context)
{
	struct asked *asked = memory_zeroed(1, sizeof *asked);

	*asked = (struct asked){ redis, on_reply, context };
	return asked;
}

/* It is under way, unless hiredis did not take it. */
static bool settle(struct redis *redis, struct asked *asked, int taken)
{
	if (taken != REDIS_OK) {
		free(asked);
		return false;
	}
	if (!redis->waiting++)
		redis->heard_ms = clock_monotonic_ms();
	return true;
}

bool redis_ask(struct redis *redis, redis_on_reply *on_reply, void *context, const char *fmt, ...)
{
	va_list args;

	if (!redis->context)
		return false;
	struct asked *asked = asked_create(redis, on_reply, context);
	va_start(args, fmt);
	int taken = redisvAsyncCommand(redis->context, answer, asked, fmt, args);
	va_end(args);
	return settle(redis, asked, taken);
}

bool redis_ask_words(struct redis *redis, redis_on_reply *on_reply, void *context, size_t count, const char **words)
{
	if (!redis->context)
		return false;
	struct asked *asked = asked_create(redis, on_reply, context);
	return settle(redis, asked, redisAsyncCommandArgv(redis->context, answer, asked, (int)count, words, NULL));
}

/* ---- replies ---- */

bool reply_is_error(const redisReply *reply, const char *begins)
{
	return reply && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, begins, strlen(begins)) == 0;
}

const redisReply *reply_at(const redisReply *reply, size_t index)
{
	return reply && reply->type == REDIS_REPLY_ARRAY && index < reply->elements ? reply->element[index] : NULL;
}

const char *reply_string(const redisReply *reply)
{
	return reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS) ? reply->str : "";
}

const redisReply *reply_field(const redisReply *fields, const char *name)
{
	for (size_t i = 0; reply_at(fields, i + 1); i += 2)
		if (strcmp(reply_string(reply_at(fields, i)), name) == 0)
			return reply_at(fields, i + 1);
	return NULL;
}
