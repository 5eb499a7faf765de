/*
 * What each layer's test program shares. tests/LAYER/test_NAME.c defines NAME_suite(),
 * tests/LAYER/main.c lists them. Each case runs in a process of its own.
 */
#ifndef TESTS_RUNNER_H
#define TESTS_RUNNER_H

#include <check.h>

typedef Suite *suite_function(void);

/* Runs the suites of a list that ends with NULL; the exit status for main. */
int runner_run(suite_function *const *suites);

#endif
