/* What is still there of an instance that ends, and more time for it to end by itself. */
#ifndef SERVER_REMAINS_H
#define SERVER_REMAINS_H

#include "server/call.h"

enum { REMAINS_MOST = 16,           /* processes that are described; the others are counted */
	REMAINS_THREADS_MOST = 128, /* of all of them together that are looked at: it is done in the loop */
	REMAINS_EXTENSION_MOST_MS = 3600 * 1000 };

json_t *remains_tell(struct call *call);
json_t *remains_extend(struct call *call);

#endif
