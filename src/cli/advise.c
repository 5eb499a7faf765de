/* Threads or processes? From answers, from what was measured of a process, or both. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/inspect.h"
#include "cli/threads.h"
#include "model/advice.h"
#include "protocol/row.h"

enum { ANSWERS_MOST = 16,
	LINE_SIZE = 64,
	CRASHES_SPAN_MS = 60 * 60 * 1000 };

struct advising {
	enum answer answers[ANSWERS_MOST];
	struct advice_figures figures;
	bool is_measured;
};

/* ---- answers ---- */

static enum answer read_answer(const char *text)
{
	if (strcmp(text, "yes") == 0 || strcmp(text, "y") == 0)
		return ANSWER_YES;
	return strcmp(text, "no") == 0 || strcmp(text, "n") == 0 ? ANSWER_NO : ANSWER_UNKNOWN;
}

static int print_questions(void)
{
	fflush(stdout);
	fprintf(stderr, "thrum: advise: answer what you know (cpu=yes shared=no …), or name what runs:\n");
	for (size_t i = 0; i < advice_question_count(); i++)
		fprintf(stderr, "  %-9s %s\n", advice_question(i)->name, advice_question(i)->text);
	return EXIT_USAGE;
}

/* "cpu=yes" */
static bool take_answer(struct advising *advising, const char *word)
{
	const char *value = strchr(word, '=');

	for (size_t i = 0; i < advice_question_count(); i++) {
		const char *name = advice_question(i)->name;
		if (strlen(name) != (size_t)(value - word) || strncmp(name, word, (size_t)(value - word)) != 0)
			continue;
		advising->answers[i] = read_answer(value + 1);
		return advising->answers[i] != ANSWER_UNKNOWN ||
		       cli_fail(EXIT_USAGE, "%s: yes or no, not '%.60s'", name, value + 1) == EXIT_OK;
	}
	cli_fail(EXIT_USAGE, "advise: nothing is asked by the name of '%.*s'", (int)(value - word), word);
	return print_questions() == EXIT_OK;
}

/* False: the input has ended. */
static bool ask(struct advising *advising, size_t index)
{
	char line[LINE_SIZE];

	for (;;) {
		printf("%s [y/n, Enter: not known] ", advice_question(index)->text);
		fflush(stdout);
		if (!fgets(line, sizeof line, stdin))
			return false;
		line[strcspn(line, "\n")] = '\0';
		advising->answers[index] = read_answer(line);
		if (advising->answers[index] != ANSWER_UNKNOWN || !*line)
			return true;
	}
}

/* ---- figures ---- */

static int count_crashes(struct advising *advising, struct invocation *invocation)
{
	uint64_t since_us = clock_wall_us() - (uint64_t)CRASHES_SPAN_MS * 1000;
	int status = EXIT_OK;
	json_t *result = cli_ask(invocation, "history", json_pack("{s:[s]}", "names", invocation->names[0]), &status), *one;
	struct death death;
	struct error err;
	size_t i;

	advising->figures.crashes = 0;
	advising->figures.crash_ms = CRASHES_SPAN_MS;
	json_array_foreach(json_object_get(result, "deaths"), i, one)
	{
		bool is_known = death_from_json(&death, one, &err);
		advising->figures.crashes += is_known && death.ended_us >= since_us && death_is_crash(&death);
	}
	json_decref(result);
	return status;
}

static int measure(struct advising *advising, struct invocation *invocation)
{
	struct study study;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	invocation->holdings = true;
	advice_figures_init(&advising->figures);
	int status = inspect_look(&study, invocation);
	if (status == EXIT_OK)
		advice_figures_take(&advising->figures, &study);
	study_finish(&study);
	advising->figures.cores = cores > 0 ? (unsigned)cores : 1;
	advising->is_measured = true;
	if (status == EXIT_OK && !threads_pid(invocation->names[0]))
		status = count_crashes(advising, invocation);
	return status;
}

/* ---- telling ---- */

static void print_points(const int points[CHOICES])
{
	for (int i = 0; i < CHOICES; i++)
		if (points[i])
			printf("%*s%+d", 10 - 2, "", points[i]);
		else
			printf("%10s", "");
}

static void print_advice(const struct advice *advice)
{
	for (int i = 0; i < CHOICES; i++)
		printf("%10s", choice_name((enum choice)i));
	putchar('\n');
	for (size_t i = 0; i < advice->count; i++) {
		print_points(advice->reasons[i].points);
		printf("  %s\n", advice->reasons[i].text);
	}
	print_points(advice->points);
	printf("  together\n\n");
	if (advice->is_clear)
		printf("%s: %s\n", choice_name(advice->choice), choice_describe(advice->choice));
	else
		puts(advice->count ? "There is as much for one as for another: measure (`thrum bench`), and take what is simpler."
				   : "Nothing is known that speaks for one or the other.");
}

static json_t *points_to_json(const int points[CHOICES])
{
	json_t *json = json_object();

	for (int i = 0; i < CHOICES; i++)
		json_object_set_new(json, choice_name((enum choice)i), json_integer(points[i]));
	return json;
}

static void print_json(const struct advice *advice)
{
	json_t *reasons = json_array();

	for (size_t i = 0; i < advice->count; i++)
		json_array_append_new(reasons,
			json_pack("{s:s,s:o}", "text", advice->reasons[i].text, "points", points_to_json(advice->reasons[i].points)));
	json_t *json = json_pack("{s:s?,s:s?,s:o,s:o}", "advice", advice->is_clear ? choice_name(advice->choice) : NULL, "text",
		advice->is_clear ? choice_describe(advice->choice) : NULL, "points", points_to_json(advice->points), "reasons", reasons);
	cli_print_json(json);
	json_decref(json);
}

/* ---- the command ---- */

/* Answers are taken out of the names. */
static bool take_answers(struct advising *advising, struct invocation *invocation)
{
	int kept = 0;

	for (int i = 0; i < invocation->name_count; i++)
		if (!strchr(invocation->names[i], '='))
			invocation->names[kept++] = invocation->names[i];
		else if (!take_answer(advising, invocation->names[i]))
			return false;
	invocation->name_count = kept;
	return kept <= 1 || cli_fail(EXIT_USAGE, "advise: about one at a time: '%.60s' or '%.60s'?", invocation->names[0],
				    invocation->names[1]) == EXIT_OK;
}

int cli_advise(struct invocation *invocation)
{
	struct advising advising = { 0 };
	struct advice advice;
	bool has_words = invocation->name_count > 0;
	int status = EXIT_OK;

	if (!take_answers(&advising, invocation))
		return EXIT_USAGE;
	if (invocation->name_count)
		status = measure(&advising, invocation);
	if (status != EXIT_OK)
		return status;
	if (!has_words && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
		return print_questions();
	for (size_t i = 0; !has_words && i < advice_question_count(); i++)
		if (!ask(&advising, i))
			break;
	advice_weigh(&advice, advising.answers, advising.is_measured ? &advising.figures : NULL);
	if (invocation->json)
		print_json(&advice);
	else
		print_advice(&advice);
	return EXIT_OK;
}
