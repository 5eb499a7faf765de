#include "engine/leftovers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "engine/child.h"
#include "procfs/stat.h"
#include "procfs/survivors.h"
#include "procfs/tree.h"

enum { FORMER_GLANCES = 50 }; /* of 20 ms, until they are killed */
enum { ROUNDS_MOST = 8 };     /* against a tree that forks while it is being looked at or signalled */

void marker_format(char out[MARKER_SIZE], const struct life *life)
{
	snprintf(out, MARKER_SIZE, "%d.%llx.%u", (int)life->origin.pid, (unsigned long long)life->origin.us, life->serial);
}

/* The keeper's children that are the main process of somebody, and the engine: no leftovers. */
static pid_t *list_known(struct engine *engine, size_t *count)
{
	pid_t *pids = memory_resize(NULL, engine->store->life_top + STORE_HELPERS + 1, sizeof *pids);

	*count = 0;
	pids[(*count)++] = engine->keeper.page->engine_pid;
	for (uint32_t i = 0; i < engine->store->life_top; i++) {
		const struct life *life = &engine->store->lives[i];
		if (life->state == LIFE_SPAWNING || life->state == LIFE_RUNNING)
			pids[(*count)++] = life->pid;
	}
	for (uint32_t i = 0; i < STORE_HELPERS; i++)
		if (engine->store->helpers[i].state != LIFE_FREE)
			pids[(*count)++] = engine->store->helpers[i].pid;
	return pids;
}

struct gathering {
	struct tree *tree;
	const struct life *life;
};

/* Those of its group that went away from it so far that nothing else tells of them. */
static void gather(void *context, pid_t pid)
{
	const struct gathering *gathering = context;
	struct tree *tree = gathering->tree;
	struct proc_stat stat;

	if (pid == gathering->life->pid || !proc_stat_read(pid, &stat))
		return;
	if (tree_add(tree, &(struct tree_process){ pid, stat.starttime }))
		tree->only_zombies = false;
}

/* leader: 0 once the main process has ended. */
static void find(struct engine *engine, const struct life *life, pid_t leader, struct tree *tree)
{
	char marker[MARKER_SIZE], variable[MARKER_SIZE + 16];
	size_t known_count;
	pid_t *known = list_known(engine, &known_count);

	marker_format(marker, life);
	snprintf(variable, sizeof variable, "THRUM_LIFE_ID=%s", marker);
	struct tree_search search = {
		.leader = leader,
		.session = life->pid,
		.marker = variable,
		.keeper = engine->keeper.page->keeper_pid,
		.reaper = engine->keeper.page->reaper_pid,
		.known = known,
		.known_count = known_count,
	};
	tree_find(tree, &search);
	free(known);
	cgroup_visit(&engine->cgroup, marker, gather, &(struct gathering){ tree, life });
}

/*
 * Nobody looks again at a tree that was found to be empty: so it is looked at while somebody ends, and may have left somebody. If that
 * never ends there may be one: the next exit is a reason to look again.
 */
unsigned leftovers_count(struct engine *engine, const struct member *member)
{
	unsigned count = 0;
	bool is_sure = member->life < 0;

	for (unsigned i = 0; i < ROUNDS_MOST && !count && !is_sure; i++) {
		struct tree tree = { 0 };
		find(engine, &engine->store->lives[member->life], 0, &tree);
		count = (unsigned)tree.count;
		is_sure = !tree.is_changing;
		tree_finish(&tree);
	}
	return count || is_sure ? count : 1;
}

void leftovers_visit(struct engine *engine, const struct member *member, void (*visit)(void *context, pid_t pid), void *context)
{
	struct tree tree = { 0 };

	if (member->life < 0)
		return;
	if (member->now.pid)
		visit(context, member->now.pid);
	find(engine, &engine->store->lives[member->life], member->now.pid, &tree);
	for (size_t i = 0; i < tree.count; i++)
		visit(context, tree.processes[i].pid);
	tree_finish(&tree);
}

/* Signals those not signalled yet; true when there were any. */
static bool signal_new(const struct tree *tree, const struct tree *before, int signal)
{
	bool is_any = false;

	for (size_t i = 0; i < tree->count; i++) {
		const struct tree_process *process = &tree->processes[i];
		if (tree_has(before, process))
			continue;
		stranger_signal(process->pid, process->starttime, signal);
		is_any = true;
	}
	return is_any;
}

/* Against a tree that forks meanwhile: until nobody new is found. Returns how many there were. */
static unsigned signal_all(struct engine *engine, const struct life *life, pid_t leader, int signal)
{
	struct tree before = { 0 };
	unsigned count = 0;

	for (int round = 0; round < ROUNDS_MOST; round++) {
		struct tree now = { 0 };
		find(engine, life, leader, &now);
		bool is_any = signal_new(&now, &before, signal);
		count = now.count > count ? (unsigned)now.count : count;
		tree_finish(&before);
		before = now;
		if (!is_any)
			break;
	}
	tree_finish(&before);
	return count;
}

void leftovers_signal(struct engine *engine, const struct member *member, int signal)
{
	char marker[MARKER_SIZE];

	if (member->life < 0)
		return;
	marker_format(marker, &engine->store->lives[member->life]);
	if (signal == SIGKILL)
		cgroup_kill(&engine->cgroup, marker);
	signal_all(engine, &engine->store->lives[member->life], member->now.pid, signal);
}

char *leftovers_cgroup(struct engine *engine, const struct member *member)
{
	char marker[MARKER_SIZE];

	if (member->life < 0)
		return NULL;
	marker_format(marker, &engine->store->lives[member->life]);
	return cgroup_is_there(&engine->cgroup, marker) ? memory_format("%s/thrum-%s", engine->cgroup.path, marker)
							: NULL;
}

void leftovers_of_all(struct engine *engine)
{
	size_t known_count;
	pid_t *known = list_known(engine, &known_count); /* a hook of the last stop still runs */
	const struct tree_search search = {
		.keeper = engine->keeper.page->keeper_pid, .takes_all = true, .known = known, .known_count = known_count
	};
	unsigned count = 0;

	for (int round = 0; round < ROUNDS_MOST; round++) {
		struct tree tree = { 0 }, nobody = { 0 };
		tree_find(&tree, &search);
		bool is_any = signal_new(&tree, &nobody, SIGKILL);
		count = tree.count > count ? (unsigned)tree.count : count;
		tree_finish(&tree);
		if (!is_any)
			break;
	}
	free(known);
	if (count)
		engine_tell(engine, "%u processes that had left their trees without a trace were ended", count);
}

unsigned leftovers_of_helper(struct engine *engine, const struct life *helper)
{
	return signal_all(engine, helper, 0, SIGKILL);
}

/* Of a life that was taken over. */
static bool is_ours(void *context, const char *mark)
{
	const struct engine *engine = context;
	char ours[MARKER_SIZE];

	for (uint32_t i = 0; i < engine->store->life_top; i++) {
		const struct life *life = &engine->store->lives[i];
		marker_format(ours, life);
		if (life->state == LIFE_RUNNING && strcmp(mark, ours) == 0)
			return true;
	}
	return false;
}

static void find_former(struct engine *engine, struct tree *tree)
{
	const char *folder = getenv("THRUM_STATE_DIR");
	char *project = memory_format("THRUM_PROJECT=%s", engine->project.spec->name);
	char *state = memory_format("THRUM_STATE_DIR=%s", folder ? folder : "");
	const char *const entries[] = { project, state, NULL };
	const struct survivor_search search = {
		.entries = entries, .mark = "THRUM_LIFE_ID=", .is_known = is_ours, .context = engine
	};

	survivors_find(tree, &search);
	free(project);
	free(state);
}

/* A keeper and engine have these in their environment too when a service started us: they carry no life. */
static bool is_supervised(const struct tree_process *process)
{
	return process->pid != getpid() && process->pid != getppid();
}

/* Those that were found by name, and are none of the others; how many of them are there still. */
static unsigned signal_doomed(const struct tree *doomed, const struct tree *others, int signal)
{
	unsigned count = 0;

	for (size_t i = 0; i < doomed->count; i++)
		if (!tree_has(others, &doomed->processes[i]))
			count += stranger_signal(doomed->processes[i].pid, doomed->processes[i].starttime, signal);
	return count;
}

/* Those that there are; they are none only if that is sure. */
static unsigned signal_former(struct engine *engine, const struct tree *doomed, int signal, bool *is_sure)
{
	struct tree tree = { 0 };
	unsigned count = 0;

	find_former(engine, &tree);
	for (size_t i = 0; i < tree.count; i++)
		if (is_supervised(&tree.processes[i])) {
			stranger_signal(tree.processes[i].pid, tree.processes[i].starttime, signal);
			count++;
		}
	count += signal_doomed(doomed, &tree, signal);
	*is_sure = !tree.is_unsure;
	tree_finish(&tree);
	return count;
}

void leftovers_of_former_run(struct engine *engine, const struct tree *doomed)
{
	static const struct timespec glance = { .tv_nsec = 20 * 1000000 };
	bool is_sure;
	unsigned count = signal_former(engine, doomed, SIGTERM, &is_sure), left = count;

	for (int i = 0; (left || !is_sure) && i < 2 * FORMER_GLANCES; i++) {
		nanosleep(&glance, NULL);
		left = signal_former(engine, doomed, i < FORMER_GLANCES ? 0 : SIGKILL, &is_sure);
		count = left > count ? left : count;
	}
	if (count)
		engine_tell(engine,
			"%u processes of a former run were still there and have been ended",
			count);
}
