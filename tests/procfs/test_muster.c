#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/sample.h"
#include "procfs/muster.h"
#include "procfs/tune.h"

static struct muster *muster;
static struct machine machine;
static struct error err;

static void begin(void)
{
	muster = muster_create();
	machine = (struct machine){ 0 };
}

static void end(void)
{
	machine_finish(&machine);
	muster_destroy(muster);
}

static const struct machine_process *look(pid_t pid)
{
	ck_assert_msg(muster_take(muster, &machine, &err), "%s", err.text);
	return machine_find(&machine, pid);
}

START_TEST(it_finds_us_with_our_figures)
{
	const struct machine_process *we = look(getpid());

	ck_assert_ptr_nonnull(we);
	ck_assert_int_eq(we->parent, getppid());
	ck_assert_int_eq(we->state, 'R');
	ck_assert_uint_gt(we->rss, 0);
	ck_assert_uint_gt(machine.cores, 0);
	ck_assert_uint_gt(machine.memory_total, machine.memory_available);
}
END_TEST

START_TEST(who_works_is_seen_to_and_who_has_ended_is_gone)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			continue;
	const struct machine_process *process = look(child);
	ck_assert_ptr_nonnull(process);
	uint64_t used_ns = process->cpu_ns;
	struct machine_id id = process->id;
	do
		process = look(child);
	while (process && process->cpu_ns == used_ns);
	ck_assert_ptr_nonnull(process);
	ck_assert(machine_id_is(&process->id, &id));
	ck_assert(process->cpu_pct > 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_assert_ptr_null(look(child));
}
END_TEST

START_TEST(who_sleeps_keeps_its_command_and_uses_nothing)
{
	int pipes[2];

	ck_assert_int_eq(pipe(pipes), 0);
	pid_t child = fork();
	if (child == 0) {
		close(pipes[1]);
		_exit((int)read(pipes[0], pipes, 1));
	}
	const struct machine_process *process;
	do
		process = look(child);
	while (process && (process->state != 'S' || process->cpu_pct > 0));
	ck_assert_ptr_nonnull(process);
	ck_assert_ptr_nonnull(strstr(process->command, "test-procfs"));
	close(pipes[1]);
	waitpid(child, NULL, 0);
}
END_TEST

START_TEST(what_costs_more_is_read_when_it_is_wanted)
{
	const struct machine_process *we = look(getpid());

	ck_assert_uint_eq(we->shared, SAMPLE_UNKNOWN);
	ck_assert_uint_eq(we->read_bytes, SAMPLE_UNKNOWN);
	machine.wants_io = machine.wants_shared = true;
	we = look(getpid());
	ck_assert_uint_ne(we->shared, SAMPLE_UNKNOWN);
	ck_assert_uint_le(we->shared, we->rss);
	ck_assert(we->read_rate < 0 && we->write_rate < 0); /* since when? */
	bool may_read = we->read_bytes != SAMPLE_UNKNOWN;
	we = look(getpid());
	ck_assert(!may_read || (we->read_rate >= 0 && we->write_rate >= 0));
	machine.wants_io = machine.wants_shared = false;
	we = look(getpid());
	ck_assert_uint_eq(we->shared, SAMPLE_UNKNOWN);
	ck_assert(we->read_rate < 0);
}
END_TEST

START_TEST(what_was_changed_is_read_anew_though_it_sleeps)
{
	int pipes[2], now = 0;

	ck_assert_int_eq(pipe(pipes), 0);
	pid_t child = fork();
	if (child == 0) {
		close(pipes[1]);
		_exit((int)read(pipes[0], pipes, 1));
	}
	const struct machine_process *process;
	do
		process = look(child);
	while (process && (process->state != 'S' || process->cpu_pct > 0));
	ck_assert_ptr_nonnull(process);
	int before = process->nice;
	struct machine_id id = process->id, other = { child, id.starttime + 1 };
	ck_assert(!tune_nice(other.pid, other.starttime, 1, &now, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "it has ended"));
	ck_assert_msg(tune_nice(id.pid, id.starttime, 1, &now, &err), "%s", err.text);
	ck_assert_int_eq(now, before < 19 ? before + 1 : 19);
	machine_touch(&machine, &id);
	ck_assert_int_eq(look(child)->nice, now);
	ck_assert(!machine_find(&machine, child)->is_stale);
	close(pipes[1]);
	waitpid(child, NULL, 0);
}
END_TEST

Suite *muster_suite(void)
{
	Suite *suite = suite_create("muster");
	TCase *tests = tcase_create("muster");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, it_finds_us_with_our_figures);
	tcase_add_test(tests, who_works_is_seen_to_and_who_has_ended_is_gone);
	tcase_add_test(tests, who_sleeps_keeps_its_command_and_uses_nothing);
	tcase_add_test(tests, what_costs_more_is_read_when_it_is_wanted);
	tcase_add_test(tests, what_was_changed_is_read_anew_though_it_sleeps);
	suite_add_tcase(suite, tests);
	return suite;
}
