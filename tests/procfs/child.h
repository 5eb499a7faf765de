/* Real processes for tests. All of them die with the test. */
#ifndef TESTS_PROCFS_CHILD_H
#define TESTS_PROCFS_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_DEADLINE_MS = 20000 };

/* Fork; in the child call run, then exit. It gets a session of its own with leads. */
pid_t child_start(void (*run)(void), bool leads);

/* SIGKILL and reap. */
void child_end(pid_t pid);

/* Wait until is_so; fails the test when it does not become so. */
void child_await(bool (*is_so)(void *context), void *context, const char *what);

/* CPU time that the process used so far. */
uint64_t child_cpu_us(pid_t pid);

/* Bodies for child_start. */
void child_idle(void);
void child_burn(void);

#endif
