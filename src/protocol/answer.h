/*
 * The answer to a task, as the engine tells it: the notification `result`. What the worker said stands there byte by byte, and
 * is handed on so, for long numbers, digits and halves of pairs would not survive being taken apart and put together again.
 */
#ifndef PROTOCOL_ANSWER_H
#define PROTOCOL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "wire/message.h"

enum { ANSWER_ROOM = 512 }; /* bytes of a line, besides the value */

struct answer {
	uint64_t task, index;
	bool ok;
	struct span value; /* JSON: the result, or the error */
	unsigned attempts;
	uint64_t wait_us, run_us;
};

/* A line of the control socket, with its end. */
void answer_write(struct text *line, const struct answer *answer);

/* What a client needs to know of such a line; the views are into it. */
struct told_answer {
	uint64_t index;
	bool ok;
	struct span map;     /* all that is told, as JSON */
	struct span outcome; /* its members from "ok" on, without the map's end */
};

/* False: the line, which is without its end, is something else. */
bool answer_read(struct told_answer *told, const char *line, size_t size);

#endif
