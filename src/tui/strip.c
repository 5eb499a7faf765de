#include "tui/strip.h"

static const uint64_t minute_us = 60 * 1000000ull;
enum { DAY_MINUTES = 24 * 60 };

int strip_fit(int width, uint64_t *span_us)
{
	static const int minutes[] = { 15, 30, 60, 120, 240 };

	for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
		*span_us = (uint64_t)minutes[i] * minute_us;
		if (DAY_MINUTES / minutes[i] <= width)
			return DAY_MINUTES / minutes[i];
	}
	return 0;
}

static bool is_within(uint64_t time_us, uint64_t from_us, uint64_t to_us)
{
	return time_us >= from_us && time_us < to_us;
}

/* A crash says more than the restart that follows it, and that more than being up. */
static enum strip_cell judge(
	uint64_t from_us, uint64_t to_us, const struct strip_life *lives, size_t count)
{
	enum strip_cell cell =
		count && lives[0].started_us < to_us ? STRIP_DOWN : STRIP_UNKNOWN;

	for (size_t i = 0; i < count; i++) {
		const struct strip_life *life = &lives[i];
		if (life->is_crash && is_within(life->ended_us, from_us, to_us))
			return STRIP_CRASH;
		if (i && is_within(life->started_us, from_us, to_us))
			cell = STRIP_RESTART;
		else if (cell == STRIP_DOWN && life->started_us < to_us && life->ended_us > from_us)
			cell = STRIP_UP;
	}
	return cell;
}

void strip_fill(enum strip_cell *cells, int count, uint64_t span_us, uint64_t now_us,
	const struct strip_life *lives, size_t life_count)
{
	uint64_t end_us = (now_us / span_us + 1) * span_us;

	for (int i = 0; i < count; i++) {
		uint64_t to_us = end_us - (uint64_t)(count - 1 - i) * span_us;
		cells[i] = judge(to_us - span_us, to_us, lives, life_count);
	}
}
