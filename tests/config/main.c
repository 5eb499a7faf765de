#include "tests/runner.h"

Suite *diff_suite(void);
Suite *foreign_suite(void);
Suite *load_suite(void);
Suite *template_suite(void);
Suite *values_suite(void);
Suite *variables_suite(void);
Suite *supervision_suite(void);

static suite_function *const suites[] = {
	diff_suite,
	foreign_suite,
	load_suite,
	template_suite,
	values_suite,
	variables_suite,
	supervision_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
