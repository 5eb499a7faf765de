#include "procfs/ceiling.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/sample.h"
#include "procfs/file.h"
#include "procfs/group.h"
#include "procfs/stat.h"

enum { TEXT_SIZE = 4096 };

static void count_one(void *context, int number)
{
	(void)number;
	++*(uint64_t *)context;
}

/* Since Linux 6.2 the size of the folder is the number of descriptors; 0 is an older one, or none. */
static uint64_t count_descriptors(int32_t pid)
{
	char path[PROC_PATH_SIZE];
	struct stat st;
	uint64_t count = 0;

	snprintf(path, sizeof path, PROC_ROOT "/%d/fd", (int)pid);
	if (stat(path, &st) == 0 && st.st_size > 0)
		return (uint64_t)st.st_size;
	return proc_folder_scan(AT_FDCWD, path, count_one, &count) ? count : SAMPLE_UNKNOWN;
}

bool figures_read(uint64_t figures[GROWTH_FIGURES], int32_t pid)
{
	struct proc_stat stat;

	if (!proc_stat_read(pid, &stat) || proc_is_dead(stat.state, stat.threads))
		return false;
	figures[GROWTH_RSS] = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	figures[GROWTH_FDS] = count_descriptors(pid);
	figures[GROWTH_THREADS] = stat.threads;
	return true;
}

/* ---- how far it may go ---- */

static bool is_of_root(int32_t pid)
{
	char path[PROC_PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof path, PROC_ROOT "/%d", (int)pid);
	return stat(path, &st) < 0 || st.st_uid == 0;
}

static void take_resource_limits(struct ceiling ceilings[GROWTH_FIGURES], int32_t pid)
{
	char path[PROC_PATH_SIZE], text[TEXT_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/limits", (int)pid);
	if (proc_file_read(AT_FDCWD, path, text, sizeof text) <= 0)
		return;
	ceiling_lower(&ceilings[GROWTH_FDS], proc_number_behind(text, "Max open files"), "RLIMIT_NOFILE");
	if (!is_of_root(pid)) /* which is not held to it */
		ceiling_lower(&ceilings[GROWTH_THREADS], proc_number_behind(text, "Max processes"), "RLIMIT_NPROC");
}

static uint64_t read_number(const char *folder, const char *file)
{
	char path[TEXT_SIZE], text[64];

	if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path ||
		proc_file_read(AT_FDCWD, path, text, sizeof text) <= 0)
		return SAMPLE_UNKNOWN;
	return proc_number_behind(text, "");
}

/* With what is left for all that are in it. */
static void take_room(struct ceiling *ceiling, uint64_t now, uint64_t most, uint64_t used, const char *of)
{
	if (now != SAMPLE_UNKNOWN && most != SAMPLE_UNKNOWN && used != SAMPLE_UNKNOWN)
		ceiling_lower(ceiling, now + (most > used ? most - used : 0), of);
}

/* Its cgroup, and all above it. */
static void take_groups(struct ceiling ceilings[GROWTH_FIGURES], const uint64_t figures[GROWTH_FIGURES], int32_t pid)
{
	char *folder = group_of(pid);

	for (char *end; folder && (end = strrchr(folder, '/')); *end = '\0') {
		take_room(&ceilings[GROWTH_RSS], figures[GROWTH_RSS], read_number(folder, "memory.max"),
			read_number(folder, "memory.current"), "memory.max of its cgroup");
		take_room(&ceilings[GROWTH_THREADS], figures[GROWTH_THREADS], read_number(folder, "pids.max"),
			read_number(folder, "pids.current"), "pids.max of its cgroup");
	}
	free(folder);
}

static void take_machine(struct ceiling ceilings[GROWTH_FIGURES], const uint64_t figures[GROWTH_FIGURES])
{
	char text[TEXT_SIZE];

	ceiling_lower(&ceilings[GROWTH_THREADS], read_number(PROC_ROOT "/sys/kernel", "threads-max"), "kernel.threads-max");
	if (proc_file_read(AT_FDCWD, PROC_ROOT "/meminfo", text, sizeof text) <= 0)
		return;
	uint64_t kib = proc_number_behind(text, "MemAvailable:");
	if (kib != SAMPLE_UNKNOWN)
		take_room(&ceilings[GROWTH_RSS], figures[GROWTH_RSS], kib * 1024, 0, "all that the machine has left");
}

void ceilings_read(struct ceiling ceilings[GROWTH_FIGURES], int32_t pid)
{
	uint64_t figures[GROWTH_FIGURES];

	for (enum growth_figure i = 0; i < GROWTH_FIGURES; i++)
		ceilings[i] = (struct ceiling){ .most = SAMPLE_UNKNOWN };
	if (!figures_read(figures, pid))
		return;
	take_resource_limits(ceilings, pid);
	take_groups(ceilings, figures, pid);
	take_machine(ceilings, figures);
}
