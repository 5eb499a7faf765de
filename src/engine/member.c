#include "engine/member.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/attendant.h"
#include "engine/channel.h"
#include "engine/derived.h"
#include "engine/engine.h"
#include "engine/journald.h"
#include "engine/output.h"

static const char *const stream_names[] = { "stdout", "stderr" };
static const char *const stream_files[] = { "out", "err" };

const char *stream_name(enum stream stream)
{
	return stream_names[stream];
}

struct member *member_of(struct instance *instance)
{
	return (struct member *)((char *)instance - offsetof(struct member, now));
}

struct service *member_service(const struct member *member)
{
	struct service *service = project_find(&member->engine->project, member->now.service);

	CHECK(service);
	return service;
}

const struct service_spec *member_spec(const struct member *member)
{
	return member_service(member)->spec;
}

static unsigned kind_of(enum stream stream)
{
	return stream == STREAM_OUT ? KEEPER_LOG_OUT : KEEPER_LOG_ERR;
}

static bool keep_log(struct member *member, enum stream stream, int fd)
{
	unsigned kind = kind_of(stream);

	if (fd >= 0)
		return keeper_link_put(&member->engine->keeper, STORE_SEAT_SLOT + member->seat, &kind, &fd, 1);
	keeper_link_closed(&member->engine->keeper, STORE_SEAT_SLOT + member->seat, kind);
	return true;
}

static bool keep_out(void *context, int fd)
{
	return keep_log(context, STREAM_OUT, fd);
}

static bool keep_err(void *context, int fd)
{
	return keep_log(context, STREAM_ERR, fd);
}

struct member *member_create(struct engine *engine, uint32_t seat)
{
	struct member *member = memory_zeroed(1, sizeof *member);

	member->engine = engine;
	member->seat = seat;
	member->now = *store_instance(engine->store, seat);
	member->life = -1;
	for (enum stream i = 0; i < STREAM_COUNT; i++) {
		member->logs[i].fd = member->logs[i].index_fd = -1;
		member->logs[i].context = member;
	}
	member->logs[STREAM_OUT].keep = keep_out;
	member->logs[STREAM_ERR].keep = keep_err;
	uv_timer_init(engine->loop, &member->timer);
	member->timer.data = member;
	return member;
}

static void on_closed(uv_handle_t *handle)
{
	struct member *member = handle->data;

	free(member->recording);
	free(member->status);
	free(member);
}

void member_destroy(struct member *member)
{
	attendant_end(member);
	derived_close(member);
	journald_close(member);
	channel_close(member);
	if (member->study)
		study_finish(member->study);
	free(member->study);
	for (enum stream i = 0; i < STREAM_COUNT; i++)
		logfile_close(&member->logs[i]);
	uv_close((uv_handle_t *)&member->timer, on_closed);
}

static const char *log_dir(const struct member *member, const struct log_spec *spec, char *room,
	size_t size)
{
	if (spec->dir)
		return spec->dir;
	snprintf(room, size, "%s/logs", member->engine->state_dir);
	return room;
}

/* Where others may put a link in the place of a file, nothing is written. */
static bool check_folder(const char *dir, struct error *err)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return error_errno(err, "log folder %s", dir);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return error_set(err, EPERM, "log folder %s belongs to another user (uid %d): not used", dir,
			(int)st.st_uid);
	if (st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX))
		return error_set(err, EPERM, "everybody may write in log folder %s: not used; chmod o-w %s", dir,
			dir);
	return true;
}

static char *log_name(const struct member *member, enum stream stream)
{
	return memory_format(
		"%s-%u.%s", member->now.service, member->now.index, stream_files[stream]);
}

static bool open_log(struct member *member, enum stream stream, struct error *err)
{
	const struct log_spec *spec = &member_spec(member)->log;
	struct keeper_link *keeper = &member->engine->keeper;
	uint32_t slot = STORE_SEAT_SLOT + member->seat;
	char room[4096], *name = log_name(member, stream);
	const char *dir = log_dir(member, spec, room, sizeof room);

	mkdir(dir, LOG_FOLDER_MODE); /* whether it is there is seen when the file is opened */
	bool ok = check_folder(dir, err);
	if (ok)
		ok = logfile_open(&member->logs[stream], dir, name, spec, keeper_link_take(keeper, slot, kind_of(stream)), err);
	else
		keeper_link_leave(keeper, slot);
	free(name);
	return ok;
}

bool member_open_logs(struct member *member, struct error *err)
{
	struct seat *seat = &member->engine->store->seats[member->seat];

	if (member->logs_open)
		return true;
	for (enum stream i = 0; i < STREAM_COUNT; i++) {
		if (i == STREAM_ERR && member_spec(member)->log.merge_stderr)
			continue;
		if (!open_log(member, i, err))
			return false;
		if (seat->run_began[i] == UINT64_MAX)
			seat->run_began[i] = logfile_end(&member->logs[i]);
	}
	member->logs_open = true;
	journald_follow(member); /* what a former engine had no time for */
	return true;
}

void member_limit_logs(struct member *member)
{
	for (enum stream i = 0; i < STREAM_COUNT; i++)
		logfile_limit(&member->logs[i], &member_spec(member)->log);
}

static bool are_logs_in_place(const struct member *member)
{
	const struct log_spec *spec = &member_spec(member)->log;
	char room[4096], *name = log_name(member, STREAM_OUT);
	char *path = memory_format("%s/%s.log", log_dir(member, spec, room, sizeof room), name);
	bool is_there = strcmp(path, member->logs[STREAM_OUT].path) == 0 &&
			spec->merge_stderr == !member->logs[STREAM_ERR].path;

	free(name);
	free(path);
	return is_there;
}

static bool is_written_to(const struct member *member)
{
	for (const struct output *output = member->engine->outputs; output; output = output->next)
		if (output->seat == member->seat)
			return true;
	return false;
}

void member_renew_logs(struct member *member)
{
	struct seat *seat = &member->engine->store->seats[member->seat];

	if (!member->logs_open || are_logs_in_place(member) || is_written_to(member))
		return;
	for (enum stream i = 0; i < STREAM_COUNT; i++) {
		logfile_close(&member->logs[i]);
		seat->run_began[i] = UINT64_MAX;
	}
	keeper_link_delete(&member->engine->keeper, STORE_SEAT_SLOT + member->seat); /* no other engine is to go on with them */
	member->logs_open = false;
}

static void on_timer(uv_timer_t *timer)
{
	struct member *member = timer->data;

	member->armed_ms = 0;
	engine_overdue(member->engine, member);
}

void member_arm(struct member *member)
{
	uint64_t deadline = instance_next_deadline(&member->now), now = clock_monotonic_ms();

	if (deadline == member->armed_ms)
		return;
	member->armed_ms = deadline;
	uv_timer_stop(&member->timer);
	if (!deadline)
		return;
	uv_update_time(member->engine->loop);
	uv_timer_start(&member->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

void member_extend(struct member *member, uint64_t extension_ms)
{
	struct moment now = { .monotonic_ms = clock_monotonic_ms() };

	instance_extend(&member->now, extension_ms, &now);
	store_commit(member->engine->store, member->seat, &member->now, NULL, 0);
	member_arm(member);
	member->engine->listener.on_changed(member->engine->listener.context, member);
}
