#include "tests/runner.h"

Suite *assemble_suite(void);

static suite_function *const suites[] = {
	assemble_suite,
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
