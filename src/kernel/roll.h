/* What the program in the kernel says of each thread, and the reader of it knows. */
#ifndef KERNEL_ROLL_H
#define KERNEL_ROLL_H

struct roll_entry {
	unsigned long long run_ns, wait_ns, turns; /* as /proc/PID/task/TID/schedstat has them */
	int tid;                                   /* as the reader's pid namespace has it; 0: it has none there */
	unsigned state;                            /* the kernel's: ROLL_SLEEPS is a bit of it */
};

enum { ROLL_SLEEPS = 1 }; /* TASK_INTERRUPTIBLE */

#endif
