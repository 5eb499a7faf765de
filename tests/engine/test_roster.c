#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "engine/roster.h"

enum { HEADER_SIZE = 56,
	AT_ROW_SIZE = 8,
	AT_BOOT_ID = 16 };

static const uint64_t an_hour_us = 3600ull * 1000000;

static char dir[] = "/tmp/thrum-roster-XXXXXX";
static struct engine *engine;
static struct keeper_page *page;
static struct member *member;
static struct former former;

/* One instance with one process, as the engine has them. */
static void begin(void)
{
	strcpy(dir, "/tmp/thrum-roster-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	engine = memory_zeroed(1, sizeof *engine);
	engine->store = memory_zeroed(1, sizeof *engine->store);
	engine->store->origin = (struct origin){ 77, 88 };
	engine->keeper.page = page = memory_zeroed(1, sizeof *page);
	page->keeper_pid = 4711;
	engine->roster = (struct roster){ memory_format("%s/running", dir), -1 };
	member = memory_zeroed(1, sizeof *member);
	member->seat = 2;
	member->life = store_take_life(engine->store, 2, 3);
	member->now = (struct instance){ .service = "web",
		.index = 1,
		.state = STATE_RUNNING,
		.wanted = true,
		.life = 3,
		.restarts = { .crash = 5 } };
	strcpy(engine->store->seats[2].launched_as, "abc");
	roster_begin(engine);
	roster_replace(&engine->roster);
}

static void end(void)
{
	roster_remove(&engine->roster);
	roster_close(&engine->roster);
	rmdir(dir);
	former_finish(&former);
	free(engine->roster.path);
	free(page);
	free(engine->store);
	free(engine);
	free(member);
}

static struct life *its_life(void)
{
	return &engine->store->lives[member->life];
}

/* Has it a process that began now? */
static pid_t give_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	its_life()->there_boot_us = clock_boot_us();
	its_life()->pid = member->now.pid = pid;
	return pid;
}

static void take_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static const struct roster_row *read_again(void)
{
	former_finish(&former);
	ck_assert(roster_read_former(&engine->roster, &former));
	return &former.rows[0];
}

static void patch(off_t at, const void *bytes, size_t size)
{
	ck_assert_int_eq(pwrite(engine->roster.fd, bytes, size, at), (ssize_t)size);
}

START_TEST(what_is_noted_is_read_again)
{
	its_life()->pid = member->now.pid = 12345;
	its_life()->there_boot_us = clock_boot_us();
	roster_note(engine, member);
	const struct roster_row *row = read_again();
	ck_assert_uint_eq(former.count, 1);
	ck_assert_int_eq(former.keeper_pid, 4711);
	ck_assert_int_eq(row->pid, 12345);
	ck_assert_uint_eq(row->life, 3);
	ck_assert_uint_eq(row->index, 1);
	ck_assert_str_eq(row->service, "web");
	ck_assert_str_eq(row->launched_as, "abc");
	ck_assert_int_eq(row->origin.pid, 77);
	ck_assert_uint_eq(row->origin.us, 88);
	ck_assert_uint_eq(row->serial, its_life()->serial);
	ck_assert_uint_eq(row->restarts.crash, 5);
	ck_assert_int_eq(row->state, STATE_READY); /* it is none that says so */
}
END_TEST

START_TEST(a_process_is_known_again)
{
	struct proc_stat stat;
	pid_t pid = give_process();

	roster_note(engine, member);
	ck_assert(proc_stat_read(pid, &stat));
	ck_assert(roster_is(read_again(), &stat));
	stat.starttime += 100;
	ck_assert_msg(!roster_is(read_again(), &stat), "one that was given its pid a second later");
	stat.starttime -= 200;
	ck_assert_msg(!roster_is(read_again(), &stat), "one that had it before");
	take_process(pid);
}
END_TEST

/* CLOCK_MONOTONIC stands still in a suspend, start times do not: an hour passed that it does not know of. */
START_TEST(a_row_that_is_written_again_after_a_suspend_means_the_same_process)
{
	struct proc_stat stat;

	member->now.gates = GATE_LOG;
	pid_t pid = give_process();
	roster_note(engine, member);
	its_life()->began_us += an_hour_us;
	member->now.gates = 0; /* it has said that it is ready */
	roster_note(engine, member);
	ck_assert(proc_stat_read(pid, &stat));
	ck_assert_int_eq(read_again()->state, STATE_READY);
	ck_assert(roster_is(read_again(), &stat));
	take_process(pid);
}
END_TEST

START_TEST(who_has_no_process_is_remembered_with_its_end)
{
	member->now.state = STATE_FATAL;
	member->now.has_death = member->now.death_unwritten = true;
	member->now.death = (struct death){ .life = 3, .pid = 99, .code = 7, .cause = CAUSE_EXIT, .detail = "why" };
	roster_note(engine, member);
	const struct roster_row *row = read_again();
	ck_assert_int_eq(row->pid, 0);
	ck_assert_int_eq(row->state, STATE_FATAL);
	ck_assert(row->has_death && row->death_unwritten);
	ck_assert_int_eq(row->death.code, 7);
	ck_assert_str_eq(row->death.detail, "why");
	member->now.death_unwritten = false;
	roster_note(engine, member);
	ck_assert_msg(!read_again()->death_unwritten, "it is in the history now");
}
END_TEST

START_TEST(whose_place_is_another_s_has_no_row)
{
	member->now.state = STATE_COMPLETED;
	roster_note(engine, member);
	roster_forget(engine, member);
	ck_assert(!roster_read_former(&engine->roster, &former));
}
END_TEST

START_TEST(another_boot_had_other_processes)
{
	give_process();
	roster_note(engine, member);
	patch(AT_BOOT_ID, "00000000", 8);
	ck_assert(!roster_read_former(&engine->roster, &former));
	take_process(member->now.pid);
}
END_TEST

START_TEST(rows_that_make_no_sense_are_passed_over)
{
	static const size_t spoiled[] = { offsetof(struct roster_row, state), offsetof(struct roster_row, wanted),
		offsetof(struct roster_row, death) + offsetof(struct death, core),
		offsetof(struct roster_row, death) + offsetof(struct death, cause) };
	struct roster_row endless = { .life = 1 };
	off_t row = HEADER_SIZE + 2 * (off_t)sizeof(struct roster_row);

	member->now.state = STATE_COMPLETED;
	for (size_t i = 0; i < sizeof spoiled / sizeof *spoiled; i++) {
		member->noted = 0;
		roster_note(engine, member);
		patch(row + (off_t)spoiled[i], "\xff", 1);
		ck_assert_msg(!roster_read_former(&engine->roster, &former), "byte %zu", spoiled[i]);
		former_finish(&former);
	}
	memset(endless.service, 'x', sizeof endless.service);
	patch(row, &endless, sizeof endless);
	ck_assert_msg(!roster_read_former(&engine->roster, &former), "a name without an end");
}
END_TEST

/* A later thrum has more to say in each; what it says of what we know is where we know it. */
START_TEST(rows_of_another_thrum_may_be_longer)
{
	uint32_t longer = sizeof(struct roster_row) + 40, other = 0;
	struct roster_row row = { .life = 9, .service = "later" };

	patch(AT_ROW_SIZE, &longer, sizeof longer);
	patch(HEADER_SIZE + longer, &row, sizeof row);
	patch(HEADER_SIZE + 2 * (off_t)longer, &other, sizeof other);
	ck_assert_str_eq(read_again()->service, "later");
	roster_close(&engine->roster);
	ck_assert_msg(!roster_resume(engine), "and it is not gone on with");
}
END_TEST

START_TEST(a_roster_is_gone_on_with_under_another_keeper)
{
	member->now.state = STATE_COMPLETED;
	roster_note(engine, member);
	read_again();
	roster_close(&engine->roster);
	page->keeper_pid = 4712;
	ck_assert(roster_resume(engine));
	ck_assert_int_eq((read_again(), former.keeper_pid), 4712);
}
END_TEST

Suite *roster_suite(void)
{
	const TTest *const tests[] = { what_is_noted_is_read_again, a_process_is_known_again,
		a_row_that_is_written_again_after_a_suspend_means_the_same_process,
		who_has_no_process_is_remembered_with_its_end, whose_place_is_another_s_has_no_row,
		another_boot_had_other_processes, rows_that_make_no_sense_are_passed_over,
		rows_of_another_thrum_may_be_longer, a_roster_is_gone_on_with_under_another_keeper };
	Suite *suite = suite_create("roster");
	TCase *tcase = tcase_create("roster");

	tcase_add_checked_fixture(tcase, begin, end);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}
