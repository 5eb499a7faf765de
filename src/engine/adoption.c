#include "engine/adoption.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "config/diff.h"
#include "engine/engine.h"
#include "engine/environment.h"
#include "engine/leftovers.h"
#include "engine/salvage.h"
#include "procfs/pipe.h"
#include "procfs/stat.h"
#include "procfs/tree.h"

enum { GLANCES_AT_PARENT = 1000 }; /* of a millisecond */

/* One process of the former run. */
struct find {
	const struct roster_row *row;
	struct member *member; /* NULL: there is no such instance any more */
	int pidfd;             /* -1: it has ended */
	bool is_doomed;
	int held; /* the life whose slot the keeper still holds for it; SALVAGE_NONE: there is none */
	struct proc_stat stat;
};

struct adoption {
	struct engine *engine;
	struct former former;
	struct find *finds; /* owned; of each row */
	bool is_claimed[STORE_LIVES];
	struct tree doomed; /* of whom we are certain, and who cannot be taken over */
	unsigned taken, lost;
};

static struct member *find_member(struct engine *engine, const struct roster_row *row)
{
	struct service *service = project_find(&engine->project, row->service);
	struct instance *instance = service ? service_find(service, row->index) : NULL;

	return instance ? member_of(instance) : NULL;
}

static struct find look_for(struct engine *engine, const struct salvage *held, const struct roster_row *row)
{
	struct find find = { .row = row, .member = find_member(engine, row), .pidfd = -1, .held = SALVAGE_NONE };

	if (!row->pid)
		return find;
	find.pidfd = (int)syscall(SYS_pidfd_open, row->pid, 0);
	/* it is opened first: whoever is looked at then is whom it means */
	if (find.pidfd >= 0 && !(proc_stat_read(row->pid, &find.stat) && roster_is(row, &find.stat))) {
		close(find.pidfd);
		find.pidfd = -1;
	}
	if (find.pidfd >= 0)
		find.held = salvage_find(held, row->pid);
	return find;
}

/* A keeper that was killed just now has closed its files, the lock among them, before it gives its children away. */
static void await_reaper(const struct adoption *adoption, struct find *find)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	pid_t former = adoption->former.keeper_pid;
	bool is_dead = former != adoption->engine->keeper.page->keeper_pid;

	for (int i = 0; is_dead && i < GLANCES_AT_PARENT && find->stat.parent == former; i++) {
		nanosleep(&pause, NULL);
		proc_stat_read(find->row->pid, &find->stat);
	}
}

const char *adoption_missing(const struct service_spec *spec, bool is_ready, unsigned kinds)
{
	bool is_new_keeper = !kinds;
	bool cannot_say = spec->ready.fd ? !(kinds & 1u << KEEPER_READY)
					 : (spec->ready.message || spec->ready.notifies) && is_new_keeper;

	if (spec->pty && !(kinds & 1u << KEEPER_TERMINAL))
		return "its terminal is gone";
	if (spec->ipc && !(kinds & 1u << KEEPER_CHANNEL))
		return "its channel is gone";
	if (spec->listen_count || spec->exec_mode == EXEC_CLUSTER)
		return "its sockets were shared with the keeper";
	if (spec->watchdog_ms && is_new_keeper)
		return "its watchdog cannot be told any more";
	if (!is_ready && cannot_say)
		return "it cannot say any more that it is ready";
	return NULL;
}

/* What it was started with is what it would be started with now. */
static bool is_of_this_configuration(struct engine *engine, const struct find *find)
{
	struct service *service = member_service(find->member);
	char wanted[DIGEST_SIZE];

	if (engine->store->cold || !find->row->life)
		return true; /* the project runs on, and what was changed in it since is shown as ever; or it never was started */
	environment_refresh(engine, service);
	config_fingerprint(wanted, service->spec);
	return strcmp(wanted, find->row->launched_as) == 0;
}

/* NULL: it can be taken over. */
static const char *why_not(struct engine *engine, const struct find *find)
{
	if (!find->member)
		return "it is not in the project any more";
	if (member_spec(find->member)->disabled)
		return "it is disabled";
	if (!is_of_this_configuration(engine, find))
		return "it was started with another configuration";
	return adoption_missing(member_spec(find->member), find->row->state == STATE_READY, salvage_kinds(engine, find->held));
}

/* An adoption that was cut off has left it. */
static int find_life(const struct store *store, const struct roster_row *row)
{
	for (uint32_t i = 0; i < store->life_top; i++) {
		const struct life *life = &store->lives[i];
		if (life->state != LIFE_FREE && life->serial == row->serial && life->origin.pid == row->origin.pid &&
			life->origin.us == row->origin.us)
			return (int)i;
	}
	return -1;
}

static int take_life(struct engine *engine, const struct find *find)
{
	const struct roster_row *row = find->row;
	struct store *store = engine->store;
	int index = find_life(store, row);

	if (index < 0 && find->held >= 0)
		index = store_take_life_at(store, (uint32_t)find->held, find->member->seat, row->life);
	else if (index < 0)
		index = store_take_life(store, find->member->seat, row->life);
	if (index < 0)
		return -1;
	/* as the marks say that its processes carry */
	store->lives[index].serial = row->serial;
	store->lives[index].origin = row->origin;
	return index;
}

static void keep_pipe(struct engine *engine, uint32_t index, unsigned kind, int fd)
{
	uint32_t slot = STORE_LIFE_SLOT + index;

	keeper_link_put(&engine->keeper, slot, &kind, &fd, 1);
	keeper_link_lend(&engine->keeper, slot, kind, fd);
}

/* The main process may have handed its output to others of its tree, and write to them. */
static int open_pipe_of_tree(const struct tree *tree, pid_t leader, int number, ino_t *inode)
{
	int fd = proc_pipe_open(leader, number, inode);

	for (size_t i = 0; fd < 0 && i < tree->count; i++)
		fd = proc_pipe_open(tree->processes[i].pid, number, inode);
	return fd;
}

/* Standard error may have been made the same as standard output: then there is one pipe. */
static void take_pipes(struct engine *engine, const struct find *find, uint32_t index)
{
	ino_t out_inode = 0, err_inode = 0;
	struct tree tree = { 0 };
	struct tree_search search = { .leader = find->row->pid, .session = find->row->pid };

	tree_find(&tree, &search);
	int out = open_pipe_of_tree(&tree, find->row->pid, STDOUT_FILENO, &out_inode);
	int err = open_pipe_of_tree(&tree, find->row->pid, STDERR_FILENO, &err_inode);
	tree_finish(&tree);
	if (out >= 0)
		keep_pipe(engine, index, KEEPER_OUT, out);
	if (err >= 0 && err_inode != out_inode)
		keep_pipe(engine, index, KEEPER_ERR, err);
	else
		close_if_open(err);
}

static uint64_t began_us(const struct roster_row *row)
{
	uint64_t now_us = clock_monotonic_us(), boot_us = clock_boot_us();
	uint64_t age_us = boot_us > row->after_us ? boot_us - row->after_us : 0;

	return now_us > age_us ? now_us - age_us : 0;
}

/*
 * All is made as it is when an engine dies whose process has just been started, in the same order: what the engine
 * does at its start does the rest.
 */
static bool take(struct adoption *adoption, const struct find *find)
{
	struct engine *engine = adoption->engine;
	const struct roster_row *row = find->row;
	int index = take_life(engine, find);

	if (index < 0)
		return false;
	struct life *life = &engine->store->lives[index];
	if (find->pidfd >= 0 && find->held < 0)
		take_pipes(engine, find, (uint32_t)index);
	life->began_us = began_us(row);
	life->began_boot_us = row->after_us;
	life->there_boot_us = row->before_us;
	life->pid = row->pid;
	atomic_store(&life->state, LIFE_RUNNING);
	if (find->stat.parent != engine->keeper.page->keeper_pid) /* who is its own child it knows */
		keeper_link_watch(&engine->keeper, row->pid, find->stat.parent, find->pidfd);
	engine_adopted(engine, find->member, (uint32_t)index, row, find->pidfd < 0);
	return true;
}

/* With whom it has started: they may have no mark. */
static void doom(struct adoption *adoption, struct find *find, const char *why)
{
	struct tree *tree = &adoption->doomed;
	struct tree_search search = { .leader = find->row->pid, .session = find->row->pid };

	engine_tell(adoption->engine, "%s/%u, pid %d, of a former run: %s, so it is ended", find->row->service,
		find->row->index, (int)find->row->pid, why);
	find->is_doomed = true;
	tree_find(tree, &search);
	tree_add(tree, &(struct tree_process){ find->row->pid, find->stat.starttime });
}

static void settle(struct adoption *adoption, struct find *find)
{
	await_reaper(adoption, find);
	const char *why = why_not(adoption->engine, find);

	if (!why && take(adoption, find)) {
		adoption->taken++;
		return;
	}
	doom(adoption, find, why ? why : "there is no room for it");
	salvage_drop(adoption->engine, find->held);
}

static void look_for_all(struct adoption *adoption)
{
	uint32_t count = adoption->former.count;
	struct salvage *held = salvage_look(adoption->engine);

	adoption->finds = memory_zeroed(count + 1, sizeof *adoption->finds);
	for (uint32_t i = 0; i < count; i++) {
		struct find *find = &adoption->finds[i];
		*find = look_for(adoption->engine, held, &adoption->former.rows[i]);
		if (find->held >= 0)
			adoption->is_claimed[find->held] = true;
	}
	free(held);
	salvage_drop_rest(adoption->engine, adoption->is_claimed);
}

/* Those with a slot of their own first: it must be free. */
static void settle_living(struct adoption *adoption)
{
	for (int is_second = 0; is_second <= 1; is_second++)
		for (uint32_t i = 0; i < adoption->former.count; i++) {
			struct find *find = &adoption->finds[i];
			if (find->pidfd >= 0 && (find->held < 0) == is_second)
				settle(adoption, find);
		}
}

/*
 * Who has ended meanwhile is taken over too: so its end, of which nobody may know how it was, takes the usual road. What
 * it left behind has been ended before: nobody would find that by its parent.
 */
static void settle_others(struct adoption *adoption)
{
	struct engine *engine = adoption->engine;

	for (uint32_t i = 0; i < adoption->former.count; i++) {
		const struct find *find = &adoption->finds[i];
		const struct instance *now = find->member ? &find->member->now : NULL;
		if (!now || now->pid || now->life > find->row->life)
			continue; /* it is settled */
		if (find->is_doomed)
			engine_recalled(engine, find->member, find->row);
		else if (find->row->pid)
			adoption->lost += take(adoption, find);
		else if (is_of_this_configuration(engine, find))
			engine_recalled(engine, find->member, find->row);
	}
}

static void tell(const struct adoption *adoption)
{
	static const char *const reasons[COLD_COUNT] = {
		[COLD_ABI] = "another thrum wrote the state of the engine",
		[COLD_NONSENSE] = "the state of the engine made no sense",
		[COLD_FAULTS] = "one engine after another ended by a fault of its own",
	};
	enum cold cold = adoption->engine->store->cold;

	if (cold)
		engine_tell(adoption->engine, "%s: it begins anew; processes and logs go on", reasons[cold]);
	if (adoption->taken)
		engine_tell(adoption->engine, "%u processes of a former run%s were still there and have been taken over",
			adoption->taken, cold ? "" : ", whose keeper and engine were killed together,");
	if (adoption->lost)
		engine_tell(adoption->engine, "%u processes of a former run ended while nobody was there to see it",
			adoption->lost);
}

static void finish(struct adoption *adoption)
{
	for (uint32_t i = 0; i < adoption->former.count; i++)
		close_if_open(adoption->finds[i].pidfd);
	free(adoption->finds);
	tree_finish(&adoption->doomed);
	former_finish(&adoption->former);
}

void adoption_perform(struct engine *engine)
{
	struct adoption adoption = { .engine = engine };

	roster_read_former(&engine->roster, &adoption.former);
	roster_begin(engine);
	look_for_all(&adoption);
	settle_living(&adoption);
	leftovers_of_former_run(engine, &adoption.doomed);
	settle_others(&adoption);
	tell(&adoption);
	roster_replace(&engine->roster);
	finish(&adoption);
}
