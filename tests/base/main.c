#include "tests/runner.h"

Suite *text_suite(void);

static suite_function *const suites[] = {
	text_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
