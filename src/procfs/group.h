/* Control groups, of version 2: in which one a process is, and whether we may divide our own. */
#ifndef PROCFS_GROUP_H
#define PROCFS_GROUP_H

#include <stdint.h>
#include <stdio.h>

/* The folder of the group that a process is in; free(). NULL: there is none, or the process has ended. */
char *group_of(int32_t pid);

/* The folder of our own, opened, if it was delegated to us; else -1. */
int group_open(const char *path);

/* What mountinfo says of where version 2 is mounted, and the cgroup file of a process of its group under that; free(). NULL: nothing, or
   there is no file. */
char *group_find_mount(FILE *file);
char *group_find_own(FILE *file, const char *mount);

#endif
