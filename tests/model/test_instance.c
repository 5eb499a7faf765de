#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "model/instance.h"

static struct instance web;
static struct service_spec spec;
static struct moment now;

static void begin(void)
{
	spec = (struct service_spec){ .name = "web", .shutdown = { .signal = SIGTERM, .timeout_ms = 5000 } };
	restart_policy_init(&spec.restart);
	instance_init(&web, "web", 0, false);
	now = (struct moment){ .monotonic_ms = 1000, .wall_us = 1000000 };
}

static struct outcome report(enum event event)
{
	return instance_report(&web, &spec, event, &now);
}

static void pass_ms(uint64_t ms)
{
	now.monotonic_ms += ms;
	now.wall_us += ms * 1000;
}

static void bring_up(void)
{
	report(EVENT_START);
	report(EVENT_ALLOWED);
	instance_spawned(&web, &spec, 71, &now);
}

static struct outcome end(int code, int signal, bool has_leftovers)
{
	struct death death = { .code = (int16_t)code,
		.signal = (int16_t)signal,
		.cause = signal ? CAUSE_SIGNAL : CAUSE_EXIT };

	return instance_ended(&web, &spec, &death, has_leftovers, &now);
}

static bool told(const struct outcome *outcome, enum notice_kind kind)
{
	for (unsigned i = 0; i < outcome->notice_count; i++)
		if (outcome->notices[i].kind == kind)
			return true;
	return false;
}

START_TEST(a_start_leads_to_a_process)
{
	ck_assert_uint_eq(report(EVENT_START).effects & DO_ASK, DO_ASK);
	ck_assert_int_eq(web.state, STATE_PENDING);
	ck_assert_uint_eq(report(EVENT_ALLOWED).effects, DO_SPAWN);
	struct outcome outcome = instance_spawned(&web, &spec, 71, &now);
	ck_assert_int_eq(web.state, STATE_RUNNING);
	ck_assert_int_eq(web.pid, 71);
	ck_assert_uint_eq(web.life, 1);
	ck_assert(told(&outcome, NOTICE_STARTED));
}
END_TEST

START_TEST(who_is_adopted_goes_on_as_it_was)
{
	const struct heritage former = {
		.pid = 99, .life = 5, .state = STATE_READY, .wanted = true, .restarts = { .crash = 4, .probe = 1 }
	};

	spec.ready.message = (char *)"ready";
	spec.ready.timeout_ms = 1000;
	struct outcome outcome = instance_adopted(&web, &spec, &former, &now);
	ck_assert_int_eq(web.state, STATE_READY);
	ck_assert(web.wanted);
	ck_assert_int_eq(web.pid, 99);
	ck_assert_uint_eq(web.life, 5);
	ck_assert_uint_eq(restart_counts_sum(&web.restarts), 5);
	ck_assert_uint_eq(outcome.effects, 0);
	ck_assert_uint_eq(outcome.notice_count, 0);
	ck_assert_uint_eq(instance_next_deadline(&web), 0);
}
END_TEST

START_TEST(who_is_adopted_before_it_was_ready_has_to_get_ready)
{
	const struct heritage former = { .pid = 99, .life = 5, .state = STATE_RUNNING, .wanted = true };

	spec.ready.log = (char *)"listening";
	spec.ready.timeout_ms = 1000;
	instance_adopted(&web, &spec, &former, &now);
	ck_assert_int_eq(web.state, STATE_RUNNING);
	ck_assert_uint_eq(instance_next_deadline(&web), now.monotonic_ms + 1000);
}
END_TEST

START_TEST(who_rested_in_a_former_run_rests_until_it_is_started)
{
	static const uint8_t at_rest[] = { STATE_STOPPED, STATE_COMPLETED, STATE_FAILED, STATE_FATAL };

	for (size_t i = 0; i < sizeof at_rest; i++) {
		const struct heritage former = { .life = 5, .state = at_rest[i], .has_death = true, .death = { .code = 3 } };
		instance_recalled(&web, &spec, &former, &now);
		ck_assert_int_eq(web.state, at_rest[i]);
		ck_assert(web.is_recalled && web.has_death);
		ck_assert_uint_eq(web.life, 5);
		report(EVENT_START);
		ck_assert_int_eq(web.state, STATE_PENDING);
		ck_assert(!web.is_recalled);
	}
}
END_TEST

START_TEST(who_was_about_to_be_started_in_a_former_run_is_started_by_the_next)
{
	const struct heritage former = { .life = 5, .state = STATE_BACKOFF, .wanted = true, .restarts = { .crash = 4 } };

	instance_recalled(&web, &spec, &former, &now);
	ck_assert_int_eq(web.state, STATE_STOPPED);
	ck_assert(!web.is_recalled);
	ck_assert_uint_eq(web.restarts.crash, 4);
}
END_TEST

START_TEST(who_was_being_stopped_in_a_former_run_rests_then)
{
	const struct heritage former = { .pid = 99, .life = 5, .state = STATE_READY, .wanted = false };

	instance_adopted(&web, &spec, &former, &now);
	ck_assert(web.is_recalled);
	report(EVENT_STOP);
	ck_assert_int_eq(web.state, STATE_STOPPING);
	end(0, SIGTERM, false);
	ck_assert_int_eq(web.state, STATE_STOPPED);
	ck_assert(web.is_recalled);
}
END_TEST

START_TEST(what_was_given_up_in_a_former_run_is_tried_again_in_time)
{
	const struct heritage former = { .life = 5, .state = STATE_FATAL, .wanted = true };

	spec.restart.fatal_retry_ms = 7000;
	instance_recalled(&web, &spec, &former, &now);
	ck_assert_uint_eq(instance_next_deadline(&web), now.monotonic_ms + 7000);
}
END_TEST

START_TEST(a_crash_is_remembered_and_waits)
{
	bring_up();
	pass_ms(300);
	struct outcome outcome = end(3, 0, false);
	ck_assert_int_eq(web.state, STATE_BACKOFF);
	ck_assert_uint_eq(outcome.effects, DO_ARM_BACKOFF);
	ck_assert_uint_eq(web.deadline_ms, now.monotonic_ms + 1000);
	ck_assert_uint_eq(web.restarts.crash, 1);
	ck_assert_int_eq(web.death.code, 3);
	ck_assert_int_eq(web.death.pid, 71);
	ck_assert_uint_eq(web.death.uptime_ms, 300);
	ck_assert(told(&outcome, NOTICE_EXITED) && told(&outcome, NOTICE_BACKOFF));
	ck_assert_uint_eq(outcome.notices[1].delay_ms, 1000);
}
END_TEST

START_TEST(a_stop_is_never_undone_by_the_policy)
{
	spec.restart.mode = RESTART_ALWAYS;
	bring_up();
	ck_assert_uint_eq(report(EVENT_STOP).effects, DO_TERMINATE);
	ck_assert_uint_eq(web.deadline_ms, now.monotonic_ms + 5000);
	end(-1, SIGTERM, false);
	ck_assert_int_eq(web.state, STATE_STOPPED);
	ck_assert_int_eq(web.death.cause, CAUSE_MANUAL);
	ck_assert_uint_eq(restart_counts_sum(&web.restarts), 0);
	ck_assert_uint_eq(web.deadline_ms, 0);
}
END_TEST

START_TEST(a_second_stop_kills)
{
	bring_up();
	report(EVENT_STOP);
	ck_assert_uint_eq(report(EVENT_STOP).effects, DO_KILL);
}
END_TEST

START_TEST(a_stop_during_a_restart_does_not_kill)
{
	bring_up();
	report(EVENT_RESTART);
	ck_assert_uint_eq(report(EVENT_STOP).effects, 0);
	end(0, 0, false);
	ck_assert_int_eq(web.state, STATE_STOPPED);
}
END_TEST

START_TEST(a_start_while_stopping_brings_it_back)
{
	bring_up();
	report(EVENT_STOP);
	report(EVENT_START);
	struct outcome outcome = end(0, 0, false);
	ck_assert_int_eq(web.state, STATE_STARTING);
	ck_assert(outcome.effects & DO_SPAWN);
}
END_TEST

START_TEST(a_manual_restart_is_counted_apart)
{
	bring_up();
	report(EVENT_RESTART);
	struct outcome outcome = end(-1, SIGTERM, false);
	ck_assert(outcome.effects & DO_SPAWN);
	ck_assert_uint_eq(web.restarts.manual, 1);
	ck_assert_uint_eq(web.restarts.crash, 0);
}
END_TEST

START_TEST(it_is_stopped_only_when_its_tree_is_gone)
{
	bring_up();
	report(EVENT_STOP);
	end(0, 0, true);
	ck_assert_int_eq(web.state, STATE_STOPPING);
	ck_assert_int_eq(web.pid, 0);
	ck_assert_uint_eq(report(EVENT_TIMEOUT).effects, DO_KILL);
	instance_gone(&web, &spec, &now);
	ck_assert_int_eq(web.state, STATE_STOPPED);
}
END_TEST

START_TEST(leftovers_of_a_crash_are_ended_before_the_restart)
{
	bring_up();
	pass_ms(5000);
	ck_assert_uint_eq(end(1, 0, true).effects, DO_TERMINATE);
	ck_assert_int_eq(web.state, STATE_STOPPING);
	struct outcome outcome = instance_gone(&web, &spec, &now);
	ck_assert_int_eq(web.state, STATE_STARTING);
	ck_assert(outcome.effects & DO_SPAWN);
	ck_assert_uint_eq(web.restarts.crash, 1);
	ck_assert_int_eq(web.death.cause, CAUSE_EXIT);
}
END_TEST

START_TEST(too_many_crashes_are_fatal_and_a_start_forgives)
{
	spec.restart.max_restarts = 1;
	bring_up();
	end(1, 0, false);
	report(EVENT_TIMEOUT);
	instance_spawned(&web, &spec, 72, &now);
	struct outcome outcome = end(1, 0, false);
	ck_assert_int_eq(web.state, STATE_FATAL);
	ck_assert(told(&outcome, NOTICE_FATAL));
	ck_assert(web.wanted);
	report(EVENT_START);
	ck_assert_int_eq(web.state, STATE_PENDING);
	ck_assert_uint_eq(web.crashes.count, 0);
}
END_TEST

START_TEST(fatal_is_tried_again_when_so_configured)
{
	spec.restart.max_restarts = 0;
	spec.restart.fatal_retry_ms = 7000;
	bring_up();
	end(1, 0, false);
	ck_assert_int_eq(web.state, STATE_FATAL);
	ck_assert_uint_eq(web.deadline_ms, now.monotonic_ms + 7000);
	ck_assert(report(EVENT_TIMEOUT).effects & DO_SPAWN);
}
END_TEST

START_TEST(without_a_process_to_be_had_it_is_tried_again)
{
	report(EVENT_START);
	report(EVENT_ALLOWED);
	ck_assert_uint_eq(report(EVENT_UNSPAWNABLE).effects, DO_ARM_RETRY);
	ck_assert_int_eq(web.state, STATE_BACKOFF);
	ck_assert_uint_eq(web.restarts.crash, 0);
	ck_assert(report(EVENT_TIMEOUT).effects & DO_SPAWN);
}
END_TEST

/* Whatever happens in whatever order: these hold. */
START_TEST(random_lives_stay_consistent)
{
	srandom((unsigned)_i);
	for (int step = 0; step < 2000; step++) {
		pass_ms((uint64_t)(random() % 2000));
		bool has_process = web.pid != 0;
		enum event event = (enum event)(random() % EVENT_COUNT);
		if (web.state == STATE_STARTING)
			instance_spawned(&web, &spec, step + 100, &now);
		else if (has_process && random() % 3 == 0)
			end((int)(random() % 3), 0, random() % 4 == 0);
		else if (web.beheaded)
			instance_gone(&web, &spec, &now);
		else if (event <= EVENT_FORBIDDEN || event == EVENT_TIMEOUT ||
			 event == EVENT_UNSPAWNABLE)
			report(event);
		ck_assert_msg(!web.pid || state_has_process(web.state), "step %d: a process in %s",
			step, state_name(web.state));
		ck_assert(!state_has_process(web.state) || web.pid || web.beheaded);
		ck_assert(web.state != STATE_BACKOFF || web.deadline_ms);
		ck_assert(!web.beheaded || web.state == STATE_STOPPING);
	}
}
END_TEST

static struct outcome pass_deadline(void)
{
	now.wall_us += (instance_next_deadline(&web) - now.monotonic_ms) * 1000;
	now.monotonic_ms = instance_next_deadline(&web);
	ck_assert(instance_is_overdue(&web, &now));
	return instance_overdue(&web, &spec, &now);
}

START_TEST(it_is_ready_when_the_last_gate_has_opened)
{
	spec.ready = (struct ready_spec){ .log = (char *)"up", .notifies = true, .timeout_ms = 5000 };
	spec.probes[PROBE_READINESS].kind = PROBE_TCP;
	bring_up();
	ck_assert(!instance_is_ready(&web, &spec));
	instance_pass(&web, &spec, GATE_NOTIFY, &now);
	ck_assert_uint_eq(web.ready_by_ms, now.monotonic_ms + 5000);
	instance_pass(&web, &spec, GATE_LOG, &now);
	ck_assert_uint_eq(web.ready_by_ms, 0);
	ck_assert_int_eq(web.state, STATE_RUNNING);
	ck_assert(told((struct outcome[]){ instance_pass(&web, &spec, GATE_READINESS, &now) }, NOTICE_READY));
	ck_assert_int_eq(web.state, STATE_READY);
	ck_assert(told((struct outcome[]){ instance_shut(&web, &spec, GATE_READINESS, "no", &now) }, NOTICE_UNHEALTHY));
	ck_assert_int_eq(web.state, STATE_UNHEALTHY);
	instance_pass(&web, &spec, GATE_READINESS, &now);
	ck_assert_int_eq(web.state, STATE_READY);
}
END_TEST

START_TEST(not_ready_in_time_is_a_failure)
{
	spec.ready = (struct ready_spec){ .log = (char *)"up", .timeout_ms = 5000 };
	bring_up();
	ck_assert_uint_eq(pass_deadline().effects, DO_TERMINATE);
	ck_assert_int_eq(web.state, STATE_STOPPING);
	end(0, 0, false); /* that it ended well makes it no success */
	ck_assert_int_eq(web.death.cause, CAUSE_PROBE);
	ck_assert_str_eq(web.death.detail, "not ready within 5.0 s");
	ck_assert_int_eq(web.state, STATE_STARTING);
	ck_assert_uint_eq(web.restarts.probe, 1);
	ck_assert_uint_eq(web.restarts.crash, 0);
}
END_TEST

START_TEST(a_policy_of_no_restart_holds_for_probes_but_not_for_limits_that_order_one)
{
	struct eviction probe = { .cause = CAUSE_PROBE, .why = "liveness" };
	struct eviction limit = { .cause = CAUSE_LIMIT, .why = "rss 3 over 2", .is_ordered = true };

	spec.restart.mode = RESTART_NO;
	bring_up();
	pass_ms(5000);
	instance_evict(&web, &spec, &limit, &now);
	end(-1, SIGTERM, false);
	ck_assert_int_eq(web.state, STATE_STARTING);
	ck_assert_str_eq(web.death.detail, "rss 3 over 2");
	instance_spawned(&web, &spec, 72, &now);
	pass_ms(5000);
	instance_evict(&web, &spec, &probe, &now);
	end(-1, SIGTERM, false);
	ck_assert_int_eq(web.state, STATE_FAILED);
}
END_TEST

START_TEST(evictions_are_counted_in_a_window_of_their_own)
{
	struct eviction limit = { .cause = CAUSE_LIMIT, .why = "x", .is_ordered = true };

	bring_up();
	for (unsigned i = 0; i < spec.restart.max_restarts; i++) {
		pass_ms(2000);
		instance_evict(&web, &spec, &limit, &now);
		end(-1, SIGTERM, false);
		ck_assert_int_eq(web.state, STATE_STARTING);
		instance_spawned(&web, &spec, 80 + (int)i, &now);
	}
	pass_ms(2000);
	instance_evict(&web, &spec, &limit, &now);
	end(-1, SIGTERM, false);
	ck_assert_int_eq(web.state, STATE_FATAL);
	ck_assert_uint_eq(web.restarts.limit, spec.restart.max_restarts);
	ck_assert_uint_eq(web.crashes.count, 0);
}
END_TEST

START_TEST(a_stop_during_an_eviction_wins)
{
	struct eviction limit = { .cause = CAUSE_LIMIT, .why = "x", .is_ordered = true };

	bring_up();
	instance_evict(&web, &spec, &limit, &now);
	report(EVENT_STOP);
	end(-1, SIGTERM, false);
	ck_assert_int_eq(web.state, STATE_STOPPED);
}
END_TEST

START_TEST(a_watchdog_that_is_not_told_ends_it)
{
	spec.watchdog_ms = 1000;
	bring_up();
	pass_ms(900);
	instance_kept_alive(&web, &spec, &now);
	ck_assert_uint_eq(web.alive_by_ms, now.monotonic_ms + 1000);
	pass_deadline();
	ck_assert_int_eq(web.stop_cause, CAUSE_WATCHDOG);
}
END_TEST

START_TEST(time_that_is_asked_for_is_given)
{
	spec.ready = (struct ready_spec){ .notifies = true, .timeout_ms = 1000 };
	bring_up();
	instance_extend(&web, 9000, &now);
	ck_assert_uint_eq(web.ready_by_ms, now.monotonic_ms + 9000);
	instance_extend(&web, 10, &now); /* never less */
	ck_assert_uint_eq(web.ready_by_ms, now.monotonic_ms + 9000);
	report(EVENT_STOP);
	instance_extend(&web, 20000, &now);
	ck_assert_uint_eq(web.deadline_ms, now.monotonic_ms + 20000);
}
END_TEST

START_TEST(a_life_that_is_too_long_is_ended)
{
	spec.max_runtime_ms = 60000;
	bring_up();
	pass_deadline();
	ck_assert_int_eq(web.state, STATE_STOPPING);
	end(-1, SIGTERM, false);
	ck_assert_str_eq(web.death.detail, "max_runtime of 60.0 s is over");
}
END_TEST

START_TEST(a_schedule_starts_it_again_and_again)
{
	spec.schedule = (struct schedule_spec){ .interval_ms = 10000 };
	report(EVENT_START);
	ck_assert_int_eq(web.state, STATE_SCHEDULED);
	ck_assert_uint_eq(pass_deadline().effects, DO_FORGIVE | DO_ASK);
	ck_assert_int_eq(web.state, STATE_PENDING);
	report(EVENT_ALLOWED);
	instance_spawned(&web, &spec, 71, &now);
	uint64_t due_ms = web.due_ms;
	pass_ms(2000);
	struct outcome outcome = end(0, 0, false);
	ck_assert(told(&outcome, NOTICE_COMPLETED));
	ck_assert_int_eq(web.state, STATE_SCHEDULED);
	ck_assert_uint_eq(web.due_ms, due_ms); /* from start to start */
	report(EVENT_STOP);
	ck_assert_int_eq(web.state, STATE_STOPPED);
	ck_assert_uint_eq(instance_next_deadline(&web), 0);
}
END_TEST

static void run_when_due(enum overlap overlap)
{
	spec.schedule = (struct schedule_spec){ .interval_ms = 10000, .overlap = overlap };
	report(EVENT_START);
	pass_deadline();
	report(EVENT_ALLOWED);
	instance_spawned(&web, &spec, 71, &now);
}

START_TEST(a_run_that_overlaps_is_left_out_queued_or_replaces)
{
	run_when_due(OVERLAP_SKIP);
	ck_assert(told((struct outcome[]){ pass_deadline() }, NOTICE_SKIPPED));
	end(0, 0, false);
	ck_assert_int_eq(web.state, STATE_SCHEDULED);

	instance_init(&web, "web", 0, false);
	run_when_due(OVERLAP_QUEUE);
	pass_deadline();
	pass_deadline();
	end(0, 0, false);
	ck_assert_int_eq(web.state, STATE_PENDING); /* once, however often it came */
	report(EVENT_ALLOWED);
	instance_spawned(&web, &spec, 72, &now);
	end(0, 0, false);
	ck_assert_int_eq(web.state, STATE_SCHEDULED);

	instance_init(&web, "web", 0, false);
	run_when_due(OVERLAP_REPLACE);
	pass_deadline();
	ck_assert_int_eq(web.state, STATE_STOPPING);
	end(-1, SIGTERM, false);
	ck_assert_int_eq(web.state, STATE_STARTING);
}
END_TEST

START_TEST(a_clock_that_is_put_back_runs_nothing_twice)
{
	spec.schedule = (struct schedule_spec){ .cron = (char *)"*/10 * * * *", .timezone = (char *)"UTC" };
	now.wall_us = 1000000000ull * 600 * 1000;
	report(EVENT_START);
	uint64_t first_us = web.due_us;
	ck_assert_uint_eq(first_us % (600ull * 1000000), 0);
	pass_deadline();
	now.wall_us -= 900ull * 1000000;
	instance_reschedule(&web, &spec, &now);
	ck_assert_uint_gt(web.due_us, first_us);
}
END_TEST

START_TEST(a_restart_for_a_dependency_waits_for_it)
{
	bring_up();
	instance_stop_for(&web, &spec, EVENT_RESTART, CAUSE_DEPENDENCY, "", &now);
	ck_assert_uint_eq(end(-1, SIGTERM, false).effects, DO_DISARM | DO_ASK);
	ck_assert_int_eq(web.state, STATE_PENDING);
	ck_assert_int_eq(web.death.cause, CAUSE_DEPENDENCY);
}
END_TEST

Suite *instance_suite(void)
{
	Suite *suite = suite_create("instance");
	TCase *life = tcase_create("life");

	tcase_add_checked_fixture(life, begin, NULL);
	tcase_add_test(life, a_start_leads_to_a_process);
	tcase_add_test(life, who_rested_in_a_former_run_rests_until_it_is_started);
	tcase_add_test(life, who_was_about_to_be_started_in_a_former_run_is_started_by_the_next);
	tcase_add_test(life, who_was_being_stopped_in_a_former_run_rests_then);
	tcase_add_test(life, what_was_given_up_in_a_former_run_is_tried_again_in_time);
	tcase_add_test(life, it_is_ready_when_the_last_gate_has_opened);
	tcase_add_test(life, not_ready_in_time_is_a_failure);
	tcase_add_test(life, a_policy_of_no_restart_holds_for_probes_but_not_for_limits_that_order_one);
	tcase_add_test(life, evictions_are_counted_in_a_window_of_their_own);
	tcase_add_test(life, a_stop_during_an_eviction_wins);
	tcase_add_test(life, a_watchdog_that_is_not_told_ends_it);
	tcase_add_test(life, time_that_is_asked_for_is_given);
	tcase_add_test(life, a_life_that_is_too_long_is_ended);
	tcase_add_test(life, a_schedule_starts_it_again_and_again);
	tcase_add_test(life, a_run_that_overlaps_is_left_out_queued_or_replaces);
	tcase_add_test(life, a_clock_that_is_put_back_runs_nothing_twice);
	tcase_add_test(life, a_restart_for_a_dependency_waits_for_it);
	tcase_add_test(life, who_is_adopted_goes_on_as_it_was);
	tcase_add_test(life, who_is_adopted_before_it_was_ready_has_to_get_ready);
	tcase_add_test(life, a_crash_is_remembered_and_waits);
	tcase_add_test(life, a_stop_is_never_undone_by_the_policy);
	tcase_add_test(life, a_second_stop_kills);
	tcase_add_test(life, a_stop_during_a_restart_does_not_kill);
	tcase_add_test(life, a_start_while_stopping_brings_it_back);
	tcase_add_test(life, a_manual_restart_is_counted_apart);
	tcase_add_test(life, it_is_stopped_only_when_its_tree_is_gone);
	tcase_add_test(life, leftovers_of_a_crash_are_ended_before_the_restart);
	tcase_add_test(life, too_many_crashes_are_fatal_and_a_start_forgives);
	tcase_add_test(life, fatal_is_tried_again_when_so_configured);
	tcase_add_test(life, without_a_process_to_be_had_it_is_tried_again);
	tcase_add_loop_test(life, random_lives_stay_consistent, 0, 20);
	suite_add_tcase(suite, life);
	return suite;
}
