/*
 * What a program has switched its terminal to: who joins later must be told, and who leaves must
 * find the terminal as it was.
 */
#ifndef CLI_MODES_H
#define CLI_MODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { MODES_PARAMETERS_MOST = 16 };

/* Zeroed is a terminal as it comes. */
struct modes {
	uint32_t changed; /* bit set: of the table in modes.c, those that are not as they come */
	bool has_keypad;  /* its keys send what the program asked for */
	/* of the sequence that is being read */
	int state;
	unsigned parameters[MODES_PARAMETERS_MOST];
	unsigned count;
};

void modes_feed(struct modes *modes, const char *bytes, size_t size);
bool modes_is_full_screen(const struct modes *modes);

/* From a terminal as it comes to one as the program has it, and back; the colours too. */
void modes_enter(const struct modes *modes, struct text *out);
void modes_leave(const struct modes *modes, struct text *out);

/*
 * The last lines of what a program printed, safe to be shown again: colours stay, but nothing that a
 * terminal would answer or obey a second time.
 */
void screenful_append(struct text *out, const char *bytes, size_t size, unsigned lines);

#endif
