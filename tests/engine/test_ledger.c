#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/ledger.h"

enum { MOST = 100 };

static char dir[32];
static struct ledger ledger;
static struct text seen; /* "c b a " */

static void begin(void)
{
	strcpy(dir, "/tmp/thrum-ledger-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ledger_open(&ledger, dir, "lines", MOST);
	text_init(&seen, 64 * 1024);
}

static void remove_file(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
}

static void end(void)
{
	ledger_close(&ledger);
	remove_file("lines");
	remove_file("lines.1");
	rmdir(dir);
	text_finish(&seen);
}

static bool see(void *context, const char *line, size_t size)
{
	size_t *left = context;

	text_append(&seen, line, line[size - 1] == '\n' ? size - 1 : size);
	text_putc(&seen, ' ');
	return --*left > 0;
}

static const char *newest(size_t count)
{
	text_clear(&seen);
	ledger_read(&ledger, see, &count);
	return text_string(&seen);
}

static void add(const char *line)
{
	struct error err;

	ck_assert(ledger_add(&ledger, line, &err));
}

START_TEST(lines_come_back_from_the_newest_on)
{
	ck_assert_str_eq(newest(9), "");
	add("a");
	add("b");
	add("c");
	ck_assert_str_eq(newest(9), "c b a ");
	ck_assert_str_eq(newest(2), "c b ");
}
END_TEST

START_TEST(there_are_never_more_than_two_files_of_a_size)
{
	char line[16];
	struct stat st;

	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, "line%05d", i);
		add(line);
		ck_assert_int_eq(fstat(ledger.fd, &st), 0);
		ck_assert_int_lt(st.st_size, MOST + 10);
	}
	ck_assert_str_eq(newest(2), "line00999 line00998 ");
	newest(1000);
	ck_assert_uint_ge(seen.size, MOST);
	ck_assert_uint_le(seen.size, 2 * (MOST + 10));
}
END_TEST

START_TEST(half_a_line_does_not_hide_the_others)
{
	add("a");
	ck_assert_int_eq(write(ledger.fd, "ha", 2), 2);
	ck_assert_str_eq(newest(9), "ha a ");
}
END_TEST

START_TEST(a_file_that_is_away_is_made_again)
{
	struct error err;

	ledger_close(&ledger);
	rmdir(dir);
	remove_file("lines");
	rmdir(dir);
	ledger_open(&ledger, dir, "lines", MOST);
	ck_assert(!ledger_add(&ledger, "a", &err));
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	add("b");
	ck_assert_str_eq(newest(9), "b ");
}
END_TEST

Suite *ledger_suite(void)
{
	Suite *suite = suite_create("ledger");
	TCase *files = tcase_create("files");

	tcase_add_checked_fixture(files, begin, end);
	tcase_add_test(files, lines_come_back_from_the_newest_on);
	tcase_add_test(files, there_are_never_more_than_two_files_of_a_size);
	tcase_add_test(files, half_a_line_does_not_hide_the_others);
	tcase_add_test(files, a_file_that_is_away_is_made_again);
	suite_add_tcase(suite, files);
	return suite;
}
