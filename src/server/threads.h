/* Thread pools inside processes that link libthrum: how they are, and what is wished of them. */
#ifndef SERVER_THREADS_H
#define SERVER_THREADS_H

#include "server/call.h"

/* Those of the processes of a service, or of an instance; NULL and refused if there is none. */
json_t *threads_describe(struct call *call, const char *name);
/* The same without a word when there is none: an empty list. */
json_t *threads_list(struct call *call, const char *name);

/* `scale` and `drain` with a pool. */
json_t *threads_scale(struct call *call);
json_t *threads_drain(struct call *call);

#endif
