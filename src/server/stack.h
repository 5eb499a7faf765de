/* Stacks of a process, which a program of their own reads: whoever asks waits for that. Loop thread only. */
#ifndef SERVER_STACK_H
#define SERVER_STACK_H

#include <jansson.h>

#include "server/call.h"

/* The request. */
json_t *stack_tell(struct call *call);

/* A session is closed: nobody waits for it any more. */
void stack_left(struct session *session);

#endif
