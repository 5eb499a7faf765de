#include "tests/runner.h"

Suite *advice_suite(void);
Suite *command_suite(void);
Suite *cron_suite(void);
Suite *crowd_suite(void);
Suite *graph_suite(void);
Suite *instance_suite(void);
Suite *machine_suite(void);
Suite *metric_suite(void);
Suite *policy_suite(void);
Suite *project_suite(void);
Suite *rolling_suite(void);
Suite *slope_suite(void);
Suite *state_suite(void);
Suite *task_pool_suite(void);
Suite *trace_suite(void);

static suite_function *const suites[] = {
	advice_suite,
	command_suite,
	cron_suite,
	crowd_suite,
	graph_suite,
	instance_suite,
	machine_suite,
	metric_suite,
	policy_suite,
	project_suite,
	rolling_suite,
	slope_suite,
	state_suite,
	task_pool_suite,
	trace_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
