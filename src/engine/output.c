#include "engine/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/disk_cap.h"

enum {
	TAKE_MOST = 512 * 1024, /* bytes of one child a turn: then the others have their turn */
	RETRY_MS = 1000,
	WIDE_PIPE = 1024 * 1024,
	FAST_US = 500,    /* bytes again this soon: a fast writer */
	MUCH = 48 * 1024, /* the usual pipe was nearly full */
	LITTLE = 4096,    /* less than this is not worth a wake-up then … */
	LITTLES = 4,      /* when it happens this often in a row … */
	REST_MS = 1,      /* … so the pipe may fill this long */
};

static void on_retry(uv_timer_t *timer)
{
	struct engine *engine = timer->data;

	bool is_any_left = engine_write_deaths(engine);
	if (!output_retry(engine) && !is_any_left)
		uv_timer_stop(timer);
}

void output_retry_later(struct engine *engine)
{
	uv_timer_start(&engine->retry, on_retry, RETRY_MS, RETRY_MS);
}

static void on_output_closed(uv_handle_t *handle)
{
	struct output *output = handle->data;

	if (--output->open_handles > 0)
		return;
	free(output->rest);
	free(output);
}

static void unlink_output(struct output *output)
{
	struct output **place = &output->engine->outputs;

	while (*place != output)
		place = &(*place)->next;
	*place = output->next;
}

/* The poll is stopped before the close: the keeper's copy keeps the pipe in epoll otherwise. */
static void end_output(struct output *output)
{
	struct engine *engine = output->engine;
	struct life *life = &engine->store->lives[output->life];
	struct member *member = engine->members[output->seat];

	output->is_closing = true;
	uv_poll_stop(&output->poll);
	unlink_output(output);
	if (member) {
		logfile_end_of(&member->logs[output->stream], output->pid, clock_wall_us());
		engine_logged(engine, member, output->stream);
	}
	atomic_fetch_or(&life->closed, 1u << output->stream);
	uv_close((uv_handle_t *)&output->poll, on_output_closed);
	keeper_link_closed(&engine->keeper, STORE_LIFE_SLOT + output->life,
		output->stream == STREAM_OUT ? KEEPER_OUT : KEEPER_ERR);
	if (output->terminal) {
		keeper_link_closed(&engine->keeper, STORE_LIFE_SLOT + output->life, KEEPER_TERMINAL);
		keeper_link_closed(&engine->keeper, STORE_LIFE_SLOT + output->life, KEEPER_HOP);
	}
	close(output->fd); /* only now: libuv has looked at it for the last time */
	terminal_close(output->terminal);
	if (output->rest)
		uv_close((uv_handle_t *)output->rest, on_output_closed);
	engine_settle_life(engine, output->life);
}

/* Once for each reason, over all logs: the operator needs to know that the disk is full, not how often. */
static void stall(struct output *output, const struct error *why)
{
	struct engine *engine = output->engine;
	uint64_t reason = 1ull << (why->code & 63);

	if (!output->is_stalled && !(engine->stuck_reasons & reason))
		engine_tell(engine, "%s; its writers wait until that is mended", why->text);
	engine->stuck_reasons |= reason;
	output->is_stalled = true;
	uv_poll_stop(&output->poll);
	output_retry_later(engine);
}

static enum log_progress take(struct output *output)
{
	struct engine *engine = output->engine;
	struct member *member = engine->members[output->seat];
	struct logfile *log = &member->logs[output->stream];
	enum log_progress progress = LOG_STALLED;
	struct error err;
	bool has_ended = output->terminal && terminal_pump(output->terminal);

	/* a log that could not be opened is one that cannot take anything now */
	if (member_open_logs(member, &err)) {
		uint64_t base = log->base;
		progress = logfile_take(log, output->fd, output->pid, clock_wall_us(), TAKE_MOST);
		if (progress == LOG_STALLED)
			error_errno(&err, "log %s", log->path);
		if (log->base != base)
			disk_cap_apply(engine);
	}
	if (progress == LOG_EMPTY && has_ended)
		progress = LOG_ENDED; /* we hold the pipe's other end: it does not tell */
	if (progress == LOG_TAKEN)
		engine_logged(engine, member, output->stream);
	else if (progress == LOG_STALLED)
		stall(output, &err);
	else if (progress == LOG_ENDED)
		end_output(output);
	return progress;
}

static void on_rested(uv_timer_t *timer);
static void watch(struct output *output);

/* As far as the system allows: a user has 64 MiB of wide pipes. A terminal is as wide as it is. */
static bool widen(struct output *output)
{
	if (!output->is_wide && !output->terminal)
		output->is_wide = fcntl(output->fd, F_SETPIPE_SZ, WIDE_PIPE) >= 0;
	return output->is_wide || output->terminal;
}

/* Most never do: the timer is made for who does. */
static void rest(struct output *output, uint64_t ms)
{
	if (!output->rest) {
		output->rest = memory_zeroed(1, sizeof *output->rest);
		uv_timer_init(output->engine->loop, output->rest);
		output->rest->data = output;
		output->open_handles++;
	}
	output->is_resting = true;
	uv_timer_start(output->rest, on_rested, ms, 0);
}

/*
 * A fast writer is given a wide pipe: fewer wake-ups for both. One of many small pieces would still
 * wake us for each of them, and wait for the pipe's lock while we take it: so it has some time to fill it.
 */
static void consider_rest(struct output *output, uint64_t taken)
{
	uint64_t now_us = clock_monotonic_us();
	bool is_fast = now_us - output->taken_us < FAST_US;

	output->taken_us = now_us;
	if (is_fast && taken >= MUCH)
		widen(output);
	output->littles = is_fast && taken < LITTLE ? output->littles + 1 : 0;
	if (output->littles < LITTLES || output->is_closing || !widen(output))
		return;
	uv_poll_stop(&output->poll);
	rest(output, REST_MS);
}

static void take_and_rest(struct output *output)
{
	struct logfile *log = &output->engine->members[output->seat]->logs[output->stream];
	uint64_t before = logfile_end(log);

	if (take(output) == LOG_TAKEN)
		consider_rest(output, logfile_end(log) - before);
}

static void on_rested(uv_timer_t *timer)
{
	struct output *output = timer->data;

	output->is_resting = false;
	take_and_rest(output);
	if (!output->is_resting && !output->is_closing && !output->is_stalled)
		watch(output);
}

void output_abandon(struct output *output)
{
	end_output(output);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	take_and_rest(poll->data);
}

static void watch(struct output *output)
{
	uv_poll_start(&output->poll, UV_READABLE | UV_DISCONNECT, on_readable);
}

void output_open(struct engine *engine, uint32_t life, enum stream stream, int fd,
	struct terminal *terminal)
{
	struct output *output = memory_zeroed(1, sizeof *output);

	output->engine = engine;
	output->life = life;
	output->seat = engine->store->lives[life].seat;
	output->pid = engine->store->lives[life].pid;
	output->stream = stream;
	output->fd = fd;
	output->terminal = terminal;
	output->next = engine->outputs;
	engine->outputs = output;
	uv_poll_init(engine->loop, &output->poll, terminal ? terminal_fd(terminal) : fd);
	output->poll.data = output;
	output->open_handles = 1;
	if (terminal) /* what a former engine moved from there into the pipe waits, and nothing tells of it */
		rest(output, 0);
	else
		watch(output);
}

struct terminal *output_terminal(const struct engine *engine, const struct member *member)
{
	for (struct output *output = engine->outputs; output; output = output->next)
		if (output->terminal && (int32_t)output->life == member->life)
			return output->terminal;
	return NULL;
}

bool output_retry(struct engine *engine)
{
	bool is_any = false;
	struct output *next;

	for (struct output *output = engine->outputs; output; output = next) {
		next = output->next;
		if (!output->is_stalled)
			continue;
		output->is_stalled = false;
		enum log_progress progress = take(output);
		is_any |= progress == LOG_STALLED;
		if (progress == LOG_TAKEN || progress == LOG_EMPTY)
			watch(output);
	}
	if (engine->stuck_reasons && !is_any) {
		engine_tell(engine, "logs are written again");
		engine->stuck_reasons = 0;
	}
	return is_any;
}

void output_drain(struct engine *engine, uint32_t life)
{
	struct output *next;

	for (struct output *output = engine->outputs; output; output = next) {
		next = output->next;
		if (output->life == life && !output->is_stalled)
			for (int i = 0; i < 8 && take(output) == LOG_TAKEN; i++)
				continue;
	}
}
