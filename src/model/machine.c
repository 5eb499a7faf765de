#include "model/machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { NONE = -1,
	SHOWN = 10,       /* of CPU in percent, one decimal is */
	RANK_CHANGE = 25, /* points of percent: somebody has begun to work, or ended */
	GUIDES_MOST = 64 };

/* One process on its way to a row: indices are those of machine->processes. */
struct node {
	const struct machine_process *process;
	long parent, child, sibling; /* NONE: it has none */
	bool is_chosen, is_shown;
};

struct forest {
	const struct machine *machine;
	const struct machine_wish *wish;
	struct node *nodes; /* owned */
	long *order;        /* owned */
	long roots;         /* the first of them */
};

void machine_finish(struct machine *machine)
{
	for (size_t i = 0; i < machine->count; i++)
		free(machine->processes[i].command);
	free(machine->processes);
	*machine = (struct machine){ 0 };
}

static int compare_pids(const void *a, const void *b)
{
	const struct machine_process *one = a, *other = b;

	return (one->id.pid > other->id.pid) - (one->id.pid < other->id.pid);
}

const struct machine_process *machine_find(const struct machine *machine, int32_t pid)
{
	struct machine_process wanted = { .id.pid = pid };

	if (!machine->count)
		return NULL;
	return bsearch(&wanted, machine->processes, machine->count, sizeof wanted, compare_pids);
}

void machine_look(struct machine *machine, const struct machine_id *id, const struct inside *inside)
{
	const struct machine_process *found = machine_find(machine, id->pid);

	if (found && machine_id_is(&found->id, id))
		machine->processes[found - machine->processes].inside = *inside;
}

void machine_touch(struct machine *machine, const struct machine_id *id)
{
	const struct machine_process *found = machine_find(machine, id->pid);

	if (found && machine_id_is(&found->id, id))
		machine->processes[found - machine->processes].is_stale = true;
}

void machine_rank(struct machine *machine, bool is_due)
{
	for (size_t i = 0; i < machine->count; i++) {
		struct machine_process *process = &machine->processes[i];
		double former = process->cpu_rank < 0 ? 0 : process->cpu_rank;
		bool is_other = fabs(process->cpu_pct - former) >= RANK_CHANGE;
		process->cpu_rank = is_due || is_other ? process->cpu_pct : former;
	}
}

bool machine_has_inside(const struct machine_process *process)
{
	return !process->is_kernel && !process->is_thread && process->state != 'Z';
}

bool machine_id_is(const struct machine_id *one, const struct machine_id *other)
{
	return one->pid == other->pid && one->starttime == other->starttime;
}

/*
 * The table was not read in one instant, and pids are used again: a parent is older than its child,
 * or it is none. So there are no loops.
 */
static const struct machine_process *find_parent(const struct machine *machine, const struct machine_process *process)
{
	const struct machine_process *parent = machine_find(machine, process->parent);
	const struct machine_id *id = &process->id;
	bool is_older = parent && (parent->id.starttime < id->starttime ||
					  (parent->id.starttime == id->starttime && parent->id.pid < id->pid));

	return is_older ? parent : NULL;
}

/* ---- sets ---- */

static size_t place_in(const struct machine_set *set, const struct machine_id *id)
{
	size_t i = 0;

	while (i < set->count && !machine_id_is(&set->ids[i], id))
		i++;
	return i;
}

bool machine_set_has(const struct machine_set *set, const struct machine_id *id)
{
	return place_in(set, id) < set->count;
}

bool machine_set_toggle(struct machine_set *set, const struct machine_id *id)
{
	size_t place = place_in(set, id);

	if (place < set->count)
		set->ids[place] = set->ids[--set->count];
	else if (set->count < MACHINE_CHOSEN_MOST)
		set->ids[set->count++] = *id;
	else
		return false;
	return true;
}

static bool descends(const struct machine *machine, const struct machine_process *process, const struct machine_id *id)
{
	for (; process; process = find_parent(machine, process))
		if (machine_id_is(&process->id, id))
			return true;
	return false;
}

bool machine_set_add_tree(struct machine_set *set, const struct machine *machine, const struct machine_id *id)
{
	bool is_all = true;

	for (size_t i = 0; i < machine->count; i++) {
		const struct machine_process *process = &machine->processes[i];
		if (!process->is_thread && descends(machine, process, id) && !machine_set_has(set, &process->id))
			is_all &= machine_set_toggle(set, &process->id);
	}
	return is_all;
}

void machine_set_tidy(struct machine_set *set, const struct machine *machine)
{
	for (size_t i = set->count; i-- > 0;) {
		const struct machine_process *process = machine_find(machine, set->ids[i].pid);
		if (!process || !machine_id_is(&process->id, &set->ids[i]))
			set->ids[i] = set->ids[--set->count];
	}
}

/* ---- order ---- */

static int by_figure(double one, double other)
{
	return (one < other) - (one > other);
}

/* As it is shown: who cannot be told apart does not change places for nothing. */
static double cpu_of(const struct machine_process *process)
{
	return rint((process->cpu_rank >= 0 ? process->cpu_rank : process->cpu_pct) * SHOWN);
}

static int by_cpu(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure(cpu_of(one), cpu_of(other));
}

/* What is not known comes last. */
static int by_memory(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)(one->rss + 1), (double)(other->rss + 1));
}

static int by_time(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)one->cpu_ns, (double)other->cpu_ns);
}

static int by_pid(const struct machine_process *one, const struct machine_process *other)
{
	return compare_pids(one, other);
}

static int by_user(const struct machine_process *one, const struct machine_process *other)
{
	return strcmp(one->user, other->user);
}

/* Who runs, or is in trouble, first. */
static int by_state(const struct machine_process *one, const struct machine_process *other)
{
	static const char order[] = "RDZTtXSI";
	const char *first = strchr(order, one->state), *second = strchr(order, other->state);

	return (first ? (int)(first - order) : 99) - (second ? (int)(second - order) : 99);
}

static int by_threads(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)one->threads, (double)other->threads);
}

static int by_queue(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)(one->inside.queue + 1), (double)(other->inside.queue + 1));
}

static int by_loop(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure(one->inside.utilisation, other->inside.utilisation);
}

static int by_lag(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)(one->inside.lag_ms + 1), (double)(other->inside.lag_ms + 1));
}

static int by_command(const struct machine_process *one, const struct machine_process *other)
{
	return strcasecmp(one->command, other->command);
}

static int by_nice(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure(other->nice, one->nice);
}

static int by_priority(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure(other->priority, one->priority);
}

static int by_size(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)one->size, (double)other->size);
}

static int by_shared(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)(one->shared + 1), (double)(other->shared + 1));
}

static int by_read(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure(one->read_rate, other->read_rate);
}

static int by_written(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure(one->write_rate, other->write_rate);
}

static int by_faults(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)one->faults, (double)other->faults);
}

/* The newest first. */
static int by_start(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure((double)one->id.starttime, (double)other->id.starttime);
}

static int by_parent(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure(other->parent, one->parent);
}

static int by_processor(const struct machine_process *one, const struct machine_process *other)
{
	return by_figure(other->processor, one->processor);
}

static int (*const sorts[MACHINE_SORT_COUNT])(const struct machine_process *one, const struct machine_process *other) = {
	[MACHINE_BY_CPU] = by_cpu,
	[MACHINE_BY_MEMORY] = by_memory,
	[MACHINE_BY_TIME] = by_time,
	[MACHINE_BY_PID] = by_pid,
	[MACHINE_BY_USER] = by_user,
	[MACHINE_BY_STATE] = by_state,
	[MACHINE_BY_THREADS] = by_threads,
	[MACHINE_BY_QUEUE] = by_queue,
	[MACHINE_BY_LOOP] = by_loop,
	[MACHINE_BY_LAG] = by_lag,
	[MACHINE_BY_COMMAND] = by_command,
	[MACHINE_BY_NICE] = by_nice,
	[MACHINE_BY_PRIORITY] = by_priority,
	[MACHINE_BY_SIZE] = by_size,
	[MACHINE_BY_SHARED] = by_shared,
	[MACHINE_BY_READ] = by_read,
	[MACHINE_BY_WRITTEN] = by_written,
	[MACHINE_BY_FAULTS] = by_faults,
	[MACHINE_BY_START] = by_start,
	[MACHINE_BY_PARENT] = by_parent,
	[MACHINE_BY_PROCESSOR] = by_processor,
};

const char *const machine_sort_names[MACHINE_SORT_COUNT] = {
	[MACHINE_BY_CPU] = "cpu",
	[MACHINE_BY_MEMORY] = "memory",
	[MACHINE_BY_TIME] = "time",
	[MACHINE_BY_PID] = "pid",
	[MACHINE_BY_USER] = "user",
	[MACHINE_BY_STATE] = "state",
	[MACHINE_BY_THREADS] = "threads",
	[MACHINE_BY_QUEUE] = "queue",
	[MACHINE_BY_LOOP] = "loop",
	[MACHINE_BY_LAG] = "lag",
	[MACHINE_BY_COMMAND] = "command",
	[MACHINE_BY_NICE] = "nice",
	[MACHINE_BY_PRIORITY] = "priority",
	[MACHINE_BY_SIZE] = "size",
	[MACHINE_BY_SHARED] = "shared",
	[MACHINE_BY_READ] = "read",
	[MACHINE_BY_WRITTEN] = "written",
	[MACHINE_BY_FAULTS] = "faults",
	[MACHINE_BY_START] = "start",
	[MACHINE_BY_PARENT] = "parent",
	[MACHINE_BY_PROCESSOR] = "processor",
};

bool machine_sort_is_inside(enum machine_sort sort)
{
	return sort == MACHINE_BY_QUEUE || sort == MACHINE_BY_LOOP || sort == MACHINE_BY_LAG;
}

/* Equals stand by their pids, so that rows do not change places for nothing. */
static int compare_nodes(const void *a, const void *b, void *context)
{
	const struct forest *forest = context;
	const struct machine_process *one = forest->nodes[*(const long *)a].process;
	const struct machine_process *other = forest->nodes[*(const long *)b].process;
	int result = sorts[forest->wish->sort](one, other);

	if (forest->wish->is_inverted)
		result = -result;
	return result ? result : compare_pids(one, other);
}

/* ---- tree ---- */

static long parent_of(const struct forest *forest, const struct machine_process *process)
{
	const struct machine_process *parent = find_parent(forest->machine, process);

	return parent ? parent - forest->machine->processes : NONE;
}

static bool is_named(const struct machine_wish *wish, const struct forest *forest, long place)
{
	for (; place != NONE; place = forest->nodes[place].parent)
		for (size_t i = 0; i < wish->pid_count; i++)
			if (forest->nodes[place].process->id.pid == wish->pids[i])
				return true;
	return !wish->pid_count;
}

static bool is_chosen(const struct machine_wish *wish, const struct machine_process *process)
{
	if ((wish->hides_kernel && process->is_kernel) || (*wish->user && strcmp(wish->user, process->user) != 0))
		return false;
	return !wish->filter || pattern_matches(wish->filter, process->command, strlen(process->command)) !=
					wish->is_filter_inverse;
}

static void choose(struct forest *forest)
{
	for (size_t i = 0; i < forest->machine->count; i++)
		forest->nodes[i].parent = parent_of(forest, forest->nodes[i].process);
	for (size_t i = 0; i < forest->machine->count; i++) {
		struct node *node = &forest->nodes[i];
		node->is_chosen = is_chosen(forest->wish, node->process) && is_named(forest->wish, forest, (long)i);
		node->is_shown |= node->is_chosen;
		long at = forest->wish->is_tree && node->is_chosen ? node->parent : NONE;
		for (; at != NONE && !forest->nodes[at].is_shown; at = forest->nodes[at].parent)
			forest->nodes[at].is_shown = true;
	}
}

/* From the last to the first, each before its siblings. */
static void link_children(struct forest *forest)
{
	for (size_t i = forest->machine->count; i-- > 0;) {
		struct node *node = &forest->nodes[forest->order[i]];
		bool is_root = node->parent == NONE || !forest->wish->is_tree;
		long *first = is_root ? &forest->roots : &forest->nodes[node->parent].child;
		if (!node->is_shown)
			continue;
		node->sibling = *first;
		*first = forest->order[i];
	}
}

static void plant(struct forest *forest)
{
	size_t count = forest->machine->count;

	forest->nodes = memory_zeroed(count, sizeof *forest->nodes);
	forest->order = memory_zeroed(count, sizeof *forest->order);
	forest->roots = NONE;
	for (size_t i = 0; i < count; i++) {
		forest->nodes[i] = (struct node){ &forest->machine->processes[i], NONE, NONE, NONE, false, false };
		forest->order[i] = (long)i;
	}
	choose(forest);
	qsort_r(forest->order, count, sizeof *forest->order, compare_nodes, forest);
	link_children(forest);
}

/* The node below, or beside, or beside one of those above. */
static long next_node(const struct forest *forest, long at, bool is_folded, unsigned *depth)
{
	if (!is_folded && forest->nodes[at].child != NONE) {
		++*depth;
		return forest->nodes[at].child;
	}
	while (at != NONE && forest->nodes[at].sibling == NONE && *depth > 0) {
		at = forest->nodes[at].parent;
		--*depth;
	}
	return at == NONE ? NONE : forest->nodes[at].sibling;
}

static uint64_t guides_of(uint64_t guides, unsigned depth, bool has_sibling)
{
	if (depth >= GUIDES_MOST)
		return guides;
	uint64_t bit = UINT64_C(1) << depth;

	return (guides & (bit - 1)) | (has_sibling ? bit : 0);
}

struct machine_row *machine_rows(const struct machine *machine, const struct machine_wish *wish, size_t *count)
{
	struct forest forest = { .machine = machine, .wish = wish };
	struct machine_row *rows = memory_zeroed(machine->count + 1, sizeof *rows);
	unsigned depth = 0;
	uint64_t guides = 0;

	*count = 0;
	plant(&forest);
	for (long at = forest.roots; at != NONE;) {
		const struct node *node = &forest.nodes[at];
		bool is_folded = node->child != NONE && machine_set_has(&wish->folded, &node->process->id);
		guides = guides_of(guides, depth, node->sibling != NONE);
		rows[(*count)++] = (struct machine_row){ node->process, depth, guides, is_folded };
		at = next_node(&forest, at, is_folded, &depth);
	}
	free(forest.nodes);
	free(forest.order);
	return rows;
}

long machine_row_of(const struct machine_row *rows, size_t count, const struct machine_id *id)
{
	for (size_t i = 0; i < count; i++)
		if (machine_id_is(&rows[i].process->id, id))
			return (long)i;
	return NONE;
}

long machine_search(const struct machine_row *rows, size_t count, long place, int direction, const char *text)
{
	int32_t pid = (int32_t)strtol(text, NULL, 10);

	for (size_t i = 0; i < count; i++, place += direction) {
		long at = (place % (long)count + (long)count) % (long)count;
		const struct machine_process *process = rows[at].process;
		if (strcasestr(process->command, text) || (pid && process->id.pid == pid))
			return at;
	}
	return NONE;
}

long machine_search_pid(const struct machine_row *rows, size_t count, const char *figures)
{
	size_t length = strlen(figures);
	long longer = NONE;
	char pid[16];

	for (size_t i = 0; i < count; i++) {
		snprintf(pid, sizeof pid, "%d", (int)rows[i].process->id.pid);
		if (strcmp(pid, figures) == 0)
			return (long)i;
		if (longer == NONE && strncmp(pid, figures, length) == 0)
			longer = (long)i;
	}
	return longer;
}
