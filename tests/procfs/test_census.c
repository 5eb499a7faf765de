#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procfs/census.h"

static struct census census;
static struct census_taker *taker;
static int root;

static void setup(void)
{
	struct error err;

	root = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	taker = census_taker_create(root, true, &err);
}

static void teardown(void)
{
	census_taker_destroy(taker);
	census_finish(&census);
	close(root);
}

static const struct census_row *find(pid_t pid)
{
	struct error err;

	ck_assert(census_take(taker, &census, &err));
	return census_find(&census, pid);
}

/* A child with a child of its own, which only sleeps. */
static pid_t start_pair(pid_t *younger)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	pid_t older = fork();
	if (older == 0) {
		pid_t pid = fork();
		if (pid > 0 && write(ends[1], &pid, sizeof pid) != sizeof pid)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ends[0], younger, sizeof *younger), sizeof *younger);
	close(ends[0]);
	close(ends[1]);
	return older;
}

START_TEST(who_sleeps_is_seen_to_get_another_parent)
{
	pid_t younger, older = start_pair(&younger);

	for (int i = 0; i < 20; i++) {
		const struct census_row *row = find(younger);
		ck_assert(row && row->parent == older);
	}
	kill(older, SIGKILL);
	waitpid(older, NULL, 0);
	const struct census_row *row = find(younger);
	kill(younger, SIGKILL);
	ck_assert(row && row->parent != older);
	ck_assert_ptr_null(find(older));
}
END_TEST

START_TEST(a_zombie_has_no_row_however_often_one_looks)
{
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	for (int i = 0; i < 20; i++)
		ck_assert_ptr_null(find(pid));
	waitpid(pid, NULL, 0);
	ck_assert_ptr_null(find(pid));
}
END_TEST

START_TEST(who_runs_is_read_anew)
{
	const struct census_row *row = find(getpid());
	uint64_t cpu = row->cpu;

	for (volatile unsigned i = 0; census_find(&census, getpid())->cpu < cpu + 5; i++)
		find(getpid());
}
END_TEST

Suite *census_suite(void);

Suite *census_suite(void)
{
	Suite *suite = suite_create("census");
	TCase *tcase = tcase_create("census");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, who_sleeps_is_seen_to_get_another_parent);
	tcase_add_test(tcase, a_zombie_has_no_row_however_often_one_looks);
	tcase_add_test(tcase, who_runs_is_read_anew);
	suite_add_tcase(suite, tcase);
	return suite;
}
