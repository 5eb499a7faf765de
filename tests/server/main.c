#include "tests/runner.h"

Suite *kept_suite(void);

static suite_function *const suites[] = {
	kept_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
