#include "procfs/muster.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "model/sample.h"
#include "procfs/file.h"
#include "procfs/stat.h"

enum { FIRST_ROOM = 256,
	SLICES = 64, /* every so many passes everybody is read anew, whether it has run or not */
	STAT_SIZE = 2048,
	COMMAND_SIZE = 2048,
	TEXT_SIZE = 64 * 1024,
	KERNEL_PARENT = 2,    /* kthreadd */
	CLOCK_OF_RUNNING = 2, /* CPUCLOCK_SCHED */
	KIB = 1024 };

static const uint64_t NS_PER_S = 1000000000;

struct user {
	uid_t uid;
	char name[MACHINE_USER_SIZE];
};

struct core {
	uint64_t busy, total; /* ticks since boot */
};

struct muster {
	struct user **users; /* owned, each of them too: rows borrow the names */
	size_t user_count;
	struct core cores[MACHINE_CORES_MOST];
	uint64_t page_size, tick_ns;
	unsigned turn;
};

/* One pass: what is left of the one before, and what takes its place. */
struct pass {
	struct muster *muster;
	struct machine *last, now;
	int32_t pid;    /* whose threads are being read */
	int64_t boot_s; /* Unix time */
};

struct muster *muster_create(void)
{
	struct muster *muster = memory_zeroed(1, sizeof *muster);

	muster->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	muster->tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	return muster;
}

void muster_destroy(struct muster *muster)
{
	if (!muster)
		return;
	for (size_t i = 0; i < muster->user_count; i++)
		free(muster->users[i]);
	free(muster->users);
	free(muster);
}

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	return clock_gettime(id, &now) == 0 ? (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec : UINT64_MAX;
}

/* ---- one process ---- */

/* A question to the directory of users may be slow: it is asked once for each. */
static const char *user_name(struct muster *muster, uid_t uid)
{
	for (size_t i = 0; i < muster->user_count; i++)
		if (muster->users[i]->uid == uid)
			return muster->users[i]->name;
	struct user *user = memory_zeroed(1, sizeof *user);
	const struct passwd *entry = getpwuid(uid);
	user->uid = uid;
	if (entry)
		snprintf(user->name, sizeof user->name, "%s", entry->pw_name);
	else
		snprintf(user->name, sizeof user->name, "%u", (unsigned)uid);
	muster->users = memory_resize(muster->users, muster->user_count + 1, sizeof(struct user *));
	muster->users[muster->user_count++] = user;
	return user->name;
}

/* The folder of a process belongs to its effective user, whatever may be read in it. */
static const char *user_of(struct muster *muster, int32_t pid)
{
	char path[PROC_PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof path, PROC_ROOT "/%d", (int)pid);
	return stat(path, &st) == 0 ? user_name(muster, st.st_uid) : "?";
}

static void copy_name(char out[MACHINE_NAME_SIZE], const char *stat)
{
	const char *start = strchr(stat, '('), *end = strrchr(stat, ')');
	size_t length = start && end > start ? (size_t)(end - start - 1) : 0;

	length = length < MACHINE_NAME_SIZE ? length : MACHINE_NAME_SIZE - 1;
	memcpy(out, start ? start + 1 : "", length);
	out[length] = '\0';
}

/* Where the name of the program begins behind its folder, in what is shown. */
static uint16_t path_of(const char *bytes, size_t size)
{
	const char *slash = memrchr(bytes, '/', strnlen(bytes, size));
	struct text safe;

	if (!slash || bytes[0] != '/')
		return 0;
	text_init(&safe, COMMAND_SIZE * 4);
	utf8_append_safe(&safe, bytes, (size_t)(slash + 1 - bytes), false);
	size_t length = safe.size;
	text_finish(&safe);
	return (uint16_t)length;
}

/* Who has no command line is shown by its name, as others do it. */
static char *command_of(struct machine_process *process)
{
	char path[PROC_PATH_SIZE], bytes[COMMAND_SIZE];
	struct text safe;

	snprintf(path, sizeof path, PROC_ROOT "/%d/cmdline", (int)process->id.pid);
	ssize_t size = process->is_kernel || process->is_thread ? 0 : proc_file_read(AT_FDCWD, path, bytes, sizeof bytes);
	while (size > 0 && bytes[size - 1] == '\0')
		size--;
	process->path = size > 0 ? path_of(bytes, (size_t)size) : 0;
	for (ssize_t i = 0; i < size; i++)
		bytes[i] = bytes[i] == '\0' || bytes[i] == '\n' ? ' ' : bytes[i];
	if (size <= 0)
		size = snprintf(bytes, sizeof bytes, "[%s]", process->name);
	text_init(&safe, COMMAND_SIZE * 4);
	utf8_append_safe(&safe, bytes, (size_t)size, false);
	return text_take(&safe);
}

static bool take_stat(const struct muster *muster, struct machine_process *process, const char *path)
{
	char text[STAT_SIZE];
	struct proc_stat stat;

	if (proc_file_read(AT_FDCWD, path, text, sizeof text) <= 0 || !proc_stat_parse(text, &stat))
		return false;
	process->id.starttime = stat.starttime;
	process->parent = stat.parent;
	process->group = stat.group;
	process->session = stat.session;
	process->state = stat.state;
	process->is_kernel = stat.parent == KERNEL_PARENT || stat.pid == KERNEL_PARENT;
	process->rss = stat.state == 'Z' ? SAMPLE_UNKNOWN : stat.rss_pages * muster->page_size;
	process->size = stat.size;
	process->threads = stat.threads;
	process->faults = stat.faults;
	process->priority = stat.priority;
	process->nice = stat.nice;
	process->processor = stat.processor;
	if (process->cpu_ns == UINT64_MAX)
		process->cpu_ns = (stat.user + stat.system) * muster->tick_ns;
	copy_name(process->name, text);
	return true;
}

static bool read_stat(const struct muster *muster, struct machine_process *process)
{
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/stat", (int)process->id.pid);
	return take_stat(muster, process, path);
}

/* As the kernel numbers the clocks of processes; clock_getcpuclockid would ask it whether there is one, which costs as much again. */
static uint64_t clock_of(int32_t pid)
{
	return read_clock((clockid_t)(~(uint32_t)pid << 3 | CLOCK_OF_RUNNING));
}

/* ---- one pass ---- */

/* What the last pass saw of it; its strings may be taken over. */
static struct machine_process *find_last(const struct pass *pass, int32_t pid)
{
	const struct machine_process *found = machine_find(pass->last, pid);

	return found ? &pass->last->processes[found - pass->last->processes] : NULL;
}

static double cpu_since(const struct pass *pass, const struct machine_process *last,
	const struct machine_process *process)
{
	uint64_t born_ns = process->id.starttime * pass->muster->tick_ns;
	uint64_t boot_ns = read_clock(CLOCK_BOOTTIME), span_ns = boot_ns > born_ns ? boot_ns - born_ns : 0;
	uint64_t used_ns = process->cpu_ns;

	if (last) {
		span_ns = pass->now.taken_ns - pass->last->taken_ns;
		used_ns = used_ns > last->cpu_ns ? used_ns - last->cpu_ns : 0;
	}
	if (span_ns < pass->muster->tick_ns)
		span_ns = pass->muster->tick_ns;
	return 100.0 * (double)used_ns / (double)span_ns;
}

static void add_process(struct machine *machine, const struct machine_process *process)
{
	if (machine->count == machine->room) {
		machine->room = machine->room ? machine->room * 2 : FIRST_ROOM;
		machine->processes = memory_resize(machine->processes, machine->room, sizeof *machine->processes);
	}
	machine->processes[machine->count++] = *process;
}

/* What was found out of the same program goes over; another program has another command line. */
static void take_command(struct machine_process *process, struct machine_process *last, bool is_due)
{
	if (last && !is_due && strcmp(last->name, process->name) == 0) {
		process->path = last->path;
		process->command = last->command;
		last->command = NULL;
	} else {
		process->command = command_of(process);
	}
}

/* ---- what only some people want to see ---- */

static void read_shared(const struct pass *pass, struct machine_process *process, const char *folder)
{
	char path[PROC_PATH_SIZE], text[STAT_SIZE];
	unsigned long long shared;

	snprintf(path, sizeof path, "%s/statm", folder);
	if (proc_file_read(AT_FDCWD, path, text, sizeof text) > 0 && sscanf(text, "%*u %*u %llu", &shared) == 1)
		process->shared = shared * pass->muster->page_size;
}

static double rate_since(const struct pass *pass, uint64_t last, uint64_t now)
{
	uint64_t span_ns = pass->now.taken_ns - pass->last->taken_ns;

	if (last == SAMPLE_UNKNOWN || now == SAMPLE_UNKNOWN || !span_ns)
		return -1;
	return now < last ? 0 : (double)(now - last) * (double)NS_PER_S / (double)span_ns;
}

/* Of others only root may read it. */
static void read_io(const struct pass *pass, const struct machine_process *last, struct machine_process *process, const char *folder)
{
	char path[PROC_PATH_SIZE], text[STAT_SIZE];

	snprintf(path, sizeof path, "%s/io", folder);
	if (proc_file_read(AT_FDCWD, path, text, sizeof text) <= 0)
		return;
	process->read_bytes = proc_number_behind(text, "\nread_bytes: ");
	process->written_bytes = proc_number_behind(text, "\nwrite_bytes: ");
	process->read_rate = rate_since(pass, last ? last->read_bytes : SAMPLE_UNKNOWN, process->read_bytes);
	process->write_rate = rate_since(pass, last ? last->written_bytes : SAMPLE_UNKNOWN, process->written_bytes);
}

/* Who has not run has done nothing, if it was looked at before. */
static void read_extras(const struct pass *pass, const struct machine_process *last, struct machine_process *process, bool has_run)
{
	bool wants_io = pass->last->wants_io && !process->is_kernel, wants_shared = pass->last->wants_shared && !process->is_kernel;
	bool has_io = last && last->read_bytes != SAMPLE_UNKNOWN, has_shared = last && last->shared != SAMPLE_UNKNOWN;
	char folder[PROC_PATH_SIZE];

	process->read_bytes = process->written_bytes = process->shared = SAMPLE_UNKNOWN;
	process->read_rate = process->write_rate = -1;
	if (!wants_io && !wants_shared)
		return;
	snprintf(folder, sizeof folder, process->is_thread ? PROC_ROOT "/%d/task/%d" : PROC_ROOT "/%d",
		(int)(process->is_thread ? process->parent : process->id.pid), (int)process->id.pid);
	if (wants_io && has_io && !has_run) {
		process->read_bytes = last->read_bytes;
		process->written_bytes = last->written_bytes;
		process->read_rate = process->write_rate = 0;
	} else if (wants_io) {
		read_io(pass, last, process, folder);
	}
	if (wants_shared && has_shared && !has_run)
		process->shared = last->shared;
	else if (wants_shared)
		read_shared(pass, process, folder);
}

static int64_t started_of(const struct pass *pass, const struct machine_process *process)
{
	return pass->boot_s + (int64_t)(process->id.starttime * pass->muster->tick_ns / NS_PER_S);
}

static void keep_process(struct pass *pass, struct machine_process *last)
{
	struct machine_process process = *last;

	process.cpu_pct = 0;
	read_extras(pass, last, &process, false);
	last->command = NULL;
	add_process(&pass->now, &process);
}

static void read_process(struct pass *pass, struct machine_process *last, int32_t pid, uint64_t cpu_ns, bool is_due)
{
	struct machine_process process = { .id.pid = pid, .cpu_rank = -1, .cpu_ns = cpu_ns, .inside = INSIDE_UNKNOWN };

	if (!read_stat(pass->muster, &process))
		return;
	if (last && last->id.starttime != process.id.starttime)
		last = NULL;
	if (last) {
		process.inside = last->inside;
		process.cpu_rank = last->cpu_rank;
	}
	process.cpu_pct = cpu_since(pass, last, &process);
	process.user = last && !is_due ? last->user : user_of(pass->muster, pid);
	process.started_s = started_of(pass, &process);
	read_extras(pass, last, &process, true);
	take_command(&process, last, is_due);
	add_process(&pass->now, &process);
}

static void visit_thread(void *context, int tid)
{
	struct pass *pass = context;
	const struct machine_process *found = find_last(pass, tid), *last;
	const struct machine_process *process = &pass->now.processes[pass->now.count - 1];
	struct machine_process thread = { .id.pid = tid,
		.is_thread = true,
		.cpu_rank = -1,
		.cpu_ns = UINT64_MAX,
		.inside = INSIDE_UNKNOWN,
		.user = process->user };
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/task/%d/stat", (int)pass->pid, tid);
	if (tid == pass->pid || !take_stat(pass->muster, &thread, path))
		return;
	thread.parent = pass->pid;
	thread.threads = 1;
	thread.started_s = started_of(pass, &thread);
	last = found && found->id.starttime == thread.id.starttime ? found : NULL;
	thread.cpu_pct = cpu_since(pass, last, &thread);
	thread.cpu_rank = last ? last->cpu_rank : -1;
	read_extras(pass, last, &thread, !last || last->cpu_ns != thread.cpu_ns);
	thread.command = command_of(&thread);
	add_process(&pass->now, &thread);
}

static void visit_threads(struct pass *pass, int32_t pid)
{
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/task", (int)pid);
	pass->pid = pid;
	proc_folder_scan(AT_FDCWD, path, visit_thread, pass);
}

static void visit(void *context, int pid)
{
	struct pass *pass = context;
	struct machine_process *last = find_last(pass, pid);
	uint64_t cpu_ns = clock_of(pid);
	bool is_due = ((unsigned)pid + pass->muster->turn) % SLICES == 0;
	size_t count = pass->now.count;

	if (last && !last->is_thread && !last->is_stale && !is_due && cpu_ns != UINT64_MAX && cpu_ns == last->cpu_ns)
		keep_process(pass, last);
	else
		read_process(pass, last, pid, cpu_ns, is_due);
	if (pass->last->wants_threads && pass->now.count > count && pass->now.processes[count].threads > 1)
		visit_threads(pass, pid);
}

static int compare_pids(const void *a, const void *b)
{
	const struct machine_process *one = a, *other = b;

	return (one->id.pid > other->id.pid) - (one->id.pid < other->id.pid);
}

/* Those whose parent has gone belong to somebody else now, though they have not run. */
static void find_parents(const struct muster *muster, struct machine *machine)
{
	for (size_t i = 0; i < machine->count; i++) {
		struct machine_process *process = &machine->processes[i];
		if (process->parent && !process->is_thread && !machine_find(machine, process->parent))
			read_stat(muster, process);
	}
}

/* ---- the machine ---- */

static uint64_t find_kib(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) * KIB : SAMPLE_UNKNOWN;
}

static void read_memory(struct machine *machine)
{
	char text[TEXT_SIZE];

	if (proc_file_read(AT_FDCWD, PROC_ROOT "/meminfo", text, sizeof text) < 0)
		text[0] = '\0';
	machine->memory_total = find_kib(text, "MemTotal:");
	machine->memory_available = find_kib(text, "MemAvailable:");
	machine->swap_total = find_kib(text, "SwapTotal:");
	machine->swap_free = find_kib(text, "SwapFree:");
}

/* "USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …": idle are the fourth and fifth. */
static struct core read_core(const char *figures)
{
	struct core core = { 0 };
	uint64_t idle = 0;
	char *end;

	for (int i = 0; i < 8; i++, figures = end) {
		uint64_t ticks = strtoull(figures, &end, 10);
		core.total += ticks;
		idle += i == 3 || i == 4 ? ticks : 0;
	}
	core.busy = core.total - idle;
	return core;
}

static double busy_since(const struct core *last, const struct core *now)
{
	if (now->total <= last->total || now->busy < last->busy)
		return now->total == last->total ? 0 : -1;
	return 100.0 * (double)(now->busy - last->busy) / (double)(now->total - last->total);
}

static void read_cores(struct muster *muster, struct machine *machine)
{
	char text[TEXT_SIZE], *rest = text, *line;
	unsigned core;
	int used;

	if (proc_file_read(AT_FDCWD, PROC_ROOT "/stat", text, sizeof text) < 0)
		return;
	while ((line = strsep(&rest, "\n")) && strncmp(line, "cpu", 3) == 0) {
		if (sscanf(line, "cpu%u%n", &core, &used) != 1 || machine->cores >= MACHINE_CORES_MOST)
			continue;
		struct core now = read_core(line + used);
		machine->core_pct[machine->cores] = busy_since(&muster->cores[machine->cores], &now);
		muster->cores[machine->cores++] = now;
	}
}

static void read_load(struct machine *machine)
{
	if (getloadavg(machine->load, 3) != 3)
		machine->load[0] = machine->load[1] = machine->load[2] = -1;
	machine->uptime_s = read_clock(CLOCK_BOOTTIME) / NS_PER_S;
}

bool muster_take(struct muster *muster, struct machine *machine, struct error *err)
{
	struct pass pass = { .muster = muster, .last = machine };

	pass.now.taken_ns = read_clock(CLOCK_MONOTONIC);
	pass.now.now_s = (int64_t)time(NULL);
	pass.boot_s = pass.now.now_s - (int64_t)(read_clock(CLOCK_BOOTTIME) / NS_PER_S);
	pass.now.wants_threads = machine->wants_threads;
	pass.now.wants_io = machine->wants_io;
	pass.now.wants_shared = machine->wants_shared;
	muster->turn++;
	if (!proc_folder_scan(AT_FDCWD, PROC_ROOT, visit, &pass))
		return error_errno(err, "listing processes");
	if (pass.now.count)
		qsort(pass.now.processes, pass.now.count, sizeof *pass.now.processes, compare_pids);
	find_parents(muster, &pass.now);
	read_cores(muster, &pass.now);
	read_memory(&pass.now);
	read_load(&pass.now);
	machine_finish(machine);
	*machine = pass.now;
	return true;
}
