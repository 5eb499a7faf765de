#include <check.h>

#include "tui/layout.h"

static bool is_inside(struct rect rect, int width, int height)
{
	if (rect.width < 0 || rect.height < 0)
		return false;
	return rect.height == 0 || (rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= width && rect.y + rect.height <= height);
}

static bool overlap(struct rect a, struct rect b)
{
	return a.height && b.height && a.y < b.y + b.height && b.y < a.y + a.height;
}

/* An assertion costs more than what it asks here. */
static bool is_sound(int width, int height, bool is_zoomed)
{
	struct layout layout = layout_of(width, height, is_zoomed, true);
	struct rect all[] = { layout.header, layout.status, layout.heading, layout.table, layout.title, layout.detail, layout.event,
		layout.keys };
	enum { COUNT = sizeof all / sizeof *all };
	bool is_sound = layout.header.height == 1;

	for (int i = 0; i < COUNT; i++) {
		is_sound = is_sound && is_inside(all[i], width, height);
		for (int k = i + 1; k < COUNT; k++)
			is_sound = is_sound && !overlap(all[i], all[k]);
	}
	return is_sound;
}

START_TEST(every_size_has_a_layout)
{
	for (int width = 1; width <= 300; width++)
		for (int height = 1; height <= 100; height++)
			if (!is_sound(width, height, _i))
				ck_abort_msg("%dx%d", width, height);
}
END_TEST

START_TEST(a_usual_terminal_is_full)
{
	struct layout layout = layout_of(80, 24, false, true);
	ck_assert_int_eq(layout.kind, LAYOUT_FULL);
	ck_assert_int_ge(layout.table.height, 8);
	ck_assert_int_ge(layout.detail.height, 6);
	ck_assert_int_eq(layout_of(40, 12, false, true).kind, LAYOUT_COMPACT);
	ck_assert_int_eq(layout_of(20, 5, false, true).kind, LAYOUT_STUB);
}
END_TEST

Suite *layout_suite(void)
{
	Suite *suite = suite_create("layout");
	TCase *sizes = tcase_create("sizes");

	tcase_set_timeout(sizes, 60); /* it draws very many screens */
	tcase_add_loop_test(sizes, every_size_has_a_layout, 0, 2);
	tcase_add_test(sizes, a_usual_terminal_is_full);
	suite_add_tcase(suite, sizes);
	return suite;
}
