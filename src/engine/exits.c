#include "engine/exits.h"

#include <stdio.h>

#include "base/clock.h"
#include "engine/channel.h"
#include "engine/child.h"
#include "engine/helper.h"
#include "engine/leftovers.h"
#include "engine/output.h"

static int find_life(const struct engine *engine, const struct exit_record *record)
{
	for (uint32_t i = 0; i < engine->store->life_top; i++) {
		const struct life *life = &engine->store->lives[i];
		if ((life->state == LIFE_SPAWNING || life->state == LIFE_RUNNING) &&
			life->pid == record->pid && record->ended_us >= life->began_us)
			return (int)i;
	}
	return -1;
}

static struct death death_of(const struct exit_record *record, const struct life *life,
	const struct service_spec *spec)
{
	bool has_exited = record->code == CLD_EXITED;
	struct death death = {
		.code = has_exited ? (int16_t)record->status : -1,
		.signal = has_exited ? 0 : (int16_t)record->status,
		.core = record->code == CLD_DUMPED,
		.cause = has_exited ? CAUSE_EXIT : record->code == CLD_DUMPED ? CAUSE_CORE
									      : CAUSE_SIGNAL,
		.peak_rss = record->peak_rss,
		.cpu_ms = record->cpu_us / 1000,
	};

	child_describe_failure(life, spec, death.detail, sizeof death.detail);
	if (!record->code) {
		death.signal = 0;
		death.cause = CAUSE_EXIT;
		snprintf(death.detail, sizeof death.detail, "nobody knows how it ended: no keeper was there to see it");
	}
	return death;
}

static void end_member(struct engine *engine, struct member *member, struct life *life,
	const struct exit_record *record)
{
	struct moment now = engine_moment(engine);

	now.monotonic_ms = record->ended_us / 1000;
	now.wall_us = record->wall_us;
	struct death death = death_of(record, life, member_spec(member));
	bool is_crash = member->now.stop_cause == CAUSE_NONE &&
			!policy_is_success(&member_spec(member)->restart, &death);
	if (is_crash)
		now.crowd_ms = crowd_join(&engine->crowd, now.monotonic_ms);
	member->leftovers = leftovers_count(engine, member);
	struct outcome outcome = instance_ended(&member->now, member_spec(member), &death,
		member->leftovers > 0, &now);
	engine_changed(engine, member, &outcome);
}

/* Its last words come before the news of its end. */
static void take_exit(struct engine *engine, uint32_t index, const struct exit_record *record)
{
	struct life *life = &engine->store->lives[index];
	struct member *member = engine->members[life->seat];

	output_drain(engine, index);
	if (member && member->now.pid == life->pid && member->now.life == life->number) {
		member->life = (int32_t)index;
		channel_end(member);
		end_member(engine, member, life, record);
	}
	atomic_store(&life->state, LIFE_EXITED);
	engine_settle_life(engine, index);
}

void exits_lose(struct engine *engine, struct member *member)
{
	const struct exit_record record = { .pid = member->now.pid,
		.ended_us = clock_monotonic_us(),
		.wall_us = clock_wall_us() };

	if (member->now.pid && member->life >= 0)
		take_exit(engine, (uint32_t)member->life, &record);
}

/* One of a tree without its main process may have been the last. */
void exits_check_beheaded(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		struct member *member = engine->members[seat];
		if (!member || !member->now.beheaded)
			continue;
		unsigned before = member->leftovers;
		member->leftovers = leftovers_count(engine, member);
		if (member->leftovers) {
			if (member->leftovers != before)
				engine->listener.on_changed(engine->listener.context, member);
			continue;
		}
		struct moment now = engine_moment(engine);
		struct outcome outcome = instance_gone(&member->now, member_spec(member), &now);
		int32_t life = member->life;
		engine_changed(engine, member, &outcome);
		if (life >= 0)
			engine_settle_life(engine, (uint32_t)life);
	}
}

void exits_take(struct engine *engine)
{
	const struct keeper_page *page = engine->keeper.page;
	uint64_t seen = engine->store->exits_seen, count = atomic_load(&page->exit_count);
	bool is_stranger = false;

	if (seen == count)
		return;
	for (; seen < count; seen++) {
		const struct exit_record *record = &page->exits[seen % KEEPER_EXITS];
		int index = find_life(engine, record);
		if (index >= 0)
			take_exit(engine, (uint32_t)index, record);
		else if (!helper_take_exit(engine, record))
			is_stranger = true;
		atomic_store(&engine->store->exits_seen, seen + 1);
	}
	keeper_link_seen(&engine->keeper, count);
	if (is_stranger)
		exits_check_beheaded(engine);
}
