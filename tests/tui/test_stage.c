#include <check.h>

#include "tui/stage.h"

START_TEST(dropped_frames_are_told_of_for_ten_seconds)
{
	struct drops drops = { 0 };

	ck_assert_uint_eq(drops_count(&drops, 5000), 0);
	drops_add(&drops, 5000);
	drops_add(&drops, 5999);
	drops_add(&drops, 9000);
	ck_assert_uint_eq(drops_count(&drops, 9000), 3);
	ck_assert_uint_eq(drops_count(&drops, 14999), 3);
	ck_assert_uint_eq(drops_count(&drops, 15000), 1);
	ck_assert_uint_eq(drops_count(&drops, 18999), 1);
	ck_assert_uint_eq(drops_count(&drops, 19000), 0);
	drops_add(&drops, 1000000);
	ck_assert_uint_eq(drops_count(&drops, 1000000), 1);
}
END_TEST

Suite *stage_suite(void)
{
	Suite *suite = suite_create("stage");
	TCase *all = tcase_create("stage");

	tcase_add_test(all, dropped_frames_are_told_of_for_ten_seconds);
	suite_add_tcase(suite, all);
	return suite;
}
