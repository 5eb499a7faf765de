#include "tests/runner.h"

Suite *logfile_suite(void);

static suite_function *const suites[] = {
	logfile_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
