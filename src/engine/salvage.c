#include "engine/salvage.h"

#include <unistd.h>

#include "base/memory.h"
#include "engine/engine.h"

static int inherited(const struct engine *engine, uint32_t slot, enum keeper_kind kind)
{
	return slot < engine->keeper.inherited_count ? engine->keeper.inherited[slot][kind] - 1 : -1;
}

static struct proc_end end_of(const struct engine *engine, uint32_t slot, enum keeper_kind kind)
{
	int fd = inherited(engine, slot, kind);

	return fd < 0 ? (struct proc_end){ 0 } : proc_end_of(fd);
}

/* A slot of instances or sockets that has the same number holds nothing of the kind. */
struct salvage *salvage_look(const struct engine *engine)
{
	struct salvage *all = memory_zeroed(STORE_LIVES, sizeof *all);

	for (uint32_t life = 0; life < STORE_LIVES; life++)
		all[life] = (struct salvage){ .out = end_of(engine, STORE_LIFE_SLOT + life, KEEPER_OUT),
			.err = end_of(engine, STORE_LIFE_SLOT + life, KEEPER_ERR),
			.terminal = end_of(engine, STORE_LIFE_SLOT + life, KEEPER_TERMINAL) };
	return all;
}

int salvage_find(const struct salvage *all, pid_t pid)
{
	struct proc_end out = proc_end_at(pid, STDOUT_FILENO), err = proc_end_at(pid, STDERR_FILENO);

	for (int life = 0; life < STORE_LIVES; life++)
		if (proc_end_is(&all[life].out, &out) || proc_end_is(&all[life].err, &err) || proc_end_is(&all[life].terminal, &out))
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
