#include "engine/cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/memory.h"

enum { NAME_MOST = 128,
	LINE_MOST = 4096,
	FOLDER_MODE = 0755 };

static FILE *open_file(const struct cgroup *cgroup, const char *marker, const char *file, int flags, const char *mode)
{
	char path[NAME_MOST];

	snprintf(path, sizeof path, "thrum-%s/%s", marker, file);
	int fd = cgroup->root < 0 ? -1 : openat(cgroup->root, path, flags | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, mode);
}

/* Where version 2 is mounted: "36 32 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw" */
char *cgroup_find_mount(FILE *file)
{
	char line[LINE_MOST], root[LINE_MOST], mount[LINE_MOST];
	char *found = NULL;

	while (file && !found && fgets(line, sizeof line, file))
		if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %4095s %4095s", root, mount) == 2 &&
			strcmp(root, "/") == 0 && mount[0] == '/')
			found = memory_copy(mount);
	return found;
}

/* "0::/user.slice/…" */
char *cgroup_find_own(FILE *file, const char *mount)
{
	char line[LINE_MOST];
	char *found = NULL;

	while (file && !found && fgets(line, sizeof line, file))
		if (strncmp(line, "0::/", 4) == 0)
			found = memory_format("%s%.*s", mount, (int)strcspn(line + 3, "\n"), line + 3);
	return found;
}

/* The folder of the group that we are in. */
static char *find_folder(void)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re"), *groups = fopen("/proc/self/cgroup", "re");
	char *mount = cgroup_find_mount(mounts), *own = mount ? cgroup_find_own(groups, mount) : NULL;

	if (mounts)
		fclose(mounts);
	if (groups)
		fclose(groups);
	free(mount);
	return own;
}

/* Root may write everywhere: it is systemd's, unless that has said that it is ours. */
static bool is_said_to_be_ours(int root)
{
	char value = '0';

	return fgetxattr(root, "user.delegate", &value, 1) == 1 && value == '1';
}

/* cgroup.kill: Linux 5.14 */
static bool is_delegated(int root)
{
	return faccessat(root, "cgroup.kill", F_OK, 0) == 0 && faccessat(root, ".", W_OK, AT_EACCESS) == 0 &&
	       faccessat(root, "cgroup.procs", W_OK, AT_EACCESS) == 0 && (geteuid() != 0 || is_said_to_be_ours(root));
}

void cgroup_open(struct cgroup *cgroup)
{
	*cgroup = (struct cgroup){ -1, find_folder() };
	if (cgroup->path)
		cgroup->root = open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->root >= 0 && !is_delegated(cgroup->root)) {
		close(cgroup->root);
		cgroup->root = -1;
	}
}

void cgroup_close(struct cgroup *cgroup)
{
	if (cgroup->root >= 0)
		close(cgroup->root);
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
