#include "tests/runner.h"

Suite *record_suite(void);
Suite *exit_when_suite(void);
Suite *outlet_suite(void);
Suite *keys_suite(void);
Suite *modes_suite(void);

static suite_function *const suites[] = {
	record_suite,
	exit_when_suite,
	outlet_suite,
	keys_suite,
	modes_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
