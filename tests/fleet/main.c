#include "tests/runner.h"

Suite *settings_suite(void);
Suite *task_suite(void);

static suite_function *const suites[] = {
	settings_suite,
	task_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
