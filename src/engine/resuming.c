#include "engine/resuming.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "config/diff.h"
#include "config/load.h"
#include "config/print.h"
#include "engine/attendant.h"
#include "engine/channel.h"
#include "engine/output.h"
#include "engine/stopping.h"
#include "engine/terminal.h"

enum { SPEC_MOST = 16 * 1024 * 1024 };

bool resuming_keep_spec(struct engine *engine)
{
	unsigned kind = KEEPER_SPEC;
	struct text text;
	int former = keeper_link_held(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_SPEC);
	int fd = memfd_create("thrum-spec", MFD_CLOEXEC);

	if (fd < 0)
		return false;
	text_init(&text, SPEC_MOST);
	config_print(&text, engine->project.spec);
	bool ok = write(fd, text_string(&text), text.size) == (ssize_t)text.size &&
		  keeper_link_put(&engine->keeper, KEEPER_PROJECT_SLOT, &kind, &fd, 1);
	text_finish(&text);
	close_if_open(ok ? former : fd);
	return ok;
}

bool resuming_load_spec(struct engine *engine, struct error *err)
{
	int fd = keeper_link_take(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_SPEC);
	struct text text;
	struct problems problems;

	text_init(&text, SPEC_MOST);
	lseek(fd, 0, SEEK_SET);
	bool ok = text_read_fd(&text, fd, err);
	problems_init(&problems);
	struct project_spec *spec =
		ok ? config_load_text(text_string(&text), text.size, "spec", &problems) : NULL;
	if (ok && !spec)
		error_set(err, 0, "the project's configuration cannot be read back");
	problems_finish(&problems);
	text_finish(&text);
	if (!spec)
		return false;
	if (!spec->digest) {
		spec->digest = memory_zeroed(DIGEST_SIZE, 1);
		config_digest(spec->digest, spec);
	}
	project_init(&engine->project, spec);
	return true;
}

/* A service that the spec does not have, and that has an instance all the same: what is there is stopped. */
static struct service *add_leaving(struct engine *engine, const char *name)
{
	struct service_spec *spec = project_spec_add(engine->project.spec, name);

	spec->command = memory_copy("?");
	strings_add(&spec->argv, spec->command);
	spec->working_dir = memory_copy("/");
	spec->is_leaving = true;
	project_refresh(&engine->project);
	return project_find(&engine->project, name);
}

static void restore_members(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		if (!engine->store->seats[seat].is_taken)
			continue;
		const char *name = store_instance(engine->store, seat)->service;
		struct service *service = project_find(&engine->project, name);
		engine_seat(engine, service ? service : add_leaving(engine, name), seat);
	}
}

static bool fill_services(struct engine *engine, struct error *err)
{
	for (size_t i = 0; i < engine->project.count; i++) {
		struct service *service = &engine->project.services[i];
		for (unsigned k = 0; k < service->spec->instances && !service->spec->is_leaving; k++)
			if (!service_find(service, k) && !engine_add_instance(engine, service, k, err))
				return false;
	}
	return true;
}

/* Both or none: they were handed over together. */
static struct terminal *restore_terminal(struct engine *engine, uint32_t slot)
{
	int master = keeper_link_take(&engine->keeper, slot, KEEPER_TERMINAL);
	int hop = keeper_link_take(&engine->keeper, slot, KEEPER_HOP);

	return master >= 0 ? terminal_open(engine->loop, master, hop) : NULL;
}

static void restore_output(struct engine *engine, uint32_t index)
{
	static const unsigned kinds[] = { KEEPER_OUT, KEEPER_ERR };
	struct life *life = &engine->store->lives[index];
	uint32_t slot = STORE_LIFE_SLOT + index;

	for (enum stream i = 0; i < STREAM_COUNT; i++) {
		int fd = life->closed & 1u << i ? -1 : keeper_link_take(&engine->keeper, slot, kinds[i]);
		if (fd >= 0)
			output_open(engine, index, i, fd, i == STREAM_OUT ? restore_terminal(engine, slot) : NULL);
		else
			atomic_fetch_or(&life->closed, 1u << i);
	}
}

static void restore_channel(struct engine *engine, struct member *member, uint32_t index)
{
	static const unsigned kinds[] = { KEEPER_CHANNEL, KEEPER_INBOX, KEEPER_OUTBOX };
	uint32_t slot = STORE_LIFE_SLOT + index;
	int fds[sizeof kinds / sizeof *kinds];

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		fds[i] = keeper_link_take(&engine->keeper, slot, kinds[i]);
	if (fds[0] >= 0 && fds[1] >= 0) {
		channel_open(member, fds[0], fds[1], fds[2]);
		return;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		close_if_open(fds[i]);
		keeper_link_closed(&engine->keeper, slot, kinds[i]);
	}
}

static void restore_life(struct engine *engine, uint32_t index)
{
	struct life *life = &engine->store->lives[index];
	struct member *member = engine->members[life->seat];
	struct error err;

	if (life->state == LIFE_FREE)
		return;
	if ((life->state == LIFE_SPAWNING && !life->pid) || !member) {
		engine_free_life(engine, life); /* the clone never happened */
		return;
	}
	if (!member_open_logs(member, &err))
		engine_tell(engine, "%s", err.text);
	if (life->number > member->now.life)
		engine_welcome(engine, member, index); /* it did, but nobody was told */
	else if (life->number == member->now.life)
		member->life = (int32_t)index;
	if (life->state == LIFE_SPAWNING)
		atomic_store(&life->state, LIFE_RUNNING);
	if (member->now.pid && member->life == (int32_t)index) {
		restore_channel(engine, member, index);
		attendant_begin(member, keeper_link_take(&engine->keeper, STORE_LIFE_SLOT + index, KEEPER_READY), false);
	}
	restore_output(engine, index);
	keeper_link_leave(&engine->keeper, STORE_LIFE_SLOT + index); /* what has ended while another part of the life goes on */
	engine_settle_life(engine, index);                           /* it was over, and the former engine had no time to say so */
}

/* What was under way when the former engine died. */
static void go_on_with(struct engine *engine, struct member *member)
{
	struct instance *now = &member->now;

	if (now->death_unwritten &&
		journal_has(&engine->journal, now->service, now->index, &now->death)) {
		now->death_unwritten = false;
		store_commit(engine->store, member->seat, now, NULL, 0);
	}
	engine_write_death(engine, member);
	bool is_leaving = member_spec(member)->is_leaving;
	if ((now->index >= member_spec(member)->instances && !now->is_spare) || is_leaving)
		now->removing = true;
	if (now->state == STATE_STARTING)
		engine_queue(engine, &(struct happening){ .deed = DEED_SPAWN, .seat = member->seat });
	if (now->state == STATE_STOPPING)
		stopping_ask(engine, member);
	else if (!now->wanted && state_has_process(now->state)) /* a former run was to stop it */
		engine_queue(engine, &(struct happening){ .seat = member->seat, .event = EVENT_STOP, .cause = CAUSE_MANUAL });
	if (now->removing && !is_leaving && !instance_is_finished(now) && now->wanted)
		engine_queue(engine, &(struct happening){ .seat = member->seat, .event = EVENT_STOP, .cause = CAUSE_MANUAL });
	member_arm(member);
}

bool resuming_seat_all(struct engine *engine, struct error *err)
{
	restore_members(engine);
	return fill_services(engine, err);
}

void resuming_restore_lives(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->store->life_top; i++)
		restore_life(engine, i);
}

void resuming_go_on(struct engine *engine)
{
	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat])
			go_on_with(engine, engine->members[seat]);
}
