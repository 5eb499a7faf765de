/* The pipes that other processes have open. */
#ifndef PROCFS_PIPE_H
#define PROCFS_PIPE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A reading end, which does not block, of the pipe that this process has open under a number for reading and
 * writing, as those have that we gave it: what it made itself is open for one of them. inode: of the pipe.
 * -1: it has no such pipe there.
 */
int proc_pipe_open(pid_t pid, int number, ino_t *inode);

/* What it has open under the number: is it the pipe of which fd is an end? */
bool proc_pipe_is(pid_t pid, int number, int fd);
/* … the terminal of which this is the master? */
bool proc_terminal_is(pid_t pid, int number, int master);

#endif
