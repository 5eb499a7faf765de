#include "tests/runner.h"

Suite *fleet_suite(void);
Suite *golden_suite(void);
Suite *launch_suite(void);
Suite *layout_suite(void);
Suite *log_text_suite(void);
Suite *logs_suite(void);
Suite *settings_suite(void);
Suite *stage_suite(void);
Suite *strip_suite(void);
Suite *view_suite(void);

static suite_function *const suites[] = {
	fleet_suite,
	golden_suite,
	launch_suite,
	layout_suite,
	log_text_suite,
	logs_suite,
	settings_suite,
	stage_suite,
	strip_suite,
	view_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
