#include "engine/salvage.h"

#include <unistd.h>

#include "engine/engine.h"
#include "procfs/pipe.h"

static int inherited(const struct engine *engine, uint32_t slot, enum keeper_kind kind)
{
	return slot < engine->keeper.inherited_count ? engine->keeper.inherited[slot][kind] - 1 : -1;
}

/* A slot of instances or sockets that has the same number holds nothing of the kind. */
static bool is_of(const struct engine *engine, uint32_t slot, pid_t pid)
{
	int out = inherited(engine, slot, KEEPER_OUT), err = inherited(engine, slot, KEEPER_ERR);
	int master = inherited(engine, slot, KEEPER_TERMINAL);

	return (out >= 0 && proc_pipe_is(pid, STDOUT_FILENO, out)) || (err >= 0 && proc_pipe_is(pid, STDERR_FILENO, err)) ||
	       (master >= 0 && proc_terminal_is(pid, STDOUT_FILENO, master));
}

int salvage_find(const struct engine *engine, pid_t pid)
{
	for (int life = 0; life < STORE_LIVES; life++)
		if (is_of(engine, STORE_LIFE_SLOT + (uint32_t)life, pid))
			return life;
	return SALVAGE_NONE;
}

unsigned salvage_kinds(const struct engine *engine, int life)
{
	unsigned kinds = 0;

	for (enum keeper_kind kind = 0; life >= 0 && kind < KEEPER_KINDS; kind++)
		if (inherited(engine, STORE_LIFE_SLOT + (uint32_t)life, kind) >= 0)
			kinds |= 1u << kind;
	return kinds;
}

void salvage_drop(struct engine *engine, int life)
{
	if (life >= 0)
		keeper_link_drop(&engine->keeper, STORE_LIFE_SLOT + (uint32_t)life);
}

void salvage_drop_rest(struct engine *engine, const bool is_claimed[])
{
	for (uint32_t slot = KEEPER_PROJECT_SLOT + 1; slot < engine->keeper.inherited_count; slot++) {
		bool is_life = slot >= STORE_LIFE_SLOT && slot < STORE_LIFE_SLOT + STORE_LIVES;
		if (!is_life || !is_claimed[slot - STORE_LIFE_SLOT])
			keeper_link_drop(&engine->keeper, slot);
	}
}
