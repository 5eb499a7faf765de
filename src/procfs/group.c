#include "procfs/group.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/memory.h"
#include "procfs/file.h"

enum { LINE_MOST = 4096 };

/* Where version 2 is mounted: "36 32 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw" */
char *group_find_mount(FILE *file)
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
char *group_find_own(FILE *file, const char *mount)
{
	char line[LINE_MOST];
	char *found = NULL;

	while (file && !found && fgets(line, sizeof line, file))
		if (strncmp(line, "0::/", 4) == 0)
			found = memory_format("%s%.*s", mount, (int)strcspn(line + 3, "\n"), line + 3);
	return found;
}

char *group_of(int32_t pid)
{
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/cgroup", (int)pid);
	FILE *mounts = fopen(PROC_ROOT "/self/mountinfo", "re"), *groups = fopen(path, "re");
	char *mount = group_find_mount(mounts), *own = mount ? group_find_own(groups, mount) : NULL;
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

int group_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || is_delegated(fd))
		return fd;
	close(fd);
	return -1;
}
