#include "tests/runner.h"

Suite *page_suite(void);
Suite *role_suite(void);
Suite *truth_suite(void);
Suite *walk_suite(void);

static suite_function *const suites[] = {
	page_suite,
	role_suite,
	truth_suite,
	walk_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
