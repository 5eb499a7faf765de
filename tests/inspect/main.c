#include "tests/runner.h"

Suite *role_suite(void);
Suite *truth_suite(void);
Suite *walk_suite(void);

static suite_function *const suites[] = {
	role_suite,
	truth_suite,
	walk_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
