#include "tests/runner.h"

Suite *census_suite(void);
Suite *group_suite(void);
Suite *muster_suite(void);
Suite *pipe_suite(void);
Suite *stat_suite(void);
Suite *sweep_suite(void);
Suite *tree_suite(void);

static suite_function *const suites[] = {
	census_suite,
	group_suite,
	muster_suite,
	pipe_suite,
	stat_suite,
	sweep_suite,
	tree_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
