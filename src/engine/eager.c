#include "engine/eager.h"

#include <sched.h>
#include <stdbool.h>

#include "base/clock.h"

enum { AWAKE_US = 100, /* about what sleeping costs, where it costs most */
	DOUBT = 2,     /* one time in vain counts as much as so many that were not */
	DOUBT_MOST = 10 };

static void give_up(struct eager *eager)
{
	uv_idle_stop(&eager->idle);
	eager->doubt = eager->doubt + DOUBT < DOUBT_MOST ? eager->doubt + DOUBT : DOUBT_MOST;
	eager->left_out = 1u << eager->doubt;
}

static void on_idle(uv_idle_t *idle)
{
	struct eager *eager = idle->data;

	if (clock_monotonic_us() >= eager->until_us)
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
	if (eager->left_out) {
		eager->left_out--;
		return;
	}
	eager->until_us = now_us + AWAKE_US;
	if (!is_awake(eager))
		uv_idle_start(&eager->idle, on_idle);
}

void eager_answered(struct eager *eager, uint64_t now_us)
{
	if (!is_awake(eager))
		return;
	if (now_us >= eager->until_us) {
		give_up(eager); /* somebody had the processor for too long */
		return;
	}
	eager->doubt -= eager->doubt > 0;
}
