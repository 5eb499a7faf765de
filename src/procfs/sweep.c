#include "procfs/sweep.h"

#include <dirent.h>
#include <libproc2/meminfo.h>
#include <libproc2/misc.h>
#include <libproc2/pids.h>
#include <libproc2/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

/* libproc2 for one row a process; what it lacks (descriptors) by our own hand. */
static enum pids_item items[] = {
	PIDS_ID_PID,
	PIDS_ID_PPID,
	PIDS_ID_SESSION,
	PIDS_STATE,
	PIDS_TICS_ALL,
	PIDS_TICS_BEGAN,
	PIDS_RSS,
	PIDS_NLWP,
};
enum { PID,
	PARENT,
	SESSION,
	STATE,
	TICKS,
	BEGAN,
	RSS,
	THREADS,
	ITEM_COUNT };

/* One process of this pass or of the one before. */
struct seen {
	int32_t pid, parent, session;
	int32_t owner;  /* index of the target whose tree it is in; -1: nobody's, -2: not known yet */
	uint64_t began; /* ticks since boot */
	uint64_t ticks; /* of CPU so far */
	uint64_t rss, threads;
};

struct sweep {
	struct pids_info *pids;
	struct stat_info *stat;
	struct meminfo_info *memory;
	struct seen *now, *before; /* owned; sorted by pid */
	size_t now_count, before_count;
	uint64_t taken_us; /* monotonic, of the pass before; 0: there was none */
	long hertz, page;
};

struct sweep *sweep_create(struct error *err)
{
	struct sweep *sweep = memory_zeroed(1, sizeof *sweep);

	sweep->hertz = procps_hertz_get();
	sweep->page = sysconf(_SC_PAGESIZE);
	if (procps_pids_new(&sweep->pids, items, ITEM_COUNT) < 0 ||
		procps_stat_new(&sweep->stat) < 0 || procps_meminfo_new(&sweep->memory) < 0) {
		error_set(err, 0, "libproc2 cannot read /proc");
		sweep_destroy(sweep);
		return NULL;
	}
	return sweep;
}

void sweep_destroy(struct sweep *sweep)
{
	if (!sweep)
		return;
	if (sweep->pids)
		procps_pids_unref(&sweep->pids);
	if (sweep->stat)
		procps_stat_unref(&sweep->stat);
	if (sweep->memory)
		procps_meminfo_unref(&sweep->memory);
	free(sweep->now);
	free(sweep->before);
	free(sweep);
}

static int compare_pids(const void *a, const void *b)
{
	const struct seen *one = a, *other = b;

	return (one->pid > other->pid) - (one->pid < other->pid);
}

static struct seen *find(struct seen *table, size_t count, int32_t pid)
{
	struct seen wanted = { .pid = pid };

	return count ? bsearch(&wanted, table, count, sizeof *table, compare_pids) : NULL;
}

static bool read_table(struct sweep *sweep, struct error *err)
{
	struct pids_fetch *fetched = procps_pids_reap(sweep->pids, PIDS_FETCH_TASKS_ONLY);

	if (!fetched)
		return error_set(err, 0, "libproc2 found no process");
	free(sweep->before);
	sweep->before = sweep->now;
	sweep->before_count = sweep->now_count;
	sweep->now = memory_zeroed((size_t)fetched->counts->total, sizeof *sweep->now);
	sweep->now_count = 0;
	for (int i = 0; i < fetched->counts->total; i++) {
		struct pids_result *row = fetched->stacks[i]->head;
		if (row[STATE].result.s_ch == 'Z')
			continue;
		sweep->now[sweep->now_count++] = (struct seen){
			.pid = row[PID].result.s_int,
			.parent = row[PARENT].result.s_int,
			.session = row[SESSION].result.s_int,
			.owner = -2,
			.began = row[BEGAN].result.ull_int,
			.ticks = row[TICKS].result.ull_int,
			.rss = (uint64_t)row[RSS].result.ul_int * (uint64_t)sweep->page,
			.threads = (uint64_t)row[THREADS].result.s_int,
		};
	}
	qsort(sweep->now, sweep->now_count, sizeof *sweep->now, compare_pids);
	return true;
}

static int32_t target_of(const struct sweep_target *targets, size_t count, int32_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i].pid == pid)
			return (int32_t)i;
	return -1;
}

/* By itself, by its session, or by whoever is above it; what is found out is written down. */
static int32_t owner_of(
	struct sweep *sweep, struct seen *process, const struct sweep_target *targets, size_t count)
{
	if (process->owner != -2)
		return process->owner;
	process->owner = -1; /* also the end of a loop, should the table be torn */
	int32_t owner = target_of(targets, count, process->pid);
	if (owner < 0)
		owner = target_of(targets, count, process->session);
	struct seen *parent =
		owner < 0 ? find(sweep->now, sweep->now_count, process->parent) : NULL;
	if (parent)
		owner = owner_of(sweep, parent, targets, count);
	return process->owner = owner;
}

static uint64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Since the pass before; since its start, for one that was not there then. */
static double cpu_of(struct sweep *sweep, const struct seen *process, uint64_t now_us)
{
	struct seen *before = find(sweep->before, sweep->before_count, process->pid);
	double ticks, seconds;

	if (before && before->began == process->began && now_us > sweep->taken_us) {
		ticks = (double)(process->ticks - before->ticks);
		seconds = (double)(now_us - sweep->taken_us) / 1e6;
	} else {
		ticks = (double)process->ticks;
		seconds = (double)clock_us(CLOCK_BOOTTIME) / 1e6 -
			  (double)process->began / (double)sweep->hertz;
	}
	if (seconds < 0.01)
		seconds = 0.01; /* a tick is not known better */
	return ticks / (double)sweep->hertz / seconds * 100;
}

/* The kernel gives the count as the size of the folder since 6.2. */
static uint64_t count_descriptors(int32_t pid)
{
	char path[32];
	struct stat st;
	struct dirent *entry;
	uint64_t count = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	if (stat(path, &st) == 0 && st.st_size > 0)
		return (uint64_t)st.st_size;
	DIR *folder = opendir(path);
	if (!folder)
		return SAMPLE_UNKNOWN;
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

static void add_process(struct sweep *sweep, struct sample *sample, const struct seen *process,
	bool is_leader, uint64_t now_us)
{
	double cpu = cpu_of(sweep, process, now_us);

	sample->tree_cpu_pct += cpu;
	sample->tree_rss += process->rss;
	sample->tree_processes++;
	if (!is_leader)
		return;
	sample->pid = process->pid;
	sample->starttime = process->began;
	sample->taken_us = now_us;
	sample->cpu_pct = cpu;
	sample->rss = process->rss;
	sample->threads = process->threads;
	sample->fds = count_descriptors(process->pid);
}

static void read_machine(struct sweep *sweep, struct machine_sample *machine)
{
	unsigned long long busy =
		(unsigned long long)STAT_GET(sweep->stat, STAT_TIC_SUM_DELTA_BUSY, sl_int);
	unsigned long long total =
		(unsigned long long)STAT_GET(sweep->stat, STAT_TIC_SUM_DELTA_TOTAL, sl_int);

	machine->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	machine->cpu_pct = total ? 100.0 * (double)busy / (double)total * machine->cpus : 0;
	machine->memory_total =
		(uint64_t)MEMINFO_GET(sweep->memory, MEMINFO_MEM_TOTAL, ul_int) * 1024;
	machine->memory_available =
		(uint64_t)MEMINFO_GET(sweep->memory, MEMINFO_MEM_AVAILABLE, ul_int) * 1024;
}

bool sweep_take(struct sweep *sweep, const struct sweep_target *targets, size_t count,
	struct sample *out, struct machine_sample *machine, struct error *err)
{
	uint64_t now_us = clock_us(CLOCK_MONOTONIC);

	memset(out, 0, count * sizeof *out);
	if (!read_table(sweep, err))
		return false;
	for (size_t i = 0; i < sweep->now_count; i++) {
		struct seen *process = &sweep->now[i];
		int32_t owner = owner_of(sweep, process, targets, count);
		if (owner >= 0)
			add_process(sweep, &out[owner], process, process->pid == targets[owner].pid,
				now_us);
	}
	read_machine(sweep, machine);
	sweep->taken_us = now_us;
	return true;
}
