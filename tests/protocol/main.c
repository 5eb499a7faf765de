#include "tests/runner.h"

Suite *answer_suite(void);
Suite *inside_suite(void);
Suite *row_suite(void);
Suite *value_suite(void);

static suite_function *const suites[] = {
	answer_suite,
	inside_suite,
	row_suite,
	value_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
