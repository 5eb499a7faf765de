#include <check.h>

#include "engine/cgroup.h"

START_TEST(without_a_group_nothing_is_done)
{
	struct cgroup none = { -1, NULL };

	ck_assert_int_eq(cgroup_make(&none, "1.2.3"), 0);
	ck_assert(!cgroup_kill(&none, "1.2.3"));
	ck_assert(!cgroup_is_there(&none, "1.2.3"));
	cgroup_remove(&none, "1.2.3");
}
END_TEST

Suite *cgroup_suite(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *tcase = tcase_create("cgroup");

	tcase_add_test(tcase, without_a_group_nothing_is_done);
	suite_add_tcase(suite, tcase);
	return suite;
}
