#include <check.h>
#include <stdio.h>

#include "base/memory.h"
#include "fleet/task.h"

static struct tasks tasks;

static void begin(void)
{
	tasks = (struct tasks){ 0 };
}

static void end(void)
{
	tasks_finish(&tasks);
	ck_assert_uint_eq(tasks_count(&tasks), 0);
}

/* So many that are held: 0-0, 1-0 … */
static void add(unsigned count)
{
	char entry[ENTRY_SIZE];

	for (unsigned i = 0; i < count; i++) {
		snprintf(entry, sizeof entry, "%u-0", i);
		tasks_add(&tasks, NULL, entry)->payload = memory_copy("{}");
	}
}

static void send(unsigned count)
{
	struct task *task = tasks_first_held(&tasks);

	for (unsigned i = 0; i < count; i++, task = task->next) {
		task->state = TASK_SENT;
		task->index = i;
	}
}

START_TEST(what_is_read_first_is_handed_out_first)
{
	add(3);
	ck_assert_str_eq(tasks_first_held(&tasks)->entry, "0-0");
	send(2);
	ck_assert_str_eq(tasks_first_held(&tasks)->entry, "2-0");
	tasks_first_held(&tasks)->state = TASK_SENT;
	ck_assert_ptr_null(tasks_first_held(&tasks));
	ck_assert_uint_eq(tasks_count(&tasks), 3);
}
END_TEST

START_TEST(a_task_is_found_by_its_index_and_its_entry)
{
	add(4);
	send(3);
	ck_assert_str_eq(tasks_by_index(&tasks, 1)->entry, "1-0");
	ck_assert_ptr_null(tasks_by_index(&tasks, 3)); /* it is held */
	ck_assert_ptr_null(tasks_by_index(&tasks, 7));
	ck_assert_uint_eq(tasks_find(&tasks, "2-0")->index, 2);
	ck_assert_ptr_null(tasks_find(&tasks, "2-1"));
}
END_TEST

/* The second answer to one index finds nobody. */
START_TEST(an_answered_task_has_no_index_any_more)
{
	add(2);
	send(2);
	tasks_answer(&tasks, tasks_by_index(&tasks, 0), memory_copy("1"));
	ck_assert_ptr_null(tasks_by_index(&tasks, 0));
	ck_assert_ptr_eq(tasks_find(&tasks, "0-0"), tasks_first_answered(&tasks)); /* but it is ours: it is not claimed again */
	ck_assert_uint_eq(tasks_count(&tasks), 2);
}
END_TEST

START_TEST(an_answer_is_told_once_and_again_after_an_accident)
{
	add(3);
	send(3);
	for (unsigned i = 3; i-- > 0;) /* in another order than they were sent */
		tasks_answer(&tasks, tasks_by_index(&tasks, i), memory_copy("1"));
	struct task *first = tasks_first_answered(&tasks);
	ck_assert_str_eq(first->entry, "2-0");
	first->state = TASK_TOLD;
	ck_assert_str_eq(tasks_first_answered(&tasks)->entry, "1-0");
	for (struct task *task = tasks_first_answered(&tasks); task; task = task->next)
		task->state = TASK_TOLD;
	ck_assert_ptr_null(tasks_first_answered(&tasks));
	tasks_tell_again(&tasks, first);
	ck_assert_ptr_eq(tasks_first_answered(&tasks), first);
	tasks_remove(&tasks, first);
	ck_assert_ptr_null(tasks_first_answered(&tasks));
	ck_assert_uint_eq(tasks_count(&tasks), 2);
}
END_TEST

Suite *task_suite(void)
{
	Suite *suite = suite_create("task");
	TCase *tcase = tcase_create("task");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, what_is_read_first_is_handed_out_first);
	tcase_add_test(tcase, a_task_is_found_by_its_index_and_its_entry);
	tcase_add_test(tcase, an_answered_task_has_no_index_any_more);
	tcase_add_test(tcase, an_answer_is_told_once_and_again_after_an_accident);
	suite_add_tcase(suite, tcase);
	return suite;
}
