#include "tests/runner.h"

Suite *channel_suite(void);
Suite *library_suite(void);
Suite *pool_suite(void);
Suite *port_suite(void);
Suite *process_suite(void);
Suite *scarcity_suite(void);
Suite *shared_suite(void);

static suite_function *const suites[] = {
	channel_suite,
	library_suite,
	pool_suite,
	port_suite,
	process_suite,
	scarcity_suite,
	shared_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
