#include "engine/blocked.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "engine/engine.h"
#include "inspect/task.h"

static void describe_thread(char *out, size_t size, int32_t pid)
{
	struct task_syscall call;
	const char *name;

	if (!task_syscall_read(&call, pid, pid))
		snprintf(out, size, "%s", "");
	else if (call.is_running)
		snprintf(out, size, ", main thread running");
	else if ((name = syscall_name(call.number)))
		snprintf(out, size, ", main thread waiting in %s", name);
	else
		snprintf(out, size, ", main thread waiting in system call %ld", call.number);
}

static void tell(struct member *member)
{
	struct engine *engine = member->engine;
	struct notice notice = { .ts_us = clock_wall_us(),
		.kind = NOTICE_BLOCKED,
		.code = -1,
		.instance = member->now.index,
		.pid = member->now.pid,
		.restarts = restart_counts_sum(&member->now.restarts) };
	char lag[UNITS_TEXT_SIZE], thread[64];

	memcpy(notice.service, member->now.service, sizeof notice.service);
	units_format_duration(lag, member->sample.inside.lag_ms);
	describe_thread(thread, sizeof thread, member->now.pid);
	snprintf(notice.detail, sizeof notice.detail, "event loop blocked for %s%s", lag, thread);
	store_tell(engine->store, &notice);
	engine->listener.on_notice(engine->listener.context, &notice);
}

void blocked_consider(struct member *member)
{
	uint64_t lag_ms = member->sample.inside.lag_ms;
	bool is_blocked = lag_ms != SAMPLE_UNKNOWN && lag_ms >= INSIDE_BLOCKED_MS;

	if (is_blocked && !member->is_blocked_told)
		tell(member);
	member->is_blocked_told = is_blocked;
}
