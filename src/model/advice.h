/*
 * Threads, processes, or neither? From what the operator answers, and from what was measured of a process. Pure:
 * each fact speaks for or against each of the three, with a reason; what speaks most is advised.
 */
#ifndef MODEL_ADVICE_H
#define MODEL_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/inside.h"

enum choice { CHOOSE_THREADS,
	CHOOSE_PROCESSES,
	CHOOSE_NEITHER, /* one thread and its event loop will do */
	CHOICES };
const char *choice_name(enum choice choice);
/* A sentence: what to do then, with thrum. */
const char *choice_describe(enum choice choice);

enum answer { ANSWER_UNKNOWN,
	ANSWER_YES,
	ANSWER_NO };

/* What is asked, in the order in which it is. */
struct question {
	const char *name; /* of the answer: "cpu=yes" */
	const char *text;
	struct weighing {
		int points[CHOICES]; /* for, or below 0 against */
		const char *why;     /* NULL: it says nothing */
	} yes, no;
};
size_t advice_question_count(void);
const struct question *advice_question(size_t index);

/* What was measured; below 0, or UINT64_MAX: not known. */
struct advice_figures {
	double main_pct;    /* processor time of the main thread, of one core */
	double all_pct;     /* of all threads */
	double utilisation; /* of the main event loop, 0 … 1 */
	uint64_t rss;       /* bytes */
	double shared;      /* of them, the part that others have too: 0 … 1 */
	uint64_t crashes;   /* of its service … */
	uint64_t crash_ms;  /* … in so long */
	uint64_t queued;    /* tasks that wait for a worker of its pools */
	uint64_t busy, workers;
	unsigned cores; /* of the machine */
};
void advice_figures_init(struct advice_figures *figures);
void advice_figures_take(struct advice_figures *figures, const struct study *study);

enum { ADVICE_REASONS = 24,
	ADVICE_REASON_SIZE = 240 };

struct advice {
	int points[CHOICES];
	enum choice choice;
	bool is_clear; /* something speaks for it, and for no other as much */
	struct advice_reason {
		char text[ADVICE_REASON_SIZE];
		int points[CHOICES];
	} reasons[ADVICE_REASONS];
	size_t count;
};

/* answers: one for each question, or NULL; figures may be NULL. */
void advice_weigh(struct advice *advice, const enum answer *answers, const struct advice_figures *figures);

#endif
