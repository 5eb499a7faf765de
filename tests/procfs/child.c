#include "tests/procfs/child.h"

#include <check.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

pid_t child_start(void (*run)(void), bool leads)
{
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (leads)
			setsid();
		close(ready[0]);
		if (write(ready[1], "", 1) == 1)
			run();
		_exit(0);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

void child_await(bool (*is_so)(void *context), void *context, const char *what)
{
	uint64_t deadline = clock_monotonic_ms() + CHILD_DEADLINE_MS;

	while (!is_so(context)) {
		ck_assert_msg(clock_monotonic_ms() < deadline, "never so: %s", what);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

uint64_t child_cpu_us(pid_t pid)
{
	struct timespec used;
	clockid_t id;

	ck_assert_int_eq(clock_getcpuclockid(pid, &id), 0);
	ck_assert_int_eq(clock_gettime(id, &used), 0);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

void child_idle(void)
{
	for (;;)
		pause();
}

void child_burn(void)
{
	for (volatile unsigned long i = 0;; i++)
		continue;
}
