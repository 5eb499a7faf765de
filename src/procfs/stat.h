/* One process as /proc/PID/stat tells it. Any thread. */
#ifndef PROCFS_STAT_H
#define PROCFS_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
	pid_t pid, parent, group, session;
	char state;            /* 'R' 'S' 'D' 'Z' … of its main thread */
	uint64_t starttime;    /* ticks since boot: with the pid, unlike any other */
	uint64_t user, system; /* ticks */
	uint64_t threads;
	uint64_t faults; /* pages that had to come from a disk */
	int32_t priority, nice;
	uint64_t size; /* bytes of its address space */
	uint64_t rss_pages;
	int32_t processor; /* that it ran on last; -1: this kernel does not tell */
	bool is_execing;   /* it has memory, and no environment yet; to be believed of those whose environment one may read */
	bool is_exiting;   /* its main thread: it has no memory any more, or will not have it soon */
	int exit_code;     /* of a zombie, as waitpid() has it; 0 as well when it is not ours to know */
};

/* False when there is no such process, or its line makes no sense. */
bool proc_stat_read(pid_t pid, struct proc_stat *stat);

/* The same under the root of another proc filesystem, or of fixtures. */
bool procfs_stat(int root, pid_t pid, struct proc_stat *stat);

/*
 * The same from the text of the file: comm may hold anything, ')' and newlines too. A line that
 * breaks off before the last field of interest is refused.
 */
bool proc_stat_parse(const char *text, struct proc_stat *stat);

/*
 * Nothing of it runs any more. A main thread that ended before the others is a zombie as
 * well, but its process lives.
 */
bool proc_is_dead(char state, uint64_t threads);

/* The processor time of a process, to the nanosecond: one system call, and no file. SAMPLE_UNKNOWN: it is not there. */
uint64_t proc_cpu_ns(pid_t pid);

#endif
