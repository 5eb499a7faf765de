#include "tests/runner.h"

Suite *adoption_suite(void);
Suite *cgroup_suite(void);
Suite *crash_suite(void);
Suite *eager_suite(void);
Suite *lastwords_suite(void);
Suite *ledger_suite(void);
Suite *logfile_suite(void);
Suite *roster_suite(void);
Suite *store_suite(void);
Suite *terminal_suite(void);

static suite_function *const suites[] = {
	adoption_suite,
	cgroup_suite,
	crash_suite,
	eager_suite,
	lastwords_suite,
	ledger_suite,
	logfile_suite,
	roster_suite,
	store_suite,
	terminal_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
