/*
 * Where a thread is: the thread under the cursor of the Threads tab is stopped for a moment for that, so it is asked first.
 * What came is shown until it is closed.
 */
#ifndef TUI_STACKS_H
#define TUI_STACKS_H

#include <jansson.h>
#include <stdint.h>

#include "tui/grid.h"

struct ui;

struct stacks {
	char service[64]; /* whose it is, of the question and of what is shown */
	int instance, tid;
	char *text; /* owned: lines; NULL: none came yet */
	int skip;   /* of them, above the first that is seen */
};

/* The key: asks whether it may be. */
void stacks_ask(struct ui *ui);
/* A key of that dialog, and of what is shown. */
void stacks_ask_key(struct ui *ui, uint32_t key);
void stacks_key(struct ui *ui, uint32_t key);
/* The reply; result is NULL when it was refused. */
void stacks_take(struct ui *ui, const json_t *result, const char *why);

/* The key of the Info tab, and its reply: open files and memory, shown in the same way. */
void stacks_ask_holdings(struct ui *ui);
void stacks_take_holdings(struct ui *ui, const json_t *result, const char *why);

void stacks_draw_ask(const struct ui *ui, struct grid *grid);
void stacks_draw(const struct ui *ui, struct grid *grid);
void stacks_forget(struct ui *ui);

#endif
