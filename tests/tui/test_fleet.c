#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "tui/fleet_ui.h"
#include "tui/keymap.h"

static struct fleet fleet;
static struct grid grid;

static void begin(void)
{
	fleet = (struct fleet){ .where = "10.0.0.5:6379", .folded = json_object() };
	grid_init(&grid);
}

static void end(void)
{
	fleet_finish(&fleet);
	grid_finish(&grid);
}

static bool shows(const char *what)
{
	char encoded[4];
	bool found = false;

	grid_reset(&grid, 140, 12);
	fleet_draw(&fleet, &grid);
	for (int y = 0; y < grid.height && !found; y++) {
		struct text line;
		text_init(&line, 4096);
		for (int x = 0; x < grid.width; x++)
			text_append(&line, encoded, utf8_encode(encoded, grid_at(&grid, x, y)->character));
		found = strstr(text_string(&line), what);
		text_finish(&line);
	}
	return found;
}

#define A_AT(second, answered)                                                                                                \
	"{\"engine\":\"vm1/shop\",\"host\":\"vm1\",\"project\":\"shop\",\"version\":\"1\",\"connected\":true,\"alive\":true," \
	"\"ts\":\"2026-11-28T12:00:0" second "Z\",\"services\":["                                                             \
	"{\"service\":\"web\",\"instances\":2,\"restarts\":3,\"rss\":1048576,\"cpu_pct\":1.5,\"states\":{\"ready\":2}},"      \
	"{\"service\":\"hash\",\"instances\":4,\"restarts\":1,\"rss\":null,\"cpu_pct\":2.0,\"states\":{\"fatal\":1}}],"       \
	"\"pools\":[{\"pool\":\"hash\",\"tasks\":7,\"answered\":" answered "}]}"
#define B                                                                                                                     \
	"{\"engine\":\"vm2/shop\",\"host\":\"vm2\",\"project\":\"shop\",\"alive\":false,\"seen\":\"2026-11-28T11:59:00.5Z\"," \
	"\"services\":[],\"pools\":[]}"

static void hear(const char *text)
{
	json_t *engines = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(engines);
	fleet_take(&fleet, engines);
}

START_TEST(engines_and_their_services_are_on_one_screen)
{
	ck_assert(shows("waiting for Redis"));
	hear("[]");
	ck_assert(shows("no engine has told of itself"));
	hear("[" A_AT("0", "10") "," B "]");
	ck_assert(shows("10.0.0.5:6379 | engines 2 lost 1 | instances 6 | tasks 7, 0/s"));
	ck_assert(shows("v vm1/shop                      6             4    3.5   1.0M      7        10      -"));
	ck_assert(shows("   hash                         4             1    2.0      -      7        10      - 1 fatal"));
	ck_assert(shows("not heard of since 2026-11-28T11:59:00Z"));
}
END_TEST

START_TEST(what_was_answered_becomes_a_rate)
{
	hear("[" A_AT("0", "10") "]");
	hear("[" A_AT("2", "50") "]");
	ck_assert(shows("50     20 1 fatal"));
	ck_assert(shows("tasks 7, 20/s"));
	hear("[" A_AT("2", "50") "]"); /* it has not told anything since */
	ck_assert(shows("tasks 7, 20/s"));
	hear("[" A_AT("4", "3") "]"); /* another gateway counts anew */
	ck_assert(shows("tasks 7, 0/s"));
}
END_TEST

START_TEST(what_is_selected_stays_so_when_others_come)
{
	hear("[" B "]");
	fleet_key(&fleet, 'j'); /* there is no further row */
	hear("[" A_AT("0", "0") "," B "]");
	ck_assert_uint_eq(fleet.place, 3);
	ck_assert(shows(">v vm2/shop"));
	hear("[" A_AT("0", "0") "]"); /* it is gone: the next best */
	ck_assert(shows(">   hash"));
	hear("[]");
	fleet_key(&fleet, INPUT_RETURN);
	fleet_key(&fleet, ' ');
	ck_assert(!fleet.is_leaving);
}
END_TEST

START_TEST(engines_are_folded_and_opened)
{
	hear("[" A_AT("0", "0") "," B "]");
	fleet_key(&fleet, 'j');
	fleet_key(&fleet, ' ');
	ck_assert(shows(">+ vm1/shop") && !shows("hash"));
	fleet_key(&fleet, INPUT_ARROW_RIGHT);
	ck_assert(shows(">v vm1/shop") && shows("hash"));
	fleet_key(&fleet, 'G');
	fleet_key(&fleet, INPUT_RETURN);
	ck_assert(!fleet.is_leaving);
	ck_assert(shows("vm2/shop is not heard of: it has no dashboard"));
	fleet_key(&fleet, 'k');
	fleet_key(&fleet, INPUT_RETURN);
	ck_assert(fleet.is_leaving);
	ck_assert_str_eq(fleet.choice.host, "vm1");
	ck_assert_str_eq(fleet.choice.project, "shop");
}
END_TEST

/* Whatever others have written into Redis. */
START_TEST(nonsense_is_shown_as_far_as_it_goes)
{
	hear("[1, null, [], {\"engine\":5,\"alive\":true,\"services\":{\"a\":1},\"pools\":[3,{}]},"
	     "{\"engine\":\"\\u001b[2J\",\"alive\":true,\"services\":[{\"service\":\"x\",\"states\":[1]},4]}]");
	ck_assert(shows("engines 5"));
	for (const char *key = "jjjGgZZ ho?x"; *key; key++) {
		fleet_key(&fleet, (uint32_t)*key);
		ck_assert(!shows("\033"));
	}
	for (int width = 1; width < 60; width += 7) {
		grid_reset(&grid, width, 1 + width % 5);
		fleet_draw(&fleet, &grid);
	}
}
END_TEST

Suite *fleet_suite(void)
{
	Suite *suite = suite_create("fleet");
	TCase *tcase = tcase_create("fleet");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, engines_and_their_services_are_on_one_screen);
	tcase_add_test(tcase, what_was_answered_becomes_a_rate);
	tcase_add_test(tcase, what_is_selected_stays_so_when_others_come);
	tcase_add_test(tcase, engines_are_folded_and_opened);
	tcase_add_test(tcase, nonsense_is_shown_as_far_as_it_goes);
	suite_add_tcase(suite, tcase);
	return suite;
}
