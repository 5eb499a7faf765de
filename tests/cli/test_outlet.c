#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/outlet.h"

static int reader, saved;
static struct outlet outlet;

static void begin(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	saved = dup(STDOUT_FILENO);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	reader = ends[0];
	fcntl(reader, F_SETFL, O_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
	outlet_init(&outlet);
}

static void end(void)
{
	outlet_finish(&outlet);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(reader);
}

/* Numbers, so that a byte that is lost or doubled shows. */
static void put(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		text_format(&outlet.text, "%07u\n", i);
}

static unsigned read_all(unsigned next)
{
	char line[9] = "";

	while (read(reader, line, 8) == 8) {
		char expected[9];
		snprintf(expected, sizeof expected, "%07u\n", next++);
		ck_assert_str_eq(line, expected);
	}
	return next;
}

START_TEST(a_reader_that_does_not_read_stops_nothing_and_gets_everything)
{
	enum { LINES = 100000,
		STEP = 10000 };
	unsigned next = 0;

	for (unsigned i = 0; i < LINES; i += STEP) {
		put(i, i + STEP);
		ck_assert(outlet_write(&outlet));
		ck_assert(outlet_has_rest(&outlet));
		if (i >= LINES / 2)
			next = read_all(next);
	}
	while (outlet_has_rest(&outlet)) {
		ck_assert(outlet_write(&outlet));
		next = read_all(next);
	}
	ck_assert_uint_eq(next, LINES);
}
END_TEST

START_TEST(it_says_when_there_is_enough)
{
	ck_assert(!outlet_is_full(&outlet));
	put(0, 200000);
	ck_assert(outlet_is_full(&outlet));
	for (unsigned next = 0; outlet_has_rest(&outlet); next = read_all(next))
		ck_assert(outlet_write(&outlet));
	ck_assert(!outlet_is_full(&outlet));
}
END_TEST

START_TEST(a_reader_that_is_gone_is_told_of_once)
{
	close(reader);
	put(0, 10);
	ck_assert(!outlet_write(&outlet));
	ck_assert_int_eq(outlet.code, EPIPE);
	ck_assert(!outlet_has_rest(&outlet));
	put(10, 20);
	ck_assert(outlet_write(&outlet));
	ck_assert(!outlet_has_rest(&outlet));
}
END_TEST

Suite *outlet_suite(void)
{
	Suite *suite = suite_create("outlet");
	TCase *all = tcase_create("outlet");

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, a_reader_that_does_not_read_stops_nothing_and_gets_everything);
	tcase_add_test(all, it_says_when_there_is_enough);
	tcase_add_test(all, a_reader_that_is_gone_is_told_of_once);
	suite_add_tcase(suite, all);
	return suite;
}
