#include <check.h>

#include "base/spark.h"

static const char *bars(const double *values, size_t count, double most, bool is_unicode)
{
	static struct text text;

	text_finish(&text);
	text_init(&text, 1024);
	spark_append(&text, values, count, most, is_unicode);
	return text_string(&text);
}

START_TEST(bars_grow_with_their_values)
{
	static const double values[] = { 0, 14.2, 50, 85, 100, 1000 };
	ck_assert_str_eq(bars(values, 6, 100, true), "▁▂▅▇██");
	ck_assert_str_eq(bars(values, 6, 100, false), "_.=#@@");
}
END_TEST

START_TEST(what_is_not_known_is_blank)
{
	static const double values[] = { -1, 0, -1 };
	ck_assert_str_eq(bars(values, 3, 100, true), " ▁ ");
	ck_assert_str_eq(bars(values, 3, 0, true), " ▁ ");
}
END_TEST

Suite *spark_suite(void)
{
	Suite *suite = suite_create("spark");
	TCase *graph = tcase_create("bars");

	tcase_add_test(graph, bars_grow_with_their_values);
	tcase_add_test(graph, what_is_not_known_is_blank);
	suite_add_tcase(suite, graph);
	return suite;
}
