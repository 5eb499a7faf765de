#include "engine/derived.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/linewise.h"
#include "protocol/value.h"

enum {
	FILE_MODE = 0640,
	POS_MAGIC = 0x736f7021,
	LOOK_US = 1000000,
	STAMP_SIZE = 32,
	LINE_OUT_MOST = LINEWISE_LINE_MOST * 6 + 256, /* one line, all of it escaped */
};

/* How far it has come. */
struct position {
	uint32_t magic, reserved;
	uint64_t offsets[STREAM_COUNT]; /* of the raw logs */
	uint64_t length;                /* of the file */
};

struct derived {
	struct member *member;
	char *path; /* owned */
	int fd, pos_fd;
	struct position at;
	uint64_t looked_us;
	bool has_complained;
};

/* What one reading of a raw log has brought together. */
struct gathering {
	struct text out;
	const struct member *member;
	enum stream stream;
	bool is_full;
};

/* "api.log" of the only instance, "api-2.log" of one of several. */
static char *make_path(const struct member *member)
{
	const struct service_spec *spec = member_spec(member);
	const char *file = spec->log.file, *slash = strrchr(file, '/');
	const char *dot = strrchr(slash ? slash : file, '.');
	size_t stem = dot ? (size_t)(dot - file) : strlen(file);

	if (strstr(file, INSTANCE_MARK))
		return spec_for_instance(file, member->now.index);
	if (spec->instances == 1 && member->now.index == 0)
		return memory_copy(file);
	return memory_format("%.*s-%u%s", (int)stem, file, member->now.index, dot ? dot : "");
}

static void complain(struct derived *derived, const char *what)
{
	const struct member *member = derived->member;

	if (!derived->has_complained)
		engine_tell(member->engine, "%s/%u: %s %.60s: %s; it is written when that is mended",
			member->now.service, member->now.index, what, derived->path, strerror(errno));
	derived->has_complained = true;
}

static int open_file(const char *path, int flags)
{
	return open(path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
}

static void close_files(struct derived *derived)
{
	close_if_open(derived->fd);
	close_if_open(derived->pos_fd);
	derived->fd = derived->pos_fd = -1;
}

static bool note(struct derived *derived)
{
	return pwrite(derived->pos_fd, &derived->at, sizeof derived->at, 0) == sizeof derived->at;
}

/* Where it begins when nothing is known of it: with this run of the project. */
static void begin_anew(struct derived *derived, uint64_t length)
{
	struct member *member = derived->member;

	derived->at = (struct position){ .magic = POS_MAGIC, .length = length };
	for (enum stream i = 0; i < STREAM_COUNT; i++)
		if (member->logs[i].path)
			derived->at.offsets[i] = member->engine->store->seats[member->seat].run_began[i];
}

static bool open_files(struct derived *derived)
{
	char *pos_path = memory_format("%s.pos", derived->path);
	struct stat st;

	derived->fd = open_file(derived->path, O_WRONLY);
	derived->pos_fd = open_file(pos_path, O_RDWR);
	free(pos_path);
	bool ok = derived->fd >= 0 && derived->pos_fd >= 0 && fstat(derived->fd, &st) == 0;
	if (ok && !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		ok = false;
	}
	if (!ok) {
		complain(derived, "log.file");
		close_files(derived);
		return false;
	}
	bool is_known = pread(derived->pos_fd, &derived->at, sizeof derived->at, 0) == sizeof derived->at &&
			derived->at.magic == POS_MAGIC;
	if (!is_known)
		begin_anew(derived, (uint64_t)st.st_size);
	else if ((uint64_t)st.st_size < derived->at.length)
		derived->at.length = (uint64_t)st.st_size; /* it was moved away, or emptied */
	return ftruncate(derived->fd, (off_t)derived->at.length) == 0 && note(derived);
}

static bool is_in_place(const struct derived *derived)
{
	struct stat ours, theirs;

	return fstat(derived->fd, &ours) == 0 && stat(derived->path, &theirs) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static bool make_ready(struct derived *derived)
{
	uint64_t now_us = clock_monotonic_us();

	if (derived->fd >= 0 && now_us - derived->looked_us > LOOK_US) {
		derived->looked_us = now_us;
		if (!is_in_place(derived))
			close_files(derived);
	}
	return derived->fd >= 0 || open_files(derived);
}

/* FILE.1 is the newest of those before. */
static void rotate(struct derived *derived)
{
	const struct log_spec *spec = &member_spec(derived->member)->log;
	char from[4096], to[4096];

	if (!spec->max_size || derived->at.length < spec->max_size)
		return;
	for (unsigned i = spec->max_files; i > 0; i--) {
		snprintf(to, sizeof to, "%s.%u", derived->path, i);
		snprintf(from, sizeof from, i > 1 ? "%s.%u" : "%s", derived->path, i - 1);
		rename(from, to);
	}
	if (!spec->max_files)
		unlink(derived->path);
	close_files(derived);
	open_files(derived);
}

static const char *format_time(char out[STAMP_SIZE], uint64_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	size_t size = strftime(out, STAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + size, STAMP_SIZE - size, ".%03uZ", (unsigned)(time_us / 1000 % 1000));
	return out;
}

/* With the names that process-compose gives them. */
static void put_json(struct gathering *gathering, const struct linewise *lines, const char *stamp)
{
	const struct instance *now = &gathering->member->now;
	json_t *json = json_pack("{s:s,s:s,s:I,s:o,s:s*}", "level", gathering->stream == STREAM_ERR ? "error" : "info", "process",
		now->service, "replica", (json_int_t)now->index, "message",
		text_to_json(text_string(&lines->line), lines->line.size), "time", stamp);
	char *text = json_dumps(json, JSON_COMPACT);

	text_puts(&gathering->out, text);
	free(text);
	json_decref(json);
}

/* False: it comes with the next turn. */
static bool take_line(void *context, const struct linewise *lines)
{
	struct gathering *gathering = context;
	const struct log_spec *spec = &member_spec(gathering->member)->log;
	char stamp[STAMP_SIZE];

	if (gathering->out.size > LINEWISE_TURN_MOST) {
		gathering->is_full = true;
		return false;
	}
	if (spec->timestamps)
		format_time(stamp, lines->time_us);
	if (spec->json) {
		put_json(gathering, lines, spec->timestamps ? stamp : NULL);
	} else {
		text_format(&gathering->out, "%s%s", spec->timestamps ? stamp : "", spec->timestamps ? " " : "");
		text_append(&gathering->out, text_string(&lines->line), lines->line.size);
	}
	text_putc(&gathering->out, '\n');
	return true;
}

/* All of it, or nothing. */
static bool write_out(struct derived *derived, enum stream stream, const struct text *out, uint64_t consumed)
{
	ssize_t size = pwrite(derived->fd, text_string(out), out->size, (off_t)derived->at.length);

	if (size != (ssize_t)out->size) {
		if (size >= 0)
			errno = ENOSPC;
		complain(derived, "log.file");
		if (ftruncate(derived->fd, (off_t)derived->at.length) < 0)
			return false;
		return false;
	}
	derived->at.length += out->size;
	derived->at.offsets[stream] = consumed;
	derived->has_complained = false;
	return note(derived);
}

/* False: there is no more now. */
static bool take_turn(struct derived *derived, enum stream stream)
{
	struct gathering gathering = { .member = derived->member, .stream = stream };
	struct linewise lines = { .consumed = derived->at.offsets[stream], .take = take_line, .context = &gathering };

	text_init(&gathering.out, LINEWISE_TURN_MOST + LINE_OUT_MOST);
	bool is_more = linewise_read(&lines, &derived->member->logs[stream]);
	bool ok = gathering.out.size > 0 && write_out(derived, stream, &gathering.out, lines.consumed);
	text_finish(&gathering.out);
	return ok && (is_more || gathering.is_full);
}

void derived_follow(struct member *member, enum stream stream)
{
	struct derived *derived = member->derived;

	if (!member_spec(member)->log.file || !member->logs[stream].path)
		return;
	if (!derived) {
		derived = member->derived = memory_zeroed(1, sizeof *derived);
		derived->member = member;
		derived->path = make_path(member);
		derived->fd = derived->pos_fd = -1;
	}
	if (!make_ready(derived))
		return;
	while (take_turn(derived, stream))
		continue;
	rotate(derived);
}

void derived_look(struct member *member)
{
	if (member->derived)
		member->derived->looked_us = 0;
}

void derived_close(struct member *member)
{
	struct derived *derived = member->derived;

	if (!derived)
		return;
	member->derived = NULL;
	close_files(derived);
	free(derived->path);
	free(derived);
}
