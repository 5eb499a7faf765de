/*
 * What the keeper holds of processes of which the store knows nothing: another thrum wrote that, or nobody can
 * make sense of it. Whose a slot is, the processes themselves say: they have the other ends. Loop thread only,
 * before anything is restored.
 */
#ifndef ENGINE_SALVAGE_H
#define ENGINE_SALVAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "keeper/protocol.h"
#include "procfs/pipe.h"

struct engine;

enum { SALVAGE_NONE = -1 };

/* What the keeper holds in the slot of a life. */
struct salvage {
	struct proc_end out, err, terminal;
};

/* Of all lives; free(). */
struct salvage *salvage_look(const struct engine *engine);
/* The life whose slot holds what this process writes to; SALVAGE_NONE: there is none. */
int salvage_find(const struct salvage *all, pid_t pid);
/* What there is in the slot of that life: bit set of enum keeper_kind. */
unsigned salvage_kinds(const struct engine *engine, int life);
/* Let go of all slots but the project's own and those of these lives. */
void salvage_drop_rest(struct engine *engine, const bool is_claimed[]);
void salvage_drop(struct engine *engine, int life);

#endif
