#include "tests/runner.h"

Suite *crew_suite(void);
Suite *finding_suite(void);
Suite *lock_suite(void);
Suite *page_suite(void);
Suite *stepped_suite(void);
Suite *reuse_suite(void);
Suite *role_suite(void);
Suite *roll_suite(void);
Suite *truth_suite(void);
Suite *walk_suite(void);

static suite_function *const suites[] = {
	crew_suite,
	finding_suite,
	lock_suite,
	page_suite,
	stepped_suite,
	reuse_suite,
	role_suite,
	roll_suite,
	truth_suite,
	walk_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
