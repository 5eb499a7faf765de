#include "procfs/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "procfs/stat.h"

enum { FILE_MOST = 1024 * 1024 };

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

static bool add(struct tree *tree, const struct proc_stat *stat)
{
	struct tree_process process = { stat->pid, stat->starttime };

	if (stat->state == 'Z' || stat->state == 'X' || tree->count == TREE_MOST ||
		tree_has(tree, &process))
		return false;
	if (tree->count == tree->room) {
		tree->room = tree->room ? tree->room * 2 : 16;
		tree->processes =
			memory_resize(tree->processes, tree->room, sizeof *tree->processes);
	}
	tree->processes[tree->count++] = process;
	return true;
}

static bool read_file(const char *path, struct text *text)
{
	struct error err;

	text_clear(text);
	return text_read_file(text, path, &err);
}

/* Calls visit for each child of one thread. */
static void for_children_of_thread(pid_t pid, pid_t thread,
	void (*visit)(void *context, pid_t child), void *context)
{
	char path[64];
	struct text text;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)thread);
	text_init(&text, FILE_MOST);
	if (read_file(path, &text)) {
		char *rest = text.data, *word;
		while (rest && (word = strsep(&rest, " ")))
			if (*word)
				visit(context, (pid_t)strtol(word, NULL, 10));
	}
	text_finish(&text);
}

static void for_children(pid_t pid, void (*visit)(void *context, pid_t child), void *context)
{
	char path[32];
	struct dirent *entry;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *threads = opendir(path);
	if (!threads)
		return;
	while ((entry = readdir(threads)))
		if (entry->d_name[0] != '.')
			for_children_of_thread(pid, (pid_t)strtol(entry->d_name, NULL, 10), visit, context);
	closedir(threads);
}

/* A zombie's place is taken by nobody, but what it leaves behind has fallen to the keeper. */
static void add_descendant(void *context, pid_t pid)
{
	struct tree *tree = context;
	struct proc_stat stat;

	if (proc_stat_read(pid, &stat) && add(tree, &stat))
		for_children(pid, add_descendant, tree);
}

static bool has_marker(pid_t pid, const char *marker)
{
	char path[32];
	struct text text;
	bool has = false;

	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	text_init(&text, FILE_MOST);
	if (read_file(path, &text))
		for (const char *entry = text.data; entry && entry < text.data + text.size && !has;
			entry += strlen(entry) + 1)
			has = strcmp(entry, marker) == 0;
	text_finish(&text);
	return has;
}

struct orphanage {
	struct tree *tree;
	const struct tree_search *search;
};

static bool is_known(const struct tree_search *search, pid_t pid)
{
	for (size_t i = 0; i < search->known_count; i++)
		if (search->known[i] == pid)
			return true;
	return false;
}

static void add_orphan(void *context, pid_t pid)
{
	struct orphanage *orphanage = context;
	const struct tree_search *search = orphanage->search;
	struct proc_stat stat;

	if (pid == search->leader || is_known(search, pid) || !proc_stat_read(pid, &stat))
		return;
	if (stat.session != search->session && !has_marker(pid, search->marker))
		return;
	if (add(orphanage->tree, &stat))
		for_children(pid, add_descendant, orphanage->tree);
}

void tree_find(struct tree *tree, const struct tree_search *search)
{
	struct orphanage orphanage = { tree, search };

	if (search->leader)
		for_children(search->leader, add_descendant, tree);
	for_children_of_thread(search->keeper, search->keeper, add_orphan, &orphanage);
}
