#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procfs/sweep.h"
#include "tests/procfs/child.h"
#include "tests/procfs/fixture.h"

/* A tick is 10 ms and a page 4096 bytes wherever this runs; the cases say so by these. */
#define TICKS(seconds) ((uint64_t)((seconds)*100))
#define SECONDS(seconds) ((uint64_t)((seconds)*1000000))

static struct sweep *sweep;
static struct sample samples[4];
static struct machine_sample machine;

static void begin(void)
{
	struct error err;

	fixture_begin();
	sweep = sweep_create_at(fixture_root(), &err);
	ck_assert_ptr_nonnull(sweep);
}

static void end(void)
{
	sweep_destroy(sweep);
	fixture_end();
}

/* Both clocks tell the same: never suspended. */
static void take_at(double seconds, const struct sweep_target *targets, size_t count)
{
	struct sweep_time now = { SECONDS(seconds), SECONDS(seconds) };
	struct error err;

	ck_assert(sweep_take_at(sweep, &now, targets, count, samples, &machine, &err));
}

static void take_one(double seconds, pid_t pid)
{
	struct sweep_target target = { .pid = pid };

	take_at(seconds, &target, 1);
}

static void add(pid_t pid, pid_t parent, pid_t session, double cpu_seconds, uint64_t pages)
{
	struct proc_stat stat = {
		.pid = pid,
		.parent = parent,
		.session = session,
		.starttime = TICKS(10),
		.user = TICKS(cpu_seconds),
		.rss_pages = pages,
	};

	fixture_process(&stat);
}

START_TEST(the_first_sample_is_since_the_start)
{
	add(200, 100, 200, 5, 10);
	take_one(20, 200);
	ck_assert_int_eq(samples[0].pid, 200);
	ck_assert_uint_eq(samples[0].starttime, TICKS(10));
	ck_assert_uint_eq(samples[0].taken_us, SECONDS(20));
	ck_assert_double_eq_tol(samples[0].cpu_pct, 50, 1e-9);
	ck_assert_double_eq_tol(samples[0].tree_cpu_pct, 50, 1e-9);
	ck_assert_uint_eq(samples[0].rss, 10 * (uint64_t)sysconf(_SC_PAGESIZE));
	ck_assert_uint_eq(samples[0].threads, 1);
	ck_assert_uint_eq(samples[0].tree_processes, 1);
}
END_TEST

START_TEST(later_ones_are_since_the_one_before)
{
	add(200, 100, 200, 5, 10);
	take_one(20, 200);
	add(200, 100, 200, 5.5, 10);
	take_one(21, 200);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 50, 1e-9);
	add(200, 100, 200, 9.5, 10);
	take_one(23, 200);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 200, 1e-9);
	take_one(24, 200);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 0, 1e-9);
}
END_TEST

/* `thrum ps` just after the dashboard's own pass: 5 ms hold no tick, or a whole one. */
START_TEST(a_pass_soon_after_another_looks_further_back)
{
	add(200, 100, 200, 0, 10);
	take_one(20, 200);
	add(200, 100, 200, 0.5, 10);
	take_one(21, 200);
	add(200, 100, 200, 0.51, 10);
	take_one(21.005, 200);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 51 / 1.005, 1e-6);
	add(200, 100, 200, 1.5, 10);
	take_one(22, 200);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 100, 1e-9);
}
END_TEST

START_TEST(many_passes_in_a_row_are_never_wild)
{
	for (int i = 0; i < 400; i++) {
		double now = 20 + i * 0.007;
		add(200, 100, 200, (now - 20) / 2, 10);
		take_one(now, 200);
		if (now > 20.5)
			ck_assert_double_eq_tol(samples[0].cpu_pct, 50, 6);
	}
}
END_TEST

START_TEST(a_pid_used_again_is_another_process)
{
	struct proc_stat other = { .pid = 200, .starttime = TICKS(20), .user = TICKS(1) };

	add(200, 100, 200, 5, 10);
	take_one(20, 200);
	fixture_process(&other);
	take_one(22, 200);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 50, 1e-9); /* one second of the two it lives */
	struct sweep_target target = { .pid = 200, .starttime = TICKS(10) };
	take_at(23, &target, 1);
	ck_assert_int_eq(samples[0].pid, 0);
	target.starttime = TICKS(20);
	take_at(24, &target, 1);
	ck_assert_int_eq(samples[0].pid, 200);
}
END_TEST

START_TEST(who_is_gone_has_no_sample)
{
	struct sweep_target targets[] = { { .pid = 200 }, { .pid = 300 }, { .pid = 0 } };

	add(200, 100, 200, 5, 10);
	take_at(20, targets, 3);
	fixture_remove("200");
	take_at(21, targets, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(samples[i].pid, 0);
	take_at(22, NULL, 0);
}
END_TEST

START_TEST(a_tree_is_who_descends_and_who_is_of_the_session)
{
	struct sweep_target targets[] = { { .pid = 200 }, { .pid = 300 } };

	add(1, 0, 1, 9, 1000);
	add(100, 1, 100, 9, 1000);   /* the keeper */
	add(101, 100, 100, 9, 1000); /* the engine */
	add(200, 100, 200, 1, 1);
	add(201, 200, 200, 2, 10);    /* a child */
	add(202, 201, 202, 3, 100);   /* its own child, in a session of its own */
	add(210, 100, 200, 4, 1000);  /* fell to the keeper, still of the session */
	add(205, 210, 205, 5, 10000); /* a child of that one */
	add(300, 100, 300, 7, 2);
	add(400, 1, 400, 9, 1000);
	take_at(20, targets, 2);
	ck_assert_uint_eq(samples[0].tree_processes, 5);
	ck_assert_uint_eq(samples[0].tree_rss, 11111 * (uint64_t)sysconf(_SC_PAGESIZE));
	ck_assert_double_eq_tol(samples[0].tree_cpu_pct, 150, 1e-9);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 10, 1e-9);
	ck_assert_uint_eq(samples[1].tree_processes, 1);
	ck_assert_uint_eq(samples[1].tree_rss, samples[1].rss);
}
END_TEST

START_TEST(a_target_below_another_has_its_own_tree)
{
	struct sweep_target targets[] = { { .pid = 200 }, { .pid = 201 } };

	add(200, 100, 200, 1, 1);
	add(201, 200, 200, 1, 1);
	add(202, 201, 200, 1, 1);
	add(203, 200, 200, 1, 1);
	take_at(20, targets, 2);
	ck_assert_uint_eq(samples[0].tree_processes, 2);
	ck_assert_uint_eq(samples[1].tree_processes, 2);
}
END_TEST

START_TEST(a_session_may_have_another_number)
{
	struct sweep_target target = { .pid = 200, .session = 150 };

	add(200, 100, 150, 1, 1);
	add(201, 100, 150, 1, 1);
	add(202, 100, 200, 1, 1);
	take_at(20, &target, 1);
	ck_assert_uint_eq(samples[0].tree_processes, 2);
}
END_TEST

/* The table is not read in one instant. */
START_TEST(parents_in_a_ring_end_somewhere)
{
	add(200, 202, 9, 1, 1);
	add(201, 200, 9, 1, 1);
	add(202, 201, 9, 1, 1);
	add(203, 203, 9, 1, 1);
	add(300, 100, 300, 1, 1);
	take_one(20, 300);
	ck_assert_uint_eq(samples[0].tree_processes, 1);
	take_one(21, 201);
	ck_assert_uint_eq(samples[0].tree_processes, 3);
}
END_TEST

START_TEST(a_chain_of_thousands_is_one_tree)
{
	for (pid_t pid = 200; pid < 1200; pid++)
		add(pid, pid - 1, pid, 0, 1);
	take_one(20, 200);
	ck_assert_uint_eq(samples[0].tree_processes, 1000);
}
END_TEST

START_TEST(the_dead_do_not_count)
{
	struct proc_stat dead = { .pid = 201, .parent = 200, .state = 'Z', .user = 500 };
	struct proc_stat headless = { .pid = 202, .parent = 200, .state = 'Z', .threads = 3 };

	add(200, 100, 200, 1, 10);
	fixture_process(&dead);
	fixture_process(&headless);
	take_one(20, 200);
	ck_assert_uint_eq(samples[0].tree_processes, 2);
	ck_assert_uint_eq(samples[0].tree_rss, samples[0].rss);
	take_one(21, 201);
	ck_assert_int_eq(samples[0].pid, 0);
	take_one(22, 202); /* lives, but its memory cannot be seen */
	ck_assert_int_eq(samples[0].pid, 202);
	ck_assert(samples[0].rss == SAMPLE_UNKNOWN);
	ck_assert(samples[0].tree_rss == SAMPLE_UNKNOWN);
}
END_TEST

START_TEST(ticks_never_run_backwards)
{
	add(200, 100, 200, 5, 10);
	take_one(20, 200);
	add(200, 100, 200, 4, 10);
	take_one(21, 200);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 0, 1e-9);
}
END_TEST

START_TEST(a_start_in_the_future_is_now)
{
	struct proc_stat stat = { .pid = 200, .starttime = TICKS(30), .user = 1 };

	fixture_process(&stat);
	take_one(20, 200);
	ck_assert_double_eq_tol(samples[0].cpu_pct, 100, 1e-9);
}
END_TEST

START_TEST(time_suspended_counts_as_life)
{
	struct sweep_target target = { .pid = 200 };
	struct sweep_time now = { SECONDS(20), SECONDS(110) };
	struct error err;

	add(200, 100, 200, 5, 10);
	ck_assert(sweep_take_at(sweep, &now, &target, 1, samples, &machine, &err));
	ck_assert_double_eq_tol(samples[0].cpu_pct, 5, 1e-9);
}
END_TEST

START_TEST(descriptors_are_counted)
{
	add(200, 100, 200, 5, 10);
	for (int i = 0; i < 12; i++) {
		char path[32];
		snprintf(path, sizeof path, "200/fd/%d", i);
		fixture_write(path, "", 0);
	}
	take_one(20, 200);
	ck_assert_uint_eq(samples[0].fds, 12);
}
END_TEST

START_TEST(descriptors_that_may_not_be_seen_are_unknown)
{
	char path[512];

	add(200, 100, 200, 5, 10);
	add(300, 100, 300, 5, 10);
	fixture_write("200/fd/0", "", 0);
	snprintf(path, sizeof path, "%s/200/fd", fixture_root());
	ck_assert_int_eq(chmod(path, 0), 0);
	fixture_drop_rights();
	take_one(20, 200);
	ck_assert_int_eq(samples[0].pid, 200);
	ck_assert(samples[0].fds == SAMPLE_UNKNOWN);
	take_one(21, 300); /* no such folder: it vanished */
	ck_assert(samples[0].fds == SAMPLE_UNKNOWN);
}
END_TEST

START_TEST(files_that_may_not_be_read_are_nobody)
{
	char path[512];

	add(200, 100, 200, 5, 10);
	snprintf(path, sizeof path, "%s/200/stat", fixture_root());
	ck_assert_int_eq(chmod(path, 0), 0);
	fixture_drop_rights();
	take_one(20, 200);
	ck_assert_int_eq(samples[0].pid, 0);
}
END_TEST

START_TEST(rubbish_in_the_folder_is_passed_over)
{
	add(200, 100, 200, 5, 10);
	fixture_write("0200/stat", "", 0);
	fixture_write("99999999999999999999/stat", "", 0);
	fixture_write("201/stat", "201 (cut) S 1", 13);
	fixture_write("202/comm", "no stat", 7);
	fixture_write("203", "no folder", 9);
	fixture_write("self/stat", "", 0);
	take_one(20, 200);
	ck_assert_int_eq(samples[0].pid, 200);
	ck_assert_uint_eq(samples[0].tree_processes, 1);
}
END_TEST

static void write_machine(unsigned busy, unsigned idle)
{
	fixture_print("stat", "cpu  %u 0 0 %u 0 0 0 0 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5 0 cpu\n", busy,
		idle);
}

START_TEST(the_machine_is_measured)
{
	write_machine(100, 300);
	fixture_print("meminfo", "MemTotal:       1024 kB\nMemFree:   1 kB\nMemAvailable:    512 kB\n");
	take_at(20, NULL, 0);
	ck_assert_uint_eq(machine.cpus, 2);
	ck_assert_double_eq_tol(machine.cpu_pct, 50, 1e-9); /* since boot, of 200 */
	ck_assert_uint_eq(machine.memory_total, 1024 * 1024);
	ck_assert_uint_eq(machine.memory_available, 512 * 1024);
	write_machine(400, 400);
	take_at(22, NULL, 0);
	ck_assert_double_eq_tol(machine.cpu_pct, 150, 1e-9);
}
END_TEST

START_TEST(a_machine_that_says_nothing_is_unknown)
{
	take_at(20, NULL, 0);
	ck_assert(machine.memory_total == SAMPLE_UNKNOWN);
	ck_assert(machine.memory_available == SAMPLE_UNKNOWN);
	ck_assert_double_lt(machine.cpu_pct, 0);
	fixture_print("stat", "cpu  1 2 three");
	fixture_print("meminfo", "MemTotal: lots\n");
	take_at(21, NULL, 0);
	ck_assert(machine.memory_total == SAMPLE_UNKNOWN);
	ck_assert_double_lt(machine.cpu_pct, 0);
}
END_TEST

START_TEST(a_root_that_is_not_there_is_an_error)
{
	struct error err;

	ck_assert_ptr_null(sweep_create_at("/nonexistent", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent"));
	sweep_destroy(NULL);
}
END_TEST

/* The rest is on this machine's own /proc, by libproc2. */

static void begin_real(void)
{
	struct error err;

	sweep = sweep_create(&err);
	ck_assert_ptr_nonnull(sweep);
}

static void end_real(void)
{
	sweep_destroy(sweep);
}

static bool take_real(const struct sweep_target *targets, size_t count)
{
	struct error err = { 0 };

	return sweep_take(sweep, targets, count, samples, &machine, &err);
}

struct burning {
	pid_t pid;
	uint64_t until_us;
};

static bool has_burnt(void *context)
{
	const struct burning *burning = context;

	return child_cpu_us(burning->pid) >= burning->until_us;
}

/*
 * However little of the machine it is given: the sample must agree with the process's own
 * clock, read just before and just after, to three ticks.
 */
START_TEST(a_busy_child_is_as_busy_as_its_own_clock_says)
{
	struct sweep_target target = { .pid = child_start(child_burn, true) };
	uint64_t cpu[4];

	cpu[0] = child_cpu_us(target.pid);
	ck_assert(take_real(&target, 1));
	uint64_t taken_us = samples[0].taken_us;
	cpu[1] = child_cpu_us(target.pid);
	struct burning burning = { target.pid, cpu[1] + 500000 };
	child_await(has_burnt, &burning, "half a second of CPU");
	cpu[2] = child_cpu_us(target.pid);
	ck_assert(take_real(&target, 1));
	cpu[3] = child_cpu_us(target.pid);
	double span_us = (double)(samples[0].taken_us - taken_us), tick = 100 * 10000 / span_us;
	double least = 100 * (double)(cpu[2] - cpu[1]) / span_us - 3 * tick;
	double most = 100 * (double)(cpu[3] - cpu[0]) / span_us + 3 * tick;
	ck_assert_double_ge(samples[0].cpu_pct, least);
	ck_assert_double_le(samples[0].cpu_pct, most);
	ck_assert_double_eq_tol(samples[0].tree_cpu_pct, samples[0].cpu_pct, 1e-9);
	child_end(target.pid);
}
END_TEST

START_TEST(an_idle_child_is_idle)
{
	struct sweep_target target = { .pid = child_start(child_idle, true) };
	struct proc_stat stat;

	ck_assert(take_real(&target, 1));
	ck_assert_int_eq(samples[0].pid, target.pid);
	ck_assert_double_le(samples[0].cpu_pct, 200);
	ck_assert(proc_stat_read(target.pid, &stat));
	ck_assert_uint_eq(samples[0].starttime, stat.starttime);
	ck_assert_uint_eq(samples[0].threads, stat.threads);
	ck_assert_uint_gt(samples[0].rss, 0);
	ck_assert_uint_lt(samples[0].rss, 1u << 30);
	ck_assert_uint_eq(samples[0].tree_processes, 1);
	ck_assert_uint_ge(samples[0].fds, 3);
	ck_assert_uint_lt(samples[0].fds, 100);
	child_end(target.pid);
	ck_assert(take_real(&target, 1));
	ck_assert_int_eq(samples[0].pid, 0);
}
END_TEST

static void open_ten(void)
{
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(dup2(STDIN_FILENO, 100 + i), 100 + i);
	child_idle();
}

static bool has_ten_more(void *context)
{
	const uint64_t *fds = context;
	struct sweep_target target = { .pid = (int32_t)fds[1] };

	return take_real(&target, 1) && samples[0].fds == fds[0] + 10;
}

START_TEST(the_kernel_counts_descriptors)
{
	struct sweep_target target = { .pid = child_start(child_idle, true) };

	ck_assert(take_real(&target, 1));
	uint64_t expected[] = { samples[0].fds, (uint64_t)child_start(open_ten, true) };
	child_await(has_ten_more, expected, "ten more descriptors");
	child_end(target.pid);
	child_end((pid_t)expected[1]);
}
END_TEST

START_TEST(a_zombie_is_gone)
{
	struct sweep_target target = { .pid = fork() };
	siginfo_t info;

	if (target.pid == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)target.pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert(take_real(&target, 1));
	ck_assert_int_eq(samples[0].pid, 0);
	waitpid(target.pid, NULL, 0);
}
END_TEST

static void fork_idle(void)
{
	child_start(child_idle, false);
	child_start(child_idle, true);
	child_idle();
}

static bool has_three(void *context)
{
	return take_real(context, 1) && samples[0].tree_processes == 3;
}

START_TEST(a_real_tree_is_counted)
{
	struct sweep_target target = { .pid = child_start(fork_idle, true) };

	child_await(has_three, &target, "three processes in the tree");
	ck_assert_uint_gt(samples[0].tree_rss, samples[0].rss);
	child_end(target.pid);
}
END_TEST

static void *idle_thread(void *context)
{
	child_idle();
	return context;
}

static void lose_head(void)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, idle_thread, NULL), 0);
	pthread_exit(NULL);
}

static bool is_headless(void *context)
{
	const struct sweep_target *target = context;
	struct proc_stat stat;

	return proc_stat_read(target->pid, &stat) && stat.state == 'Z';
}

START_TEST(a_real_process_outlives_its_main_thread)
{
	struct sweep_target target = { .pid = child_start(lose_head, true) };

	child_await(is_headless, &target, "the main thread has ended");
	ck_assert(take_real(&target, 1));
	ck_assert_int_eq(samples[0].pid, target.pid);
	ck_assert_uint_ge(samples[0].threads, 2);
	ck_assert(samples[0].rss == SAMPLE_UNKNOWN);
	child_end(target.pid);
}
END_TEST

START_TEST(a_stranger_s_descriptors_are_not_none)
{
	struct sweep_target target = { .pid = 1 };

	fixture_drop_rights();
	bool ok = take_real(&target, 1);
	fixture_regain_rights();
	ck_assert(ok);
	ck_assert_int_eq(samples[0].pid, 1);
	ck_assert_uint_gt(samples[0].fds, 0);
}
END_TEST

START_TEST(the_real_machine_is_plausible)
{
	ck_assert(take_real(NULL, 0));
	ck_assert_uint_eq(machine.cpus, sysconf(_SC_NPROCESSORS_ONLN));
	ck_assert_double_ge(machine.cpu_pct, 0);
	ck_assert_double_le(machine.cpu_pct, 100.0 * machine.cpus);
	ck_assert_uint_gt(machine.memory_total, 1u << 24);
	ck_assert_uint_le(machine.memory_available, machine.memory_total);
}
END_TEST

static bool do_agree(void *context)
{
	const struct sweep_target *target = context;
	struct error err = { 0 };
	struct sweep *other = sweep_create_at("/proc/.", &err);
	struct sample one, two;

	ck_assert(take_real(target, 1));
	one = samples[0];
	ck_assert(sweep_take(other, target, 1, samples, &machine, &err));
	two = samples[0];
	sweep_destroy(other);
	return one.pid == target->pid && two.pid == one.pid && two.starttime == one.starttime &&
	       two.rss == one.rss && two.threads == one.threads && two.fds == one.fds &&
	       two.tree_rss == one.tree_rss && two.tree_processes == one.tree_processes;
}

/* As soon as the new processes are at rest. */
START_TEST(both_readers_see_the_same)
{
	struct sweep_target target = { .pid = child_start(fork_idle, true) };

	child_await(has_three, &target, "three processes in the tree");
	child_await(do_agree, &target, "libproc2 and our own reader agree");
	ck_assert_uint_eq(machine.cpus, sysconf(_SC_NPROCESSORS_ONLN));
	child_end(target.pid);
}
END_TEST

struct thread_work {
	struct sweep_target target;
	int passes;
};

static void *sweep_in_thread(void *context)
{
	struct thread_work *work = context;

	begin_real();
	for (int i = 0; i < 20; i++)
		work->passes += take_real(&work->target, 1) && samples[0].pid == work->target.pid;
	end_real();
	return NULL;
}

START_TEST(a_sweep_may_live_in_a_thread_of_its_own)
{
	struct thread_work work = { .target = { .pid = child_start(child_idle, true) } };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, sweep_in_thread, &work), 0);
	for (int i = 0; i < 20; i++)
		child_end(child_start(child_idle, false));
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(work.passes, 20);
	child_end(work.target.pid);
}
END_TEST

static void add_cases(Suite *suite, const char *name, void (*setup)(void), void (*teardown)(void),
	const TTest *const *tests)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	for (; *tests; tests++)
		tcase_add_test(tcase, *tests);
	suite_add_tcase(suite, tcase);
}

static void nothing(void)
{
}

Suite *sweep_suite(void);

Suite *sweep_suite(void)
{
	const TTest *const fixtures[] = {
		the_first_sample_is_since_the_start,
		later_ones_are_since_the_one_before,
		a_pass_soon_after_another_looks_further_back,
		many_passes_in_a_row_are_never_wild,
		a_pid_used_again_is_another_process,
		who_is_gone_has_no_sample,
		a_tree_is_who_descends_and_who_is_of_the_session,
		a_target_below_another_has_its_own_tree,
		a_session_may_have_another_number,
		parents_in_a_ring_end_somewhere,
		a_chain_of_thousands_is_one_tree,
		the_dead_do_not_count,
		ticks_never_run_backwards,
		a_start_in_the_future_is_now,
		time_suspended_counts_as_life,
		descriptors_are_counted,
		descriptors_that_may_not_be_seen_are_unknown,
		files_that_may_not_be_read_are_nobody,
		rubbish_in_the_folder_is_passed_over,
		the_machine_is_measured,
		a_machine_that_says_nothing_is_unknown,
		a_root_that_is_not_there_is_an_error,
		NULL,
	};
	const TTest *const real[] = {
		a_busy_child_is_as_busy_as_its_own_clock_says,
		an_idle_child_is_idle,
		the_kernel_counts_descriptors,
		a_zombie_is_gone,
		a_real_tree_is_counted,
		a_real_process_outlives_its_main_thread,
		a_stranger_s_descriptors_are_not_none,
		the_real_machine_is_plausible,
		both_readers_see_the_same,
		NULL,
	};
	const TTest *const threads[] = { a_sweep_may_live_in_a_thread_of_its_own, NULL };
	Suite *suite = suite_create("sweep");

	add_cases(suite, "fixtures", begin, end, fixtures);
	add_cases(suite, "real", begin_real, end_real, real);
	add_cases(suite, "threads", nothing, nothing, threads);
	return suite;
}
