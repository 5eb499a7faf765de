#include "model/death.h"

#include <assert.h>
#include <stdio.h>

#include "model/spec.h"

static const char *const names[] = {
	[CAUSE_NONE] = "none",
	[CAUSE_EXIT] = "exit",
	[CAUSE_SIGNAL] = "signal",
	[CAUSE_CORE] = "core",
	[CAUSE_OOM] = "oom",
	[CAUSE_LIMIT] = "limit",
	[CAUSE_PROBE] = "probe",
	[CAUSE_WATCHDOG] = "watchdog",
	[CAUSE_MANUAL] = "manual",
	[CAUSE_WATCH] = "watch",
	[CAUSE_DEPENDENCY] = "dependency",
	[CAUSE_RELOAD] = "reload",
};
static_assert(sizeof names / sizeof *names == CAUSE_COUNT, "name every cause");

const char *cause_name(enum cause cause)
{
	return names[cause];
}

bool cause_is_own(enum cause cause)
{
	return cause == CAUSE_EXIT || cause == CAUSE_SIGNAL || cause == CAUSE_CORE || cause == CAUSE_OOM;
}

bool death_is_crash(const struct death *death)
{
	return cause_is_own((enum cause)death->cause) && (death->cause != CAUSE_EXIT || death->code != 0);
}

void death_describe(char out[CAUSE_TEXT_SIZE], const struct death *death)
{
	const char *name = names[death->cause < CAUSE_COUNT ? death->cause : CAUSE_NONE];

	if (death->cause == CAUSE_EXIT)
		snprintf(out, CAUSE_TEXT_SIZE, "exit %d", death->code);
	else if (death->cause == CAUSE_SIGNAL)
		snprintf(out, CAUSE_TEXT_SIZE, "signal %s", signal_name(death->signal));
	else
		snprintf(out, CAUSE_TEXT_SIZE, "%s", name);
}

void death_explain(char out[DEATH_TEXT_SIZE], const struct death *death)
{
	char cause[CAUSE_TEXT_SIZE];
	bool has_signal = death->signal && death->cause != CAUSE_SIGNAL;
	bool has_core = death->core && death->cause != CAUSE_CORE;

	death_describe(cause, death);
	snprintf(out, DEATH_TEXT_SIZE, "%s%s%s%s%s", cause, has_signal ? " (" : "",
		has_signal ? signal_name(death->signal) : "", has_signal ? ")" : "",
		has_core ? " (core)" : "");
}
