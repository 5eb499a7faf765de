/* A process in the midst of an exec: for a moment it has neither arguments nor an environment. Any thread. */
#ifndef PROCFS_EXEC_H
#define PROCFS_EXEC_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Its environment was read, and there was nothing: is that so because of an exec? Then this waits 0.2 ms of it, and
 * returns true: it is worth another look. glances counts the looks, from 0; after 50 it is false.
 */
bool exec_await(int root, pid_t pid, unsigned *glances);

#endif
