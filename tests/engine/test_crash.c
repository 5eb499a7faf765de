#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/crash.h"
#include "engine/engine.h"

static char dir[] = "/tmp/thrum-crash-XXXXXX";
static struct engine *engine;
static struct notice told;

static void on_notice(void *context, const struct notice *notice)
{
	(void)context;
	told = *notice;
}

static void begin(void)
{
	strcpy(dir, "/tmp/thrum-crash-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	engine = memory_zeroed(1, sizeof *engine);
	engine->store = memory_zeroed(1, sizeof *engine->store);
	engine->state_dir = dir;
	engine->listener.on_notice = on_notice;
}

static void remove_file(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
}

static void end(void)
{
	remove_file("crash");
	remove_file("crash.new");
	rmdir(dir);
	free(engine->store);
	free(engine);
}

static const char *read_report(void)
{
	static char text[16384];
	char path[64];

	snprintf(path, sizeof path, "%s/crash", dir);
	FILE *file = fopen(path, "re");
	text[file ? fread(text, 1, sizeof text - 1, file) : 0] = '\0';
	if (file)
		fclose(file);
	return text;
}

static void end_by(int number)
{
	pid_t pid = fork();

	if (pid == 0) {
		crash_prepare(engine);
		raise(number);
		_exit(0);
	}
	int status;
	waitpid(pid, &status, 0);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), number); /* it ends as it would have */
}

START_TEST(a_fault_is_written_down_and_told_by_the_next_with_the_last_events)
{
	struct notice notice = { .kind = NOTICE_STARTED, .service = "web", .instance = 3, .pid = 71 };

	end_by(SIGSEGV);
	for (int i = 0; i < 30; i++) {
		snprintf(notice.detail, sizeof notice.detail, "event %d", i);
		store_tell(engine->store, &notice);
	}
	crash_tell(engine);
	ck_assert(strstr(read_report(), "the engine ended by signal SEGV\n") == read_report());
	ck_assert_ptr_nonnull(strstr(read_report(), "web/3 pid 71 event 29"));
	ck_assert_ptr_nonnull(strstr(read_report(), "event 10"));
	ck_assert_msg(!strstr(read_report(), "event 9\n"), "the last twenty");
	ck_assert_ptr_nonnull(strstr(told.detail, "the report is in"));
}
END_TEST

START_TEST(who_did_not_crash_has_nothing_to_tell)
{
	crash_tell(engine);
	ck_assert_str_eq(read_report(), "");
	ck_assert_str_eq(told.detail, "");
}
END_TEST

START_TEST(a_state_that_began_anew_has_no_events_to_tell)
{
	end_by(SIGABRT);
	engine->store->notice_base = engine->store->notice_count = 1700000000000000;
	crash_tell(engine);
	ck_assert(strstr(read_report(), "the last events before it:\n"));
	ck_assert_ptr_null(strstr(read_report(), " pid "));
}
END_TEST

START_TEST(faults_are_told_from_what_was_done_to_it)
{
	ck_assert(crash_is_fault(SIGSEGV) && crash_is_fault(SIGABRT) && crash_is_fault(SIGBUS));
	ck_assert(!crash_is_fault(SIGKILL) && !crash_is_fault(SIGTERM) && !crash_is_fault(0));
}
END_TEST

Suite *crash_suite(void)
{
	Suite *suite = suite_create("crash");
	TCase *tcase = tcase_create("crash");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_fault_is_written_down_and_told_by_the_next_with_the_last_events);
	tcase_add_test(tcase, who_did_not_crash_has_nothing_to_tell);
	tcase_add_test(tcase, a_state_that_began_anew_has_no_events_to_tell);
	tcase_add_test(tcase, faults_are_told_from_what_was_done_to_it);
	suite_add_tcase(suite, tcase);
	return suite;
}
