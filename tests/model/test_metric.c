#include <check.h>

#include "model/metric.h"

static const struct metrics web = { 3, { { "requests", "120", "" }, { "Heap", "9.73", "MiB" }, { "delay", "1ms", "ms" } } };
static const struct metrics job = { 1, { { "a name that is long", "5", "" } } };

static void check_cell(const struct metrics *metrics, const char *name, const char *expected)
{
	char cell[sizeof(struct metric)];

	metric_cell(cell, sizeof cell, metrics, name);
	ck_assert_str_eq(cell, expected);
}

START_TEST(a_figure_has_its_unit_once)
{
	check_cell(&web, "requests", "120");
	check_cell(&web, "Heap", "9.73MiB");
	check_cell(&web, "delay", "1ms");
	check_cell(&job, "Heap", "-");
}
END_TEST

START_TEST(each_has_what_it_told_first)
{
	struct metric_columns columns = { 0 };
	const struct metrics *all[] = { &web, &job };

	for (unsigned rank = 0; rank < METRICS_MOST; rank++)
		for (unsigned i = 0; i < 2; i++)
			metric_columns_add(&columns, all[i], rank);
	ck_assert_uint_eq(columns.count, 4);
	ck_assert_str_eq(columns.items[0].name, "requests");
	ck_assert_str_eq(columns.items[1].name, "a name that is long");
	ck_assert_str_eq(columns.items[2].name, "Heap");
	ck_assert_int_eq(columns.items[0].width, 8);
	ck_assert_int_eq(columns.items[1].width, METRIC_WIDTH_MOST);
	ck_assert_int_eq(columns.items[2].width, 7);
	ck_assert_int_eq(columns.items[3].width, METRIC_WIDTH_LEAST);
}
END_TEST

START_TEST(there_are_so_many_columns)
{
	struct metric_columns columns = { 0 };
	struct metrics many = { .count = METRICS_MOST };

	for (unsigned i = 0; i < METRICS_MOST; i++)
		many.items[i].name[0] = (char)('a' + i);
	for (unsigned rank = 0; rank <= METRICS_MOST; rank++)
		metric_columns_add(&columns, &many, rank);
	ck_assert_uint_eq(columns.count, METRIC_COLUMNS_MOST);
}
END_TEST

Suite *metric_suite(void)
{
	Suite *suite = suite_create("metric");
	TCase *columns = tcase_create("columns");

	tcase_add_test(columns, a_figure_has_its_unit_once);
	tcase_add_test(columns, each_has_what_it_told_first);
	tcase_add_test(columns, there_are_so_many_columns);
	suite_add_tcase(suite, columns);
	return suite;
}
