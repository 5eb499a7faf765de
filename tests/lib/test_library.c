#include <errno.h>
#include <thrum.h>
#include "lib/memory.h"
#include "tests/runner.h"

START_TEST(the_library_says_its_version)
{
	ck_assert_str_eq(thrum_version(), PACKAGE_VERSION);
}
END_TEST

START_TEST(an_allocation_fails_when_it_is_told_to)
{
	void *first, *second, *third;

	thrum__fail_after(1);
	first = thrum__allocate(1, 10);
	second = thrum__allocate(1, 10);
	third = thrum__reallocate(NULL, 2, 10);
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(second);
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_nonnull(third);
	thrum__free(first);
	thrum__free(third);
}
END_TEST

Suite *library_suite(void)
{
	Suite *suite = suite_create("library");
	TCase *test_case = tcase_create("library");

	tcase_add_test(test_case, the_library_says_its_version);
	tcase_add_test(test_case, an_allocation_fails_when_it_is_told_to);
	suite_add_tcase(suite, test_case);
	return suite;
}
