#include "engine/schedule.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/engine.h"

/* Far away: the timer is there for being cancelled. */
static bool arm(int fd)
{
	struct itimerspec never = { .it_value = { .tv_sec = 0x7fffffff } };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0;
}

static void reschedule_all(struct engine *engine)
{
	struct moment now = { .monotonic_ms = clock_monotonic_ms(), .wall_us = clock_wall_us() };

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		struct member *member = engine->members[seat];
		if (!member || !member->now.due_ms)
			continue;
		instance_reschedule(&member->now, member_spec(member), &now);
		store_commit(engine->store, seat, &member->now, NULL, 0);
		member_arm(member);
		engine->listener.on_changed(engine->listener.context, member);
	}
}

static void on_clock_set(uv_poll_t *poll, int status, int events)
{
	struct engine *engine = poll->data;
	uint64_t ignored;

	(void)status;
	(void)events;
	if (read(engine->clock_fd, &ignored, sizeof ignored) < 0 && errno == ECANCELED)
		reschedule_all(engine);
	arm(engine->clock_fd);
}

void schedule_watch_clock(struct engine *engine)
{
	if (engine->clock_fd >= 0)
		return;
	engine->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (engine->clock_fd < 0 || !arm(engine->clock_fd)) {
		log_line("nothing will tell when the clock is set");
		return;
	}
	uv_poll_init(engine->loop, &engine->clock_poll, engine->clock_fd);
	engine->clock_poll.data = engine;
	uv_poll_start(&engine->clock_poll, UV_READABLE, on_clock_set);
}
