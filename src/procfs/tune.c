#include "procfs/tune.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procfs/file.h"
#include "procfs/stat.h"

enum { IO_OF_PROCESS = 1, /* IOPRIO_WHO_PROCESS, which glibc has no name for */
	NICE_LEAST = -20,
	NICE_MOST = 19 };

/* One change, of all the threads of a process. */
struct tuning {
	bool (*change)(const struct tuning *tuning, int tid);
	int number;
	const cpu_set_t *processors;
	int failed; /* errno of the first that failed; 0: none has */
	unsigned done;
};

static bool is_it(int32_t pid, uint64_t starttime, struct error *err)
{
	struct proc_stat stat;

	if (proc_stat_read(pid, &stat) && stat.starttime == starttime)
		return true;
	return error_set(err, ESRCH, "pid %d: it has ended", (int)pid);
}

/* A thread that has just ended is none that failed. */
static void change_thread(void *context, int tid)
{
	struct tuning *tuning = context;

	if (tuning->change(tuning, tid))
		tuning->done++;
	else if (errno != ESRCH && !tuning->failed)
		tuning->failed = errno;
}

static bool change_all(struct tuning *tuning, int32_t pid, uint64_t starttime, const char *denied, struct error *err)
{
	char path[PROC_PATH_SIZE];

	if (!is_it(pid, starttime, err))
		return false;
	snprintf(path, sizeof path, PROC_ROOT "/%d/task", (int)pid);
	if (!proc_folder_scan(AT_FDCWD, path, change_thread, tuning) || (!tuning->done && !tuning->failed))
		return error_set(err, ESRCH, "pid %d: it has ended", (int)pid);
	errno = tuning->failed;
	if (tuning->failed == EACCES || tuning->failed == EPERM)
		return error_set(err, tuning->failed, "pid %d: %s", (int)pid, denied);
	return !tuning->failed || error_errno(err, "pid %d", (int)pid);
}

/* ---- nice ---- */

static bool change_nice(const struct tuning *tuning, int tid)
{
	errno = 0;
	int now = getpriority(PRIO_PROCESS, (id_t)tid), nice = now + tuning->number;

	if (now == -1 && errno)
		return false;
	nice = nice < NICE_LEAST ? NICE_LEAST : nice > NICE_MOST ? NICE_MOST
								 : nice;
	return setpriority(PRIO_PROCESS, (id_t)tid, nice) == 0;
}

bool tune_nice(int32_t pid, uint64_t starttime, int by, int *now, struct error *err)
{
	struct tuning tuning = { .change = change_nice, .number = by };
	bool ok = change_all(&tuning, pid, starttime,
		by < 0 ? "only root may make it less nice than it is (or whom RLIMIT_NICE lets)" : "it is another user's", err);

	*now = getpriority(PRIO_PROCESS, (id_t)pid);
	return ok;
}

/* ---- processors ---- */

static bool change_processors(const struct tuning *tuning, int tid)
{
	return sched_setaffinity(tid, sizeof *tuning->processors, tuning->processors) == 0;
}

bool tune_get_processors(int32_t pid, uint64_t starttime, bool may_use[TUNE_PROCESSORS_MOST], unsigned *count, struct error *err)
{
	long known = sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t set;

	CPU_ZERO(&set);
	if (!is_it(pid, starttime, err))
		return false;
	if (sched_getaffinity(pid, sizeof set, &set) < 0)
		return error_errno(err, "the processors of pid %d", (int)pid);
	*count = known < 1 ? 1 : known > TUNE_PROCESSORS_MOST ? TUNE_PROCESSORS_MOST
							      : (unsigned)known;
	for (unsigned i = 0; i < TUNE_PROCESSORS_MOST; i++)
		may_use[i] = CPU_ISSET(i, &set);
	return true;
}

bool tune_set_processors(int32_t pid, uint64_t starttime, const bool may_use[TUNE_PROCESSORS_MOST], struct error *err)
{
	cpu_set_t set;
	struct tuning tuning = { .change = change_processors, .processors = &set };

	CPU_ZERO(&set);
	for (unsigned i = 0; i < TUNE_PROCESSORS_MOST; i++)
		if (may_use[i])
			CPU_SET(i, &set);
	if (!CPU_COUNT(&set))
		return error_set(err, EINVAL, "pid %d: it needs one processor at the least", (int)pid);
	return change_all(&tuning, pid, starttime, "it is another user's", err);
}

/* ---- turns at disks ---- */

static bool change_io(const struct tuning *tuning, int tid)
{
	return syscall(SYS_ioprio_set, IO_OF_PROCESS, tid, tuning->number) == 0;
}

bool tune_get_io(int32_t pid, uint64_t starttime, int *priority, struct error *err)
{
	if (!is_it(pid, starttime, err))
		return false;
	long got = syscall(SYS_ioprio_get, IO_OF_PROCESS, pid);
	*priority = (int)got;
	return got >= 0 || error_errno(err, "the I/O priority of pid %d", (int)pid);
}

bool tune_set_io(int32_t pid, uint64_t starttime, int priority, struct error *err)
{
	struct tuning tuning = { .change = change_io, .number = priority };

	return change_all(&tuning, pid, starttime, "it is another user's, or real time is not for you", err);
}
