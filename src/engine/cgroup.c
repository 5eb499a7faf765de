#include "engine/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "procfs/group.h"

enum { NAME_MOST = 128,
	FOLDER_MODE = 0755 };

static FILE *open_file(const struct cgroup *cgroup, const char *marker, const char *file, int flags, const char *mode)
{
	char path[NAME_MOST];

	snprintf(path, sizeof path, "thrum-%s/%s", marker, file);
	int fd = cgroup->root < 0 ? -1 : openat(cgroup->root, path, flags | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, mode);
}

void cgroup_open(struct cgroup *cgroup)
{
	*cgroup = (struct cgroup){ -1, group_of(getpid()) };
	if (cgroup->path)
		cgroup->root = group_open(cgroup->path);
}

void cgroup_close(struct cgroup *cgroup)
{
	close_if_open(cgroup->root);
	free(cgroup->path);
	*cgroup = (struct cgroup){ -1, NULL };
}

int cgroup_make(const struct cgroup *cgroup, const char *marker)
{
	char path[NAME_MOST];

	if (cgroup->root < 0)
		return 0;
	snprintf(path, sizeof path, "thrum-%s", marker);
	mkdirat(cgroup->root, path, FOLDER_MODE); /* should it fail, there is nothing to open */
	snprintf(path, sizeof path, "thrum-%s/cgroup.procs", marker);
	int fd = openat(cgroup->root, path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? 0 : fd;
}

bool cgroup_kill(const struct cgroup *cgroup, const char *marker)
{
	FILE *file = open_file(cgroup, marker, "cgroup.kill", O_WRONLY, "w");

	return file && fputs("1", file) >= 0 && fclose(file) == 0;
}

void cgroup_visit(const struct cgroup *cgroup, const char *marker, void (*visit)(void *context, pid_t pid),
	void *context)
{
	FILE *file = open_file(cgroup, marker, "cgroup.procs", O_RDONLY, "r");
	int pid;

	while (file && fscanf(file, "%d", &pid) == 1)
		visit(context, pid);
	if (file)
		fclose(file);
}

bool cgroup_is_there(const struct cgroup *cgroup, const char *marker)
{
	char path[NAME_MOST];

	snprintf(path, sizeof path, "thrum-%s", marker);
	return cgroup->root >= 0 && faccessat(cgroup->root, path, F_OK, 0) == 0;
}

void cgroup_remove(const struct cgroup *cgroup, const char *marker)
{
	char path[NAME_MOST];

	snprintf(path, sizeof path, "thrum-%s", marker);
	if (cgroup->root >= 0)
		unlinkat(cgroup->root, path, AT_REMOVEDIR);
}
