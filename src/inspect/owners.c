#include "inspect/owners.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "inspect/path.h"
#include "procfs/file.h"

enum { OWNERS_MOST = 1 << 20 };

struct scan {
	struct owners *owners;
	int32_t pid;
};

static struct owner *add(struct owners *owners)
{
	if (owners->count == owners->room) {
		owners->room = owners->room ? owners->room * 2 : 256;
		owners->rows = memory_resize(owners->rows, owners->room, sizeof *owners->rows);
	}
	return &owners->rows[owners->count++];
}

/* The rights of the link are the end's: r, w or both. */
static void take_direction(struct owner *owner, const char *path)
{
	struct stat link;

	owner->reads = owner->writes = true;
	if (lstat(path, &link) == 0) {
		owner->reads = link.st_mode & S_IRUSR;
		owner->writes = link.st_mode & S_IWUSR;
	}
}

static void take_descriptor(void *context, int number)
{
	struct scan *scan = context;
	char path[INSPECT_PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)scan->pid, number);
	if (scan->owners->count >= OWNERS_MOST || stat(path, &st) < 0 ||
		(!S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode)))
		return;
	struct owner *owner = add(scan->owners);
	*owner = (struct owner){ st.st_ino, scan->pid, number, S_ISFIFO(st.st_mode), true, true };
	if (owner->is_pipe)
		take_direction(owner, path);
}

static void take_process(void *context, int pid)
{
	struct scan scan = { context, pid };
	char path[INSPECT_PATH_SIZE];

	proc_folder_scan(AT_FDCWD, inspect_path(path, pid, "fd"), take_descriptor, &scan);
}

static int compare(const void *a, const void *b)
{
	const struct owner *one = a, *other = b;

	if (one->inode != other->inode)
		return one->inode < other->inode ? -1 : 1;
	return one->pid != other->pid ? (one->pid > other->pid) - (one->pid < other->pid) : one->fd - other->fd;
}

void owners_read(struct owners *owners, int32_t pid)
{
	*owners = (struct owners){ 0 };
	if (pid)
		take_process(owners, pid);
	else
		proc_folder_scan(AT_FDCWD, PROC_ROOT, take_process, owners);
	if (owners->count)
		qsort(owners->rows, owners->count, sizeof *owners->rows, compare);
}

void owners_finish(struct owners *owners)
{
	free(owners->rows);
	*owners = (struct owners){ 0 };
}

const struct owner *owners_find(const struct owners *owners, uint64_t inode, size_t *count)
{
	size_t low = 0, high = owners->count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (owners->rows[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < owners->count && owners->rows[end].inode == inode;)
		end++;
	*count = end - low;
	return end > low ? &owners->rows[low] : NULL;
}
