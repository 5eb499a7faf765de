#include <thrum.h>
#include "lib/ring.h"
#include "tests/explore/scenario.h"

enum {
	PLACES = 2
};

static struct ring_cell cells[PLACES];
static struct stats_queue ends;
static struct ring ring;
static struct thrum_task tasks[4];
static unsigned taken[4];

static void empty_ring(void)
{
	memset(cells, 0, sizeof cells);
	memset(&ends, 0, sizeof ends);
	memset(taken, 0, sizeof taken);
	ring = (struct ring){ .cells = cells, .ends = &ends, .mask = PLACES - 1, .most = PLACES, .bits = 1 };
}

static int put(struct thrum_task *task)
{
	uint64_t place;
	int got;

	while ((got = ring_reserve(&ring, 1, &place)) == -EAGAIN)
		sched_yield();
	if (got < 0)
		return got;
	explore_claim(got == 1);
	task->place = place;
	ring_put(&ring, place, task);
	return 0;
}

/* The oldest task, or NULL if it had been removed; false if there is none. */
static bool take_first(struct thrum_task **task)
{
	uint64_t place;

	if (ring_claim(&ring, 1, 0, &place) == 0)
		return false;
	*task = ring_empty(&ring, place);
	return true;
}

/* One task, which is not NULL, and was not taken before. */
static unsigned take(void)
{
	struct thrum_task *task;

	while (!take_first(&task))
		sched_yield();
	explore_claim(task);
	taken[task - tasks]++;
	return (unsigned)(task - tasks);
}

static void *put_last_two(void *unused)
{
	put(&tasks[2]);
	put(&tasks[3]);
	return unused;
}

static void *take_two(void *unused)
{
	unsigned first = take(), second = take();

	/* Of those that one thread has put, the first comes first */
	explore_claim(first / 2 != second / 2 || first < second);
	return unused;
}

static void claim_all_taken(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		explore_claim(taken[i] == 1);
	explore_claim(!ring_has(&ring));
}

/* Four tasks through two cells: each is filled and emptied twice. */
void two_put_and_two_take(void)
{
	unsigned putter, taker;

	empty_ring();
	putter = explore_start(put_last_two, NULL);
	taker = explore_start(take_two, NULL);
	put(&tasks[0]);
	put(&tasks[1]);
	take_two(NULL);
	explore_join(putter);
	explore_join(taker);
	claim_all_taken(4);
}

static void *remove_both(void *unused)
{
	for (unsigned i = 0; i < 2; i++)
		if (ring_remove(&ring, tasks[i].place, &tasks[i]))
			taken[i]++;
	return unused;
}

static void take_or_pass(void)
{
	struct thrum_task *task;

	if (take_first(&task) && task)
		taken[task - tasks]++;
}

static void *put_third(void *unused)
{
	put(&tasks[2]);
	return unused;
}

/* What is taken from its midst is not taken from its end, and its cell is used again. */
void who_removes_and_who_takes(void)
{
	unsigned remover, putter;

	empty_ring();
	put(&tasks[0]);
	put(&tasks[1]);
	remover = explore_start(remove_both, NULL);
	putter = explore_start(put_third, NULL);
	take_or_pass();
	take_or_pass();
	explore_join(putter);
	explore_join(remover);
	take_or_pass();
	claim_all_taken(3);
}

static void *put_two(void *data)
{
	int *got = data;

	got[0] = put(&tasks[0]);
	got[1] = put(&tasks[1]);
	return NULL;
}

/* Who closes it takes what was put before, and nothing is put after. */
void what_was_put_before_the_end_is_taken(void)
{
	int got[2] = { 1, 1 };
	unsigned putter;

	empty_ring();
	putter = explore_start(put_two, got);
	atomic_fetch_or(&ends.tail, STATS_CLOSED);
	while (!ring_is_over(&ring)) {
		take_or_pass();
		sched_yield();
	}
	explore_join(putter);
	for (unsigned i = 0; i < 2; i++)
		explore_claim(taken[i] == (got[i] == 0) && (got[i] == 0 || got[i] == -ESHUTDOWN));
	explore_claim(ring_is_over(&ring));
}
