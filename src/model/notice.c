#include "model/notice.h"

#include <assert.h>

static const char *const names[] = {
	[NOTICE_STARTED] = "started",
	[NOTICE_READY] = "ready",
	[NOTICE_EXITED] = "exited",
	[NOTICE_BACKOFF] = "backoff",
	[NOTICE_STOPPING] = "stopping",
	[NOTICE_STOPPED] = "stopped",
	[NOTICE_COMPLETED] = "completed",
	[NOTICE_FAILED] = "failed",
	[NOTICE_FATAL] = "fatal",
	[NOTICE_SCALED] = "scaled",
	[NOTICE_UNHEALTHY] = "unhealthy",
	[NOTICE_LIMIT] = "limit",
	[NOTICE_SKIPPED] = "skipped",
	[NOTICE_ENGINE] = "engine",
	[NOTICE_BLOCKED] = "blocked",
};
static_assert(sizeof names / sizeof *names == NOTICE_COUNT, "name every kind");

const char *notice_name(enum notice_kind kind)
{
	return names[kind];
}
