#include "tests/runner.h"

Suite *row_suite(void);
Suite *value_suite(void);

static suite_function *const suites[] = {
	row_suite,
	value_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
