#include "tests/runner.h"

#include <stdlib.h>

int runner_run(suite_function *const *suites)
{
	SRunner *runner = srunner_create(NULL);

	for (; *suites; suites++)
		srunner_add_suite(runner, (*suites)());
	srunner_run_all(runner, CK_ENV);

	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
