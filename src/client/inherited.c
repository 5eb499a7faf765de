#include "client/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/paths.h"

enum { FIRST = 3 }; /* SD_LISTEN_FDS_START */

/* 0 as well when they were meant for a process above us. */
static long count_given(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	bool is_ours = pid && count && strtol(pid, NULL, 10) == (long)getpid();
	long number = is_ours ? strtol(count, NULL, 10) : 0;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return number;
}

static bool is_listening_stream(int fd)
{
	int type = 0, listens = 0;
	socklen_t size = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

/* Is it bound to the file where clients look for it? */
static bool is_control(int fd, int folder, struct sockaddr_un *address)
{
	socklen_t size = sizeof *address;
	struct stat its, ours;

	*address = (struct sockaddr_un){ 0 };
	return getsockname(fd, (struct sockaddr *)address, &size) == 0 && address->sun_family == AF_UNIX && address->sun_path[0] &&
	       is_listening_stream(fd) && stat(address->sun_path, &its) == 0 &&
	       fstatat(folder, PATHS_SOCKET, &ours, AT_SYMLINK_NOFOLLOW) == 0 && its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

bool inherited_take(int folder, int *fd, struct error *err)
{
	struct sockaddr_un address;
	long count = count_given();
	char wanted[PATH_MAX], link[32];

	*fd = -1;
	if (count <= 0)
		return true;
	if (count == 1 && is_control(FIRST, folder, &address)) {
		*fd = FIRST;
		return true;
	}
	snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
	ssize_t size = readlink(link, wanted, sizeof wanted - 1);
	return error_set(err, EINVAL, "%ld sockets were given (LISTEN_FDS), and not the one that is meant: ListenStream=%.*s/" PATHS_SOCKET,
		count, size > 0 ? (int)size : 0, wanted);
}
