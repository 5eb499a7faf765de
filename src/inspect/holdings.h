/* What a process holds: its memory as it is shared with others, and its open files. Dear, so only for who asks. */
#ifndef INSPECT_HOLDINGS_H
#define INSPECT_HOLDINGS_H

#include "model/inside.h"

/* Into the study, of its process. What may not be seen is unknown. */
void holdings_read(struct study *study);

#endif
