#include "procfs/sweep.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "procfs/census.h"
#include "procfs/file.h"
#include "procfs/machine.h"

enum {
	SPAN_LEAST_US = 200 * 1000, /* a tick of the CPU clock is 10 ms: 5 % of this */
	NOBODY = -1,                /* owners of a row, besides the index of a target */
	NOT_KNOWN_YET = -2,
};

/* What one pass saw. */
struct pass {
	uint64_t taken_us; /* monotonic; 0: never */
	struct census census;
	struct machine_reading machine;
};

/* Whose session it is. */
struct claim {
	int32_t session, owner;
};

struct sweep {
	int root;
	bool is_proc;
	struct census_taker *taker;     /* owned */
	struct machine_reader *machine; /* owned */
	struct pass passes[3];          /* now, last and base point at these */
	struct pass *now, *last, *base; /* base: at least SPAN_LEAST_US before last */
	const struct pass *newest;      /* one of them; NULL: there was none */
	struct claim *claims;           /* owned; sorted by session */
	size_t claim_count;
	uint64_t tick_us;
};

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct sweep *sweep_create(struct error *err)
{
	return sweep_create_at(PROC_ROOT, err);
}

struct sweep *sweep_create_at(const char *root, struct error *err)
{
	struct sweep *sweep = memory_zeroed(1, sizeof *sweep);

	sweep->is_proc = strcmp(root, PROC_ROOT) == 0;
	sweep->tick_us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	sweep->now = &sweep->passes[0];
	sweep->last = &sweep->passes[1];
	sweep->base = &sweep->passes[2];
	sweep->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sweep->root < 0) {
		error_errno(err, "open %s", root);
		goto fail;
	}
	sweep->taker = census_taker_create(sweep->root, sweep->is_proc, err);
	if (!sweep->taker)
		goto fail;
	sweep->machine = machine_reader_create(sweep->root, sweep->is_proc, err);
	if (sweep->machine)
		return sweep;
fail:
	sweep_destroy(sweep);
	return NULL;
}

void sweep_destroy(struct sweep *sweep)
{
	if (!sweep)
		return;
	census_taker_destroy(sweep->taker);
	machine_reader_destroy(sweep->machine);
	for (size_t i = 0; i < sizeof sweep->passes / sizeof *sweep->passes; i++)
		census_finish(&sweep->passes[i].census);
	close_if_open(sweep->root);
	free(sweep->claims);
	free(sweep);
}

static int compare_sessions(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;

	return (one->session > other->session) - (one->session < other->session);
}

/* The rows of the targets themselves, and whose their sessions are. */
static void claim_targets(struct sweep *sweep, const struct sweep_target *targets, size_t count)
{
	const struct census *census = &sweep->now->census;

	for (size_t i = 0; i < census->count; i++)
		census->rows[i].owner = NOT_KNOWN_YET;
	sweep->claims = memory_resize(sweep->claims, count, sizeof *sweep->claims);
	sweep->claim_count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct sweep_target *target = &targets[i];
		struct census_row *row = census_find(census, target->pid);
		if (!row || (target->starttime && row->starttime != target->starttime))
			continue;
		row->owner = (int32_t)i;
		sweep->claims[sweep->claim_count++] = (struct claim){
			target->session ? target->session : target->pid, (int32_t)i
		};
	}
	qsort(sweep->claims, sweep->claim_count, sizeof *sweep->claims, compare_sessions);
}

/*
 * Whoever has no owner gets that of the nearest above who has one; what is found out is written
 * down all along the way. The table was not read in one instant: it may even have a loop.
 */
static void inherit_owner(const struct census *census, struct census_row *row)
{
	struct census_row *heir = row;

	for (size_t i = 0; row && row->owner == NOT_KNOWN_YET && i < census->count; i++)
		row = census_find(census, row->parent);
	int32_t owner = row && row->owner != NOT_KNOWN_YET ? row->owner : NOBODY;
	while (heir && heir->owner == NOT_KNOWN_YET) {
		heir->owner = owner;
		heir = census_find(census, heir->parent);
	}
}

static int32_t owner_of_session(const struct sweep *sweep, int32_t session)
{
	struct claim wanted = { .session = session };
	const struct claim *found;

	if (!sweep->claim_count)
		return NOT_KNOWN_YET;
	found = bsearch(&wanted, sweep->claims, sweep->claim_count, sizeof wanted, compare_sessions);
	return found ? found->owner : NOT_KNOWN_YET;
}

/* First by descent; then those who went away by their session, and what descends from them. */
static void find_owners(struct sweep *sweep)
{
	const struct census *census = &sweep->now->census;

	for (size_t i = 0; i < census->count; i++)
		inherit_owner(census, &census->rows[i]);
	for (size_t i = 0; i < census->count; i++)
		if (census->rows[i].owner == NOBODY)
			census->rows[i].owner = owner_of_session(sweep, census->rows[i].session);
	for (size_t i = 0; i < census->count; i++)
		inherit_owner(census, &census->rows[i]);
}

/* Of one core. The start of a process and its CPU time are known to a tick. */
static double percentage(uint64_t ticks, uint64_t span_us, uint64_t tick_us)
{
	if (span_us < tick_us)
		span_us = tick_us;
	return (double)ticks * (double)tick_us / (double)span_us * 100;
}

static double cpu_of(const struct sweep *sweep, const struct pass *base,
	const struct census_row *row, const struct sweep_time *now)
{
	const struct census_row *then = census_find(&base->census, row->pid);
	uint64_t born_us = row->starttime * sweep->tick_us;

	if (then && then->starttime == row->starttime)
		return percentage(row->cpu > then->cpu ? row->cpu - then->cpu : 0,
			now->monotonic_us - base->taken_us, sweep->tick_us);
	return percentage(row->cpu, now->boot_us > born_us ? now->boot_us - born_us : 0,
		sweep->tick_us);
}

static void count_one(void *context, int number)
{
	uint64_t *count = context;

	(void)number;
	++*count;
}

/* Since Linux 6.2 the size of the folder is the number of descriptors; 0 is an older one, or none. */
static uint64_t count_descriptors(const struct sweep *sweep, int32_t pid)
{
	char path[PROC_PATH_SIZE];
	struct stat st;
	uint64_t count = 0;

	snprintf(path, sizeof path, "%d/fd", (int)pid);
	if (sweep->is_proc && fstatat(sweep->root, path, &st, 0) == 0 && st.st_size > 0)
		return (uint64_t)st.st_size;
	return proc_folder_scan(sweep->root, path, count_one, &count) ? count : SAMPLE_UNKNOWN;
}

static void fill_leader(const struct sweep *sweep, struct sample *sample,
	const struct census_row *row, double cpu_pct)
{
	sample->pid = row->pid;
	sample->starttime = row->starttime;
	sample->taken_us = sweep->now->taken_us;
	sample->cpu_pct = cpu_pct;
	sample->rss = row->rss;
	sample->threads = row->threads;
	sample->fds = count_descriptors(sweep, row->pid);
}

/* Its share of what it uses together with others. The kernel adds it up: about 1 us a mapping. */
static uint64_t read_pss(const struct sweep *sweep, int32_t pid)
{
	char path[PROC_PATH_SIZE], text[1024];

	snprintf(path, sizeof path, "%d/smaps_rollup", (int)pid);
	if (proc_file_read(sweep->root, path, text, sizeof text) <= 0)
		return SAMPLE_UNKNOWN;
	const char *line = strstr(text, "\nPss:");
	return line ? strtoull(line + 5, NULL, 10) * 1024 : SAMPLE_UNKNOWN;
}

/* What is not known of one leaves the sum of the others. */
static void add_known(uint64_t *sum, uint64_t value)
{
	if (value != SAMPLE_UNKNOWN)
		*sum = value + (*sum == SAMPLE_UNKNOWN ? 0 : *sum);
}

static void add_dear(const struct sweep *sweep, struct sample *sample, unsigned wants, int32_t pid)
{
	if (wants & SWEEP_TREE_FDS)
		add_known(&sample->tree_fds, count_descriptors(sweep, pid));
	if (wants & SWEEP_TREE_PSS)
		add_known(&sample->tree_pss, read_pss(sweep, pid));
}

static void add_to_tree(struct sample *sample, const struct census_row *row, double cpu_pct)
{
	sample->tree_threads += row->threads;
	sample->tree_cpu_pct += cpu_pct;
	sample->tree_processes++;
	add_known(&sample->tree_rss, row->rss);
}

static void fill_samples(struct sweep *sweep, const struct pass *base,
	const struct sweep_target *targets, struct sample *out, const struct sweep_time *now)
{
	const struct census *census = &sweep->now->census;

	for (size_t i = 0; i < census->count; i++) {
		const struct census_row *row = &census->rows[i];
		int32_t owner = row->owner;
		if (owner == NOBODY)
			continue;
		double cpu_pct = cpu_of(sweep, base, row, now);
		add_to_tree(&out[owner], row, cpu_pct);
		if (targets[owner].wants)
			add_dear(sweep, &out[owner], targets[owner].wants, row->pid);
		if (row->pid == targets[owner].pid)
			fill_leader(sweep, &out[owner], row, cpu_pct);
	}
}

static double machine_cpu(const struct machine_reading *now, const struct pass *base)
{
	bool has_base = base->taken_us && base->machine.total != SAMPLE_UNKNOWN;
	uint64_t busy = has_base ? base->machine.busy : 0, total = has_base ? base->machine.total : 0;

	if (now->total == SAMPLE_UNKNOWN || now->total <= total || now->busy < busy)
		return -1;
	return 100.0 * now->cpus * (double)(now->busy - busy) / (double)(now->total - total);
}

static void fill_machine(struct sweep *sweep, const struct pass *base,
	struct machine_sample *machine)
{
	const struct machine_reading *reading = &sweep->now->machine;

	machine_read(sweep->machine, &sweep->now->machine);
	*machine = (struct machine_sample){
		.cpus = reading->cpus,
		.cpu_pct = machine_cpu(reading, base),
		.memory_total = reading->memory_total,
		.memory_available = reading->memory_available,
	};
}

/* A pass soon after the last is compared with the one before that, and not kept. */
static bool is_soon(const struct sweep *sweep, const struct sweep_time *now)
{
	return sweep->last->taken_us && now->monotonic_us - sweep->last->taken_us < SPAN_LEAST_US;
}

static void keep_pass(struct sweep *sweep)
{
	struct pass *spare = sweep->base;

	sweep->base = sweep->last;
	sweep->last = sweep->now;
	sweep->now = spare;
}

bool sweep_take_at(struct sweep *sweep, const struct sweep_time *now,
	const struct sweep_target *targets, size_t count, struct sample *out,
	struct machine_sample *machine, struct error *err)
{
	bool soon = is_soon(sweep, now);
	const struct pass *base = soon ? sweep->base : sweep->last;

	for (size_t i = 0; i < count; i++)
		out[i] = (struct sample){ .tree_rss = SAMPLE_UNKNOWN,
			.tree_fds = SAMPLE_UNKNOWN,
			.tree_pss = SAMPLE_UNKNOWN,
			.inside = INSIDE_UNKNOWN };
	*machine = (struct machine_sample){ 0 };
	if (!census_take(sweep->taker, &sweep->now->census, err))
		return false;
	sweep->now->taken_us = now->monotonic_us;
	claim_targets(sweep, targets, count);
	find_owners(sweep);
	fill_samples(sweep, base, targets, out, now);
	fill_machine(sweep, base, machine);
	sweep->newest = sweep->now;
	if (!soon)
		keep_pass(sweep);
	return true;
}

void sweep_visit_tree(const struct sweep *sweep, size_t target,
	void (*visit)(void *context, int32_t pid, uint64_t starttime, uint64_t threads), void *context)
{
	const struct census *census = sweep->newest ? &sweep->newest->census : NULL;

	for (size_t i = 0; census && i < census->count; i++) {
		const struct census_row *row = &census->rows[i];
		if (row->owner == (int32_t)target)
			visit(context, row->pid, row->starttime, row->threads);
	}
}

bool sweep_take(struct sweep *sweep, const struct sweep_target *targets, size_t count,
	struct sample *out, struct machine_sample *machine, struct error *err)
{
	struct sweep_time now = { read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_BOOTTIME) };

	return sweep_take_at(sweep, &now, targets, count, out, machine, err);
}
