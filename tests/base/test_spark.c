#include <check.h>

#include "base/spark.h"

static const char *bars(const double *values, size_t count, double most, enum spark_style style)
{
	static struct text text;

	text_finish(&text);
	text_init(&text, 1024);
	spark_append(&text, values, count, most, style);
	return text_string(&text);
}

START_TEST(bars_grow_with_their_values)
{
	static const double values[] = { 0, 14.2, 50, 85, 100, 1000 };
	ck_assert_str_eq(bars(values, 6, 100, SPARK_BLOCKS), "▁▂▅▇██");
	ck_assert_str_eq(bars(values, 6, 100, SPARK_ASCII), "_.=#@@");
}
END_TEST

START_TEST(what_is_not_known_is_blank)
{
	static const double values[] = { -1, 0, -1 };
	ck_assert_str_eq(bars(values, 3, 100, SPARK_BLOCKS), " ▁ ");
	ck_assert_str_eq(bars(values, 3, 0, SPARK_BLOCKS), " ▁ ");
}
END_TEST

START_TEST(braille_has_two_values_a_character)
{
	static const double values[] = { 0, 100, 50, -1, 34 };
	ck_assert_str_eq(bars(values + 1, 4, 100, SPARK_BRAILLE), "⣷⢠");
	ck_assert_str_eq(bars(values, 5, 100, SPARK_BRAILLE), "⢀⣷⢠");
	ck_assert_str_eq(bars(values + 3, 1, 100, SPARK_BRAILLE), " ");
}
END_TEST

Suite *spark_suite(void)
{
	Suite *suite = suite_create("spark");
	TCase *graph = tcase_create("bars");

	tcase_add_test(graph, bars_grow_with_their_values);
	tcase_add_test(graph, what_is_not_known_is_blank);
	tcase_add_test(graph, braille_has_two_values_a_character);
	suite_add_tcase(suite, graph);
	return suite;
}
