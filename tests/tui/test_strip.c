#include <check.h>

#include "tui/strip.h"

static const uint64_t hour = 3600ull * 1000000, now = 1000 * 3600ull * 1000000 + 1;

static const char *strip(const struct strip_life *lives, size_t count)
{
	static const char names[] = " .rX-";
	static char out[7];
	enum strip_cell cells[6];

	strip_fill(cells, 6, hour, now, lives, count);
	for (int i = 0; i < 6; i++)
		out[i] = names[cells[i]];
	return out;
}

START_TEST(what_was_before_all_lives_is_not_known)
{
	struct strip_life life = { now - 2 * hour, UINT64_MAX, false };
	ck_assert_str_eq(strip(NULL, 0), "      ");
	ck_assert_str_eq(strip(&life, 1), "   ...");
}
END_TEST

START_TEST(a_crash_says_more_than_the_restart_behind_it)
{
	struct strip_life lives[] = { { now - 20 * hour, now - 4 * hour, true },
		{ now - 4 * hour, now - hour, false }, { now - hour, UINT64_MAX, false } };
	ck_assert_str_eq(strip(lives, 3), ".X..r.");
}
END_TEST

START_TEST(between_two_lives_it_is_down)
{
	struct strip_life lives[] = { { now - 20 * hour, now - 4 * hour, false },
		{ now - hour, now, false } };
	ck_assert_str_eq(strip(lives, 1), "..----");
	ck_assert_str_eq(strip(lives, 2), "..--r.");
}
END_TEST

START_TEST(a_day_fits_or_is_not_shown)
{
	uint64_t span_us;

	ck_assert_int_eq(strip_fit(200, &span_us), 96);
	ck_assert_int_eq(strip_fit(95, &span_us), 48);
	ck_assert_uint_eq(span_us, hour / 2);
	ck_assert_int_eq(strip_fit(6, &span_us), 6);
	ck_assert_int_eq(strip_fit(5, &span_us), 0);
	ck_assert_int_eq(strip_fit(-7, &span_us), 0);
}
END_TEST

Suite *strip_suite(void)
{
	Suite *suite = suite_create("strip");
	TCase *cells = tcase_create("cells");

	tcase_add_test(cells, what_was_before_all_lives_is_not_known);
	tcase_add_test(cells, a_crash_says_more_than_the_restart_behind_it);
	tcase_add_test(cells, between_two_lives_it_is_down);
	tcase_add_test(cells, a_day_fits_or_is_not_shown);
	suite_add_tcase(suite, cells);
	return suite;
}
