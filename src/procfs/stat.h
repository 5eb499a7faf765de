/* One process as /proc/PID/stat tells it. Any thread. */
#ifndef PROCFS_STAT_H
#define PROCFS_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
	pid_t pid, parent, group, session;
	char state;               /* 'R' 'S' 'D' 'Z' … */
	uint64_t starttime;       /* ticks since boot: with the pid, unlike any other */
	uint64_t user, system;    /* ticks */
	uint64_t threads;
	uint64_t rss_pages;
};

/* False when there is no such process, or its line makes no sense. */
bool proc_stat_read(pid_t pid, struct proc_stat *stat);

/* The same from the text of the file: comm may hold anything, ')' and newlines too. */
bool proc_stat_parse(const char *text, struct proc_stat *stat);

#endif
