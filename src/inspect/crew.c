#include "inspect/crew.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "inspect/path.h"
#include "inspect/task.h"
#include "model/sample.h"
#include "procfs/stat.h"

enum { BUDGET_SHARE = 4, /* one part in so many of what may be open */
	BUDGET_MOST = 16384,
	DOUBTS = 3,
	STILL_LEAST = 8,   /* looks that it has not run in, to be asked last */
	FEW = 6,           /* who are asked by their files sooner than by the roll */
	ROLL_WORTH = 8000, /* threads that are asked by their files cost what it takes to begin the roll */
	TEXT_SIZE = 96 };

struct crew_budget crew_budget_of_process(void)
{
	struct rlimit limit;
	size_t most = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur / BUDGET_SHARE : 0;

	return (struct crew_budget){ .most = most < BUDGET_MOST ? most : BUDGET_MOST };
}

void crew_budget_finish(struct crew_budget *budget)
{
	roll_destroy(budget->roll);
	free(budget->entries);
	budget->roll = NULL;
	budget->entries = NULL;
}

bool crew_budget_roll(struct crew_budget *budget, struct error *err)
{
	budget->is_roll_tried = true;
	if (!budget->roll)
		budget->roll = roll_create(err);
	if (budget->roll && !budget->entries)
		budget->entries = memory_zeroed(INSIDE_THREADS_MOST, sizeof *budget->entries);
	return budget->roll;
}

static void close_member(struct crew *crew, struct crew_member *member)
{
	if (member->fd < 0)
		return;
	close(member->fd);
	member->fd = -1;
	crew->budget->used--;
}

void crew_close(struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		close_member(crew, &crew->members[i]);
	crew->is_open = false;
}

void crew_finish(struct crew *crew)
{
	crew_close(crew);
	free(crew->members);
	*crew = (struct crew){ 0 };
}

/* ---- has it run? ---- */

static ssize_t read_kept(struct crew *crew, struct crew_member *member, int32_t pid, char *text, size_t size)
{
	char path[INSPECT_PATH_SIZE];
	int fd = member->fd;

	if (fd < 0)
		fd = open(inspect_task_path(path, pid, member->report.tid, "schedstat"), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t got = pread(fd, text, size, 0);
	if (member->fd < 0 && crew->budget->used < crew->budget->most) {
		member->fd = fd;
		crew->budget->used++;
		crew->is_open = true;
	} else if (member->fd < 0) {
		close(fd);
	}
	return got;
}

/* Unless it sleeps, its files change without its running. */
static bool take_times(struct crew_member *member, const struct task_times *times)
{
	const struct task_times *last = &member->times;
	bool is_same = times->run_ns == last->run_ns && times->wait_ns == last->wait_ns && times->turns == last->turns;

	member->times = *times;
	member->is_timed = !is_same;
	return !is_same || !times->turns || member->report.state != 'S';
}

/* False: it is gone. */
static bool ask(struct crew *crew, struct crew_member *member, int32_t pid, bool *has_run)
{
	char text[TEXT_SIZE];
	struct task_times times;
	ssize_t got = read_kept(crew, member, pid, text, sizeof text - 1);

	*has_run = true;
	crew->budget->asked++;
	text[got > 0 ? got : 0] = '\0';
	if (!task_times_parse(&times, text))
		return got >= 0;
	*has_run = take_times(member, &times);
	return true;
}

/* ---- one thread ---- */

static double rate(uint64_t now, uint64_t then, double span_ns, double factor)
{
	return now == SAMPLE_UNKNOWN || then == SAMPLE_UNKNOWN || now < then ? -1 : (double)(now - then) * factor / span_ns;
}

static void stand_still(struct thread_report *report)
{
	report->cpu_pct = report->cpu_ns == SAMPLE_UNKNOWN ? -1 : 0;
	report->switch_rate = report->switches == SAMPLE_UNKNOWN ? -1 : 0;
}

/*
 * Who has just gone to sleep may still be in the queue of its processor: then the kernel does not say where it waits, and
 * it leaves without running again. Where one never says so it is believed after a while.
 */
static bool is_doubtful(const struct crew_member *member)
{
	return member->doubts && !member->report.wchan[0];
}

static void judge(struct crew_member *member, bool has_run)
{
	member->is_read = has_run || is_doubtful(member);
	member->still = has_run ? 0 : member->still + 1;
	if (has_run)
		member->doubts = DOUBTS;
	else if (member->is_read)
		member->doubts--;
}

/* False: it is gone. */
static bool check(struct crew *crew, struct crew_member *member, int32_t pid)
{
	bool has_run, is_there = ask(crew, member, pid, &has_run);

	judge(member, has_run);
	return is_there;
}

/* False: it is gone. */
static bool look_at(struct crew *crew, struct crew_member *member, int32_t pid, uint64_t now_ns)
{
	if (!member->is_read) {
		stand_still(&member->report);
		return true;
	}
	struct thread_report last = member->report;
	if (!task_read(&member->report, pid, last.tid, member->is_timed ? &member->times : NULL))
		return false;
	if (last.state == '\0' || now_ns <= crew->taken_ns)
		return true;
	double span_ns = (double)(now_ns - crew->taken_ns);
	member->report.cpu_pct = rate(member->report.cpu_ns, last.cpu_ns, span_ns, 100);
	member->report.switch_rate = rate(member->report.switches, last.switches, span_ns, 1e9);
	return true;
}

/* ---- all of them ---- */

static int compare(const void *a, const void *b)
{
	const int32_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* Who was there keeps its descriptor; those of the others are closed. */
static void renew(struct crew *crew, const int32_t *tids, size_t count)
{
	struct crew_member *members = memory_zeroed(count + 1, sizeof *members);
	size_t old = 0;

	for (size_t i = 0; i < count; i++) {
		while (old < crew->count && crew->members[old].report.tid < tids[i])
			close_member(crew, &crew->members[old++]);
		if (old < crew->count && crew->members[old].report.tid == tids[i])
			members[i] = crew->members[old++];
		else
			members[i] = (struct crew_member){ .fd = -1, .report.tid = tids[i] };
	}
	while (old < crew->count)
		close_member(crew, &crew->members[old++]);
	free(crew->members);
	crew->members = members;
	crew->count = count;
}

static void list(struct crew *crew, int32_t pid, size_t most)
{
	int32_t *tids = memory_zeroed(most + 1, sizeof *tids);
	size_t count = task_list(pid, tids, most);

	qsort(tids, count, sizeof *tids, compare);
	renew(crew, tids, count);
	free(tids);
}

static bool all_sleep(const struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		if (crew->members[i].report.state != 'S' || is_doubtful(&crew->members[i]))
			return false;
	return crew->count;
}

/* So many links has the folder of its threads, besides two; to list it costs more than to ask all that are known. */
static bool is_count_known(const struct crew *crew, int32_t pid)
{
	char path[INSPECT_PATH_SIZE];
	struct stat st;

	return crew->count && stat(inspect_path(path, pid, "task"), &st) == 0 && st.st_nlink == crew->count + 2;
}

static bool is_likely(const struct crew_member *member)
{
	return member->still < STILL_LEAST || member->report.state != 'S' || is_doubtful(member);
}

/* Those that are likely to have run, or the others. False: one is gone. */
static bool check_those(struct crew *crew, int32_t pid, bool likely)
{
	bool are_there = true;

	for (size_t i = 0; i < crew->count; i++) {
		struct crew_member *member = &crew->members[i];
		if (member->is_asked || is_likely(member) != likely)
			continue;
		member->is_asked = true;
		are_there = check(crew, member, pid) && are_there;
	}
	return are_there;
}

static uint64_t sum_of(const struct crew *crew)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < crew->count; i++)
		sum += crew->members[i].times.run_ns;
	return sum;
}

static bool are_same(const struct crew *crew, const struct roll_entry *entries, size_t count)
{
	for (size_t i = 0; i < count && count == crew->count; i++)
		if (crew->members[i].report.tid != entries[i].tid)
			return false;
	return count == crew->count;
}

static void renew_by(struct crew *crew, const struct roll_entry *entries, size_t count)
{
	int32_t *tids = memory_zeroed(count, sizeof *tids);

	for (size_t i = 0; i < count; i++)
		tids[i] = entries[i].tid;
	renew(crew, tids, count);
	free(tids);
}

/* All that are still to be asked, at once. False: that cannot be had; or they are more than it has room for. */
static bool call_roll(struct crew *crew, int32_t pid, uint64_t cpu_ns, size_t most)
{
	struct crew_budget *budget = crew->budget;
	struct error err;

	if (!budget->is_roll_tried && budget->asked >= ROLL_WORTH)
		crew_budget_roll(budget, &err);
	size_t count = budget->roll ? roll_call(budget->roll, pid, budget->entries, INSIDE_THREADS_MOST) : 0;
	if (!count || count == INSIDE_THREADS_MOST || count > most)
		return false;
	if (!are_same(crew, budget->entries, count))
		renew_by(crew, budget->entries, count);
	for (size_t i = 0; i < count; i++) {
		const struct roll_entry *entry = &budget->entries[i];
		struct crew_member *member = &crew->members[i];
		if (member->is_asked)
			continue;
		struct task_times times = { entry->run_ns, entry->wait_ns, entry->turns };
		bool has_run = take_times(member, &times);
		judge(member, has_run || !(entry->state & ROLL_SLEEPS));
		close_member(crew, member);
	}
	crew->gone_ns = cpu_ns - sum_of(crew);
	return true;
}

static void expect_nothing(struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		crew->members[i].is_asked = crew->members[i].is_read = crew->members[i].is_timed = false;
}

static bool are_few_likely(const struct crew *crew)
{
	size_t count = 0;

	for (size_t i = 0; i < crew->count && count <= FEW; i++)
		count += is_likely(&crew->members[i]);
	return count <= FEW;
}

/*
 * What the process has used, to the nanosecond, is what its threads have: as soon as that of those who often run explains it,
 * nobody else has run, come or gone. Else all are asked; if they are as many as there were, and all of them are there, they are
 * the same.
 */
static void renew_all(struct crew *crew, int32_t pid, uint64_t cpu_ns, size_t most)
{
	bool has_clock = crew->taken_ns && cpu_ns != SAMPLE_UNKNOWN, are_there = true;

	expect_nothing(crew);
	if (!crew->budget->roll || are_few_likely(crew)) {
		are_there = check_those(crew, pid, true);
		if (has_clock && are_there && crew->count && crew->gone_ns + sum_of(crew) == cpu_ns)
			return;
	}
	if (call_roll(crew, pid, cpu_ns, most))
		return;
	are_there = check_those(crew, pid, true) && are_there;
	are_there = check_those(crew, pid, false) && are_there;
	if (!are_there || !is_count_known(crew, pid)) {
		list(crew, pid, most);
		check_those(crew, pid, true);
	}
	crew->gone_ns = cpu_ns - sum_of(crew);
}

size_t crew_take(struct crew *crew, struct crew_budget *budget, int32_t pid, uint64_t now_ns, struct thread_report *out, size_t most)
{
	uint64_t cpu_ns = proc_cpu_ns(pid);
	bool is_idle = crew->taken_ns && cpu_ns != SAMPLE_UNKNOWN && cpu_ns == crew->cpu_ns && all_sleep(crew);
	size_t kept = 0;

	crew->budget = budget;
	if (!is_idle)
		renew_all(crew, pid, cpu_ns, most);
	for (size_t i = 0; i < crew->count && kept < most; i++) {
		struct crew_member *member = &crew->members[i];
		member->is_read = member->is_read && !is_idle;
		if (look_at(crew, member, pid, now_ns))
			out[kept++] = member->report;
	}
	crew->cpu_ns = cpu_ns;
	crew->taken_ns = now_ns;
	return kept;
}
