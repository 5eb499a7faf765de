#include "engine/helper.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/child.h"
#include "engine/leftovers.h"

enum { READ_MOST = 64 * 1024, /* bytes a turn: what is too much is read and let go */
	RESTORED_MS = 30000 };

struct helper {
	struct engine *engine;
	struct helper *next;
	struct life *life; /* in the store */
	int fd;            /* owned: the reading end of its output; -1: closed */
	struct text output;
	bool is_late;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	void (*on_end)(void *context, const struct helper_end *end);
	void *context;
};

static void on_closed(uv_handle_t *handle)
{
	struct helper *helper = handle->data;

	if (--helper->open_handles == 0) {
		text_finish(&helper->output);
		free(helper);
	}
}

static void close_output(struct helper *helper)
{
	if (helper->fd < 0)
		return;
	uv_poll_stop(&helper->poll);
	uv_close((uv_handle_t *)&helper->poll, on_closed);
	close(helper->fd);
	helper->fd = -1;
}

static void forget(struct helper *helper)
{
	struct helper **place = &helper->engine->helpers;

	while (*place != helper)
		place = &(*place)->next;
	*place = helper->next;
	atomic_store(&helper->life->state, LIFE_FREE);
	close_output(helper);
	uv_close((uv_handle_t *)&helper->timer, on_closed);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct helper *helper = poll->data;
	char bytes[READ_MOST];
	ssize_t size = read(helper->fd, bytes, sizeof bytes);

	(void)status;
	(void)events;
	if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
		close_output(helper);
		return;
	}
	size_t room = helper->output.most - helper->output.size;
	if (size > 0)
		text_append(&helper->output, bytes, (size_t)size < room ? (size_t)size : room);
}

static void end_its_time(struct helper *helper)
{
	helper->is_late = true;
	child_signal(&helper->engine->keeper, helper->life, SIGKILL, true);
}

static void on_timeout(uv_timer_t *timer)
{
	end_its_time(timer->data);
}

void helper_kill_all(struct engine *engine)
{
	for (struct helper *helper = engine->helpers; helper; helper = helper->next)
		end_its_time(helper);
}

static void trim(struct text *output)
{
	while (output->size && isspace((unsigned char)output->data[output->size - 1]))
		output->data[--output->size] = '\0';
}

/* Its last line says most. */
static void describe(struct helper_end *end, const struct life *life, uint32_t after_ms)
{
	const char *line = strrchr(end->output, '\n');
	char how[72];

	line = line ? line + 1 : end->output;
	if (end->is_late)
		snprintf(how, sizeof how, "no answer within %.1f s", after_ms / 1000.0);
	else if (life->failed_errno)
		snprintf(how, sizeof how, "%.20s: %.44s", life->failed_step, strerror(life->failed_errno));
	else if (end->signal)
		snprintf(how, sizeof how, "signal %s", signal_name(end->signal));
	else
		snprintf(how, sizeof how, "exit %d", end->code);
	snprintf(end->why, sizeof end->why, "%s%s%.60s", how, *line ? ": " : "", line);
}

bool helper_take_exit(struct engine *engine, const struct exit_record *record)
{
	struct helper *helper = engine->helpers;
	bool has_exited = record->code == CLD_EXITED;

	while (helper && (helper->life->pid != record->pid ||
				 record->ended_us < helper->life->began_us))
		helper = helper->next;
	if (!helper)
		return false;
	if (helper->fd >= 0)
		on_readable(&helper->poll, 0, UV_READABLE);
	trim(&helper->output);
	struct helper_end end = {
		.is_late = helper->is_late,
		.code = has_exited ? record->status : -1,
		.signal = has_exited ? 0 : record->status,
		.leftovers = leftovers_of_helper(engine, helper->life),
		.output = (char *)(uintptr_t)text_string(&helper->output),
	};
	end.is_success = has_exited && record->status == 0 && !end.is_late;
	if (!end.is_success)
		describe(&end, helper->life,
			(uint32_t)((record->ended_us - helper->life->began_us) / 1000));
	if (helper->on_end)
		helper->on_end(helper->context, &end);
	forget(helper);
	engine->graph_dirty = true; /* the end of all may wait for it */
	return true;
}

void helper_abandon(struct helper *helper)
{
	helper->on_end = NULL;
	child_signal(&helper->engine->keeper, helper->life, SIGKILL, true);
}

static struct helper *create(struct engine *engine, struct life *life, int fd, uint32_t timeout_ms)
{
	struct helper *helper = memory_zeroed(1, sizeof *helper);

	helper->engine = engine;
	helper->life = life;
	helper->fd = fd;
	text_init(&helper->output, HELPER_OUTPUT_MOST);
	helper->next = engine->helpers;
	engine->helpers = helper;
	helper->poll.data = helper->timer.data = helper;
	if (fd >= 0) {
		uv_poll_init(engine->loop, &helper->poll, fd);
		uv_poll_start(&helper->poll, UV_READABLE | UV_DISCONNECT, on_readable);
		helper->open_handles++;
	}
	uv_timer_init(engine->loop, &helper->timer);
	uv_update_time(engine->loop);
	uv_timer_start(&helper->timer, on_timeout, timeout_ms, 0);
	helper->open_handles++;
	return helper;
}

/* A file in memory: it is all there before the program reads it, whenever that is. */
static int make_input(const char *input)
{
	if (!input)
		return -1;
	int fd = memfd_create("thrum-input", MFD_CLOEXEC);
	size_t size = strlen(input);
	if (fd >= 0 && (write(fd, input, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int spawn(struct engine *engine, const struct helper_task *task, struct life *life, int writing,
	struct error *err)
{
	/* of the service in all but what is run; nothing of it is owned here */
	struct service_spec spec = *member_spec(task->member);
	struct launch launch = { 0 };
	char marker[MARKER_SIZE];

	spec.argv = *task->argv;
	if (task->working_dir)
		spec.working_dir = task->working_dir;
	marker_format(marker, life);
	struct newborn who = { .project = engine->project.spec->name,
		.instance = task->member->now.index,
		.marker = marker,
		.soft_nofile = engine->keeper.page->soft_nofile,
		.variables = task->variables };
	bool ok = launch_prepare(&launch, &spec, &who, err);
	struct child_ends ends = { .in = make_input(task->input),
		.out = writing,
		.err = writing,
		.lock = keeper_link_held(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_LOCK) };
	int reason = ok ? child_spawn(life, &launch, &spec, &ends) : EINVAL;
	if (ok && reason)
		error_set(err, reason, "no process can be had: %s", strerror(reason));
	close_if_open(ends.in);
	launch_finish(&launch);
	return reason;
}

struct helper *helper_start(struct engine *engine, const struct helper_task *task, struct error *err)
{
	struct life *life = store_take_helper(engine->store, task->member->seat);
	int ends[2];

	if (!life) {
		error_set(err, EAGAIN, "%d programs are running for the engine already", STORE_HELPERS);
		return NULL;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		atomic_store(&life->state, LIFE_FREE);
		error_errno(err, "no pipe can be had");
		return NULL;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	int reason = spawn(engine, task, life, ends[1], err);
	close(ends[1]);
	if (reason) {
		close(ends[0]);
		atomic_store(&life->state, LIFE_FREE);
		return NULL;
	}
	atomic_store(&life->state, LIFE_RUNNING);
	struct helper *helper = create(engine, life, ends[0], task->timeout_ms);
	helper->on_end = task->on_end;
	if (task->output_most)
		helper->output.most = task->output_most;
	helper->context = task->context;
	return helper;
}

void helper_restore(struct engine *engine)
{
	for (uint32_t i = 0; i < STORE_HELPERS; i++) {
		struct life *life = &engine->store->helpers[i];
		if (life->state == LIFE_FREE)
			continue;
		if (life->pid)
			create(engine, life, -1, RESTORED_MS);
		else
			atomic_store(&life->state, LIFE_FREE); /* the clone never happened */
	}
}
