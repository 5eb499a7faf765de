#include "tests/runner.h"

Suite *spark_suite(void);
Suite *text_suite(void);

static suite_function *const suites[] = {
	spark_suite,
	text_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
