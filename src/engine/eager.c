#include "engine/eager.h"

#include <sched.h>
#include <stdbool.h>

#include "base/clock.h"

static void give_up(struct eager *eager)
{
	uv_idle_stop(&eager->idle);
	patience_was_vain(&eager->patience);
}

static void on_idle(uv_idle_t *idle)
{
	struct eager *eager = idle->data;

	if (eager->has_come)
		eager->has_come = false;
	else if (clock_monotonic_us() >= eager->until_us)
		give_up(eager);
	else
		sched_yield();
}

static bool is_awake(const struct eager *eager)
{
	return uv_is_active((const uv_handle_t *)&eager->idle);
}

void eager_init(struct eager *eager, uv_loop_t *loop)
{
	uv_idle_init(loop, &eager->idle);
	eager->idle.data = eager;
}

void eager_expect(struct eager *eager, uint64_t now_us)
{
	if (!patience_tries(&eager->patience))
		return;
	eager->until_us = now_us + PATIENCE_US;
	if (!is_awake(eager))
		uv_idle_start(&eager->idle, on_idle);
}

void eager_answered(struct eager *eager, uint64_t now_us)
{
	if (!is_awake(eager))
		return;
	eager->has_come = true;
	if (now_us >= eager->until_us)
		give_up(eager); /* somebody had the processor for too long */
	else
		patience_paid(&eager->patience);
}
