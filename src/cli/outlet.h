/*
 * Standard output of a client that must go on while nobody reads what it prints: a terminal
 * that was stopped with ^S or a pager that waits must not make it deaf to the engine.
 */
#ifndef CLI_OUTLET_H
#define CLI_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct outlet {
	struct text text; /* owned; append to it what is to be printed */
	size_t written;   /* bytes of text that are out */
	size_t portion;   /* bytes that a write takes without waiting, once there is room */
	int code;         /* not 0: why nothing can be printed any more */
};

void outlet_init(struct outlet *outlet);
void outlet_finish(struct outlet *outlet);

/* Is there enough for now? More should not be asked for until it is less. */
bool outlet_is_full(const struct outlet *outlet);

/* Is something left to be written? Then poll() says when there is room for it. */
bool outlet_has_rest(const struct outlet *outlet);

/* Write what can be written without waiting. False, once, when writing has failed: see code. */
bool outlet_write(struct outlet *outlet);

#endif
