#include "model/policy.h"

#include <assert.h>
#include <string.h>

enum { LIFE_LEAST_MS = 50 }; /* a crash sooner than this is never followed at once, whatever min_uptime says */

static const char *const names[] = {
	[RESTART_NO] = "no",
	[RESTART_ON_FAILURE] = "on_failure",
	[RESTART_ALWAYS] = "always",
	[RESTART_UNLESS_STOPPED] = "unless_stopped",
	[RESTART_EXIT_ON_FAILURE] = "exit_on_failure",
};
static_assert(sizeof names / sizeof *names == RESTART_MODE_COUNT, "name every mode");

const char *restart_mode_name(enum restart_mode mode)
{
	return names[mode];
}

void restart_policy_init(struct restart_policy *policy)
{
	*policy = (struct restart_policy){
		.mode = RESTART_ON_FAILURE,
		.initial_ms = 1000,
		.factor = 2,
		.max_ms = 30000,
		.min_uptime_ms = 1000,
		.max_restarts = 5,
		.window_ms = 60000,
		.success = { .items = { 0 }, .count = 1 },
	};
}

static bool exit_set_has(const struct exit_set *set, const struct death *death)
{
	int item = death->signal ? -death->signal : death->code;

	for (unsigned i = 0; i < set->count; i++)
		if (set->items[i] == item)
			return true;
	return false;
}

bool policy_is_success(const struct restart_policy *policy, const struct death *death)
{
	return exit_set_has(&policy->success, death);
}

static bool is_wanted_again(const struct restart_policy *policy, const struct death *death)
{
	if (exit_set_has(&policy->prevent, death))
		return false;
	switch (policy->mode) {
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return !policy_is_success(policy, death);
	default:
		return false;
	}
}

static void forget_before(struct crash_memory *memory, uint64_t now_ms, uint32_t window_ms)
{
	unsigned old = 0;

	while (old < memory->count && (uint32_t)now_ms - memory->times_ms[old] >= window_ms)
		old++;
	memory->count -= old;
	memmove(memory->times_ms, memory->times_ms + old,
		memory->count * sizeof *memory->times_ms);
}

/* More than are remembered one by one: counted, in a window that began with the first of them. */
static bool grant_many(
	const struct restart_policy *policy, struct crash_memory *memory, uint64_t now_ms)
{
	if (!memory->count || (uint32_t)now_ms - memory->times_ms[0] >= policy->window_ms) {
		memory->times_ms[0] = (uint32_t)now_ms;
		memory->count = 0;
	}
	return memory->count++ < policy->max_restarts;
}

/* Grants a restart and remembers it, unless too many were granted of late. */
static bool grant(const struct restart_policy *policy, struct crash_memory *memory,
	uint64_t now_ms)
{
	if (policy->max_restarts == POLICY_UNLIMITED)
		return true;
	if (policy->max_restarts > POLICY_CRASHES_MOST)
		return grant_many(policy, memory, now_ms);
	if (memory->count > POLICY_CRASHES_MOST)
		memory->count = 0; /* max_restarts was larger until now: their times are not known */
	forget_before(memory, now_ms, policy->window_ms);
	if (memory->count >= policy->max_restarts)
		return false;
	memory->times_ms[memory->count++] = (uint32_t)now_ms;
	return true;
}

/* initial · factor^(lives - 1), at most max, then spread. */
static uint32_t backoff_delay(const struct restart_policy *policy, unsigned lives,
	uint32_t random)
{
	double delay = policy->initial_ms;

	for (unsigned i = 1; i < lives && delay < policy->max_ms; i++)
		delay *= policy->factor;
	if (delay > policy->max_ms)
		delay = policy->max_ms;
	double spread = ((double)random / UINT32_MAX * 2 - 1) * policy->jitter_percent / 100;
	return (uint32_t)(delay * (1 + spread) + 0.5);
}

/* At once after a life that was long enough, else after a pause that grows. */
static struct judgement again(const struct restart_policy *policy, struct crash_memory *memory,
	const struct death *death, bool is_success, uint32_t random)
{
	if (death->uptime_ms >= policy->min_uptime_ms) {
		memory->short_lives = 0;
		bool is_hot = !is_success && death->uptime_ms < LIFE_LEAST_MS;
		return is_hot ? (struct judgement){ VERDICT_BACKOFF, LIFE_LEAST_MS }
			      : (struct judgement){ VERDICT_AGAIN, 0 };
	}
	memory->short_lives++;
	uint32_t delay_ms = backoff_delay(policy, memory->short_lives, random);
	return (struct judgement){ delay_ms ? VERDICT_BACKOFF : VERDICT_AGAIN, delay_ms };
}

struct judgement policy_judge(const struct restart_policy *policy,
	struct crash_memory *memory, const struct death *death, uint64_t now_ms,
	uint32_t random)
{
	bool is_success = policy_is_success(policy, death);

	if (!is_wanted_again(policy, death))
		return (struct judgement){ is_success ? VERDICT_COMPLETED : VERDICT_FAILED, 0 };
	if (!is_success && !grant(policy, memory, now_ms))
		return (struct judgement){ VERDICT_FATAL, policy->fatal_retry_ms };
	return again(policy, memory, death, is_success, random);
}

static bool grant_eviction(
	const struct restart_policy *policy, struct crash_memory *memory, uint64_t now_ms)
{
	if (!memory->evicted_ms || now_ms - memory->evicted_ms >= policy->window_ms) {
		memory->evicted_ms = now_ms;
		memory->evictions = 0;
	}
	return policy->max_restarts == POLICY_UNLIMITED ||
	       memory->evictions++ < policy->max_restarts;
}

struct judgement policy_judge_eviction(const struct restart_policy *policy,
	struct crash_memory *memory, const struct death *death, bool is_ordered, uint64_t now_ms,
	uint32_t random)
{
	bool is_restarted = is_ordered || (policy->mode != RESTART_NO &&
						  policy->mode != RESTART_EXIT_ON_FAILURE);

	if (!is_restarted)
		return (struct judgement){ VERDICT_FAILED, 0 };
	if (!grant_eviction(policy, memory, now_ms))
		return (struct judgement){ VERDICT_FATAL, policy->fatal_retry_ms };
	return again(policy, memory, death, false, random);
}

void crash_memory_reset(struct crash_memory *memory)
{
	*memory = (struct crash_memory){ 0 };
}
