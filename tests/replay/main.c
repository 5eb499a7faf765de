#include "tests/runner.h"

Suite *entry_suite(void);
Suite *recording_suite(void);

static suite_function *const suites[] = {
	entry_suite,
	recording_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
