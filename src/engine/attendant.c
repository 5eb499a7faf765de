#include "engine/attendant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/pattern.h"
#include "base/text.h"
#include "engine/limit.h"

enum { LINE_MOST = 16 * 1024 }; /* what is beyond this in a line is not looked at */

/* Where in a log a line that says "ready" is looked for. */
struct log_search {
	uint64_t offset;
	struct text line; /* the one that has no end yet */
	bool is_cut;
};

struct ready_pipe {
	struct attendant *attendant; /* NULL: it has gone */
	int fd;
	uint32_t life; /* index in the store */
	uv_poll_t poll;
};

/* ---- a newline on a descriptor ---- */

static void on_pipe_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end_pipe(struct attendant *attendant)
{
	struct ready_pipe *pipe = attendant->pipe;

	if (!pipe)
		return;
	attendant->pipe = NULL;
	keeper_link_closed(&attendant->member->engine->keeper, STORE_LIFE_SLOT + pipe->life, KEEPER_READY);
	uv_poll_stop(&pipe->poll);
	uv_close((uv_handle_t *)&pipe->poll, on_pipe_closed);
	close(pipe->fd);
}

static void on_pipe(uv_poll_t *poll, int status, int events)
{
	struct ready_pipe *pipe = poll->data;
	struct member *member = pipe->attendant->member;
	char bytes[256];
	ssize_t size = read(pipe->fd, bytes, sizeof bytes);

	(void)status;
	(void)events;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	bool is_ready = size > 0 && memchr(bytes, '\n', (size_t)size);
	if (is_ready || size <= 0)
		end_pipe(pipe->attendant);
	if (is_ready)
		engine_pass(member->engine, member, GATE_FD);
}

static void drop_pipe(struct member *member, int fd)
{
	if (fd < 0)
		return;
	keeper_link_closed(&member->engine->keeper, STORE_LIFE_SLOT + (uint32_t)member->life, KEEPER_READY);
	close(fd);
}

static void begin_pipe(struct attendant *attendant, int fd)
{
	struct ready_pipe *pipe = memory_zeroed(1, sizeof *pipe);

	pipe->attendant = attendant;
	pipe->fd = fd;
	pipe->life = (uint32_t)attendant->member->life;
	pipe->poll.data = pipe;
	attendant->pipe = pipe;
	uv_poll_init(attendant->member->engine->loop, &pipe->poll, fd);
	uv_poll_start(&pipe->poll, UV_READABLE | UV_DISCONNECT, on_pipe);
}

/* ---- a line of its output ---- */

static void end_search(struct attendant *attendant)
{
	for (enum stream i = 0; attendant->searches && i < STREAM_COUNT; i++)
		text_finish(&attendant->searches[i].line);
	free(attendant->searches);
	attendant->searches = NULL;
	pattern_destroy(attendant->pattern);
	attendant->pattern = NULL;
}

static void begin_search(struct attendant *attendant, const char *text, bool is_new)
{
	struct member *member = attendant->member;
	struct error err;

	attendant->pattern = pattern_create(text, &err);
	if (!attendant->pattern) {
		log_line("%s: ready.log: %s", member->now.service, err.text);
		return;
	}
	attendant->searches = memory_zeroed(STREAM_COUNT, sizeof *attendant->searches);
	for (enum stream i = 0; i < STREAM_COUNT; i++) {
		struct log_search *search = &attendant->searches[i];
		text_init(&search->line, LINE_MOST);
		if (!member->logs[i].path)
			continue;
		search->offset = is_new ? logfile_end(&member->logs[i])
					: logfile_find_time(&member->logs[i], member->now.started_us);
	}
}

struct log_reader {
	struct attendant *attendant;
	struct log_search *search;
	int32_t pid;
	bool has_matched;
};

static void add_to_line(struct log_search *search, const char *bytes, size_t size)
{
	size_t room = search->line.most - search->line.size;

	text_append(&search->line, bytes, size < room ? size : room);
}

static void take_chunk(void *context, const struct log_chunk *chunk)
{
	struct log_reader *reader = context;
	struct text *line = &reader->search->line;
	const char *bytes = chunk->data;
	size_t left = chunk->pid == reader->pid ? chunk->size : 0;

	while (left > 0 && !reader->has_matched) {
		const char *end = memchr(bytes, '\n', left);
		size_t size = end ? (size_t)(end - bytes) : left;
		add_to_line(reader->search, bytes, size);
		if (end) {
			reader->has_matched = pattern_matches(
				reader->attendant->pattern, text_string(line), line->size);
			text_clear(line);
			size++;
		}
		bytes += size;
		left -= size;
	}
}

void attendant_logged(struct member *member, enum stream stream)
{
	struct attendant *attendant = member->attendant;

	if (!attendant || !attendant->searches || !member->logs[stream].path)
		return;
	struct log_search *search = &attendant->searches[stream];
	struct log_reader reader = { attendant, search, member->now.pid, false };
	uint64_t before;
	do {
		before = search->offset;
		search->offset = logfile_read(
			&member->logs[stream], before, SIZE_MAX, take_chunk, &reader);
	} while (search->offset != before && !reader.has_matched);
	if (!reader.has_matched)
		return;
	end_search(attendant);
	engine_pass(member->engine, member, GATE_LOG);
}

/* ---- coming and going ---- */

static bool is_needed(const struct service_spec *spec)
{
	return service_spec_tells_ready(spec) || spec->probes[PROBE_LIVENESS].kind || spec->limit_count;
}

void attendant_begin(struct member *member, int ready_fd, bool is_new)
{
	const struct service_spec *spec = member_spec(member);

	if (!is_needed(spec)) {
		drop_pipe(member, ready_fd);
		return;
	}
	struct attendant *attendant = memory_zeroed(1, sizeof *attendant);
	attendant->member = member;
	attendant->life = member->now.life;
	attendant->has_limits = spec->limit_count > 0;
	member->attendant = attendant;
	if (ready_fd >= 0 && member->now.gates & GATE_FD)
		begin_pipe(attendant, ready_fd);
	else
		drop_pipe(member, ready_fd);
	if (member->now.gates & GATE_LOG)
		begin_search(attendant, spec->ready.log, is_new);
	if (spec->limit_count)
		limit_arrange(member->engine);
	attendant_update(member);
	for (enum stream i = 0; i < STREAM_COUNT; i++)
		attendant_logged(member, i);
}

static bool is_asked_now(const struct member *member, enum probe_role role)
{
	if (member_spec(member)->probes[role].kind == PROBE_NONE)
		return false;
	bool is_starting = member->now.gates & GATE_STARTUP;
	return role == PROBE_STARTUP ? is_starting : !is_starting;
}

void attendant_update(struct member *member)
{
	struct attendant *attendant = member->attendant;

	if (!attendant)
		return;
	if (!member->now.pid || member->now.state == STATE_STOPPING ||
		member->now.life != attendant->life) {
		attendant_end(member);
		return;
	}
	for (enum probe_role role = 0; role < PROBE_ROLE_COUNT; role++) {
		bool is_asked = is_asked_now(member, role);
		if (is_asked && !attendant->probes[role])
			attendant->probes[role] = probe_start(member, role);
		else if (!is_asked && attendant->probes[role]) {
			probe_stop(attendant->probes[role]);
			attendant->probes[role] = NULL;
		}
	}
}

void attendant_end(struct member *member)
{
	struct attendant *attendant = member->attendant;

	if (!attendant)
		return;
	member->attendant = NULL;
	for (enum probe_role role = 0; role < PROBE_ROLE_COUNT; role++)
		if (attendant->probes[role])
			probe_stop(attendant->probes[role]);
	end_search(attendant);
	end_pipe(attendant);
	bool had_limits = attendant->has_limits;
	free(attendant);
	if (had_limits)
		limit_arrange(member->engine);
}

void attendant_renew(struct member *member)
{
	struct attendant *attendant = member->attendant;

	if (!attendant && member->now.pid && member->now.state != STATE_STOPPING)
		attendant_begin(member, -1, false);
	if (!attendant)
		return;
	memset(attendant->limits, 0, sizeof attendant->limits);
	attendant->has_limits = member_spec(member)->limit_count > 0;
	limit_arrange(member->engine);
}
