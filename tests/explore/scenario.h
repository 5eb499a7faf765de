/* What is explored: each of these is a small use of one part, and says what must hold in it. */
#ifndef EXPLORE_SCENARIO_H
#define EXPLORE_SCENARIO_H

#include "tests/explore/explore.h"

/* The queue of a pool */
explore_scenario two_put_and_two_take, who_removes_and_who_takes, what_was_put_before_the_end_is_taken;

/* A pool: its threads that search and sleep, and whoever submits, waits, cancels, resizes, ends it */
explore_scenario two_tasks_are_waited_for, a_task_wakes_who_sleeps, two_submit_where_one_has_room, a_task_is_cancelled_or_run,
	a_shutdown_answers_all_or_takes_none, threads_come_and_go, a_torn_thread_is_replaced, a_task_waits_for_a_task,
	figures_are_true_at_any_time, who_waits_for_room_hears_of_the_end, a_monitor_drains,
	none_is_stuck_behind_another, what_is_claimed_can_be_cancelled;

/* Ports */
explore_scenario messages_pass_one_by_one, an_end_is_closed, a_loop_is_told_of_each_message, a_loop_is_told_of_the_end;

/* Shared arrays */
explore_scenario turns_are_taken_by_words, turns_are_taken_by_longs;

#endif
