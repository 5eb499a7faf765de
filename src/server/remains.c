#include "server/remains.h"

#include <string.h>

#include "engine/leftovers.h"
#include "inspect/task.h"
#include "protocol/method.h"
#include "protocol/value.h"
#include "server/method.h"

struct account {
	json_t *processes;
	size_t left_out, threads_left;
};

/* The kernel lets nobody end a thread in that state before what it waits for has come. */
static bool is_stuck(const struct thread_report *thread)
{
	return thread->state == 'D';
}

/* As its main thread is, or else the first that nothing can end. */
static json_t *describe(int32_t pid, struct account *account)
{
	int32_t tids[REMAINS_THREADS_MOST];
	size_t count = task_list(pid, tids, account->threads_left);
	struct thread_report told = { 0 }, thread;
	unsigned stuck = 0;

	account->threads_left -= count;
	for (size_t i = 0; i < count; i++) {
		if (!task_read(&thread, pid, tids[i], NULL))
			continue;
		if (!told.tid || (is_stuck(&thread) && !stuck))
			told = thread;
		stuck += is_stuck(&thread);
	}
	if (!told.tid)
		return NULL;
	return json_pack("{s:i,s:o,s:o,s:o,s:I,s:i}", "pid", (int)pid, "name", text_to_json(told.name, strlen(told.name)), "state",
		text_to_json(&told.state, 1), "wchan", told.wchan[0] ? json_string(told.wchan) : json_null(), "threads",
		(json_int_t)count, "stuck", (int)stuck);
}

static void account_for(void *context, pid_t pid)
{
	struct account *account = context;
	bool has_room = json_array_size(account->processes) < REMAINS_MOST && account->threads_left;
	json_t *process = has_room ? describe(pid, account) : NULL;

	if (process)
		json_array_append_new(account->processes, process);
	else
		account->left_out += !has_room;
}

json_t *remains_tell(struct call *call)
{
	struct account account = { json_array(), 0, REMAINS_THREADS_MOST };
	const char *service = NULL;
	int instance = -1;

	json_unpack(call->params, "{s:s,s:i}", "service", &service, "instance", &instance);
	struct member *member = service ? engine_find(call->engine, service, (unsigned)instance) : NULL;
	if (!member) {
		json_decref(account.processes);
		return call_refuse(call, PROTOCOL_NO_SUCH_SERVICE, "service and instance say whose processes are meant");
	}
	leftovers_visit(call->engine, member, account_for, &account);
	return json_pack("{s:o,s:I}", "processes", account.processes, "left_out", (json_int_t)account.left_out);
}

json_t *remains_extend(struct call *call)
{
	static struct selection selection;
	json_int_t ms = json_integer_value(json_object_get(call->params, "ms"));
	json_t *list = json_array();

	if (ms > 0 && ms <= REMAINS_EXTENSION_MOST_MS && call_select(call, &selection, false))
		for (size_t i = 0; i < selection.count; i++)
			if (selection.items[i]->now.state == STATE_STOPPING) {
				member_extend(selection.items[i], (uint64_t)ms);
				json_array_append_new(list, member_name(selection.items[i]));
			}
	if (json_array_size(list))
		return json_pack("{s:o}", "instances", list);
	json_decref(list);
	if (ms <= 0 || ms > REMAINS_EXTENSION_MOST_MS)
		return call_refuse(call, PROTOCOL_INVALID_PARAMS, "ms is a time from now on, of an hour at the most");
	return call->err.code ? NULL : call_refuse(call, PROTOCOL_REFUSED, "none of these is being stopped");
}
