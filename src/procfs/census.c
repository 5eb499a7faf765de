#include "procfs/census.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/sample.h"
#include "procfs/file.h"
#include "procfs/stat.h"

enum { FIRST_ROOM = 256,
	SLICES = 64 }; /* every so many passes everybody is read anew, whether it has run or not */

/* What was read of a process, and how much CPU it had used then, to the nanosecond. */
struct reading {
	struct census_row row;
	uint64_t cpu_ns; /* SAMPLE_UNKNOWN: no clock tells */
	bool is_dead;
};

/* Sorted by pid. */
struct readings {
	struct reading *items; /* owned */
	size_t count, room;
};

struct census_taker {
	int root; /* borrowed */
	bool has_clocks;
	uint64_t page_size;
	struct readings last, now;
	size_t place; /* in last: of the first that may still be met */
	unsigned turn;
};

struct census_taker *census_taker_create(int root, bool is_proc, struct error *err)
{
	struct census_taker *taker = memory_zeroed(1, sizeof *taker);

	(void)err;
	taker->root = root;
	taker->has_clocks = is_proc;
	taker->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	return taker;
}

void census_taker_destroy(struct census_taker *taker)
{
	if (!taker)
		return;
	free(taker->last.items);
	free(taker->now.items);
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

static void add_reading(struct readings *readings, const struct reading *reading)
{
	if (readings->count == readings->room) {
		readings->room = readings->room ? readings->room * 2 : FIRST_ROOM;
		readings->items = memory_resize(readings->items, readings->room, sizeof *readings->items);
	}
	readings->items[readings->count++] = *reading;
}

static bool read_process(const struct census_taker *taker, int pid, struct reading *reading)
{
	struct proc_stat stat;

	if (!procfs_stat(taker->root, pid, &stat))
		return false;
	reading->is_dead = proc_is_dead(stat.state, stat.threads);
	reading->row = (struct census_row){
		.pid = stat.pid,
		.parent = stat.parent,
		.session = stat.session,
		.starttime = stat.starttime,
		.cpu = stat.user + stat.system,
		.rss = rss_of(taker, stat.state, stat.rss_pages),
		.threads = stat.threads,
	};
	return true;
}

/* /proc lists pids in order, and so were those of the last pass. */
static const struct reading *find_last(struct census_taker *taker, int pid)
{
	while (taker->place < taker->last.count && taker->last.items[taker->place].row.pid < pid)
		taker->place++;
	bool is_there = taker->place < taker->last.count && taker->last.items[taker->place].row.pid == pid;
	return is_there ? &taker->last.items[taker->place] : NULL;
}

/*
 * Who has not run since is what it was, but for what others do to it: it gets another parent, which is
 * seen when its own is gone, and its memory is taken away, which can wait for its turn.
 */
static void take_process(void *context, int pid)
{
	struct census_taker *taker = context;
	const struct reading *last = find_last(taker, pid);
	struct reading reading = { .cpu_ns = taker->has_clocks ? proc_cpu_ns(pid) : SAMPLE_UNKNOWN };
	bool is_due = ((unsigned)pid + taker->turn) % SLICES == 0;

	if (last && !is_due && reading.cpu_ns != SAMPLE_UNKNOWN && reading.cpu_ns == last->cpu_ns)
		add_reading(&taker->now, last);
	else if (read_process(taker, pid, &reading))
		add_reading(&taker->now, &reading);
}

static int compare_readings(const void *a, const void *b)
{
	const struct reading *one = a, *other = b;

	return (one->row.pid > other->row.pid) - (one->row.pid < other->row.pid);
}

static bool is_sorted(const struct readings *readings)
{
	for (size_t i = 1; i < readings->count; i++)
		if (readings->items[i - 1].row.pid > readings->items[i].row.pid)
			return false;
	return true;
}

static bool is_there(const struct readings *readings, int32_t pid)
{
	struct reading wanted = { .row.pid = pid };

	return bsearch(&wanted, readings->items, readings->count, sizeof wanted, compare_readings);
}

/* Those whose parent has gone belong to somebody else now. */
static void find_parents(struct census_taker *taker)
{
	for (size_t i = 0; i < taker->now.count; i++) {
		struct reading *reading = &taker->now.items[i];
		if (reading->row.parent && !is_there(&taker->now, reading->row.parent))
			read_process(taker, reading->row.pid, reading);
	}
}

static void hand_over(struct census_taker *taker, struct census *census)
{
	struct readings spare = taker->last;

	census->count = 0;
	for (size_t i = 0; i < taker->now.count; i++)
		if (!taker->now.items[i].is_dead)
			add_row(census, &taker->now.items[i].row);
	taker->last = taker->now;
	taker->now = spare;
}

bool census_take(struct census_taker *taker, struct census *census, struct error *err)
{
	taker->now.count = 0;
	taker->place = 0;
	taker->turn++;
	if (!proc_folder_scan(taker->root, ".", take_process, taker))
		return error_errno(err, "listing processes");
	if (!is_sorted(&taker->now))
		qsort(taker->now.items, taker->now.count, sizeof *taker->now.items, compare_readings);
	find_parents(taker);
	hand_over(taker, census);
	return true;
}

static int compare_pids(const void *a, const void *b)
{
	const struct census_row *one = a, *other = b;

	return (one->pid > other->pid) - (one->pid < other->pid);
}

struct census_row *census_find(const struct census *census, int32_t pid)
{
	struct census_row wanted = { .pid = pid };

	if (!census->count)
		return NULL;
	return bsearch(&wanted, census->rows, census->count, sizeof *census->rows, compare_pids);
}
