#include "model/advice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

enum {
	BUSY_PCT = 70, /* of a core: it computes */
	IDLE_PCT = 15, /* it waits */
	LARGE_RSS = 256 * 1024 * 1024,
	CRASHES_MANY = 3
};

static const char *const names[CHOICES] = { "threads", "processes", "neither" };

static const char *const descriptions[CHOICES] = {
	"a pool of threads in one process: thrum_pool of libthrum, worker_threads of Node; `thrum scale NAME POOL=N` sizes it",
	"several processes: `instances: N` or, for tasks, `pool: {size: N}`; `thrum scale NAME N` sizes it",
	"one thread with an event loop is enough: what it waits for does not come sooner by more of them",
};

const char *choice_name(enum choice choice)
{
	return names[choice];
}

const char *choice_describe(enum choice choice)
{
	return descriptions[choice];
}

// clang-format off
static const struct question questions[] = {
	{ "cpu", "Is most of its time spent computing, rather than waiting for disks, networks and others?",
	  { { 2, 2, -3 }, "it computes: more than one core helps" },
	  { { -1, -1, 4 }, "it waits: an event loop waits for many things at once" } },
	{ "shared", "Do its parts work on much data that all of them need (above some megabytes)?",
	  { { 3, -2, 0 }, "threads share memory; between processes 100 MB are copied, or set up as shared" },
	  { { 0, 1, 0 }, "there is little to share, so that processes lose nothing" } },
	{ "isolated", "Must the others go on when one part crashes or leaks?",
	  { { -3, 4, -1 }, "a crash takes all threads of its process along, but no other process; that one is started again" },
	  { { 1, 0, 0 }, "a crash may end all of it: nothing has to be kept apart" } },
	{ "foreign", "Is a part another program, or in another language, or not to be trusted?",
	  { { -4, 4, -2 }, "what is not ours runs in a process of its own, with limits and a user of its own" },
	  { { 0, 0, 0 }, NULL } },
	{ "short", "Are there many short tasks, of less than some milliseconds?",
	  { { 2, -1, 0 }, "handing a task to a thread takes a microsecond or so, to a process some twenty (`thrum bench pool`)" },
	  { { 0, 1, 0 }, "beside long tasks it does not count what handing them over takes" } },
	{ "memory", "Is memory scarce?",
	  { { 1, -1, 1 }, "each process has its own heap, and in Node its own V8 of some 40 MB" },
	  { { 0, 0, 0 }, NULL } },
};
// clang-format on

enum { QUESTIONS = sizeof questions / sizeof *questions };

size_t advice_question_count(void)
{
	return QUESTIONS;
}

const struct question *advice_question(size_t index)
{
	return &questions[index];
}

/* ---- figures ---- */

void advice_figures_init(struct advice_figures *figures)
{
	*figures = (struct advice_figures){ .main_pct = -1,
		.all_pct = -1,
		.utilisation = -1,
		.rss = UINT64_MAX,
		.shared = -1,
		.crashes = UINT64_MAX,
		.queued = UINT64_MAX,
		.busy = UINT64_MAX,
		.workers = UINT64_MAX };
}

void advice_figures_take(struct advice_figures *figures, const struct study *study)
{
	for (size_t i = 0; i < study->thread_count; i++) {
		const struct thread_report *thread = &study->threads[i];
		if (thread->cpu_pct < 0)
			continue;
		figures->all_pct = (figures->all_pct < 0 ? 0 : figures->all_pct) + thread->cpu_pct;
		if (thread->tid == study->pid)
			figures->main_pct = thread->cpu_pct;
	}
	figures->utilisation = study->inside.utilisation;
	figures->queued = study->inside.queue;
	figures->busy = study->inside.busy;
	figures->workers = study->inside.size;
	if (!study->has_holdings || study->memory.rss == 0 || study->memory.rss == UINT64_MAX)
		return;
	figures->rss = study->memory.rss;
	if (study->memory.own <= study->memory.rss)
		figures->shared = 1 - (double)study->memory.own / (double)study->memory.rss;
}

/* ---- weighing ---- */

static void add(struct advice *advice, const int points[CHOICES], const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add(struct advice *advice, const int points[CHOICES], const char *fmt, ...)
{
	struct advice_reason *reason = &advice->reasons[advice->count];
	va_list args;

	if (advice->count == ADVICE_REASONS)
		return;
	advice->count++;
	va_start(args, fmt);
	vsnprintf(reason->text, sizeof reason->text, fmt, args);
	va_end(args);
	for (int i = 0; i < CHOICES; i++) {
		reason->points[i] = points[i];
		advice->points[i] += points[i];
	}
}

static const int no_points[CHOICES];

static void weigh_cpu(struct advice *advice, const struct advice_figures *figures)
{
	if (figures->main_pct >= BUSY_PCT)
		add(advice, (const int[]){ 3, 3, -3 },
			"its main thread uses %.0f %% of a core: it cannot do more alone", figures->main_pct);
	else if (figures->all_pct >= BUSY_PCT)
		add(advice, (const int[]){ 3, 0, -1 },
			"its threads use %.0f %% of a core, beside the main one: it divides its work already",
			figures->all_pct);
	else if (figures->all_pct >= IDLE_PCT)
		add(advice, (const int[]){ 1, 1, 0 }, "all its threads use %.0f %% of a core: it computes at times", figures->all_pct);
	else if (figures->all_pct >= 0)
		add(advice, (const int[]){ -1, -1, 4 }, "all its threads use %.0f %% of a core: it waits", figures->all_pct);
	double loop_pct = figures->utilisation * 100;
	if (loop_pct >= BUSY_PCT)
		add(advice, (const int[]){ 2, 2, -2 }, "its event loop is busy for %.0f %% of the time: what comes has to wait", loop_pct);
	else if (loop_pct >= 0)
		add(advice, (const int[]){ 0, 0, 1 }, "its event loop is busy for %.0f %% of the time: it has room", loop_pct);
}

static void weigh_pool(struct advice *advice, const struct advice_figures *figures)
{
	unsigned long long queued = figures->queued, workers = figures->workers;

	if (figures->queued == UINT64_MAX || figures->workers == UINT64_MAX || !workers || queued <= workers || figures->busy < workers)
		return;
	if (figures->cores > workers)
		add(advice, (const int[]){ 2, 1, -2 },
			"%llu tasks wait for %llu workers that are all busy, and there are %u cores: more workers",
			queued, workers, figures->cores);
	else
		add(advice, no_points,
			"%llu tasks wait for %llu workers that are all busy, but there are %u cores: if they compute, more do not help",
			queued, workers, figures->cores);
}

static void weigh_memory(struct advice *advice, const struct advice_figures *figures)
{
	double shared_pct = figures->shared < 0 ? 0 : figures->shared * 100;
	char rss[UNITS_TEXT_SIZE];

	if (figures->rss == UINT64_MAX || figures->rss < LARGE_RSS)
		return;
	units_format_size(rss, figures->rss);
	if (shared_pct >= 50)
		add(advice, (const int[]){ 0, 1, 0 },
			"of its %s of memory others share %.0f %%: a further process costs the rest alone", rss,
			shared_pct);
	else
		add(advice, (const int[]){ 2, -2, 0 },
			"it has %s of memory and shares %.0f %% of it: a further process may need as much", rss,
			shared_pct);
}

static void weigh_crashes(struct advice *advice, const struct advice_figures *figures)
{
	static const int some[] = { -1, 1, 0 }, many[] = { -3, 4, -1 };

	if (figures->crashes == UINT64_MAX || !figures->crashes)
		return;
	add(advice, figures->crashes >= CRASHES_MANY ? many : some, "it crashed %llu times in %.0f min: alone it takes no other along",
		(unsigned long long)figures->crashes, (double)figures->crash_ms / 60e3);
}

static void choose(struct advice *advice)
{
	for (int i = 1; i < CHOICES; i++)
		if (advice->points[i] > advice->points[advice->choice])
			advice->choice = (enum choice)i;
	advice->is_clear = advice->points[advice->choice] > 0;
	for (int i = 0; i < CHOICES; i++)
		if (i != (int)advice->choice && advice->points[i] == advice->points[advice->choice])
			advice->is_clear = false;
}

void advice_weigh(struct advice *advice, const enum answer *answers, const struct advice_figures *figures)
{
	*advice = (struct advice){ 0 };
	for (size_t i = 0; answers && i < QUESTIONS; i++) {
		const struct weighing *weighing = answers[i] == ANSWER_YES ? &questions[i].yes : &questions[i].no;
		if (answers[i] != ANSWER_UNKNOWN && weighing->why)
			add(advice, weighing->points, "%s", weighing->why);
	}
	if (figures) {
		weigh_cpu(advice, figures);
		weigh_pool(advice, figures);
		weigh_memory(advice, figures);
		weigh_crashes(advice, figures);
	}
	choose(advice);
}
