#include "tests/runner.h"

static suite_function *const suites[] = {
	NULL,
};

int main(void)
{
	return runner_run(suites);
}
