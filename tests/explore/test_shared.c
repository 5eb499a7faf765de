#include <thrum.h>
#include "tests/explore/scenario.h"

static struct thrum_shared *array;

static int64_t value(void)
{
	int64_t now;

	explore_claim(thrum_shared_load(array, 0, &now) == 0);
	return now;
}

/* Adds a step when it is this one's turn: that of even values, or of odd ones. */
static void play(int64_t step, int64_t mine)
{
	int64_t now;

	for (int i = 0; i < 2; i++) {
		while ((now = value()) / step % 2 != mine)
			thrum_shared_wait(array, 0, now, -1);
		explore_claim(thrum_shared_add(array, 0, step, NULL) == 0);
		thrum_shared_notify(array, 0, 1);
	}
}

static void *play_odd(void *step)
{
	play(*(int64_t *)step, 1);
	return NULL;
}

static void take_turns(unsigned bits, int64_t step)
{
	unsigned other;

	array = thrum_shared_create(1, bits);
	explore_claim(array);
	other = explore_start(play_odd, &step);
	play(step, 0);
	explore_join(other);
	explore_claim(value() == 4 * step);
	thrum_shared_close(array);
}

void turns_are_taken_by_words(void)
{
	take_turns(32, 1);
}

/* Only their upper half changes, at which no futex can look. */
void turns_are_taken_by_longs(void)
{
	take_turns(64, INT64_C(1) << 32);
}
