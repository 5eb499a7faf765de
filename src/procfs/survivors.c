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

struct finder {
	const struct survivor_search *search;
	int root;
	struct tree *tree;
	char *environment; /* owned; ends with NUL */
};

/* What stands behind the beginning of an entry; NULL: there is none. */
static const char *find_entry(const char *environment, size_t size, const char *beginning)
{
	size_t length = strlen(beginning);

	for (const char *at = environment; at < environment + size; at += strlen(at) + 1)
		if (strncmp(at, beginning, length) == 0)
			return at + length;
	return NULL;
}

static bool has_all(const struct finder *finder, size_t size)
{
	for (const char *const *entry = finder->search->entries; *entry; entry++) {
		const char *rest = find_entry(finder->environment, size, *entry);
		if (!rest || *rest)
			return false;
	}
	return true;
}

static void consider(void *context, int pid)
{
	struct finder *finder = context;
	const struct survivor_search *search = finder->search;
	char path[PROC_PATH_SIZE];
	struct proc_stat stat;

	snprintf(path, sizeof path, "%d/environ", pid);
	ssize_t size = proc_file_read(finder->root, path, finder->environment, ENVIRONMENT_MOST);
	if (size == 0 && procfs_stat(finder->root, pid, &stat) && stat.is_execing)
		finder->tree->is_unsure = true;
	const char *mark = size > 0 ? find_entry(finder->environment, (size_t)size, search->mark) : NULL;
	if (!mark || search->is_known(search->context, mark) || !has_all(finder, (size_t)size))
		return;
	if (procfs_stat(finder->root, pid, &stat) && !proc_is_dead(stat.state, stat.threads))
		tree_add(finder->tree, &(struct tree_process){ pid, stat.starttime });
}

void survivors_find(struct tree *tree, const struct survivor_search *search)
{
	struct finder finder = { .search = search,
		.root = open(PROC_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.tree = tree };

	if (finder.root < 0)
		return;
	finder.environment = memory_zeroed(1, ENVIRONMENT_MOST);
	proc_folder_scan(finder.root, ".", consider, &finder);
	free(finder.environment);
	close(finder.root);
}
