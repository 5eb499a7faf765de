/* A descriptor that may not be there. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <unistd.h>

static inline void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

#endif
