/* What one thread of a process is doing, from the files of /proc/PID/task/TID. */
#ifndef INSPECT_TASK_H
#define INSPECT_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/inside.h"

struct task_syscall {
	long number;     /* -1: in none, but stopped elsewhere in the kernel */
	bool is_running; /* then there is no telling */
	uint64_t arguments[3];
	uint64_t sp;
};

/* False, with errno: it is gone, or not ours to look at. */
bool task_syscall_read(struct task_syscall *call, int32_t pid, int32_t tid);

/* It waits with this epoll descriptor. */
bool task_waits_with(const struct task_syscall *call, int epoll_fd);
/* It waits with some epoll descriptor: which, or -1. */
int task_epoll_fd(const struct task_syscall *call);

/* How much it has run, as its schedstat tells; turns 0: the kernel does not count. */
struct task_times {
	uint64_t run_ns, wait_ns, turns;
};
bool task_times_parse(struct task_times *times, const char *text);

/* Everything that files say of it: no rates, no role. times: known already; or NULL. False: it is gone. */
bool task_read(struct thread_report *thread, int32_t pid, int32_t tid, const struct task_times *times);

bool task_exists(int32_t pid, int32_t tid);

/* Up to most ids; returns how many. */
size_t task_list(int32_t pid, int32_t *tids, size_t most);

/* Numbers as the process itself knows its threads, in a pid namespace of its own, into ours; 0: none of them. */
void task_translate(int32_t pid, int32_t *tids, size_t count);

/* What it waits for, as far as its number and arguments tell. */
enum thread_wait syscall_wait(const struct task_syscall *call);

/* "epoll_wait"; NULL when the number means nothing here. */
const char *syscall_name(long number);

#endif
