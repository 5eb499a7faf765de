/* What a process holds, as people read it. */
#ifndef PROTOCOL_HOLDINGS_H
#define PROTOCOL_HOLDINGS_H

#include "base/text.h"
#include "model/inside.h"

/* Lines, each ended and safe to show. */
void holdings_describe(struct text *out, const struct study *study);

#endif
