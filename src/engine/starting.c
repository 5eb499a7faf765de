#include "engine/starting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "config/diff.h"
#include "engine/attendant.h"
#include "engine/channel.h"
#include "engine/child.h"
#include "engine/door.h"
#include "engine/environment.h"
#include "engine/leftovers.h"
#include "engine/output.h"
#include "engine/pool.h"
#include "engine/terminal.h"

/* The system has no process for it now: it is tried again. */
static void refuse_spawn(struct engine *engine, struct member *member, const char *what)
{
	snprintf(member->now.detail, sizeof member->now.detail, "%s", what);
	engine_queue(engine, &(struct happening){ .seat = member->seat, .event = EVENT_UNSPAWNABLE, .cause = CAUSE_NONE });
}

/* The ends of the pipes between a new process and its logs. */
struct pipes {
	int reading[STREAM_COUNT], writing[STREAM_COUNT];
	bool is_merged; /* standard error goes where standard output goes */
	int ready[2];   /* on which it says that it is ready, as pipe() has it; or -1 */
	struct channel_ends channel;
	int listens[LISTENS_MOST];      /* borrowed from their doors */
	struct terminal_ends *terminal; /* between the process and the pipe of its output; or -1 */
};

static void close_pipes(const int fds[STREAM_COUNT], bool is_merged)
{
	close(fds[STREAM_OUT]);
	if (!is_merged)
		close(fds[STREAM_ERR]);
}

/*
 * Who has it holds a reader too: should keeper and engine be killed together, it waits when the pipe is full, until
 * somebody takes it over, and is not ended by SIGPIPE. Our reading end is none for writing, so it still tells the end.
 */
static int make_lasting(int writing)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", writing);
	int lasting = open(path, O_RDWR | O_CLOEXEC);
	if (lasting < 0)
		return writing;
	close(writing);
	return lasting;
}

static bool make_pipe(struct pipes *pipes, enum stream stream)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	/* ours alone: the child's end is a file of its own, which blocks as usual */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	pipes->reading[stream] = ends[0];
	pipes->writing[stream] = pipes->terminal->master < 0 ? make_lasting(ends[1]) : ends[1];
	return true;
}

static bool make_pipes(struct pipes *pipes, bool is_merged)
{
	pipes->is_merged = is_merged;
	if (!make_pipe(pipes, STREAM_OUT))
		return false;
	if (is_merged) {
		pipes->reading[STREAM_ERR] = -1;
		pipes->writing[STREAM_ERR] = pipes->writing[STREAM_OUT];
		return true;
	}
	if (make_pipe(pipes, STREAM_ERR))
		return true;
	int reason = errno;
	close(pipes->reading[STREAM_OUT]);
	close(pipes->writing[STREAM_OUT]);
	errno = reason;
	return false;
}

/* The keeper holds the reading ends before there is anybody to write. */
static bool keep_pipes(struct engine *engine, uint32_t life, const struct pipes *pipes)
{
	int master = pipes->terminal->master;
	const struct {
		unsigned kind;
		int fd;
	} all[] = {
		{ KEEPER_OUT, pipes->reading[STREAM_OUT] },
		{ KEEPER_ERR, pipes->reading[STREAM_ERR] },
		{ KEEPER_READY, pipes->ready[0] },
		{ KEEPER_TERMINAL, master },
		{ KEEPER_CHANNEL, pipes->channel.ours },
		{ KEEPER_INBOX, pipes->channel.inbox },
		{ KEEPER_HOP, master >= 0 ? pipes->writing[STREAM_OUT] : -1 },
	};
	unsigned kinds[sizeof all / sizeof *all], count = 0;
	int fds[sizeof all / sizeof *all];

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (all[i].fd < 0)
			continue;
		kinds[count] = all[i].kind;
		fds[count++] = all[i].fd;
	}
	return keeper_link_put(&engine->keeper, STORE_LIFE_SLOT + life, kinds, fds, count);
}

/* Without one it never gets ready, and that is told then. */
static void make_more(struct pipes *pipes, const struct service_spec *spec)
{
	pipes->ready[0] = pipes->ready[1] = -1;
	pipes->channel = (struct channel_ends){ -1, -1, -1 };
	if (spec->ipc && !channel_make(&pipes->channel))
		log_line("%s: no channel can be had: %s", spec->name, strerror(errno));
	if (spec->ready.fd && pipe2(pipes->ready, O_CLOEXEC) == 0)
		fcntl(pipes->ready[0], F_SETFL, O_NONBLOCK);
}

/* Where the channel is in the process: the usual number, unless that is taken. */
static int channel_number(const struct service_spec *spec)
{
	int number = CHANNEL_FD + (int)spec->listen_count;

	return !spec->ipc ? 0 : spec->ready.fd == number ? number + 1
							 : number;
}

static void add_end(struct child_ends *ends, int fd, int as)
{
	unsigned at = ends->more_count++;

	for (; at > 0 && ends->more[at - 1].as > as; at--)
		ends->more[at] = ends->more[at - 1];
	ends->more[at] = (struct child_end){ fd, as };
}

static struct child_ends give_ends(
	const struct engine *engine, const struct pipes *pipes, const struct service_spec *spec)
{
	struct child_ends ends = { .in = -1, .out = pipes->writing[STREAM_OUT], .err = pipes->writing[STREAM_ERR] };

	ends.lock = keeper_link_held(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_LOCK);
	ends.is_terminal = pipes->terminal->slave >= 0;
	if (ends.is_terminal)
		ends.in = ends.out = ends.err = pipes->terminal->slave;
	for (unsigned i = 0; i < spec->listen_count; i++)
		add_end(&ends, pipes->listens[i], CHILD_FIRST_FD + (int)i);
	if (pipes->ready[1] >= 0)
		add_end(&ends, pipes->ready[1], spec->ready.fd);
	if (pipes->channel.theirs >= 0)
		add_end(&ends, pipes->channel.theirs, channel_number(spec));
	return ends;
}

/* Its output is ours from now on; a terminal needs the writing end of its pipe too. */
static void open_outputs(struct engine *engine, uint32_t index, struct pipes *pipes)
{
	struct terminal *terminal = NULL;

	if (pipes->terminal->master >= 0) {
		terminal = terminal_open(
			engine->loop, pipes->terminal->master, pipes->writing[STREAM_OUT]);
		pipes->terminal->master = -1;
	} else {
		close_pipes(pipes->writing, pipes->is_merged);
	}
	for (enum stream i = 0; i < STREAM_COUNT; i++)
		if (pipes->reading[i] >= 0)
			output_open(engine, index, i, pipes->reading[i], terminal);
}

static int spawn_into(struct engine *engine, struct member *member, uint32_t index,
	const struct launch *launch, struct terminal_ends *terminal, const int listens[LISTENS_MOST])
{
	struct life *life = &engine->store->lives[index];
	const struct service_spec *spec = member_spec(member);
	struct pipes pipes = { .terminal = terminal };

	memcpy(pipes.listens, listens, sizeof pipes.listens);
	if (!make_pipes(&pipes, spec->log.merge_stderr))
		return errno;
	make_more(&pipes, spec);
	if (pipes.is_merged)
		life->closed = 1u << STREAM_ERR;
	int reason = keep_pipes(engine, index, &pipes) ? 0 : errno;
	struct child_ends ends = give_ends(engine, &pipes, spec);
	if (!reason)
		reason = child_spawn(life, launch, spec, &ends);
	close_if_open(pipes.ready[1]);
	close_if_open(pipes.channel.theirs);
	pipes.channel.theirs = -1;
	if (reason) {
		close_pipes(pipes.writing, pipes.is_merged);
		close_pipes(pipes.reading, pipes.is_merged);
		close_if_open(pipes.ready[0]);
		channel_unmake(&pipes.channel);
		keeper_link_delete(&engine->keeper, STORE_LIFE_SLOT + index);
		return reason;
	}
	engine_welcome(engine, member, index);
	if (pipes.channel.ours >= 0)
		channel_open(member, pipes.channel.ours, pipes.channel.inbox, -1);
	pool_consider(member); /* now it can be given tasks */
	attendant_begin(member, pipes.ready[0], true);
	open_outputs(engine, index, &pipes);
	return 0;
}

/* Where it tells us how it is, if it wants to. */
static const char *notify_for(struct engine *engine, const struct service_spec *spec)
{
	if (!spec->ready.notifies && !spec->watchdog_ms)
		return NULL;
	return notify_address(&engine->notify);
}

void starting_introduce(
	struct engine *engine, const struct member *member, const char *marker, struct newborn *who)
{
	const struct service_spec *spec = member_spec(member);

	*who = (struct newborn){ .project = engine->project.spec->name,
		.instance = member->now.index,
		.marker = marker,
		.soft_nofile = engine->keeper.page->soft_nofile,
		.notify = notify_for(engine, spec),
		.channel_fd = channel_number(spec),
		.listen_count = spec->listen_count,
		.seat = member->seat };
}

void starting_spawn(struct engine *engine, struct member *member)
{
	struct launch launch = { 0 };
	struct terminal_ends terminal = { -1, -1 };
	struct error err = { 0 };
	char marker[MARKER_SIZE];
	int listens[LISTENS_MOST];
	int index = store_take_life(engine->store, member->seat, member->now.life + 1);

	if (index < 0) {
		refuse_spawn(engine, member, "too many processes are open already");
		return;
	}
	struct life *life = &engine->store->lives[index];
	environment_refresh(engine, member_service(member));
	config_fingerprint(engine->store->seats[member->seat].launched_as, member_spec(member));
	member_renew_logs(member);
	marker_format(marker, life);
	struct newborn who;
	starting_introduce(engine, member, marker, &who);
	bool ok = door_open_given(engine, member, listens, &err) &&
		  launch_prepare(&launch, member_spec(member), &who, &err) &&
		  (!member_spec(member)->pty || terminal_make(&terminal, launch.uid, &err));
	launch.cgroup_fd = ok ? cgroup_make(&engine->cgroup, marker) : 0;
	int reason = ok ? spawn_into(engine, member, (uint32_t)index, &launch, &terminal, listens) : 0;
	terminal_close_ends(&terminal);
	launch_finish(&launch);
	if (ok && !reason)
		return;
	if (reason)
		error_set(&err, reason, "no process can be had: %s", strerror(reason));
	engine_free_life(engine, life);
	refuse_spawn(engine, member, err.text);
}
