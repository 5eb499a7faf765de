#include <check.h>
#include <string.h>

#include "base/pattern.h"

static struct error err;
static size_t begin, end;

static bool find(const char *pattern_text, const char *text, size_t from)
{
	struct pattern *pattern = pattern_create(pattern_text, &err);

	ck_assert_ptr_nonnull(pattern);
	bool found = pattern_find(pattern, text, strlen(text), from, &begin, &end);
	pattern_destroy(pattern);
	return found;
}

START_TEST(matches_are_found_one_after_the_other)
{
	ck_assert(find("ab", "ab cab", 0));
	ck_assert_uint_eq(begin, 0);
	ck_assert(find("ab", "ab cab", end));
	ck_assert_uint_eq(begin, 4);
	ck_assert_uint_eq(end, 6);
	ck_assert(!find("ab", "ab cab", end));
}
END_TEST

START_TEST(a_match_of_nothing_is_none)
{
	ck_assert(!find("x*", "abc", 0));
	ck_assert(find("x*", "abxc", 0));
	ck_assert_uint_eq(begin, 2);
	ck_assert(!find("", "abc", 0));
}
END_TEST

START_TEST(a_match_may_say_where_it_begins)
{
	ck_assert(find("a\\Kb", "ab", 0));
	ck_assert_uint_eq(begin, 1);
	ck_assert_uint_eq(end, 2);
}
END_TEST

Suite *pattern_suite(void)
{
	Suite *suite = suite_create("pattern");
	TCase *tcase = tcase_create("pattern");

	tcase_add_test(tcase, matches_are_found_one_after_the_other);
	tcase_add_test(tcase, a_match_of_nothing_is_none);
	tcase_add_test(tcase, a_match_may_say_where_it_begins);
	suite_add_tcase(suite, tcase);
	return suite;
}
