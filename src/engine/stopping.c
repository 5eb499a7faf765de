#include "engine/stopping.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/channel.h"
#include "engine/child.h"
#include "engine/cluster.h"
#include "engine/helper.h"
#include "engine/leftovers.h"
#include "procfs/stat.h"

enum { KILLS_PATIENT = 5 }; /* it is killed again every second; after so many somebody must know */

/* A command that asks one life to end. */
struct request {
	struct engine *engine;
	uint32_t seat, life;
};

void stopping_signal(struct engine *engine, struct member *member)
{
	const struct shutdown_spec *shutdown = &member_spec(member)->shutdown;

	if (member->now.beheaded)
		leftovers_signal(engine, member, SIGTERM);
	else if (member->life >= 0)
		child_signal(&engine->keeper, &engine->store->lives[member->life],
			shutdown->signal, !shutdown->parent_only);
}

static void on_asked(void *context, const struct helper_end *end)
{
	struct request *request = context;
	struct member *member = request->engine->members[request->seat];

	if (member && member->now.life == request->life && member->now.state == STATE_STOPPING) {
		if (!end->is_success)
			engine_tell(request->engine, "%s/%u: shutdown.command: %s", member->now.service,
				member->now.index, end->why);
		if (member->now.pid)
			stopping_signal(request->engine, member);
	}
	free(request);
}

static bool run_command(struct engine *engine, struct member *member)
{
	const struct shutdown_spec *shutdown = &member_spec(member)->shutdown;
	struct request *request = memory_zeroed(1, sizeof *request);
	struct error err;

	*request = (struct request){ engine, member->seat, member->now.life };
	struct helper_task task = { .member = member,
		.argv = &shutdown->argv,
		.timeout_ms = shutdown->timeout_ms ? shutdown->timeout_ms : 1,
		.on_end = on_asked,
		.context = request };
	if (helper_start(engine, &task, &err))
		return true;
	engine_tell(engine, "%s/%u: shutdown.command: %s", member->now.service, member->now.index,
		err.text);
	free(request);
	return false;
}

/* A cluster's worker is asked as Node's primary does it, unless its service has words of its own. */
static bool send_message(struct engine *engine, struct member *member)
{
	const char *message = member_spec(member)->shutdown.message;
	struct error err = { .text = "it has no channel" };

	if (message ? channel_send(member, message, strlen(message), &err) : cluster_leave(member))
		return true;
	member->now.signal_by_ms = 0; /* it is sent now */
	engine_tell(engine, "shutdown.message: %s", err.text);
	return false;
}

void stopping_ask(struct engine *engine, struct member *member)
{
	const struct shutdown_spec *shutdown = &member_spec(member)->shutdown;
	bool has_words = shutdown->message || service_is_told_to_leave(member_spec(member));

	member->kills = 0;
	if (!member->now.beheaded && has_words && send_message(engine, member))
		return;
	if (!member->now.beheaded && shutdown->argv.count && run_command(engine, member))
		return;
	stopping_signal(engine, member);
}

/* Who waits in the kernel for a disk or a server that does not answer cannot be ended by anybody. */
static void tell_unkillable(struct engine *engine, struct member *member, const struct proc_stat *stat)
{
	snprintf(member->now.detail, sizeof member->now.detail,
		"killed %u times; pid %d is still there, in state %c%s", member->kills,
		(int)member->now.pid, stat->state,
		stat->state == 'D' ? " (it waits in the kernel: a disk or a file server that does not answer?)"
				   : "");
	if (member->kills == KILLS_PATIENT)
		engine_tell(engine, "%s/%u: %s", member->now.service, member->now.index,
			member->now.detail);
}

/* It leads a session of its own: another one there is a stranger who was given its number. */
static bool is_there(const struct member *member, struct proc_stat *stat)
{
	return proc_stat_read(member->now.pid, stat) && stat->session == member->now.pid;
}

/* A keeper that was cut off may have left no record of an end: nothing would ever come of this stop. */
static void look_closely(struct engine *engine, struct member *member)
{
	struct proc_stat stat;

	if (!member->now.pid)
		return;
	if (is_there(member, &stat))
		tell_unkillable(engine, member, &stat);
	else
		engine_lost(engine, member);
}

void stopping_kill(struct engine *engine, struct member *member)
{
	if (member->life < 0)
		return;
	leftovers_signal(engine, member, SIGKILL);
	child_signal(&engine->keeper, &engine->store->lives[member->life], SIGKILL, true);
	if (++member->kills >= KILLS_PATIENT)
		look_closely(engine, member);
}
