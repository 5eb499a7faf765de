/*
 * The list of what happened, over the screen: the newest first, searched and filtered by what a line of it says. Who reads
 * further back stays where they are while more comes.
 */
#ifndef TUI_EVENTS_H
#define TUI_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

struct grid;
struct pattern;
struct ui;

struct events_view {
	uint64_t chosen;        /* the number of the event under the cursor; 0: the newest, whichever that is */
	uint64_t seen;          /* those after it have come since it was open last */
	struct pattern *search; /* owned, as the next one; NULL: none */
	struct pattern *filter;
	bool is_inverse;
	char search_text[64], filter_text[64]; /* as they were typed */
	char error[128];                       /* of what is being typed now */
};

void events_open(struct ui *ui);
void events_key(struct ui *ui, uint32_t key);
/* The prompt for one of both has another text. */
void events_type(struct ui *ui);
/* … and is done with. */
void events_find(struct ui *ui);
void events_draw(const struct ui *ui, struct grid *grid);
void events_forget(struct ui *ui);

#endif
