#include "procfs/census.h"

#include <libproc2/pids.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/sample.h"
#include "procfs/file.h"
#include "procfs/stat.h"

enum { FIRST_ROOM = 256 };

enum column {
	PID,
	PARENT,
	SESSION,
	STATE,
	CPU,
	STARTTIME,
	RSS,
	THREADS,
	COLUMNS,
};

/* All of them are in /proc/PID/stat: one file a process. */
static enum pids_item items[COLUMNS] = {
	[PID] = PIDS_ID_PID,
	[PARENT] = PIDS_ID_PPID,
	[SESSION] = PIDS_ID_SESSION,
	[STATE] = PIDS_STATE,
	[CPU] = PIDS_TICS_ALL,
	[STARTTIME] = PIDS_TICS_BEGAN,
	[RSS] = PIDS_RSS,
	[THREADS] = PIDS_NLWP,
};

struct census_taker {
	struct pids_info *pids; /* owned; NULL: root is read by our own hand */
	int root;               /* borrowed */
	uint64_t page_size;
	struct census *census; /* borrowed, during a pass */
};

struct census_taker *census_taker_create(int root, bool is_proc, struct error *err)
{
	struct census_taker *taker = memory_zeroed(1, sizeof *taker);

	taker->root = root;
	taker->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	if (is_proc && procps_pids_new(&taker->pids, items, COLUMNS) < 0) {
		error_set(err, 0, "libproc2 cannot read processes");
		census_taker_destroy(taker);
		return NULL;
	}
	return taker;
}

void census_taker_destroy(struct census_taker *taker)
{
	if (!taker)
		return;
	if (taker->pids)
		procps_pids_unref(&taker->pids);
	free(taker);
}

void census_finish(struct census *census)
{
	free(census->rows);
	*census = (struct census){ 0 };
}

/* A main thread that ended before the others has taken its view of the memory with it. */
static uint64_t rss_of(const struct census_taker *taker, char state, uint64_t pages)
{
	return state == 'Z' ? SAMPLE_UNKNOWN : pages * taker->page_size;
}

static void add_row(struct census *census, const struct census_row *row)
{
	if (census->count == census->room) {
		census->room = census->room ? census->room * 2 : FIRST_ROOM;
		census->rows = memory_resize(census->rows, census->room, sizeof *census->rows);
	}
	census->rows[census->count++] = *row;
}

static void add_result(struct census_taker *taker, const struct pids_result *result)
{
	char state = result[STATE].result.s_ch;
	uint64_t threads = (uint64_t)result[THREADS].result.s_int;
	struct census_row row = {
		.pid = result[PID].result.s_int,
		.parent = result[PARENT].result.s_int,
		.session = result[SESSION].result.s_int,
		.starttime = result[STARTTIME].result.ull_int,
		.cpu = result[CPU].result.ull_int,
		.rss = rss_of(taker, state, result[RSS].result.ul_int),
		.threads = threads,
	};

	if (!proc_is_dead(state, threads))
		add_row(taker->census, &row);
}

static bool take_from_library(struct census_taker *taker, struct error *err)
{
	struct pids_fetch *fetched = procps_pids_reap(taker->pids, PIDS_FETCH_TASKS_ONLY);

	if (!fetched)
		return error_set(err, 0, "libproc2 finds no process");
	for (int i = 0; i < fetched->counts->total; i++)
		add_result(taker, fetched->stacks[i]->head);
	return true;
}

static void add_process(void *context, int pid)
{
	struct census_taker *taker = context;
	struct proc_stat stat;

	if (!procfs_stat(taker->root, pid, &stat) || proc_is_dead(stat.state, stat.threads))
		return;
	struct census_row row = {
		.pid = stat.pid,
		.parent = stat.parent,
		.session = stat.session,
		.starttime = stat.starttime,
		.cpu = stat.user + stat.system,
		.rss = rss_of(taker, stat.state, stat.rss_pages),
		.threads = stat.threads,
	};
	add_row(taker->census, &row);
}

/* To LeakSanitizer: libproc2 4.0.2 never frees the buffers of a thread that has ended. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libproc2";
}

static int compare_pids(const void *a, const void *b)
{
	const struct census_row *one = a, *other = b;

	return (one->pid > other->pid) - (one->pid < other->pid);
}

bool census_take(struct census_taker *taker, struct census *census, struct error *err)
{
	bool ok;

	census->count = 0;
	taker->census = census;
	if (taker->pids)
		ok = take_from_library(taker, err);
	else
		ok = proc_folder_scan(taker->root, ".", add_process, taker) ||
		     error_errno(err, "listing processes");
	taker->census = NULL;
	if (census->count)
		qsort(census->rows, census->count, sizeof *census->rows, compare_pids);
	return ok;
}

struct census_row *census_find(const struct census *census, int32_t pid)
{
	struct census_row wanted = { .pid = pid };

	if (!census->count)
		return NULL;
	return bsearch(&wanted, census->rows, census->count, sizeof *census->rows, compare_pids);
}
