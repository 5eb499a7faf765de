/*
 * What can be taken back of what was done here: a stop by a start of those that were up, a start by a stop, another size
 * by the one before, a drain. Each request that can be is noted before it is sent; those of one key are one.
 */
#ifndef TUI_UNDO_H
#define TUI_UNDO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct ui;

enum { UNDO_MOST = 64,
	UNDO_WORD_SIZE = 96 };

struct undo {
	struct undo_entry {
		uint64_t key;              /* with which it came */
		uint64_t at_us;            /* wall clock */
		char what[UNDO_WORD_SIZE]; /* was done: "stop web/0" */
		const char *method;        /* that takes it back */
		json_t *params;            /* owned */
	} entries[UNDO_MOST];
	unsigned count;
	uint64_t keys; /* pressed so far */
	bool is_under_way;
};

/* A request is about to be sent. */
void undo_note(struct ui *ui, const char *method, const json_t *params);
/* A service was launched. */
void undo_note_launch(struct ui *ui, const char *service);
/* Take the last thing back. */
void undo_do(struct ui *ui);
/* What that would be, while it is news; NULL: nothing. */
const char *undo_offer(const struct ui *ui);
void undo_forget(struct ui *ui);

#endif
