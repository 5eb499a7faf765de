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
	int32_t (*places)[KEEPER_KINDS]; /* owned; which of our descriptors is held where: number + 1 */
	int program_fd;                  /* what the keeper runs: that very file, whatever has its name now */
};

/* From the environment variable that the keeper set, which is removed. */
bool keeper_link_open(struct keeper_link *link, struct error *err);

/*
 * The descriptor that was held in that place when this engine started, at our own number; -1: none.
 * It is the caller's from now on.
 */
int keeper_link_take(struct keeper_link *link, uint32_t slot, unsigned kind);
/* Close what was held in that slot when this engine started and nobody took: the keeper goes on holding it, with the rest of the slot. */
void keeper_link_leave(struct keeper_link *link, uint32_t slot);
/* As if it had been held there when this engine started; fd is taken over. */
void keeper_link_lend(struct keeper_link *link, uint32_t slot, unsigned kind, int fd);
/* Close what was held there when this engine started, and let the keeper close it too. */
void keeper_link_drop(struct keeper_link *link, uint32_t slot);
/* Close what nobody took, and let the keeper close those slots too. */
void keeper_link_drop_rest(struct keeper_link *link);

/* Hand over count descriptors: kinds[i] says what fds[i] is. False, with errno: the keeper is gone. */
bool keeper_link_put(struct keeper_link *link, uint32_t slot, const unsigned *kinds,
	const int *fds, unsigned count);
bool keeper_link_delete(struct keeper_link *link, uint32_t slot);
/* Our number of what is held in that place; -1: none, or only the keeper has it. */
int keeper_link_held(const struct keeper_link *link, uint32_t slot, unsigned kind);
/* What this program is, by name, even if another file has that name now; free() it. NULL: not to be known. */
char *keeper_link_program(void);
/*
 * A descriptor that was handed over, or taken, is closed here: only the keeper has it now. Its number is not that of the place
 * any more, for the next one that is opened may have it.
 */
void keeper_link_closed(struct keeper_link *link, uint32_t slot, unsigned kind);
/*
 * The keeper has died: execute it in our own place, with all that it held. seen: exits that are dealt
 * with; pids: whom it is to watch. Returns only when that fails.
 */
void keeper_link_promote(struct keeper_link *link, const char *project, uint64_t seen,
	const int32_t *pids, uint32_t pid_count, struct error *err);
/* Exits up to the count are dealt with. */
bool keeper_link_seen(struct keeper_link *link, uint64_t count);
/* Tell how a process ends that is not the keeper's child. parent: whose it is; pidfd: borrowed, -1: it has ended. */
bool keeper_link_watch(struct keeper_link *link, int32_t pid, int32_t parent, int pidfd);
/* No other engine is to be started after this one. */
bool keeper_link_bye(struct keeper_link *link);

#endif
