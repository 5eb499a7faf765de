/*
 * The last ten minutes of every instance, for who asks what it was like then (`past`). What changes is always
 * kept; figures are those that somebody had measured. All together is PAST_BYTES_MOST at the most: with very many
 * instances the span gets shorter. It is not kept beyond the engine's own life. Loop thread only.
 */
#ifndef SERVER_PAST_H
#define SERVER_PAST_H

#include <jansson.h>

#include "engine/engine.h"

enum { PAST_BYTES_MOST = 32 * 1024 * 1024 };

struct past; /* created at the first thing that is kept */
struct call;

void past_take(struct past **past, const struct member *member);
void past_forget(struct past *past, const char *service, unsigned instance);
void past_destroy(struct past *past);

/* What the member leaks, by its past, into what was found inside it. */
void past_trace(const struct past *past, struct member *member);

/* The request. */
json_t *past_tell(struct call *call);

#endif
