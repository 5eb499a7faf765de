/* Stacks, as thrum-stack tells them and people read them. */
#ifndef PROTOCOL_STACK_H
#define PROTOCOL_STACK_H

#include <jansson.h>

#include "base/text.h"

enum { STACK_BYTES_MOST = 1000 * 1000 }; /* of the JSON that the helper prints: less than a line of the protocol */

/* Lines, each ended. */
void stack_describe(struct text *out, const json_t *stack);

#endif
