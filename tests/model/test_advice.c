#include <check.h>
#include <string.h>

#include "model/advice.h"

static struct advice advice;
static struct advice_figures figures;

/* "cpu=yes" and so on; ends with NULL. */
static void answer(const char *const *words)
{
	enum answer answers[16] = { ANSWER_UNKNOWN };

	for (; *words; words++)
		for (size_t i = 0; i < advice_question_count(); i++)
			if (strncmp(*words, advice_question(i)->name, strlen(advice_question(i)->name)) == 0)
				answers[i] = strstr(*words, "=yes") ? ANSWER_YES : ANSWER_NO;
	advice_weigh(&advice, answers, NULL);
}

#define ANSWER(...) answer((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(answers_decide)
{
	ANSWER("cpu=yes", "shared=yes");
	ck_assert(advice.is_clear && advice.choice == CHOOSE_THREADS);
	ANSWER("cpu=yes", "isolated=yes");
	ck_assert(advice.is_clear && advice.choice == CHOOSE_PROCESSES);
	ANSWER("foreign=yes", "shared=yes");
	ck_assert(advice.is_clear && advice.choice == CHOOSE_PROCESSES);
	ANSWER("cpu=no");
	ck_assert(advice.is_clear && advice.choice == CHOOSE_NEITHER);
}
END_TEST

START_TEST(what_speaks_for_two_is_not_clear)
{
	ANSWER("cpu=yes");
	ck_assert(!advice.is_clear);
	ck_assert_uint_eq(advice.count, 1);
	advice_weigh(&advice, NULL, NULL);
	ck_assert(!advice.is_clear && advice.count == 0);
}
END_TEST

static void weigh(void)
{
	advice_weigh(&advice, NULL, &figures);
}

START_TEST(figures_decide_and_are_told)
{
	advice_figures_init(&figures);
	weigh();
	ck_assert_uint_eq(advice.count, 0);
	figures.all_pct = figures.main_pct = 3;
	weigh();
	ck_assert(advice.is_clear && advice.choice == CHOOSE_NEITHER);
	figures.all_pct = figures.main_pct = 98;
	figures.rss = UINT64_C(1) << 30;
	figures.shared = 0.1;
	weigh();
	ck_assert(advice.is_clear && advice.choice == CHOOSE_THREADS);
	ck_assert_ptr_nonnull(strstr(advice.reasons[0].text, "98 %"));
	ck_assert_ptr_nonnull(strstr(advice.reasons[1].text, "1.0G"));
	figures.crashes = 5;
	figures.crash_ms = 60 * 60 * 1000;
	weigh();
	ck_assert(advice.is_clear && advice.choice == CHOOSE_PROCESSES);
	ck_assert_ptr_nonnull(strstr(advice.reasons[2].text, "5 times in 60 min"));
}
END_TEST

START_TEST(a_queue_asks_for_workers_where_there_are_cores)
{
	advice_figures_init(&figures);
	figures.queued = 46;
	figures.busy = figures.workers = 4;
	figures.cores = 16;
	weigh();
	ck_assert(advice.is_clear && advice.choice == CHOOSE_THREADS);
	ck_assert_ptr_nonnull(strstr(advice.reasons[0].text, "46 tasks wait for 4 workers"));
	figures.cores = 2;
	weigh();
	ck_assert(!advice.is_clear && advice.count == 1);
	figures.busy = 3;
	weigh();
	ck_assert_uint_eq(advice.count, 0);
}
END_TEST

/* Points are the sum of those of the reasons, whatever is answered. */
START_TEST(all_answers_add_up)
{
	enum answer answers[16] = { ANSWER_UNKNOWN };
	size_t count = advice_question_count(), all = 1;

	for (size_t i = 0; i < count; i++)
		all *= 3;
	for (size_t which = 0; which < all; which++) {
		for (size_t i = 0, rest = which; i < count; i++, rest /= 3)
			answers[i] = (enum answer)(rest % 3);
		advice_weigh(&advice, answers, NULL);
		int most = -1000;
		for (int k = 0; k < CHOICES; k++) {
			int sum = 0;
			for (size_t i = 0; i < advice.count; i++)
				sum += advice.reasons[i].points[k];
			ck_assert_int_eq(sum, advice.points[k]);
			most = sum > most ? sum : most;
		}
		ck_assert_int_eq(advice.points[advice.choice], most);
	}
}
END_TEST

Suite *advice_suite(void)
{
	Suite *suite = suite_create("advice");
	TCase *cases = tcase_create("advice");

	tcase_add_test(cases, answers_decide);
	tcase_add_test(cases, what_speaks_for_two_is_not_clear);
	tcase_add_test(cases, figures_decide_and_are_told);
	tcase_add_test(cases, a_queue_asks_for_workers_where_there_are_cores);
	tcase_add_test(cases, all_answers_add_up);
	suite_add_tcase(suite, cases);
	return suite;
}
