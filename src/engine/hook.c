#include "engine/hook.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/helper.h"
#include "protocol/row.h"

/* What a hook that is running was run for: its instance may be gone before it ends. */
struct errand {
	struct engine *engine;
	enum hook hook;
	char service[SERVICE_NAME_MOST + 1];
	uint32_t instance;
};

static void on_end(void *context, const struct helper_end *end)
{
	struct errand *errand = context;

	if (!end->is_success)
		engine_tell(errand->engine, "%s/%u: hook %s: %s", errand->service, errand->instance,
			hook_name(errand->hook), end->why);
	if (end->leftovers)
		engine_tell(errand->engine, "%s/%u: hook %s left %u processes behind, which were killed",
			errand->service, errand->instance, hook_name(errand->hook), end->leftovers);
	free(errand);
}

static void set_number(struct strings *variables, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, number);
	strings_set_variable(variables, name, text);
}

static void describe(struct strings *variables, const struct notice *notice)
{
	strings_set_variable(variables, "THRUM_EVENT", notice_name(notice->kind));
	strings_set_variable(variables, "THRUM_DETAIL", notice->detail);
	set_number(variables, "THRUM_PID", notice->pid);
	set_number(variables, "THRUM_RESTARTS", notice->restarts);
	if (notice->kind != NOTICE_EXITED && notice->kind != NOTICE_FAILED && notice->kind != NOTICE_FATAL)
		return;
	strings_set_variable(variables, "THRUM_CAUSE", cause_name(notice->cause));
	set_number(variables, "THRUM_EXIT_CODE", notice->code);
	strings_set_variable(
		variables, "THRUM_SIGNAL", notice->signal ? signal_name(notice->signal) : "");
	set_number(variables, "THRUM_UPTIME_MS", (int64_t)notice->uptime_ms);
}

static void run(struct engine *engine, struct member *member, enum hook hook, const struct notice *notice)
{
	const struct service_spec *spec = member_spec(member);
	struct errand *errand = memory_zeroed(1, sizeof *errand);
	struct strings variables = { 0 };
	struct error err;

	*errand = (struct errand){ .engine = engine, .hook = hook, .instance = member->now.index };
	snprintf(errand->service, sizeof errand->service, "%s", member->now.service);
	describe(&variables, notice);
	json_t *json = notice_to_json(notice);
	char *input = json_dumps(json, JSON_COMPACT);
	struct helper_task task = { .member = member,
		.argv = &spec->hooks[hook].argv,
		.variables = &variables,
		.input = input,
		.timeout_ms = spec->hook_timeout_ms,
		.on_end = on_end,
		.context = errand };
	if (!helper_start(engine, &task, &err)) {
		engine_tell(engine, "%s/%u: hook %s: %s", errand->service, errand->instance,
			hook_name(hook), err.text);
		free(errand);
	}
	json_decref(json);
	free(input);
	strings_finish(&variables);
}

static bool is_crash(const struct member *member, const struct notice *notice)
{
	return cause_is_own((enum cause)notice->cause) && !policy_is_success(&member_spec(member)->restart, &member->now.death);
}

void hook_consider(struct engine *engine, struct member *member, const struct notice *notice)
{
	static const struct {
		uint8_t kind;
		enum hook hook;
		bool only_crash;
	} wishes[] = {
		{ NOTICE_STARTED, HOOK_START, false },
		{ NOTICE_READY, HOOK_READY, false },
		{ NOTICE_UNHEALTHY, HOOK_UNHEALTHY, false },
		{ NOTICE_EXITED, HOOK_EXIT, false },
		{ NOTICE_EXITED, HOOK_CRASH, true },
		{ NOTICE_STOPPED, HOOK_STOP, false },
		{ NOTICE_COMPLETED, HOOK_COMPLETED, false },
		{ NOTICE_FAILED, HOOK_FATAL, false },
		{ NOTICE_FATAL, HOOK_FATAL, false },
		{ NOTICE_LIMIT, HOOK_LIMIT, false },
	};

	for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
		if (wishes[i].kind == notice->kind &&
			member_spec(member)->hooks[wishes[i].hook].argv.count &&
			(!wishes[i].only_crash || is_crash(member, notice)))
			run(engine, member, wishes[i].hook, notice);
}
