/* The pipes that other processes have open. */
#ifndef PROCFS_PIPE_H
#define PROCFS_PIPE_H

#include <sys/types.h>

/*
 * A reading end, which does not block, of the pipe that this process has open under a number for reading and
 * writing, as those have that we gave it: what it made itself is open for one of them. inode: of the pipe.
 * -1: it has no such pipe there.
 */
int proc_pipe_open(pid_t pid, int number, ino_t *inode);

#endif
