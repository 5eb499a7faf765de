#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "procfs/tree.h"
#include "tests/procfs/child.h"
#include "tests/procfs/fixture.h"

#define MARKER "THRUM_LIFE_ID=100.5.7"

enum { KEEPER = 100,
	ENGINE = 101,
	LEADER = 200 };

static struct tree tree;
static struct tree_search search;

static void begin(void)
{
	fixture_begin();
	search = (struct tree_search){
		.leader = LEADER,
		.session = LEADER,
		.marker = MARKER,
		.keeper = KEEPER,
		.root = fixture_root(),
	};
}

static void end(void)
{
	tree_finish(&tree);
	fixture_end();
}

static void add(pid_t pid, pid_t parent, pid_t session)
{
	struct proc_stat stat = {
		.pid = pid,
		.parent = parent,
		.session = session,
		.starttime = (uint64_t)pid * 10,
	};

	fixture_process(&stat);
}

static void add_dead(pid_t pid, pid_t parent, pid_t session)
{
	struct proc_stat stat = { .pid = pid, .parent = parent, .session = session, .state = 'Z' };

	fixture_process(&stat);
}

static void set_children(pid_t pid, pid_t thread, const char *children)
{
	char path[64];

	snprintf(path, sizeof path, "%d/task/%d/children", (int)pid, (int)thread);
	fixture_write(path, children, strlen(children));
}

static void set_environment(pid_t pid, const char *bytes, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "%d/environ", (int)pid);
	fixture_write(path, bytes, size);
}

static void find(void)
{
	tree_finish(&tree);
	tree_find(&tree, &search);
}

static bool found(pid_t pid)
{
	struct tree_process process = { pid, (uint64_t)pid * 10 };

	return tree_has(&tree, &process);
}

START_TEST(nothing_is_found_where_nothing_is)
{
	find();
	ck_assert_uint_eq(tree.count, 0);
	ck_assert(!tree.only_zombies && !tree.is_cut);
	search.leader = 0;
	set_children(KEEPER, KEEPER, "");
	find();
	ck_assert_uint_eq(tree.count, 0);
	search.root = "/nonexistent";
	find();
	ck_assert_uint_eq(tree.count, 0);
}
END_TEST

START_TEST(descendants_are_found_whatever_their_session)
{
	add(LEADER, KEEPER, LEADER);
	set_children(LEADER, LEADER, "201 202 ");
	add(201, LEADER, LEADER);
	add(202, LEADER, 202);
	set_children(202, 202, "203 ");
	add(203, 202, 203);
	find();
	ck_assert_uint_eq(tree.count, 3);
	ck_assert(found(201) && found(202) && found(203));
}
END_TEST

START_TEST(children_of_every_thread_are_found)
{
	struct proc_stat leader = { .pid = LEADER, .parent = KEEPER, .threads = 3 };

	fixture_process(&leader);
	set_children(LEADER, LEADER, "");
	set_children(LEADER, 205, "201 ");
	set_children(LEADER, 206, "202 ");
	add(201, LEADER, LEADER);
	add(202, LEADER, LEADER);
	find();
	ck_assert_uint_eq(tree.count, 2);
}
END_TEST

START_TEST(orphans_are_found_by_session)
{
	add(LEADER, KEEPER, LEADER);
	set_children(KEEPER, KEEPER, "101 200 201 300 301 ");
	add(ENGINE, KEEPER, KEEPER);
	add(201, KEEPER, LEADER);
	set_children(201, 201, "202 ");
	add(202, 201, 202);
	add(300, KEEPER, 300);
	add(301, KEEPER, 300);
	find();
	ck_assert_uint_eq(tree.count, 2);
	ck_assert(found(201) && found(202));
}
END_TEST

START_TEST(orphans_are_found_by_the_mark)
{
	static const char marked[] = "PATH=/bin\0" MARKER "\0X=1";
	static const char longer[] = "PATH=/bin\0" MARKER "1\0";
	static const char inside[] = "X=" MARKER "\0Y" MARKER "\0";
	static const char unended[] = "X=1\0" MARKER;

	search.leader = 0;
	set_children(KEEPER, KEEPER, "201 202 203 204 205 206 ");
	for (pid_t pid = 201; pid <= 206; pid++)
		add(pid, KEEPER, pid);
	set_environment(201, marked, sizeof marked);
	set_environment(202, longer, sizeof longer);
	set_environment(203, inside, sizeof inside);
	set_environment(204, unended, sizeof unended - 1); /* cut: who knows how it goes on */
	set_environment(205, "", 0);
	find();
	ck_assert_uint_eq(tree.count, 1);
	ck_assert(found(201));
	search.marker = NULL;
	find();
	ck_assert_uint_eq(tree.count, 0);
	search.marker = "";
	find();
	ck_assert_uint_eq(tree.count, 0);
}
END_TEST

/* Environments are read a page at a time. */
START_TEST(the_mark_is_found_across_pieces)
{
	static char bytes[4096 + sizeof MARKER];

	search.leader = 0;
	set_children(KEEPER, KEEPER, "201 ");
	add(201, KEEPER, 201);
	for (size_t before = 4096 - sizeof MARKER; before <= 4096; before++) {
		memset(bytes, 'x', sizeof bytes);
		bytes[before - 1] = '\0';
		memcpy(bytes + before, MARKER, sizeof MARKER);
		set_environment(201, bytes, before + sizeof MARKER);
		find();
		ck_assert_msg(found(201), "%zu bytes before it", before);
	}
}
END_TEST

START_TEST(those_who_are_somebody_else_s_are_left_alone)
{
	static const pid_t known[] = { ENGINE, 300 };

	search.known = known;
	search.known_count = 2;
	search.leader = 0;
	set_children(KEEPER, KEEPER, "101 300 ");
	add(ENGINE, KEEPER, LEADER);
	add(300, KEEPER, LEADER);
	set_children(300, 300, "301 ");
	add(301, 300, LEADER);
	find();
	ck_assert_uint_eq(tree.count, 0);
}
END_TEST

START_TEST(zombies_are_told_but_not_listed)
{
	search.leader = 0;
	set_children(KEEPER, KEEPER, "201 ");
	add_dead(201, KEEPER, LEADER);
	find();
	ck_assert_uint_eq(tree.count, 0);
	ck_assert(tree.only_zombies);
	set_children(KEEPER, KEEPER, "201 202 ");
	add(202, KEEPER, LEADER);
	find();
	ck_assert_uint_eq(tree.count, 1);
	ck_assert(!tree.only_zombies);
}
END_TEST

/* Whom it made has fallen to the keeper after that one's list was read. */
START_TEST(an_orphan_that_ends_meanwhile_is_a_reason_to_look_again)
{
	search.leader = 0;
	set_children(KEEPER, KEEPER, "");
	find();
	ck_assert(!tree.is_changing);
	set_children(KEEPER, KEEPER, "201 ");
	find();
	ck_assert(tree.is_changing);
	add_dead(201, KEEPER, 201);
	find();
	ck_assert(tree.is_changing && !tree.only_zombies);
	set_children(KEEPER, KEEPER, "202 ");
	add(202, KEEPER, LEADER);
	find();
	ck_assert(!tree.is_changing && tree.count == 1);
}
END_TEST

/* Its memory is gone, and with it its environment, before its children are the keeper's. */
START_TEST(the_children_of_an_orphan_that_is_just_ending_are_found)
{
	static const char ours[] = MARKER, other[] = "OTHER=1";
	struct proc_stat stat = { .pid = 201, .parent = KEEPER, .state = 'R', .is_exiting = true };

	search.leader = 0;
	set_children(KEEPER, KEEPER, "201 ");
	set_environment(201, "", 0);
	fixture_process(&stat);
	set_children(201, 201, "202 203 204 ");
	add(202, 201, 201);
	set_environment(202, other, sizeof other);
	add(203, KEEPER, 203); /* it has just gone over to it */
	set_environment(203, ours, sizeof ours);
	set_children(203, 203, "205 ");
	add(205, 203, 203);
	stat = (struct proc_stat){ .pid = 204, .parent = 201, .state = 'R', .is_exiting = true };
	fixture_process(&stat);
	set_environment(204, "", 0);
	set_children(204, 204, "206 ");
	add(206, 204, 206);
	set_environment(206, ours, sizeof ours);
	find();
	ck_assert(found(203) && found(205) && found(206) && tree.count == 3 && !tree.is_changing);
}
END_TEST

START_TEST(who_has_no_environment_is_no_reason_to_look_again)
{
	search.leader = 0;
	set_children(KEEPER, KEEPER, "201 ");
	add(201, KEEPER, 201);
	set_environment(201, "", 0);
	find();
	ck_assert(!tree.is_changing && !tree.count);
}
END_TEST

/* The keeper's dead are reaped at once; others may stay. */
START_TEST(those_who_are_dead_for_long_are_no_reason_to_look_again)
{
	search.leader = 0;
	search.reaper = 1;
	set_children(KEEPER, KEEPER, "");
	set_children(1, 1, "201 ");
	add_dead(201, 1, 201);
	find();
	ck_assert(!tree.is_changing && !tree.only_zombies);
	set_children(KEEPER, KEEPER, "202 ");
	add_dead(202, KEEPER, 202);
	find();
	ck_assert(tree.is_changing);
}
END_TEST

START_TEST(another_thread_tells_whose_a_process_is_that_has_lost_its_main_thread)
{
	static const char ours[] = MARKER;
	struct proc_stat stat = { .pid = 201, .parent = KEEPER, .starttime = 2010, .state = 'Z', .threads = 2, .is_exiting = true };

	search.leader = 0;
	set_children(KEEPER, KEEPER, "201 ");
	set_environment(201, "", 0);
	fixture_write("201/task/201/environ", "", 0);
	fixture_write("201/task/202/environ", ours, sizeof ours);
	fixture_process(&stat);
	find();
	ck_assert(found(201));
	fixture_write("201/task/202/environ", "OTHER=1", sizeof "OTHER=1");
	find();
	ck_assert(!found(201) && !tree.is_changing);
}
END_TEST

START_TEST(a_process_without_its_main_thread_is_no_zombie)
{
	struct proc_stat headless = {
		.pid = 201, .parent = LEADER, .starttime = 2010, .state = 'Z', .threads = 2
	};

	add(LEADER, KEEPER, LEADER);
	set_children(LEADER, LEADER, "201 ");
	fixture_process(&headless);
	set_children(201, 207, "202 ");
	add(202, 201, LEADER);
	find();
	ck_assert(found(201) && found(202));
	ck_assert(!tree.only_zombies);
}
END_TEST

/* Its pid was given to a stranger before the engine knew that it had ended. */
START_TEST(a_stranger_in_the_leader_s_place_has_no_tree)
{
	add(LEADER, 1, 150);
	set_children(LEADER, LEADER, "201 ");
	add(201, LEADER, 150);
	find();
	ck_assert_uint_eq(tree.count, 0);
	add(LEADER, 1, LEADER);
	search.leader_starttime = 77;
	find();
	ck_assert_uint_eq(tree.count, 0);
	search.leader_starttime = LEADER * 10;
	find();
	ck_assert_uint_eq(tree.count, 1);
}
END_TEST

/* One of the list ended, and a stranger has its pid; another lost its parent. */
START_TEST(a_stranger_in_a_child_s_place_is_none_of_ours)
{
	add(LEADER, KEEPER, LEADER);
	set_children(LEADER, LEADER, "201 202 203 ");
	add(201, 1, 201);
	add(202, KEEPER, 202);
	find();
	ck_assert_uint_eq(tree.count, 1);
	ck_assert(found(202));
}
END_TEST

START_TEST(nobody_is_listed_twice)
{
	add(LEADER, KEEPER, LEADER);
	set_children(LEADER, LEADER, "201 201 ");
	set_children(KEEPER, KEEPER, "201 200 ");
	add(201, KEEPER, LEADER);
	set_children(201, 201, "201 202 ");
	add(202, 201, LEADER);
	find();
	ck_assert_uint_eq(tree.count, 2);
	tree_find(&tree, &search);
	ck_assert_uint_eq(tree.count, 2);
}
END_TEST

START_TEST(rubbish_among_the_children_is_passed_over)
{
	static const char *const lists[] = {
		"",
		" ",
		"0 ",
		"201",
		"x 201 ",
		"-201 ",
		"99999999999999999999 201 ",
		"201\t",
		"4294967497 ",
	};

	add(LEADER, KEEPER, LEADER);
	add(201, LEADER, LEADER);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		set_children(LEADER, LEADER, lists[i]);
		find();
		ck_assert_msg(tree.count == 0, "'%s'", lists[i]);
	}
	set_children(LEADER, LEADER, "202 201 203");
	add(203, LEADER, LEADER);
	find();
	ck_assert_uint_eq(tree.count, 1);
}
END_TEST

START_TEST(a_list_longer_than_a_page_is_read_whole)
{
	char *list = memory_zeroed(1000, 8);
	size_t used = 0;

	add(LEADER, KEEPER, LEADER);
	for (pid_t pid = 1000; pid < 2000; pid++) {
		used += (size_t)snprintf(list + used, 8, "%d ", (int)pid);
		add(pid, LEADER, LEADER);
	}
	set_children(LEADER, LEADER, list);
	free(list);
	find();
	ck_assert_uint_eq(tree.count, 1000);
	ck_assert(!tree.is_cut);
}
END_TEST

START_TEST(more_than_the_most_are_cut_and_it_says_so)
{
	char child[16];

	add(LEADER, KEEPER, LEADER);
	set_children(LEADER, LEADER, "1000 ");
	for (pid_t pid = 1000; pid < 1000 + TREE_MOST + 10; pid++) {
		add(pid, pid == 1000 ? LEADER : pid - 1, LEADER);
		snprintf(child, sizeof child, "%d ", (int)pid + 1);
		set_children(pid, pid, child);
	}
	find();
	ck_assert_uint_eq(tree.count, TREE_MOST);
	ck_assert(tree.is_cut);
}
END_TEST

/* From here on with real processes: this one is the keeper. */

static pid_t leader;

static void begin_real(void)
{
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	search = (struct tree_search){ .marker = MARKER, .keeper = getpid() };
}

static void lead(void (*run)(void))
{
	leader = child_start(run, true);
	search.leader = search.session = leader;
}

static void end_real(void)
{
	find();
	for (size_t i = 0; i < tree.count; i++)
		kill(tree.processes[i].pid, SIGKILL);
	tree_finish(&tree);
}

static bool has_found(void *context)
{
	find();
	return tree.count == *(size_t *)context;
}

static void await_count(size_t count)
{
	child_await(has_found, &count, "that many in the tree");
}

/* As the engine does it: the kernel shows the environment that a program was executed with. */
static void execute_sleep(const char *marker)
{
	char *const argv[] = { "sleep", "1000", NULL };
	char *const environment[] = { "PATH=/bin:/usr/bin", (char *)marker, "LAST=1", NULL };

	execve("/bin/sleep", argv, environment);
	_exit(127);
}

/* Twice forked, in a session of its own: what daemons do to get away. */
static void daemonize(const char *marker)
{
	pid_t middle = fork();

	if (middle == 0) {
		if (fork() == 0) {
			setsid();
			execute_sleep(marker);
		}
		_exit(0);
	}
	waitpid(middle, NULL, 0);
}

static void run_daemon(void)
{
	daemonize(MARKER);
	child_idle();
}

static void run_two_children(void)
{
	child_start(child_idle, false);
	child_start(child_idle, true);
	child_idle();
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static bool is_reaped(void *context)
{
	(void)context;
	reap_all();
	find();
	return tree.count == 0 && !tree.only_zombies;
}

static bool has_daemon(void *context)
{
	pid_t *daemon = context;

	find();
	*daemon = tree.count == 1 ? tree.processes[0].pid : 0;
	return *daemon && getsid(*daemon) == *daemon;
}

START_TEST(a_daemon_is_found_by_its_mark)
{
	pid_t daemon;

	lead(run_daemon);
	child_await(has_daemon, &daemon, "a daemon of its own session");
	child_end(leader);
	search.leader = 0;
	await_count(1);
	ck_assert_int_eq(tree.processes[0].pid, daemon);
	search.known = &daemon;
	search.known_count = 1;
	await_count(0);
	search.known_count = 0;
	search.marker = "THRUM_LIFE_ID=100.5.70";
	await_count(0);
	search.marker = MARKER;
	kill(daemon, SIGKILL);
	child_await(is_reaped, NULL, "the daemon is gone");
}
END_TEST

START_TEST(real_children_are_found)
{
	lead(run_two_children);
	await_count(2);
	for (size_t i = 0; i < tree.count; i++)
		ck_assert_int_ne(tree.processes[i].pid, leader);
	child_end(leader);
	search.leader = 0;
	child_await(is_reaped, NULL, "they died with it");
}
END_TEST

static void *fork_in_thread(void *context)
{
	child_start(child_idle, false);
	child_idle();
	return context;
}

static void lose_head(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, fork_in_thread, NULL);
	pthread_exit(NULL);
}

START_TEST(a_child_of_a_thread_is_found)
{
	lead(lose_head);
	await_count(1);
	child_end(leader);
}
END_TEST

static void leave_zombie(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	child_idle();
}

static bool has_only_zombies(void *context)
{
	(void)context;
	find();
	return tree.only_zombies;
}

START_TEST(a_real_zombie_is_told)
{
	lead(leave_zombie);
	child_await(has_only_zombies, NULL, "a zombie in the tree");
	ck_assert_uint_eq(tree.count, 0);
	child_end(leader);
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

Suite *tree_suite(void);

Suite *tree_suite(void)
{
	const TTest *const fixtures[] = {
		nothing_is_found_where_nothing_is,
		descendants_are_found_whatever_their_session,
		children_of_every_thread_are_found,
		orphans_are_found_by_session,
		orphans_are_found_by_the_mark,
		the_mark_is_found_across_pieces,
		those_who_are_somebody_else_s_are_left_alone,
		zombies_are_told_but_not_listed,
		an_orphan_that_ends_meanwhile_is_a_reason_to_look_again,
		the_children_of_an_orphan_that_is_just_ending_are_found,
		who_has_no_environment_is_no_reason_to_look_again,
		those_who_are_dead_for_long_are_no_reason_to_look_again,
		another_thread_tells_whose_a_process_is_that_has_lost_its_main_thread,
		a_process_without_its_main_thread_is_no_zombie,
		a_stranger_in_the_leader_s_place_has_no_tree,
		a_stranger_in_a_child_s_place_is_none_of_ours,
		nobody_is_listed_twice,
		rubbish_among_the_children_is_passed_over,
		a_list_longer_than_a_page_is_read_whole,
		more_than_the_most_are_cut_and_it_says_so,
		NULL,
	};
	const TTest *const real[] = {
		a_daemon_is_found_by_its_mark,
		real_children_are_found,
		a_child_of_a_thread_is_found,
		a_real_zombie_is_told,
		NULL,
	};
	Suite *suite = suite_create("tree");

	add_cases(suite, "fixtures", begin, end, fixtures);
	add_cases(suite, "real", begin_real, end_real, real);
	return suite;
}
