#include "procfs/pipe.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "procfs/file.h"

enum { INFO_MOST = 1024,
	TERMINAL_MAJOR = 136,  /* the first … */
	TERMINAL_MAJORS = 8 }; /* … of so many; Linux uses the first alone, with larger minors */

static bool is_open_both_ways(int root, pid_t pid, int number)
{
	char path[PROC_PATH_SIZE], info[INFO_MOST];

	snprintf(path, sizeof path, "%d/fdinfo/%d", (int)pid, number);
	if (proc_file_read(root, path, info, sizeof info) <= 0)
		return false;
	const char *flags = strstr(info, "flags:");
	return flags && (strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE) == O_RDWR;
}

static int open_pipe(int root, pid_t pid, int number, ino_t *inode)
{
	char path[PROC_PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof path, "%d/fd/%d", (int)pid, number);
	/* looked at before: to open a terminal or a device may have effects */
	if (fstatat(root, path, &st, 0) < 0 || !S_ISFIFO(st.st_mode) || !is_open_both_ways(root, pid, number))
		return -1;
	int fd = openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
		*inode = st.st_ino;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

int proc_pipe_open(pid_t pid, int number, ino_t *inode)
{
	int root = open(PROC_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -1;
	int fd = open_pipe(root, pid, number, inode);
	close(root);
	return fd;
}

static bool look_at(pid_t pid, int number, struct stat *st)
{
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/fd/%d", (int)pid, number);
	return stat(path, st) == 0;
}

bool proc_pipe_is(pid_t pid, int number, int fd)
{
	struct stat theirs, ours;

	return fstat(fd, &ours) == 0 && S_ISFIFO(ours.st_mode) && look_at(pid, number, &theirs) &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

bool proc_terminal_is(pid_t pid, int number, int master)
{
	struct stat theirs;
	unsigned place;

	return ioctl(master, TIOCGPTN, &place) == 0 && look_at(pid, number, &theirs) && S_ISCHR(theirs.st_mode) &&
	       major(theirs.st_rdev) >= TERMINAL_MAJOR && major(theirs.st_rdev) < TERMINAL_MAJOR + TERMINAL_MAJORS &&
	       (major(theirs.st_rdev) - TERMINAL_MAJOR) * 256 + minor(theirs.st_rdev) == place;
}
