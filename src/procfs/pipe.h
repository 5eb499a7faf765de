/* The pipes and terminals that other processes have open. */
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

/* Of which pipe or terminal something is an end: two that are equal belong together, unless they are of none (zeroed). */
struct proc_end {
	dev_t device; /* 0: the number is one of terminals */
	ino_t number;
};

struct proc_end proc_end_of(int fd);                /* of a pipe, or the master of a terminal */
struct proc_end proc_end_at(pid_t pid, int number); /* what a process has there: of a pipe, or a terminal */
bool proc_end_is(const struct proc_end *one, const struct proc_end *other);

#endif
