#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/machine.h"

static struct machine machine;
static struct machine_wish wish;
static struct machine_row *rows;
static size_t count;

/* 1 ─ 10 ─ 20, 21; 2 alone. All started in the order of their pids. */
// clang-format off
static struct machine_process processes[] = {
	{ .id = { 1, 1 }, .cpu_rank = -1, .state = 'S', .cpu_pct = 0, .rss = 10, .threads = 1, .user = "root", .command = "init", .priority = 20, .inside = INSIDE_UNKNOWN },
	{ .id = { 2, 2 }, .cpu_rank = -1, .state = 'S', .cpu_pct = 5, .rss = 0, .threads = 1, .user = "root", .command = "[kthreadd]", .is_kernel = true, .nice = -20, .priority = 0, .shared = UINT64_MAX, .read_rate = -1, .write_rate = -1, .inside = INSIDE_UNKNOWN },
	{ .id = { 10, 10 }, .cpu_rank = -1, .parent = 1, .state = 'S', .cpu_pct = 1, .rss = 30, .threads = 3, .user = "www", .command = "node server", .nice = -5, .priority = 15, .size = 9, .shared = 7, .inside = { .queue = 3, .utilisation = 0.2, .lag_ms = 0 } },
	{ .id = { 20, 20 }, .cpu_rank = -1, .parent = 10, .state = 'R', .cpu_pct = 7, .rss = 20, .threads = 1, .user = "www", .command = "node worker a", .priority = 20, .read_rate = 5, .faults = 3, .inside = { .queue = 0, .utilisation = 0.9, .lag_ms = 5 } },
	{ .id = { 21, 21 }, .cpu_rank = -1, .parent = 10, .state = 'D', .cpu_pct = 7, .rss = 20, .threads = 2, .user = "www", .command = "Node worker b", .priority = 20, .write_rate = 5, .processor = -1, .inside = { .queue = 46, .utilisation = -1, .lag_ms = UINT64_MAX } },
};
// clang-format on

static void begin(void)
{
	machine = (struct machine){ .processes = processes, .count = sizeof processes / sizeof *processes };
	wish = (struct machine_wish){ 0 };
	rows = NULL;
	processes[0].parent = 0;
}

static void end(void)
{
	free(rows);
}

static void expect(const char *pids)
{
	char seen[256] = "";
	size_t used = 0;

	free(rows);
	rows = machine_rows(&machine, &wish, &count);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%d", i ? " " : "", (int)rows[i].process->id.pid);
	ck_assert_str_eq(seen, pids);
}

START_TEST(equals_stand_by_their_pids_either_way_round)
{
	expect("20 21 2 10 1");
	wish.is_inverted = true;
	expect("1 10 2 20 21");
}
END_TEST

START_TEST(each_column_sorts)
{
	static const char *const orders[MACHINE_SORT_COUNT] = {
		[MACHINE_BY_CPU] = "20 21 2 10 1",
		[MACHINE_BY_MEMORY] = "10 20 21 1 2",
		[MACHINE_BY_TIME] = "1 2 10 20 21",
		[MACHINE_BY_PID] = "1 2 10 20 21",
		[MACHINE_BY_USER] = "1 2 10 20 21",
		[MACHINE_BY_STATE] = "20 21 1 2 10",
		[MACHINE_BY_THREADS] = "10 21 1 2 20",
		[MACHINE_BY_QUEUE] = "21 10 20 1 2",
		[MACHINE_BY_LOOP] = "20 10 1 2 21",
		[MACHINE_BY_LAG] = "20 10 1 2 21",
		[MACHINE_BY_COMMAND] = "2 1 10 20 21",
		[MACHINE_BY_NICE] = "2 10 1 20 21",
		[MACHINE_BY_PRIORITY] = "2 10 1 20 21",
		[MACHINE_BY_SIZE] = "10 1 2 20 21",
		[MACHINE_BY_SHARED] = "10 1 20 21 2",
		[MACHINE_BY_READ] = "20 1 10 21 2",
		[MACHINE_BY_WRITTEN] = "21 1 10 20 2",
		[MACHINE_BY_FAULTS] = "20 1 2 10 21",
		[MACHINE_BY_START] = "21 20 10 2 1",
		[MACHINE_BY_PARENT] = "1 2 10 20 21",
		[MACHINE_BY_PROCESSOR] = "21 1 2 10 20",
	};

	for (wish.sort = 0; wish.sort < MACHINE_SORT_COUNT; wish.sort++)
		expect(orders[wish.sort]);
}
END_TEST

START_TEST(what_was_seen_inside_is_told_of_who_is_there_and_of_nobody_else)
{
	struct inside seen = { .queue = 7 };
	struct machine_id gone = { 10, 9 };

	machine_look(&machine, &gone, &seen);
	ck_assert_uint_eq(machine_find(&machine, 10)->inside.queue, 3);
	machine_look(&machine, &processes[2].id, &seen);
	ck_assert_uint_eq(machine_find(&machine, 10)->inside.queue, 7);
	processes[2].inside.queue = 3;
	ck_assert(!machine_has_inside(&processes[1]));
	ck_assert(machine_has_inside(&processes[2]));
}
END_TEST

START_TEST(a_tree_has_children_below_their_parents_and_lines_between)
{
	wish.is_tree = true;
	wish.sort = MACHINE_BY_PID;
	expect("1 10 20 21 2");
	ck_assert_uint_eq(rows[1].depth, 1);
	ck_assert_uint_eq(rows[2].depth, 2);
	ck_assert(rows[2].guides >> 2 & 1);    /* 21 follows 20 … */
	ck_assert(!(rows[3].guides >> 2 & 1)); /* … and nobody follows 21 … */
	ck_assert(!(rows[3].guides >> 1 & 1)); /* … nor 10 */
	ck_assert_uint_eq(rows[4].depth, 0);
}
END_TEST

START_TEST(what_is_folded_hides_what_is_below)
{
	struct machine_id folded = { 10, 10 };

	wish.is_tree = true;
	wish.sort = MACHINE_BY_PID;
	ck_assert(machine_set_toggle(&wish.folded, &folded));
	expect("1 10 2");
	ck_assert(rows[1].is_folded);
	wish.is_tree = false;
	expect("1 2 10 20 21");
}
END_TEST

START_TEST(in_a_tree_the_way_to_a_match_is_shown)
{
	struct error err;
	struct pattern *pattern = pattern_create("worker b", &err);

	wish.filter = pattern;
	expect("21");
	wish.is_tree = true;
	expect("1 10 21");
	wish.is_tree = false;
	wish.is_filter_inverse = true;
	expect("20 2 10 1");
	pattern_destroy(pattern);
}
END_TEST

START_TEST(users_kernel_threads_and_descendants_are_told_apart)
{
	static const int32_t pids[] = { 10 };

	snprintf(wish.user, sizeof wish.user, "www");
	expect("20 21 10");
	wish.user[0] = '\0';
	wish.hides_kernel = true;
	expect("20 21 10 1");
	wish.hides_kernel = false;
	wish.pids = pids;
	wish.pid_count = 1;
	expect("20 21 10");
}
END_TEST

/* The table is not of one instant: a pid may have been given away meanwhile. */
START_TEST(who_is_younger_is_no_parent)
{
	processes[0].parent = 20;
	wish.is_tree = true;
	wish.sort = MACHINE_BY_PID;
	expect("1 10 20 21 2");
}
END_TEST

START_TEST(a_search_goes_round_from_where_it_began)
{
	wish.sort = MACHINE_BY_PID;
	expect("1 2 10 20 21");
	ck_assert_int_eq(machine_search(rows, count, 0, 1, "NODE"), 2);
	ck_assert_int_eq(machine_search(rows, count, 3, 1, "node"), 3);
	ck_assert_int_eq(machine_search(rows, count, 5, 1, "init"), 0);
	ck_assert_int_eq(machine_search(rows, count, -1, -1, "node"), 4);
	ck_assert_int_eq(machine_search(rows, count, 0, 1, "20"), 3);
	ck_assert_int_eq(machine_search(rows, count, 0, 1, "nothing"), -1);
	ck_assert_int_eq(machine_search(rows, 0, 0, 1, "node"), -1);
}
END_TEST

START_TEST(rows_keep_their_places_until_they_are_put_in_order_or_much_has_changed)
{
	machine_rank(&machine, true);
	expect("20 21 2 10 1");
	processes[2].cpu_pct = 9;
	machine_rank(&machine, false);
	expect("20 21 2 10 1");
	processes[0].cpu_pct = 26;
	machine_rank(&machine, false);
	expect("1 20 21 2 10");
	processes[0].cpu_pct = 0.04;
	machine_rank(&machine, false);
	expect("20 21 2 10 1");
	machine_rank(&machine, true);
	expect("10 20 21 2 1");
	processes[0].cpu_pct = 0;
	processes[2].cpu_pct = 1;
	for (size_t i = 0; i < machine.count; i++)
		processes[i].cpu_rank = -1;
}
END_TEST

START_TEST(a_pid_that_is_typed_is_found_before_longer_ones)
{
	expect("20 21 2 10 1");
	ck_assert_int_eq(machine_search_pid(rows, count, "2"), 2);
	ck_assert_int_eq(machine_search_pid(rows, count, "21"), 1);
	ck_assert_int_eq(machine_search_pid(rows, count, "3"), -1);
	snprintf(wish.user, sizeof wish.user, "www");
	expect("20 21 10");
	ck_assert_int_eq(machine_search_pid(rows, count, "2"), 0);
}
END_TEST

START_TEST(a_tree_is_tagged_as_a_whole_and_as_far_as_there_is_room)
{
	struct machine_set set = { 0 };

	ck_assert(machine_set_toggle(&set, &processes[3].id));
	ck_assert(machine_set_add_tree(&set, &machine, &processes[2].id));
	ck_assert_uint_eq(set.count, 3);
	ck_assert(machine_set_has(&set, &processes[3].id) && machine_set_has(&set, &processes[4].id));
	ck_assert(!machine_set_has(&set, &processes[0].id));
	for (set.count = 0; set.count < MACHINE_CHOSEN_MOST - 1; set.count++)
		set.ids[set.count] = (struct machine_id){ 1000 + (int32_t)set.count, 1 };
	ck_assert(!machine_set_add_tree(&set, &machine, &processes[2].id));
	ck_assert_uint_eq(set.count, MACHINE_CHOSEN_MOST);
}
END_TEST

START_TEST(a_set_forgets_who_is_gone_or_another)
{
	struct machine_set set = { 0 };
	struct machine_id here = { 10, 10 }, other = { 20, 19 }, gone = { 99, 1 };

	machine_set_toggle(&set, &here);
	machine_set_toggle(&set, &other);
	machine_set_toggle(&set, &gone);
	machine_set_tidy(&set, &machine);
	ck_assert_uint_eq(set.count, 1);
	ck_assert(machine_set_has(&set, &here));
	machine_set_toggle(&set, &here);
	ck_assert(!machine_set_has(&set, &here));
}
END_TEST

START_TEST(a_full_set_takes_no_more)
{
	struct machine_set set = { 0 };

	for (int32_t pid = 1; pid <= MACHINE_CHOSEN_MOST; pid++)
		ck_assert(machine_set_toggle(&set, &(struct machine_id){ pid, 1 }));
	ck_assert(!machine_set_toggle(&set, &(struct machine_id){ MACHINE_CHOSEN_MOST + 1, 1 }));
	ck_assert(machine_set_toggle(&set, &(struct machine_id){ 1, 1 }));
}
END_TEST

START_TEST(nobody_at_all_is_no_row)
{
	machine.count = 0;
	wish.is_tree = true;
	expect("");
}
END_TEST

Suite *machine_suite(void)
{
	Suite *suite = suite_create("machine");
	TCase *tests = tcase_create("machine");

	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, equals_stand_by_their_pids_either_way_round);
	tcase_add_test(tests, each_column_sorts);
	tcase_add_test(tests, rows_keep_their_places_until_they_are_put_in_order_or_much_has_changed);
	tcase_add_test(tests, a_pid_that_is_typed_is_found_before_longer_ones);
	tcase_add_test(tests, a_tree_is_tagged_as_a_whole_and_as_far_as_there_is_room);
	tcase_add_test(tests, what_was_seen_inside_is_told_of_who_is_there_and_of_nobody_else);
	tcase_add_test(tests, a_tree_has_children_below_their_parents_and_lines_between);
	tcase_add_test(tests, what_is_folded_hides_what_is_below);
	tcase_add_test(tests, in_a_tree_the_way_to_a_match_is_shown);
	tcase_add_test(tests, users_kernel_threads_and_descendants_are_told_apart);
	tcase_add_test(tests, who_is_younger_is_no_parent);
	tcase_add_test(tests, a_search_goes_round_from_where_it_began);
	tcase_add_test(tests, a_set_forgets_who_is_gone_or_another);
	tcase_add_test(tests, a_full_set_takes_no_more);
	tcase_add_test(tests, nobody_at_all_is_no_row);
	suite_add_tcase(suite, tests);
	return suite;
}
