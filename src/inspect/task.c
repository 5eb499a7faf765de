#include "inspect/task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "inspect/path.h"
#include "model/sample.h"
#include "procfs/file.h"

enum { TEXT_SIZE = 4096,
	EPOLL_WAIT = 232,
	EPOLL_PWAIT = 281,
	EPOLL_PWAIT2 = 441,
	LAST_CPU_FIELD = 39 };

static ssize_t read_file(char *text, size_t size, int32_t pid, int32_t tid, const char *name)
{
	char path[INSPECT_PATH_SIZE];

	return proc_file_read(AT_FDCWD, inspect_task_path(path, pid, tid, name), text, size);
}

bool task_syscall_read(struct task_syscall *call, int32_t pid, int32_t tid)
{
	char text[256];
	unsigned long arguments[3] = { 0 }, sp = 0;

	*call = (struct task_syscall){ .number = -1 };
	if (read_file(text, sizeof text, pid, tid, "syscall") <= 0)
		return false;
	call->is_running = strncmp(text, "running", 7) == 0;
	if (call->is_running)
		return true;
	call->number = strtol(text, NULL, 10);
	if (call->number >= 0 && sscanf(text, "%*d %lx %lx %lx %*x %*x %*x %lx", &arguments[0], &arguments[1], &arguments[2], &sp) == 4) {
		for (int i = 0; i < 3; i++)
			call->arguments[i] = arguments[i];
		call->sp = sp;
	}
	return true;
}

int task_epoll_fd(const struct task_syscall *call)
{
	bool is_poll = call->number == EPOLL_WAIT || call->number == EPOLL_PWAIT || call->number == EPOLL_PWAIT2;

	return is_poll && call->arguments[0] <= INT32_MAX ? (int)call->arguments[0] : -1;
}

bool task_waits_with(const struct task_syscall *call, int epoll_fd)
{
	return epoll_fd >= 0 && task_epoll_fd(call) == epoll_fd;
}

/* The field of that number, counted as proc(5) does; "" when there is none. */
static const char *field_at(const char *stat, int number)
{
	const char *at = strrchr(stat, ')');

	for (int i = 2; at && i < number; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? at : "";
}

static void take_name(struct thread_report *thread, const char *stat)
{
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');

	if (open && close > open)
		snprintf(thread->name, sizeof thread->name, "%.*s", (int)(close - open - 1), open + 1);
}

static bool read_stat(struct thread_report *thread, int32_t pid)
{
	char text[TEXT_SIZE];

	if (read_file(text, sizeof text, pid, thread->tid, "stat") <= 0)
		return false;
	take_name(thread, text);
	thread->state = *field_at(text, 3);
	const char *cpu = field_at(text, LAST_CPU_FIELD);
	thread->last_cpu = *cpu ? (int32_t)strtol(cpu, NULL, 10) : -1;
	return true;
}

bool task_times_parse(struct task_times *times, const char *text)
{
	uint64_t *const numbers[] = { &times->run_ns, &times->wait_ns, &times->turns };
	char *end;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++, text = end) {
		*numbers[i] = strtoull(text, &end, 10);
		if (end == text)
			return false;
	}
	return true;
}

static void read_switches(struct thread_report *thread, int32_t pid)
{
	char text[TEXT_SIZE];

	if (read_file(text, sizeof text, pid, thread->tid, "status") <= 0)
		return;
	uint64_t voluntary = proc_number_behind(text, "\nvoluntary_ctxt_switches:");
	uint64_t forced = proc_number_behind(text, "\nnonvoluntary_ctxt_switches:");
	if (voluntary != SAMPLE_UNKNOWN && forced != SAMPLE_UNKNOWN)
		thread->switches = voluntary + forced;
}

/* How often it got a processor is how often there was a switch to it; a kernel that does not count that counts switches elsewhere. */
static void take_times(struct thread_report *thread, int32_t pid, const struct task_times *known)
{
	struct task_times times = { 0 };
	char text[128];

	bool is_there = known || (read_file(text, sizeof text, pid, thread->tid, "schedstat") > 0 && task_times_parse(&times, text));
	times = known ? *known : times;
	if (is_there) {
		thread->cpu_ns = times.run_ns;
		thread->cpu_ms = times.run_ns / 1000000;
		thread->run_wait_ms = times.wait_ns / 1000000;
		thread->switches = times.turns;
	}
	if (!is_there || !times.turns)
		read_switches(thread, pid);
}

static void read_waiting(struct thread_report *thread, int32_t pid)
{
	struct task_syscall call;
	char text[64];

	if (read_file(text, sizeof text, pid, thread->tid, "wchan") > 0 && strcmp(text, "0") != 0)
		/* not which copy of it the compiler made */
		snprintf(thread->wchan, sizeof thread->wchan, "%.*s", (int)strcspn(text, "."), text);
	if (!task_syscall_read(&call, pid, thread->tid))
		return;
	const char *name = syscall_name(call.number);
	thread->wait = call.is_running ? WAIT_OTHERWISE : syscall_wait(&call);
	thread->wait_on = call.arguments[0];
	if (call.is_running || call.number < 0)
		snprintf(thread->syscall, sizeof thread->syscall, "%s", call.is_running ? "running" : "");
	else if (name)
		snprintf(thread->syscall, sizeof thread->syscall, "%s", name);
	else
		snprintf(thread->syscall, sizeof thread->syscall, "%ld", call.number);
}

bool task_read(struct thread_report *thread, int32_t pid, int32_t tid, const struct task_times *times)
{
	*thread = (struct thread_report){
		.tid = tid,
		.cpu_pct = -1,
		.cpu_ms = SAMPLE_UNKNOWN,
		.cpu_ns = SAMPLE_UNKNOWN,
		.run_wait_ms = SAMPLE_UNKNOWN,
		.switches = SAMPLE_UNKNOWN,
		.switch_rate = -1,
	};
	if (!read_stat(thread, pid))
		return false;
	read_waiting(thread, pid);
	take_times(thread, pid, times); /* of who waits by now they are the last word */
	return true;
}

bool task_exists(int32_t pid, int32_t tid)
{
	char path[INSPECT_PATH_SIZE];

	return access(inspect_task_path(path, pid, tid, ""), F_OK) == 0;
}

struct list {
	int32_t *tids;
	size_t count, most;
};

static void add(void *context, int number)
{
	struct list *list = context;

	if (list->count < list->most)
		list->tids[list->count++] = number;
}

size_t task_list(int32_t pid, int32_t *tids, size_t most)
{
	struct list list = { tids, 0, most };
	char path[INSPECT_PATH_SIZE];

	proc_folder_scan(AT_FDCWD, inspect_path(path, pid, "task"), add, &list);
	return list.count;
}

/* The last of "NSpid:\t4711\t7": as it is called where it lives. */
static int32_t number_inside(int32_t pid, int32_t tid)
{
	char text[TEXT_SIZE];

	if (read_file(text, sizeof text, pid, tid, "status") <= 0)
		return tid;
	char *line = strstr(text, "\nNSpid:");
	if (!line)
		return tid;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	char *last = strrchr(line, '\t');
	return last ? (int32_t)strtol(last, NULL, 10) : tid;
}

void task_translate(int32_t pid, int32_t *tids, size_t count)
{
	if (number_inside(pid, pid) == pid)
		return;
	int32_t *ours = memory_zeroed(INSIDE_THREADS_MOST, sizeof *ours), *wanted = memory_zeroed(count + 1, sizeof *wanted);
	size_t our_count = task_list(pid, ours, INSIDE_THREADS_MOST);

	memcpy(wanted, tids, count * sizeof *tids);
	memset(tids, 0, count * sizeof *tids);
	for (size_t i = 0; i < our_count; i++) {
		int32_t inside = number_inside(pid, ours[i]);
		for (size_t k = 0; k < count; k++)
			if (wanted[k] == inside)
				tids[k] = ours[i];
	}
	free(wanted);
	free(ours);
}
