#include <check.h>
#include <math.h>
#include <string.h>

#include "model/growth.h"
#include "model/sample.h"
#include "model/slope.h"
#include "model/trace.h"

enum { POINTS = 600,
	TRIALS = 300 };

static struct slope_point points[POINTS];
static struct slope slope;
static uint64_t seed;

/* 0 … 1; the same in every run. */
static double chance(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 33) / (double)(1u << 31);
}

static double white(void)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += chance();
	return sum - 6;
}

static bool grows(double (*value)(double second), double noise)
{
	for (int i = 0; i < POINTS; i++)
		points[i] = (struct slope_point){ 1e9 + i, value(i) + noise * white() };
	return slope_find(&slope, points, POINTS);
}

static double flat(double second)
{
	(void)second;
	return 1000;
}

static double leak(double second)
{
	return 1000 + second * 0.5;
}

/* One descriptor every 20 s. */
static double stairs(double second)
{
	return 20 + floor(second / 20);
}

static double step(double second)
{
	return second < 400 ? 100 : 200;
}

/* As after a start: it comes to rest. */
static double warm_up(double second)
{
	return 1000 - 900 * exp(-second / 100);
}

/* What a collector leaves is always the same. */
static double garbage(double second)
{
	return 100 + fmod(second, 45) * 10;
}

static double garbage_and_leak(double second)
{
	return garbage(second) + second;
}

static double shrinks(double second)
{
	return 1000 - second;
}

START_TEST(a_leak_is_found_through_noise_and_measured)
{
	for (int i = 0; i < TRIALS; i++) {
		ck_assert(grows(leak, 20));
		ck_assert_double_eq_tol(slope.per_s, 0.5, 0.1);
		ck_assert(slope.low_per_s <= slope.per_s && slope.per_s <= slope.high_per_s);
	}
	ck_assert(grows(stairs, 0));
	ck_assert_double_eq_tol(slope.per_s, 1 / 20.0, 0.005);
	ck_assert(grows(garbage_and_leak, 0));
	ck_assert_double_eq_tol(slope.per_s, 1, 0.2);
}
END_TEST

START_TEST(the_interval_has_the_truth_in_it)
{
	int inside = 0;

	for (int i = 0; i < TRIALS; i++) {
		grows(leak, 20);
		inside += slope.low_per_s <= 0.5 && slope.high_per_s >= 0.5;
	}
	ck_assert_int_ge(inside, TRIALS * 97 / 100);
}
END_TEST

START_TEST(noise_says_nothing)
{
	int found = 0;

	for (int i = 0; i < TRIALS; i++)
		found += grows(flat, 50);
	ck_assert_int_eq(found, 0);
}
END_TEST

/* Each value near the one before, as memory is. */
START_TEST(noise_that_lingers_says_nothing)
{
	int found = 0;

	for (int trial = 0; trial < TRIALS; trial++) {
		double value = 0;
		for (int i = 0; i < POINTS; i++) {
			value = 0.95 * value + white();
			points[i] = (struct slope_point){ i, 1000 + value };
		}
		found += slope_find(&slope, points, POINTS);
	}
	ck_assert_int_eq(found, 0);
}
END_TEST

START_TEST(what_happened_once_or_comes_to_rest_is_no_leak)
{
	ck_assert(!grows(step, 0));
	ck_assert(!grows(step, 5));
	ck_assert(!grows(warm_up, 0));
	ck_assert(!grows(warm_up, 10));
	ck_assert(!grows(garbage, 0));
	ck_assert(!grows(garbage, 5));
	ck_assert(!grows(flat, 0));
	ck_assert(!grows(shrinks, 0));
}
END_TEST

START_TEST(too_little_is_not_judged)
{
	for (int i = 0; i < POINTS; i++)
		points[i] = (struct slope_point){ i / 11.0, i };
	ck_assert(!slope_find(&slope, points, POINTS));
	for (int i = 0; i < 8; i++)
		points[i] = (struct slope_point){ i * 60, i };
	ck_assert(!slope_find(&slope, points, 8));
	ck_assert(!slope_find(&slope, points, 0));
}
END_TEST

START_TEST(times_that_are_all_one_or_no_numbers_are_survived)
{
	for (int i = 0; i < POINTS; i++)
		points[i] = (struct slope_point){ i < POINTS - 1 ? 5 : 500, i };
	ck_assert(!slope_find(&slope, points, POINTS));
	points[POINTS - 1].at_s = NAN;
	ck_assert(!slope_find(&slope, points, POINTS));
}
END_TEST

/* ---- of a trace ---- */

static struct trace trace;
static struct growth growths[GROWTH_FIGURES];

static size_t growths_of(int32_t pid, uint64_t seconds, const struct ceiling *ceilings)
{
	for (uint64_t i = 0; i < seconds; i++) {
		struct trace_entry entry = { .ts_us = (1000000 + i + (uint64_t)pid * 1000) * 1000000,
			.pid = pid,
			.rss = (100 << 20) + i * 65536,
			.fds = 20 + (uint32_t)i / 10,
			.threads = 7 };
		trace_add(&trace, &entry, TRACE_MOST);
	}
	return growth_find(growths, &trace, ceilings);
}

START_TEST(it_is_said_how_fast_and_when_there_is_no_more)
{
	struct ceiling ceilings[GROWTH_FIGURES] = { { 512 << 20, "its limit" }, { 1024, "RLIMIT_NOFILE" }, { SAMPLE_UNKNOWN, "" } };
	char text[256];

	ck_assert_uint_eq(growths_of(1, 300, ceilings), 2);
	growth_describe(text, sizeof text, &growths[0]);
	ck_assert_str_eq(text,
		"its memory grows by 3.8M a minute (3.8M to 3.8M), "
		"and did so for 04:59: 119M now, and 512M (its limit) in 1h44m");
	growth_describe(text, sizeof text, &growths[1]);
	ck_assert_ptr_nonnull(strstr(text, "its open descriptors grow by 6"));
	ck_assert_ptr_nonnull(strstr(text, ": 49 now, and 1024 (RLIMIT_NOFILE) in 2h4"));
	trace_finish(&trace);
}
END_TEST

START_TEST(a_process_is_not_blamed_for_the_one_before_it)
{
	struct ceiling ceilings[GROWTH_FIGURES] = { { SAMPLE_UNKNOWN, "" }, { SAMPLE_UNKNOWN, "" }, { SAMPLE_UNKNOWN, "" } };

	ck_assert_uint_eq(growths_of(1, 300, ceilings), 2);
	ck_assert_uint_eq(growths[0].left_ms, SAMPLE_UNKNOWN);
	ck_assert_uint_eq(growths_of(2, 40, ceilings), 0);
	trace_finish(&trace);
	ck_assert_uint_eq(growth_find(growths, &trace, ceilings), 0);
}
END_TEST

START_TEST(the_lower_ceiling_counts)
{
	struct ceiling ceiling = { SAMPLE_UNKNOWN, "" };

	ceiling_lower(&ceiling, 100, "a");
	ceiling_lower(&ceiling, 200, "b");
	ck_assert_uint_eq(ceiling.most, 100);
	ceiling_lower(&ceiling, 50, "c");
	ck_assert_str_eq(ceiling.of, "c");
}
END_TEST

Suite *slope_suite(void)
{
	Suite *suite = suite_create("slope");
	TCase *line = tcase_create("line"), *growth = tcase_create("growth");

	tcase_add_test(line, a_leak_is_found_through_noise_and_measured);
	tcase_add_test(line, the_interval_has_the_truth_in_it);
	tcase_add_test(line, noise_says_nothing);
	tcase_add_test(line, noise_that_lingers_says_nothing);
	tcase_add_test(line, what_happened_once_or_comes_to_rest_is_no_leak);
	tcase_add_test(line, too_little_is_not_judged);
	tcase_add_test(line, times_that_are_all_one_or_no_numbers_are_survived);
	tcase_add_test(growth, it_is_said_how_fast_and_when_there_is_no_more);
	tcase_add_test(growth, a_process_is_not_blamed_for_the_one_before_it);
	tcase_add_test(growth, the_lower_ceiling_counts);
	suite_add_tcase(suite, line);
	suite_add_tcase(suite, growth);
	return suite;
}
