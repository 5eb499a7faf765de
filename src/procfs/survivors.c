#include "procfs/survivors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "procfs/file.h"
#include "procfs/stat.h"

enum { ENVIRONMENT_MOST = 256 * 1024 };

struct search {
	int root;
	struct tree *tree;
	const char *const *entries;
	const char *without;
	char *environment; /* owned */
};

static bool has_entry(const char *environment, size_t size, const char *entry, bool is_prefix)
{
	size_t length = strlen(entry) + !is_prefix;

	for (const char *at = environment; at < environment + size; at += strlen(at) + 1)
		if ((size_t)(environment + size - at) >= length && memcmp(at, entry, length) == 0)
			return true;
	return false;
}

/* Is it there at all, with whatever value? */
static bool has_variable(const char *environment, size_t size, const char *entry)
{
	char *name = memory_copy_n(entry, strcspn(entry, "=") + 1);
	bool is_there = has_entry(environment, size, name, true);

	free(name);
	return is_there;
}

static void add(struct tree *tree, const struct proc_stat *stat)
{
	if (tree->count == TREE_MOST) {
		tree->is_cut = true;
		return;
	}
	if (tree->count == tree->room) {
		tree->room = tree->room ? tree->room * 2 : 16;
		tree->processes = memory_resize(tree->processes, tree->room, sizeof *tree->processes);
	}
	tree->processes[tree->count++] = (struct tree_process){ stat->pid, stat->starttime };
}

static void consider(void *context, int pid)
{
	struct search *search = context;
	char path[PROC_PATH_SIZE];
	struct proc_stat stat;

	snprintf(path, sizeof path, "%d/environ", pid);
	ssize_t size = proc_file_read(search->root, path, search->environment, ENVIRONMENT_MOST);
	if (size <= 0 || has_entry(search->environment, (size_t)size, search->without, true) ||
		!has_variable(search->environment, (size_t)size, search->without))
		return;
	for (const char *const *entry = search->entries; *entry; entry++)
		if (!has_entry(search->environment, (size_t)size, *entry, false))
			return;
	if (procfs_stat(search->root, pid, &stat) && !proc_is_dead(stat.state, stat.threads))
		add(search->tree, &stat);
}

void survivors_find(struct tree *tree, const char *const *entries, const char *without)
{
	struct search search = { .root = open(PROC_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.tree = tree,
		.entries = entries,
		.without = without };

	if (search.root < 0)
		return;
	search.environment = memory_zeroed(1, ENVIRONMENT_MOST);
	proc_folder_scan(search.root, ".", consider, &search);
	free(search.environment);
	close(search.root);
}
