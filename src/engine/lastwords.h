/* The last lines that a process wrote, out of its instance's logs: for the record of its death. */
#ifndef ENGINE_LASTWORDS_H
#define ENGINE_LASTWORDS_H

#include <jansson.h>

#include "engine/member.h"

enum { LASTWORDS_LINES = 50,
	LASTWORDS_MOST = 16 * 1024 }; /* bytes; then the older ones are left out */

/* [{"ts","stream","text"}] of both streams, by time, as they were written: nothing is neutralised. */
json_t *lastwords_of(const struct member *member, int32_t pid);

#endif
