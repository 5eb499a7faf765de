#include <check.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspect/inspector.h"
#include "procfs/stat.h"

/* With that pid, which takes a right; 0: any. */
static pid_t start(pid_t wanted)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	if (wanted) {
		args.set_tid = (uint64_t)(uintptr_t)&wanted;
		args.set_tid_size = 1;
	}
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return child;
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static double rate_of(struct inspector *inspector, pid_t pid)
{
	struct study study;
	struct error err;

	ck_assert_msg(inspector_study(inspector, pid, &study, &err), "%s", err.text);
	ck_assert_uint_eq(study.thread_count, 1);
	double rate = study.threads[0].cpu_pct;
	study_finish(&study);
	return rate;
}

/* The start of a process is known to a tick: one within the same tick is ended again. */
static pid_t start_later(pid_t wanted, uint64_t than)
{
	struct proc_stat stat;
	pid_t child = start(wanted);

	while (child > 0 && proc_stat_read(child, &stat) && stat.starttime == than) {
		end(child);
		child = start(wanted);
	}
	return child;
}

START_TEST(another_process_with_the_same_pid_is_another)
{
	struct inspector *inspector = inspector_create();
	struct proc_stat stat;
	struct study study;
	struct error err;
	pid_t first = start(0);

	ck_assert(proc_stat_read(first, &stat));
	rate_of(inspector, first);
	ck_assert(rate_of(inspector, first) >= 0);
	end(first);
	ck_assert(!inspector_study(inspector, first, &study, &err));
	pid_t second = start_later(first, stat.starttime);
	if (second > 0) {
		ck_assert_int_eq(second, first);
		ck_assert(rate_of(inspector, second) < 0); /* of it there was no look before */
		ck_assert(rate_of(inspector, second) >= 0);
		end(second);
	}
	inspector_destroy(inspector);
}
END_TEST

Suite *reuse_suite(void)
{
	Suite *suite = suite_create("reuse");
	TCase *tcase = tcase_create("pid");

	tcase_add_test(tcase, another_process_with_the_same_pid_is_another);
	suite_add_tcase(suite, tcase);
	return suite;
}
