/*
 * test-explore: each scenario under every interleaving, within bounds; and that faults which are planted are found.
 * test-explore NAME [PREEMPTIONS DELAYS]: one scenario, and how many runs it has.
 * test-explore --faults: each fault at each operation, and the scenario that finds it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/explore/scenario.h"
#include "tests/runner.h"

enum {
	DEADLINE_S = 240 /* for all orders of one scenario */
};

struct exploration {
	const char *name;
	explore_scenario *scenario;
	struct explore_bounds bounds;
};

#define ROW(name, preemptions, delays)      \
	{                                   \
#name, name,                \
		{                           \
			preemptions, delays \
		}                           \
	}

static const struct exploration explorations[] = {
	ROW(two_put_and_two_take, 2, 0),
	ROW(who_removes_and_who_takes, 2, 1),
	ROW(what_was_put_before_the_end_is_taken, 3, 2),
	ROW(two_tasks_are_waited_for, 1, 1),
	ROW(a_task_wakes_who_sleeps, 2, 0),
	ROW(two_submit_where_one_has_room, 1, 0),
	ROW(a_task_is_cancelled_or_run, 1, 1),
	ROW(a_shutdown_answers_all_or_takes_none, 1, 1),
	ROW(threads_come_and_go, 1, 1),
	ROW(a_torn_thread_is_replaced, 1, 1),
	ROW(a_task_waits_for_a_task, 1, 1),
	ROW(figures_are_true_at_any_time, 1, 1),
	ROW(who_waits_for_room_hears_of_the_end, 2, 0),
	ROW(a_monitor_drains, 1, 1),
	ROW(none_is_stuck_behind_another, 1, 0),
	ROW(what_is_claimed_can_be_cancelled, 1, 0),
	ROW(messages_pass_one_by_one, 3, 1),
	ROW(an_end_is_closed, 4, 1),
	ROW(a_loop_is_told_of_each_message, 3, 1),
	ROW(a_loop_is_told_of_the_end, 3, 1),
	ROW(turns_are_taken_by_words, 4, 1),
	ROW(turns_are_taken_by_longs, 4, 1),
};

enum {
	COUNT = sizeof explorations / sizeof *explorations
};

START_TEST(all_orders_of_events_are_fine)
{
	const struct exploration *exploration = &explorations[_i];

	if (!explore_run(exploration->scenario, exploration->bounds, NULL))
		ck_abort_msg("%s: %s", exploration->name, explore_story());
}
END_TEST

/* -- Faults -- */

/* Each is found by a scenario. A function that has lost the operation is to be replaced here. */
static const struct {
	struct explore_plant plant;
	explore_scenario *scenario;
	struct explore_bounds bounds;
} plants[] = {
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "ring_claim" }, two_put_and_two_take, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "ring_reserve" }, two_put_and_two_take, { 2, 1 } },
	{ { EXPLORE_WEAKEN, EXPLORE_STORE, "ring_put" }, two_put_and_two_take, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "ring_remove" }, who_removes_and_who_takes, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "crew_rouse" }, two_tasks_are_waited_for, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "crew_search" }, two_tasks_are_waited_for, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "crew_change" }, two_tasks_are_waited_for, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "crew_sleep" }, two_tasks_are_waited_for, { 2, 1 } },
	{ { EXPLORE_DROP, EXPLORE_WAKE, "crew_wake" }, a_task_wakes_who_sleeps, { 2, 1 } },
	{ { EXPLORE_BLIND, EXPLORE_WAIT, "crew_sleep" }, a_task_wakes_who_sleeps, { 2, 1 } },
	{ { EXPLORE_DROP, EXPLORE_WAKE, "crew_wake_all" }, threads_come_and_go, { 2, 1 } },
	{ { EXPLORE_BLIND, EXPLORE_WAIT, "wait_for_answer" }, a_task_wakes_who_sleeps, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "wait_for_answer" }, a_task_wakes_who_sleeps, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "thrum__task_answer" }, a_task_wakes_who_sleeps, { 2, 1 } },
	{ { EXPLORE_DROP, EXPLORE_WAKE, "wake_waiters" }, a_task_wakes_who_sleeps, { 2, 1 } },
	{ { EXPLORE_DROP, EXPLORE_WAKE, "make_room" }, two_submit_where_one_has_room, { 2, 1 } },
	{ { EXPLORE_BLIND, EXPLORE_WAIT, "wait_for_room" }, two_submit_where_one_has_room, { 2, 1 } },
	{ { EXPLORE_DROP, EXPLORE_WAKE, "depart" }, a_shutdown_answers_all_or_takes_none, { 2, 1 } },
	{ { EXPLORE_BLIND, EXPLORE_WAIT, "wait_for_threads" }, a_shutdown_answers_all_or_takes_none, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "close_queues" }, a_shutdown_answers_all_or_takes_none, { 2, 1 } },
	{ { EXPLORE_TEAR, EXPLORE_CHANGE, "ring_empty" }, who_removes_and_who_takes, { 2, 0 } },
	{ { EXPLORE_WEAKEN, EXPLORE_STORE, "step" }, messages_pass_one_by_one, { 2, 1 } },
	{ { EXPLORE_DROP, EXPLORE_WAKE, "park_wake" }, messages_pass_one_by_one, { 2, 1 } },
	{ { EXPLORE_BLIND, EXPLORE_WAIT, "park_sleep" }, messages_pass_one_by_one, { 2, 1 } },
	{ { EXPLORE_BLIND, EXPLORE_WAIT, "thrum_shared_wait" }, turns_are_taken_by_words, { 2, 1 } },
	{ { EXPLORE_DROP, EXPLORE_WAKE, "thrum_shared_notify" }, turns_are_taken_by_words, { 2, 1 } },
};

START_TEST(a_fault_is_found)
{
	unsigned long runs = explore_run(plants[_i].scenario, plants[_i].bounds, &plants[_i].plant);

	ck_assert_msg(runs == 0, "the fault in %s was not found in %lu runs", plants[_i].plant.function, runs);
}
END_TEST

static const char *const fault_names[] = {
	[EXPLORE_WEAKEN] = "is weak", [EXPLORE_TEAR] = "is torn", [EXPLORE_DROP] = "wakes nobody", [EXPLORE_BLIND] = "sleeps blindly"
};

/* In a process of its own, as after a fault nothing can be explored. */
static bool finds(const struct exploration *exploration, const struct explore_plant *plant)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(DEADLINE_S);
		_exit(explore_run(exploration->scenario, exploration->bounds, plant) == 0);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) != 0;
}

static void report(const struct explore_plant *plant)
{
	unsigned i = 0;

	while (i < COUNT && !finds(&explorations[i], plant))
		i++;
	printf("%s %s: %s\n", plant->function, fault_names[plant->fault], i < COUNT ? explorations[i].name : "-");
	fflush(stdout);
}

static bool is_first(const struct explore_site *site)
{
	for (const struct explore_site *other = site->next; other; other = other->next)
		if (other->kind == site->kind && strcmp(other->function, site->function) == 0)
			return false;
	return true;
}

static int report_faults(void)
{
	for (unsigned i = 0; i < COUNT; i++)
		explore_run(explorations[i].scenario, (struct explore_bounds){ 0, 0 }, NULL);
	for (const struct explore_site *site = explore_sites(); site; site = site->next)
		for (enum explore_fault fault = EXPLORE_WEAKEN; fault <= EXPLORE_BLIND; fault++)
			if (is_first(site) && explore_can_plant(fault, site->kind))
				report(&(struct explore_plant){ fault, site->kind, site->function });
	return 0;
}

/* -- By hand -- */

static int explore_one(int argc, char **argv)
{
	unsigned i = 0;
	struct explore_bounds bounds;
	unsigned long runs;

	while (i < COUNT && strcmp(explorations[i].name, argv[1]) != 0)
		i++;
	if (i == COUNT)
		return 2;
	bounds = explorations[i].bounds;
	if (argc == 4)
		bounds = (struct explore_bounds){ (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]) };
	runs = explore_run(explorations[i].scenario, bounds, NULL);
	printf("%s: %lu runs\n%s", explorations[i].name, runs, explore_story());
	return runs == 0;
}

static Suite *explore_suite(void)
{
	Suite *suite = suite_create("explore");
	TCase *orders = tcase_create("orders"), *faults = tcase_create("faults");

	tcase_set_timeout(orders, DEADLINE_S);
	tcase_add_loop_test(orders, all_orders_of_events_are_fine, 0, COUNT);
	suite_add_tcase(suite, orders);
	tcase_set_timeout(faults, DEADLINE_S);
	tcase_add_loop_test(faults, a_fault_is_found, 0, sizeof plants / sizeof *plants);
	suite_add_tcase(suite, faults);
	return suite;
}

static suite_function *const suites[] = {
	explore_suite,
	NULL,
};

int main(int argc, char **argv)
{
	if (argc == 1)
		return runner_run(suites);
	return strcmp(argv[1], "--faults") == 0 ? report_faults() : explore_one(argc, argv);
}
