#include "tests/runner.h"

Suite *clock_suite(void);
Suite *line_suite(void);
Suite *pattern_suite(void);
Suite *spark_suite(void);
Suite *text_suite(void);

static suite_function *const suites[] = {
	clock_suite,
	line_suite,
	pattern_suite,
	spark_suite,
	text_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
