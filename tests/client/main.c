#include "tests/runner.h"

Suite *assemble_suite(void);
Suite *replica_suite(void);
Suite *paths_suite(void);
Suite *link_suite(void);
Suite *merge_suite(void);

static suite_function *const suites[] = {
	assemble_suite,
	replica_suite,
	paths_suite,
	link_suite,
	merge_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
