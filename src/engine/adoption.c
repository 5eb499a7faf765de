#include "engine/adoption.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/diff.h"
#include "engine/engine.h"
#include "engine/environment.h"
#include "engine/leftovers.h"
#include "procfs/pipe.h"
#include "procfs/stat.h"
#include "procfs/tree.h"

/* One process of the former run. */
struct find {
	const struct roster_row *row;
	struct member *member; /* NULL: there is no such instance any more */
	int pidfd;             /* -1: it has ended */
	struct proc_stat stat;
};

struct adoption {
	struct engine *engine;
	struct former former;
	struct tree doomed; /* of whom we are certain, and who cannot be taken over */
	unsigned taken, lost;
};

static uint64_t start_us(const struct proc_stat *stat, uint64_t ticks_more)
{
	return (stat->starttime + ticks_more) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* The process of the row, and not another one that was given its pid since. */
static bool is_it(const struct roster_row *row, const struct proc_stat *stat)
{
	return start_us(stat, 1) >= row->after_us && start_us(stat, 0) <= row->before_us &&
	       !proc_is_dead(stat->state, stat->threads);
}

static struct member *find_member(struct engine *engine, const struct roster_row *row)
{
	struct service *service = project_find(&engine->project, row->service);
	struct instance *instance = service ? service_find(service, row->index) : NULL;

	return instance ? member_of(instance) : NULL;
}

static struct find look_for(struct engine *engine, const struct roster_row *row)
{
	struct find find = { .row = row, .member = find_member(engine, row) };

	find.pidfd = (int)syscall(SYS_pidfd_open, row->pid, 0);
	/* it is opened first: whoever is looked at then is whom it means */
	if (find.pidfd >= 0 && !(proc_stat_read(row->pid, &find.stat) && is_it(row, &find.stat))) {
		close(find.pidfd);
		find.pidfd = -1;
	}
	return find;
}

/* What went with the keeper, and cannot be had again from outside. */
static const char *what_is_missing(const struct service_spec *spec, const struct roster_row *row)
{
	if (spec->pty)
		return "its terminal is gone";
	if (spec->ipc)
		return "its channel is gone";
	if (spec->listen_count)
		return "its sockets were shared with the keeper";
	if (spec->watchdog_ms)
		return "its watchdog cannot be told any more";
	if (!row->is_ready && (spec->ready.message || spec->ready.notifies || spec->ready.fd))
		return "it cannot say any more that it is ready";
	return NULL;
}

/* NULL: it can be taken over. */
static const char *why_not(struct engine *engine, const struct find *find)
{
	char wanted[DIGEST_SIZE];

	if (!find->member)
		return "it is not in the project any more";
	struct service *service = member_service(find->member);
	environment_refresh(engine, service);
	config_fingerprint(wanted, service->spec);
	if (service->spec->disabled)
		return "it is disabled";
	if (strcmp(wanted, find->row->launched_as) != 0)
		return "it was started with another configuration";
	return what_is_missing(service->spec, find->row);
}

/* An adoption that was cut off has left it. */
static int find_life(const struct store *store, uint32_t serial)
{
	for (uint32_t i = 0; i < store->life_top; i++)
		if (store->lives[i].state != LIFE_FREE && store->lives[i].serial == serial)
			return (int)i;
	return -1;
}

static int take_life(struct engine *engine, const struct find *find)
{
	const struct roster_row *row = find->row;
	struct store *store = engine->store;
	int index = find_life(store, row->serial);

	if (index < 0)
		index = store_take_life(store, find->member->seat, row->life);
	if (index >= 0)
		store->lives[index].serial = row->serial;
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
	else if (err >= 0)
		close(err);
}

static uint64_t began_us(const struct roster_row *row)
{
	struct timespec boot;
	uint64_t now_us = clock_monotonic_us();

	clock_gettime(CLOCK_BOOTTIME, &boot);
	uint64_t boot_us = (uint64_t)boot.tv_sec * 1000000 + (uint64_t)boot.tv_nsec / 1000;
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
	if (find->pidfd >= 0)
		take_pipes(engine, find, (uint32_t)index);
	memcpy(engine->store->seats[find->member->seat].launched_as, row->launched_as, DIGEST_SIZE);
	life->began_us = began_us(row);
	life->pid = row->pid;
	atomic_store(&life->state, LIFE_RUNNING);
	keeper_link_watch(&engine->keeper, row->pid, find->stat.parent, find->pidfd);
	engine_adopted(engine, find->member, (uint32_t)index, row);
	return true;
}

static void doom(struct adoption *adoption, const struct find *find, const char *why)
{
	struct tree *tree = &adoption->doomed;

	engine_tell(adoption->engine, "%s/%u, pid %d, of a former run: %s, so it is ended", find->row->service,
		find->row->index, (int)find->row->pid, why);
	tree->processes = memory_resize(tree->processes, tree->count + 1, sizeof *tree->processes);
	tree->processes[tree->count++] = (struct tree_process){ find->row->pid, find->stat.starttime };
}

/* Who has ended meanwhile is taken over too: so its end, of which nobody knows how it was, takes the usual road. */
static void settle(struct adoption *adoption, const struct roster_row *row)
{
	struct find find = look_for(adoption->engine, row);
	const char *why = find.pidfd >= 0 ? why_not(adoption->engine, &find) : NULL;

	if (find.pidfd < 0 && find.member)
		adoption->lost += take(adoption, &find);
	else if (find.pidfd >= 0 && why)
		doom(adoption, &find, why);
	else if (find.pidfd >= 0 && take(adoption, &find))
		adoption->taken++;
	else if (find.pidfd >= 0)
		doom(adoption, &find, "there is no room for it");
	if (find.pidfd >= 0)
		close(find.pidfd);
}

/* The run goes on as the same: its processes carry marks, and theirs must be no others'. */
static void continue_run(struct store *store, const struct former *former)
{
	store->origin_pid = former->origin_pid;
	store->origin_us = former->origin_us;
	for (uint32_t i = 0; i < former->count; i++)
		if (former->rows[i].serial > store->serial)
			atomic_store(&store->serial, former->rows[i].serial);
}

static void tell(const struct adoption *adoption)
{
	if (adoption->taken)
		engine_tell(adoption->engine,
			"%u processes of a former run, whose keeper and engine were killed together, were still there "
			"and have been taken over",
			adoption->taken);
	if (adoption->lost)
		engine_tell(adoption->engine, "%u processes of a former run ended while nobody was there to see it",
			adoption->lost);
}

void adoption_perform(struct engine *engine)
{
	struct adoption adoption = { .engine = engine };

	if (roster_read_former(&engine->roster, &adoption.former))
		continue_run(engine->store, &adoption.former);
	roster_begin(engine);
	for (uint32_t i = 0; i < adoption.former.count; i++)
		settle(&adoption, &adoption.former.rows[i]);
	tell(&adoption);
	leftovers_of_former_run(engine, &adoption.doomed);
	roster_replace(&engine->roster);
	tree_finish(&adoption.doomed);
	former_finish(&adoption.former);
}
