#include "tests/runner.h"

Suite *lines_suite(void);
Suite *message_suite(void);
Suite *notification_suite(void);

static suite_function *const suites[] = {
	lines_suite,
	message_suite,
	notification_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
