#include "procfs/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "procfs/exec.h"
#include "procfs/file.h"
#include "procfs/stat.h"

enum {
	CHILDREN_MOST = 4 * 1024 * 1024,    /* bytes of one list of children */
	THREADS_UNKNOWN = 2,                /* more than one, for all that is known */
	ENVIRONMENT_MOST = 8 * 1024 * 1024, /* Linux takes up to 6 MiB */
	QUEUE_MOST = 64 * 1024,
	DEPTH_MOST = 16, /* of processes that end, one below the other */
};

/* Somebody whom a list of children named. */
struct candidate {
	pid_t pid, parent;
};

struct finder {
	const struct tree_search *search;
	struct tree *tree;
	int root;
	struct candidate *queue; /* owned */
	size_t queue_count, queue_room;
	size_t next; /* those from here on are still to be looked at */
	size_t zombies;
	size_t ended;  /* of the orphans, whosever they were: the dead have no environment, and may have left somebody */
	pid_t reading; /* whose children are being read */
	pid_t unended; /* the number at the end of the piece before */
};

bool tree_has(const struct tree *tree, const struct tree_process *process)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->processes[i].pid == process->pid &&
			tree->processes[i].starttime == process->starttime)
			return true;
	return false;
}

void tree_finish(struct tree *tree)
{
	free(tree->processes);
	*tree = (struct tree){ 0 };
}

bool tree_add(struct tree *tree, const struct tree_process *process)
{
	if (tree_has(tree, process))
		return false;
	if (tree->count == TREE_MOST) {
		tree->is_cut = true;
		return false;
	}
	if (tree->count == tree->room) {
		tree->room = tree->room ? tree->room * 2 : 16;
		tree->processes = memory_resize(tree->processes, tree->room, sizeof *tree->processes);
	}
	tree->processes[tree->count++] = *process;
	return true;
}

static void enqueue(struct finder *finder, pid_t pid)
{
	if (finder->queue_count == QUEUE_MOST) {
		finder->tree->is_cut = true;
		return;
	}
	if (finder->queue_count == finder->queue_room) {
		finder->queue_room = finder->queue_room ? finder->queue_room * 2 : 64;
		finder->queue = memory_resize(finder->queue, finder->queue_room, sizeof *finder->queue);
	}
	finder->queue[finder->queue_count++] = (struct candidate){ pid, finder->reading };
}

/* "12 345 6 ": each number ends with a blank, or it was broken off and is none. */
static bool take_children(void *context, const char *bytes, size_t size)
{
	struct finder *finder = context;

	for (size_t i = 0; i < size; i++) {
		int digit = bytes[i] - '0';
		if (bytes[i] == ' ' || bytes[i] == '\n') {
			if (finder->unended)
				enqueue(finder, finder->unended);
			finder->unended = 0;
		} else if (digit < 0 || digit > 9 || finder->unended > (INT_MAX - digit) / 10) {
			return false;
		} else {
			finder->unended = finder->unended * 10 + digit;
		}
	}
	return true;
}

static void list_children_of_thread(void *context, int thread)
{
	struct finder *finder = context;
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, "%d/task/%d/children", (int)finder->reading, thread);
	finder->unended = 0;
	proc_file_scan(finder->root, path, CHILDREN_MOST, take_children, finder);
}

/* The kernel keeps them by the thread that made them. */
static void list_children(struct finder *finder, pid_t pid, uint64_t threads)
{
	char path[PROC_PATH_SIZE];

	finder->reading = pid;
	snprintf(path, sizeof path, "%d/task", (int)pid);
	if (threads == 1)
		list_children_of_thread(finder, pid);
	else
		proc_folder_scan(finder->root, path, list_children_of_thread, finder);
}

/*
 * A candidate may have ended meanwhile, and its pid be a stranger's. Its parent may have ended
 * as well: then it is the keeper's.
 */
static bool read_candidate(struct finder *finder, const struct candidate *candidate,
	struct proc_stat *stat)
{
	return procfs_stat(finder->root, candidate->pid, stat) &&
	       (stat->parent == candidate->parent || stat->parent == finder->search->keeper ||
		       stat->parent == finder->search->reaper);
}

static void admit(struct finder *finder, const struct proc_stat *stat)
{
	if (proc_is_dead(stat->state, stat->threads))
		finder->zombies++;
	else if (tree_add(finder->tree, &(struct tree_process){ stat->pid, stat->starttime }))
		list_children(finder, stat->pid, stat->threads);
}

/* Looks for a whole entry of the environment, which may lie in several pieces. */
struct marker_match {
	int root;
	pid_t pid;
	const char *marker;
	size_t matched; /* characters of it, in the entry that is being read */
	bool differs;   /* that entry is another one */
	bool has_begun; /* something was read */
	bool is_found;
};

static bool take_environment(void *context, const char *bytes, size_t size)
{
	struct marker_match *match = context;

	match->has_begun |= size > 0;
	for (size_t i = 0; i < size && !match->is_found; i++) {
		if (bytes[i] == '\0') {
			match->is_found = !match->differs && !match->marker[match->matched];
			match->matched = 0;
			match->differs = false;
		} else if (!match->differs) {
			match->differs = match->marker[match->matched] != bytes[i];
			match->matched += !match->differs;
		}
	}
	return !match->is_found;
}

/* Of a process whose main thread has ended the kernel shows nothing, but of its other threads all. */
static void read_environment_of_thread(void *context, int thread)
{
	struct marker_match *match = context;
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, "%d/task/%d/environ", (int)match->pid, thread);
	if (!match->has_begun)
		proc_file_scan(match->root, path, ENVIRONMENT_MOST, take_environment, match);
}

static void read_environment(struct marker_match *match)
{
	char path[PROC_PATH_SIZE];
	unsigned glances = 0;
	bool is_there;

	snprintf(path, sizeof path, "%d/environ", (int)match->pid);
	do {
		is_there = proc_file_scan(match->root, path, ENVIRONMENT_MOST, take_environment, match);
	} while (is_there && !match->has_begun && exec_await(match->root, match->pid, &glances));
}

enum mark { MARK_NONE,
	MARK_FOUND,
	MARK_UNREAD /* its environment is empty, or not for us */ };

static enum mark read_mark(struct finder *finder, const struct proc_stat *stat)
{
	struct marker_match match = { .marker = finder->search->marker, .root = finder->root, .pid = stat->pid };
	char threads[PROC_PATH_SIZE];

	if (!match.marker || !*match.marker)
		return MARK_NONE;
	read_environment(&match);
	if (!match.has_begun && stat->threads > 1) {
		snprintf(threads, sizeof threads, "%d/task", (int)stat->pid);
		proc_folder_scan(finder->root, threads, read_environment_of_thread, &match);
	}
	return match.is_found ? MARK_FOUND : match.has_begun ? MARK_NONE
							     : MARK_UNREAD;
}

static bool is_known(const struct tree_search *search, pid_t pid)
{
	for (size_t i = 0; i < search->known_count; i++)
		if (search->known[i] == pid)
			return true;
	return false;
}

static bool is_of_session(const struct tree_search *search, const struct proc_stat *stat)
{
	return search->session > 0 && stat->session == search->session;
}

static void look_at_orphan(struct finder *finder, const struct candidate *candidate, unsigned depth);

/*
 * Whoever is ending has no environment any more, but still its children, and makes no others. If it has ended before they were
 * read they are the keeper's.
 */
static void look_behind(struct finder *finder, const struct proc_stat *stat, unsigned depth)
{
	size_t begin = finder->queue_count, end;
	struct proc_stat now;

	list_children(finder, stat->pid, stat->threads);
	end = finder->queue_count;
	for (size_t i = begin; i < end && depth < DEPTH_MOST; i++) {
		struct candidate candidate = finder->queue[i];
		look_at_orphan(finder, &candidate, depth + 1);
	}
	memmove(finder->queue + begin, finder->queue + end, (finder->queue_count - end) * sizeof *finder->queue);
	finder->queue_count -= end - begin;
	if (depth == DEPTH_MOST || !procfs_stat(finder->root, stat->pid, &now) || proc_is_dead(now.state, now.threads))
		finder->ended++;
}

/* The keeper reaps its dead at once; who has fallen to somebody above it may be dead for long. */
static void look_at_dead(struct finder *finder, const struct proc_stat *stat)
{
	if (stat->parent == finder->search->keeper)
		finder->ended++;
	if (finder->search->takes_all || is_of_session(finder->search, stat))
		admit(finder, stat);
}

static void look_at_orphan(struct finder *finder, const struct candidate *candidate, unsigned depth)
{
	const struct tree_search *search = finder->search;
	struct proc_stat stat;

	if (candidate->pid == search->leader || is_known(search, candidate->pid))
		return;
	if (!read_candidate(finder, candidate, &stat)) {
		finder->ended++;
		return;
	}
	if (proc_is_dead(stat.state, stat.threads)) {
		look_at_dead(finder, &stat);
		return;
	}
	enum mark mark = search->takes_all || is_of_session(search, &stat) ? MARK_FOUND : read_mark(finder, &stat);
	if (mark == MARK_FOUND)
		admit(finder, &stat);
	else if (mark == MARK_UNREAD && (!procfs_stat(finder->root, stat.pid, &stat) || stat.is_exiting))
		look_behind(finder, &stat, depth);
}

static void drain_queue(struct finder *finder)
{
	struct proc_stat stat;

	while (finder->next < finder->queue_count) {
		struct candidate candidate = finder->queue[finder->next++];
		if (read_candidate(finder, &candidate, &stat))
			admit(finder, &stat);
	}
}

static void find_children(struct finder *finder)
{
	const struct tree_search *search = finder->search;
	struct proc_stat stat;

	if (!procfs_stat(finder->root, search->leader, &stat) || stat.session != search->session)
		return;
	if (!search->leader_starttime || stat.starttime == search->leader_starttime)
		list_children(finder, search->leader, stat.threads);
	drain_queue(finder);
}

/* The kernel passes over somebody when others, listed before, end meanwhile: is there a child that was not listed? */
static bool has_missed(struct finder *finder, size_t begin, size_t end, pid_t parent, uint64_t threads)
{
	size_t again = finder->queue_count, at = begin;
	bool has = false;

	list_children(finder, parent, threads);
	for (size_t i = again; i < finder->queue_count && !has; i++) {
		while (at < end && finder->queue[at].pid != finder->queue[i].pid)
			at++;
		has = at == end;
	}
	finder->queue_count = again;
	return has;
}

static void find_orphans(struct finder *finder, pid_t parent, uint64_t threads)
{
	size_t begin = finder->queue_count;

	list_children(finder, parent, threads);
	size_t end = finder->queue_count;
	while (finder->next < end) {
		struct candidate candidate = finder->queue[finder->next++];
		look_at_orphan(finder, &candidate, 0);
	}
	drain_queue(finder);
	if (!finder->tree->count && has_missed(finder, begin, end, parent, threads))
		finder->ended++;
}

/* Orphans last: whoever loses its parent meanwhile goes from there to here. */
void tree_find(struct tree *tree, const struct tree_search *search)
{
	struct finder finder = { .search = search, .tree = tree };
	size_t before = tree->count;

	finder.root = open(search->root ? search->root : PROC_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (finder.root < 0)
		return;
	if (search->leader > 0)
		find_children(&finder);
	if (search->keeper > 0)
		find_orphans(&finder, search->keeper, 1);
	if (search->reaper > 0)
		find_orphans(&finder, search->reaper, THREADS_UNKNOWN);
	tree->only_zombies = finder.zombies > 0 && tree->count == before;
	tree->is_changing = finder.ended > 0;
	free(finder.queue);
	close(finder.root);
}
