#include <check.h>

#include "model/crowd.h"

START_TEST(a_few_at_once_wait_for_nothing)
{
	struct crowd crowd = { 0 };

	for (int i = 0; i < CROWD_AT_ONCE; i++)
		ck_assert_uint_eq(crowd_join(&crowd, 5000), 0);
}
END_TEST

START_TEST(a_storm_is_spread)
{
	struct crowd crowd = { 0 };
	uint32_t last = 0;

	for (int i = 0; i < 1000; i++)
		last = crowd_join(&crowd, 5000);
	ck_assert_uint_eq(last, (1000 - CROWD_AT_ONCE - 1) * CROWD_SPACING_MS);
}
END_TEST

START_TEST(a_crowd_disperses)
{
	struct crowd crowd = { 0 };

	for (int i = 0; i < 100; i++)
		crowd_join(&crowd, 5000);
	ck_assert_uint_eq(crowd_join(&crowd, 5000 + 100 * CROWD_SPACING_MS), 0);
}
END_TEST

Suite *crowd_suite(void)
{
	Suite *suite = suite_create("crowd");
	TCase *storms = tcase_create("storms");

	tcase_add_test(storms, a_few_at_once_wait_for_nothing);
	tcase_add_test(storms, a_storm_is_spread);
	tcase_add_test(storms, a_crowd_disperses);
	suite_add_tcase(suite, storms);
	return suite;
}
