#include "server/stack.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "config/gateway.h"
#include "engine/helper.h"
#include "protocol/method.h"
#include "protocol/stack.h"

enum { TIMEOUT_MS = 10000,
	READERS_MOST = 4, /* at a time: each stops somebody */
	NUMBER_SIZE = 16 };

/* One that reads stacks, and who waits for it. */
struct stack_reader {
	struct stack_reader *next;
	struct hall *hall;
	struct session *session; /* NULL: gone meanwhile */
	json_t *id;              /* owned */
};

static void forget(struct stack_reader *reader)
{
	struct stack_reader **place = &reader->hall->stack_readers;

	while (*place != reader)
		place = &(*place)->next;
	*place = reader->next;
	json_decref(reader->id);
	free(reader);
}

static void on_end(void *context, const struct helper_end *end)
{
	struct stack_reader *reader = context;
	json_t *result = end->is_success && reader->session ? json_loads(end->output, 0, NULL) : NULL;
	char why[DEATH_DETAIL_SIZE + 64];

	snprintf(why, sizeof why, "its stacks could not be read: %s", end->is_success ? "they make no sense" : end->why);
	if (reader->session && result)
		session_reply(reader->session, reader->id, json_incref(result));
	else if (reader->session)
		session_refuse(reader->session, reader->id, PROTOCOL_REFUSED, why);
	json_decref(result);
	forget(reader);
}

static unsigned count_readers(const struct hall *hall)
{
	unsigned count = 0;

	for (const struct stack_reader *reader = hall->stack_readers; reader; reader = reader->next)
		count++;
	return count;
}

static bool start(struct stack_reader *reader, struct member *member, int tid, struct error *err)
{
	char *program = gateway_find("thrum-stack"), pid_text[NUMBER_SIZE], tid_text[NUMBER_SIZE], folder[] = "/";
	char *items[] = { program, pid_text, tid ? tid_text : NULL, NULL };
	struct strings argv = { .items = items, .count = tid ? 3 : 2 };
	struct helper_task task = { .member = member,
		.argv = &argv,
		.working_dir = folder,
		.timeout_ms = TIMEOUT_MS,
		.output_most = STACK_BYTES_MOST,
		.on_end = on_end,
		.context = reader };

	snprintf(pid_text, sizeof pid_text, "%d", (int)member->now.pid);
	snprintf(tid_text, sizeof tid_text, "%d", tid);
	bool ok = program ? helper_start(&reader->hall->engine, &task, err) != NULL
			  : error_set(err, 0, "thrum-stack, which reads them, is not installed");
	free(program);
	return ok;
}

static struct member *find(struct call *call, int *tid)
{
	const char *service = NULL;
	int instance = -1;

	*tid = 0;
	json_unpack(call->params, "{s:s,s:i,s?i}", "service", &service, "instance", &instance, "tid", tid);
	struct member *member = service ? engine_find(call->engine, service, (unsigned)instance) : NULL;
	return member && member->now.pid ? member : NULL;
}

json_t *stack_tell(struct call *call)
{
	struct hall *hall = call->session->hall;
	struct error err = { 0 };
	int tid;
	struct member *member = find(call, &tid);

	if (!member || tid < 0)
		return call_refuse(call, PROTOCOL_REFUSED, "service and instance say whose stacks are meant: none such has a process");
	if (count_readers(hall) >= READERS_MOST)
		return call_refuse(call, PROTOCOL_REFUSED, "too many stacks are being read already");
	struct stack_reader *reader = memory_zeroed(1, sizeof *reader);
	*reader = (struct stack_reader){ hall->stack_readers, hall, call->session, json_incref(call->id) };
	hall->stack_readers = reader;
	call->is_answered = start(reader, member, tid, &err);
	if (call->is_answered)
		return NULL;
	forget(reader);
	return call_refuse(call, PROTOCOL_REFUSED, "%s", err.text);
}

void stack_left(struct session *session)
{
	for (struct stack_reader *reader = session->hall->stack_readers; reader; reader = reader->next)
		if (reader->session == session)
			reader->session = NULL;
}
