/*
 * Runs in the kernel (eBPF): an iterator over the threads of a process, which writes a record for each. Of the kernel's own
 * structures only what is read is named here; where it lies in the kernel that runs is looked up when it is loaded.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel/roll.h"

#define OF_THE_KERNEL __attribute__((preserve_access_index))

struct upid {
	int nr;
} OF_THE_KERNEL;

struct pid {
	unsigned level;
	struct upid numbers[2]; /* and more */
} OF_THE_KERNEL;

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay;
} OF_THE_KERNEL;

struct sched_entity {
	unsigned long long sum_exec_runtime;
} OF_THE_KERNEL;

struct task_struct {
	unsigned __state;
	struct sched_entity se;
	struct sched_info sched_info;
	struct pid *thread_pid;
} OF_THE_KERNEL;

struct bpf_iter_meta {
	struct seq_file *seq;
} OF_THE_KERNEL;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} OF_THE_KERNEL;

/* The number of a thread for whoever reads: a pid has one in each namespace down to its own. */
static int number_for(const struct pid *pid, unsigned level)
{
	const char *numbers = (const char *)&pid->numbers[0];
	int number = 0;

	if (level <= 1)
		return level == 0 ? pid->numbers[0].nr : pid->level >= 1 ? pid->numbers[1].nr
									 : 0;
	if (level <= pid->level)
		bpf_probe_read_kernel(&number, sizeof number, numbers + level * bpf_core_type_size(struct upid));
	return number;
}

SEC("iter/task")
int roll(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task, *reader = bpf_get_current_task_btf();
	const struct pid *pid = task ? task->thread_pid : (struct pid *)0;
	struct roll_entry entry = {};

	if (!pid)
		return 0;
	entry.tid = number_for(pid, reader->thread_pid->level);
	entry.run_ns = task->se.sum_exec_runtime;
	entry.wait_ns = task->sched_info.run_delay;
	entry.turns = task->sched_info.pcount;
	entry.state = task->__state;
	bpf_seq_write(context->meta->seq, &entry, sizeof entry);
	return 0;
}

/* Some of what it calls is only for those who say that. */
char rights[] SEC("license") = "Dual MIT/GPL";
