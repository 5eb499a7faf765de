/* The engine's end of its keeper: the page it reads, the messages it sends. Loop thread only. */
#ifndef ENGINE_KEEPER_LINK_H
#define ENGINE_KEEPER_LINK_H

#include <stdbool.h>

#include "base/error.h"
#include "keeper/protocol.h"

struct keeper_link {
	const struct keeper_page *page;
	int control_fd;                     /* hangs up when the keeper dies */
	int32_t (*inherited)[KEEPER_KINDS]; /* owned; what was held at our start: number + 1 */
	uint32_t inherited_count;
};

/* From the environment variable that the keeper set, which is removed. */
bool keeper_link_open(struct keeper_link *link, struct error *err);

/*
 * The descriptor that was held in that place when this engine started, at our own number; -1: none.
 * It is the caller's from now on.
 */
int keeper_link_take(struct keeper_link *link, uint32_t slot, unsigned kind);
/* Close what nobody took, and let the keeper close those slots too. */
void keeper_link_drop_rest(struct keeper_link *link);

/* Hand over count descriptors: kinds[i] says what fds[i] is. False, with errno: the keeper is gone. */
bool keeper_link_put(struct keeper_link *link, uint32_t slot, const unsigned *kinds,
	const int *fds, unsigned count);
bool keeper_link_delete(struct keeper_link *link, uint32_t slot);
/* Exits up to the count are dealt with. */
bool keeper_link_seen(struct keeper_link *link, uint64_t count);
/* No other engine is to be started after this one. */
bool keeper_link_bye(struct keeper_link *link);

#endif
