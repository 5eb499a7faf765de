#include <check.h>

#include "tui/layout.h"

static void check_inside(struct rect rect, int width, int height)
{
	ck_assert_int_ge(rect.width, 0);
	ck_assert_int_ge(rect.height, 0);
	ck_assert(rect.height == 0 || (rect.x >= 0 && rect.y >= 0));
	ck_assert(rect.height == 0 || (rect.x + rect.width <= width && rect.y + rect.height <= height));
}

static bool overlap(struct rect a, struct rect b)
{
	return a.height && b.height && a.y < b.y + b.height && b.y < a.y + a.height;
}

START_TEST(every_size_has_a_layout)
{
	for (int width = 1; width <= 300; width += width < 100 ? 1 : 7) {
		for (int height = 1; height <= 100; height++) {
			struct layout layout = layout_of(width, height, _i);
			struct rect all[] = { layout.header, layout.heading, layout.table, layout.title,
				layout.detail, layout.event, layout.keys };
			for (size_t i = 0; i < 7; i++) {
				check_inside(all[i], width, height);
				for (size_t k = i + 1; k < 7; k++)
					ck_assert(!overlap(all[i], all[k]));
			}
			ck_assert_int_eq(layout.header.height, 1);
		}
	}
}
END_TEST

START_TEST(a_usual_terminal_is_full)
{
	struct layout layout = layout_of(80, 24, false);
	ck_assert_int_eq(layout.kind, LAYOUT_FULL);
	ck_assert_int_ge(layout.table.height, 8);
	ck_assert_int_ge(layout.detail.height, 6);
	ck_assert_int_eq(layout_of(40, 12, false).kind, LAYOUT_COMPACT);
	ck_assert_int_eq(layout_of(20, 5, false).kind, LAYOUT_STUB);
}
END_TEST

Suite *layout_suite(void)
{
	Suite *suite = suite_create("layout");
	TCase *sizes = tcase_create("sizes");

	tcase_add_loop_test(sizes, every_size_has_a_layout, 0, 2);
	tcase_add_test(sizes, a_usual_terminal_is_full);
	suite_add_tcase(suite, sizes);
	return suite;
}
