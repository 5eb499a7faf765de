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

#include "base/fd.h"
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
	close_if_open(fd);
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

struct proc_end proc_end_of(int fd)
{
	struct stat st;
	unsigned place;

	if (ioctl(fd, TIOCGPTN, &place) == 0)
		return (struct proc_end){ .number = place + 1 };
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return (struct proc_end){ st.st_dev, st.st_ino };
	return (struct proc_end){ 0 };
}

struct proc_end proc_end_at(pid_t pid, int number)
{
	char path[PROC_PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof path, PROC_ROOT "/%d/fd/%d", (int)pid, number);
	if (stat(path, &st) < 0)
		return (struct proc_end){ 0 };
	if (S_ISFIFO(st.st_mode))
		return (struct proc_end){ st.st_dev, st.st_ino };
	unsigned above = major(st.st_rdev) - TERMINAL_MAJOR;
	if (S_ISCHR(st.st_mode) && above < TERMINAL_MAJORS)
		return (struct proc_end){ .number = above * 256 + minor(st.st_rdev) + 1 };
	return (struct proc_end){ 0 };
}

bool proc_end_is(const struct proc_end *one, const struct proc_end *other)
{
	return one->number && one->number == other->number && one->device == other->device;
}
