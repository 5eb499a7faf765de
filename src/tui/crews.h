/*
 * The threads of the instances that are seen, for rows of the table below them. They are asked for only while
 * they are wanted, and only of whom the screen shows.
 */
#ifndef TUI_CREWS_H
#define TUI_CREWS_H

#include <jansson.h>
#include <stdint.h>

#include "model/inside.h"

struct row;
struct ui;

enum { CREWS_MOST = 48,
	CREW_ROWS_MOST = 24 /* of one instance; the Threads tab has all */ };

struct crew {
	char service[64];
	unsigned instance;
	int32_t pid;
	unsigned number;               /* of the requests for it */
	struct thread_report *threads; /* owned; by their numbers */
	size_t count;
	uint64_t asked_us;
	bool is_waiting;
};

struct crews {
	struct crew all[CREWS_MOST];
	unsigned count, numbered;
};

/* Ask what is due, of those that are seen at such a height of the table, and forget the others. Called for every frame. */
void crews_follow(struct ui *ui, int height);
void crews_take(struct ui *ui, unsigned number, const json_t *result);
void crews_forget(struct ui *ui);
/* NULL: nothing is known of its threads, or nobody wants to. */
const struct crew *crews_find(const struct ui *ui, const struct row *row);

#endif
