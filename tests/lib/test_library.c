#include <thrum.h>
#include "tests/runner.h"

START_TEST(the_library_says_its_version)
{
	ck_assert_str_eq(thrum_version(), PACKAGE_VERSION);
}
END_TEST

Suite *library_suite(void)
{
	Suite *suite = suite_create("library");
	TCase *test_case = tcase_create("library");

	tcase_add_test(test_case, the_library_says_its_version);
	suite_add_tcase(suite, test_case);
	return suite;
}
