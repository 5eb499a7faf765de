#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/kept.h"

static struct kept *kept;

static void end(void)
{
	kept_destroy(kept);
}

static void add(const char *what, uint64_t s, int value)
{
	json_t *json = json_pack("{s:i}", "value", value);

	kept_add(&kept, what, s * 1000000, json);
	json_decref(json);
}

/* Below 0: it was not measured. */
static int find(const char *what, uint64_t s)
{
	json_t *json = kept_find(kept, what, s * 1000000);
	int value = json ? (int)json_integer_value(json_object_get(json, "value")) : -1;

	json_decref(json);
	return value;
}

START_TEST(it_is_found_as_it_was)
{
	ck_assert_int_eq(find("inspect web/0", 100), -1);
	add("inspect web/0", 100, 1);
	add("inspect web/1", 101, 2);
	add("inspect web/0", 105, 3);
	ck_assert_int_eq(find("inspect web/0", 99), -1);
	ck_assert_int_eq(find("inspect web/0", 100), 1);
	ck_assert_int_eq(find("inspect web/0", 104), 1);
	ck_assert_int_eq(find("inspect web/1", 104), 2);
	ck_assert_int_eq(find("inspect web/0", 106), 3);
}
END_TEST

static void add_figures(const char *what, uint64_t s, const char *queue, int queued, int busy)
{
	json_t *json = json_pack("{s:i,s:i}", queue, queued, "busy", busy);

	kept_add(&kept, what, s * 1000000, json);
	json_decref(json);
}

START_TEST(what_waits_is_told_as_it_went_until_then)
{
	for (int i = 0; i < 100; i++) {
		add_figures("pool hash", 1000 + (uint64_t)i * 2, "queued", i, 4);
		add_figures("inspect web/0", 1000 + (uint64_t)i * 2, "queue", 1000 + i, 1);
	}
	add("inspect odd/0", 1300, 1);
	json_t *pool = kept_find(kept, "pool hash", 1101 * 1000000ull), *study = kept_find(kept, "inspect web/0", 1000 * 1000000ull);
	json_t *odd = kept_find(kept, "inspect odd/0", 1300 * 1000000ull);
	json_t *queued = json_object_get(json_object_get(pool, "course"), "queued");
	ck_assert_uint_eq(json_array_size(queued), KEPT_COURSE_MOST);
	ck_assert_int_eq(json_integer_value(json_array_get(queued, KEPT_COURSE_MOST - 1)), 50);
	ck_assert_int_eq(json_integer_value(json_array_get(queued, 0)), 50 - KEPT_COURSE_MOST + 1);
	queued = json_object_get(json_object_get(study, "course"), "queued");
	ck_assert_uint_eq(json_array_size(queued), 1);
	ck_assert_int_eq(json_integer_value(json_array_get(queued, 0)), 1000);
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(odd, "course"), "busy")), 0);
	json_decref(pool);
	json_decref(study);
	json_decref(odd);
}
END_TEST

START_TEST(what_is_old_says_nothing)
{
	add("inspect web/0", 100, 1);
	ck_assert_int_eq(find("inspect web/0", 100 + KEPT_VALID_US / 1000000), 1);
	ck_assert_int_eq(find("inspect web/0", 101 + KEPT_VALID_US / 1000000), -1);
}
END_TEST

START_TEST(no_more_is_kept_than_there_is_room_for)
{
	char *large = malloc(1024 * 1024 + 1);
	memset(large, 'x', 1024 * 1024);
	large[1024 * 1024] = '\0';
	json_t *json = json_pack("{s:i,s:s}", "value", 5, "text", large);

	add("inspect web/0", 100, 1);
	for (uint64_t i = 1; i <= 10; i++)
		kept_add(&kept, "inspect web/1", (100 + i * 3) * 1000000, json);
	ck_assert_int_eq(find("inspect web/0", 101), -1);
	ck_assert_int_eq(find("inspect web/1", 130), 5);
	for (uint64_t i = 0; i < KEPT_MOST + 10; i++)
		add("pool hash", 200 + i * 3, 7);
	ck_assert_int_eq(find("inspect web/1", 130), -1);
	ck_assert_int_eq(find("pool hash", 200 + (KEPT_MOST + 9) * 3), 7);
	json_decref(json);
	free(large);
}
END_TEST

Suite *kept_suite(void)
{
	Suite *suite = suite_create("kept");
	TCase *tests = tcase_create("kept");

	tcase_add_checked_fixture(tests, NULL, end);
	tcase_add_test(tests, it_is_found_as_it_was);
	tcase_add_test(tests, what_waits_is_told_as_it_went_until_then);
	tcase_add_test(tests, what_is_old_says_nothing);
	tcase_add_test(tests, no_more_is_kept_than_there_is_room_for);
	suite_add_tcase(suite, tests);
	return suite;
}
