#include "tests/runner.h"

Suite *lines_suite(void);

static suite_function *const suites[] = {
	lines_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
