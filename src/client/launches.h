/*
 * What was launched by hand, from whichever project: a line of JSON each in a file of the state folder, so that it can be
 * launched again.
 */
#ifndef CLIENT_LAUNCHES_H
#define CLIENT_LAUNCHES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The newest last; lines that are no objects are left out. */
json_t *launches_read(size_t most);

/* One more, in place of an equal one; of all, the newest `most` are kept. Written whole, or not at all. */
bool launches_add(const json_t *launch, size_t most, struct error *err);

#endif
