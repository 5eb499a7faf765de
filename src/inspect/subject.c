#include "inspect/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "inspect/page.h"
#include "inspect/path.h"
#include "inspect/peers.h"
#include "inspect/role.h"
#include "inspect/task.h"
#include "model/sample.h"

enum {
	SEARCHES = 5, /* after threads came: those that work now may wait at the next look */
	SEARCH_TIDS_MOST = 256,
	POOL_TRIES = 3,
	LOCKS_MOST = 256,
	LOCK_OWNER = 8,        /* of glibc's pthread_mutex_t */
	LOCK_TID = 0x3fffffff, /* of a futex that knows its owner */
};
#define SEARCH_AGAIN_NS 30000000000ull
#define SEARCH_PAUSE_NS 100000000ull

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void subject_open(struct subject *subject, int32_t pid, uint64_t starttime)
{
	*subject = (struct subject){ .pid = pid, .starttime = starttime, .fd = -1, .last = INSIDE_UNKNOWN };
}

void subject_close(struct subject *subject)
{
	close_if_open(subject->fd);
	crew_finish(&subject->crew);
	streams_finish(&subject->streams);
	*subject = (struct subject){ .fd = -1 };
}

/* ---- getting to know it ---- */

static void forget_program(struct subject *subject)
{
	close_if_open(subject->fd);
	subject->fd = -1;
	subject->is_explored = subject->is_libuv = subject->is_quiet = false;
	subject->pool_count = subject->loop_count = subject->span_count = 0;
	subject->reason[0] = '\0';
	subject->searches = SEARCHES;
}

/* It may have executed another program since. */
static void check_program(struct subject *subject)
{
	char path[INSPECT_PATH_SIZE];
	struct stat st = { 0 };

	if (stat(inspect_path(path, subject->pid, "exe"), &st) == 0 &&
		(st.st_ino != subject->exe_inode || st.st_dev != subject->exe_device)) {
		forget_program(subject);
		subject->exe_inode = st.st_ino;
		subject->exe_device = st.st_dev;
	}
}

static bool refuse(struct subject *subject, const char *what)
{
	const char *remedy = "run thrum as its user, or as root";

	if (errno == EACCES || errno == EPERM)
		snprintf(subject->reason, sizeof subject->reason,
			"no right to read %s (CAP_SYS_PTRACE, and kernel.yama.ptrace_scope 0): %s", what, remedy);
	else
		snprintf(subject->reason, sizeof subject->reason, "%s cannot be read: %s", what, strerror(errno));
	return false;
}

static bool open_memory(struct subject *subject)
{
	char path[INSPECT_PATH_SIZE];

	if (subject->fd >= 0)
		return true;
	subject->fd = open(inspect_path(path, subject->pid, "mem"), O_RDONLY | O_CLOEXEC);
	return subject->fd >= 0 || refuse(subject, "its memory");
}

static void take_loop(struct subject *subject, int32_t tid, uint64_t address)
{
	for (size_t i = 0; i < subject->loop_count; i++)
		if (subject->loops[i].tid == tid || subject->loops[i].address == address)
			return;
	if (subject->loop_count < INSIDE_LOOPS_MOST)
		subject->loops[subject->loop_count++] = (struct loop){ .tid = tid, .address = address };
}

static void take_spans(struct subject *subject, const struct map_file *file)
{
	for (size_t i = 0; i < file->writable_count && subject->span_count < SUBJECT_SPANS_MOST; i++)
		subject->spans[subject->span_count++] = file->writable[i];
}

static void explore_file(struct subject *subject, const struct image *image, const struct map_file *file)
{
	subject->is_libuv = true;
	if (!image->has_pool) {
		take_spans(subject, file);
		return;
	}
	if (subject->pool_count < INSIDE_POOLS_MOST)
		pool_place_image(&subject->pools[subject->pool_count++], image, file->start);
}

static bool explore(struct subject *subject, struct workshop *workshop)
{
	struct maps maps;

	if (!maps_read(&maps, subject->pid))
		return refuse(subject, "its mappings");
	subject->pool_count = subject->span_count = 0;
	subject->is_libuv = false;
	for (size_t i = 0; i < maps.count; i++) {
		const struct map_file *file = &maps.files[i];
		const struct image *image =
			file->has_code ? workshop->image_of(workshop->context, file, subject->pid) : NULL;
		if (image && image->is_libuv)
			explore_file(subject, image, file);
	}
	maps_finish(&maps);
	return subject->is_explored = true;
}

static bool has_place(const struct subject *subject, uint64_t queue)
{
	for (size_t i = 0; i < subject->pool_count; i++)
		if (subject->pools[i].at[IMAGE_QUEUE] == queue)
			return true;
	return false;
}

/* Pools without symbols can be told only once they have begun to work. */
static void scan(struct subject *subject, struct workshop *workshop)
{
	struct pool_place found[INSIDE_POOLS_MOST];

	for (size_t i = 0; i < subject->span_count; i++) {
		const struct map_span *span = &subject->spans[i];
		size_t count = pool_scan(&workshop->memory, span->start, span->end, found, INSIDE_POOLS_MOST);
		for (size_t k = 0; k < count && subject->pool_count < INSIDE_POOLS_MOST; k++)
			if (!has_place(subject, found[k].at[IMAGE_QUEUE]))
				subject->pools[subject->pool_count++] = found[k];
	}
}

static bool has_loop(const struct subject *subject, int32_t tid)
{
	for (size_t i = 0; i < subject->loop_count; i++)
		if (subject->loops[i].tid == tid)
			return true;
	return false;
}

static void search_thread(struct subject *subject, struct workshop *workshop, int32_t tid)
{
	struct task_syscall call;

	if (has_loop(subject, tid) || !task_syscall_read(&call, subject->pid, tid) || task_epoll_fd(&call) < 0)
		return;
	uint64_t address = loop_find(&workshop->memory, call.sp, task_epoll_fd(&call));
	if (address)
		take_loop(subject, tid, address);
}

static void search_loops(struct subject *subject, struct workshop *workshop)
{
	int32_t tids[SEARCH_TIDS_MOST];
	size_t count = task_list(subject->pid, tids, SEARCH_TIDS_MOST);

	for (size_t i = 0; i < subject->pool_count; i++)
		if (loop_is_one(&workshop->memory, subject->pools[i].at[IMAGE_LOOP]) && !has_loop(subject, subject->pid))
			take_loop(subject, subject->pid, subject->pools[i].at[IMAGE_LOOP]);
	for (size_t i = 0; i < count; i++)
		search_thread(subject, workshop, tids[i]);
}

/* Not too often: what is about to begin needs some time, and each search costs some. */
static void search(struct subject *subject, struct workshop *workshop)
{
	uint64_t now = now_ns(), since = now - subject->search_ns;

	if (since > SEARCH_AGAIN_NS || (subject->searches && since > SEARCH_PAUSE_NS)) {
		scan(subject, workshop);
		search_loops(subject, workshop);
		subject->searches -= subject->searches > 0;
		subject->search_ns = now;
	} else if (!has_loop(subject, subject->pid)) {
		search_thread(subject, workshop, subject->pid);
	}
}

/* Once, and again when threads came, with which pools begin to work and libraries are loaded. */
static bool get_to_know(struct subject *subject, struct workshop *workshop, uint64_t threads)
{
	bool has_grown = threads > subject->threads;

	check_program(subject);
	if ((!subject->is_explored || has_grown) && !explore(subject, workshop))
		return false;
	if (!subject->is_libuv) {
		subject->threads = threads;
		return true;
	}
	if (!open_memory(subject))
		return false;
	memory_attach(&workshop->memory, memory_read_file, &subject->fd);
	if (has_grown || !subject->threads)
		subject->searches = SEARCHES;
	subject->threads = threads;
	search(subject, workshop);
	return true;
}

/* ---- reading it ---- */

/* A loop that keeps no account itself: its thread says whether it waits. */
static void ask_thread(const struct subject *subject, struct workshop *workshop, const struct loop *loop,
	struct loop_reading *reading)
{
	struct task_syscall call;

	if (reading->idle_ns == SAMPLE_UNKNOWN && task_syscall_read(&call, subject->pid, loop->tid))
		reading->is_waiting = task_waits_with(&call, loop_epoll_fd(&workshop->memory, loop->address));
}

static bool read_loop(struct subject *subject, struct workshop *workshop, struct loop *loop, struct study *study)
{
	struct loop_reading reading;

	memory_renew(&workshop->memory);
	if (!task_exists(subject->pid, loop->tid) || !loop_read(&reading, &workshop->memory, loop, now_ns()))
		return false;
	ask_thread(subject, workshop, loop, &reading);
	struct loop_report *report = &study->loops[study->loop_count++];
	loop_report(report, loop, &reading);
	report->is_main = loop->tid == subject->pid;
	report->undelivered = loop_undelivered(&workshop->memory, loop, workshop->walk);
	return true;
}

static void read_loops(struct subject *subject, struct workshop *workshop, struct study *study)
{
	size_t kept = 0;

	study->loops = subject->loop_count ? memory_zeroed(subject->loop_count, sizeof *study->loops) : NULL;
	for (size_t i = 0; i < subject->loop_count; i++)
		if (read_loop(subject, workshop, &subject->loops[i], study))
			subject->loops[kept++] = subject->loops[i];
	subject->loop_count = kept;
}

/* Nothing can be queued that no loop waits for. */
static uint64_t count_requests(struct subject *subject, struct workshop *workshop)
{
	uint64_t sum = subject->loop_count ? 0 : SAMPLE_UNKNOWN;
	struct loop_reading reading;

	for (size_t i = 0; i < subject->loop_count; i++)
		if (loop_read(&reading, &workshop->memory, &subject->loops[i], 0))
			sum += reading.requests;
	return sum;
}

/*
 * Nodes that were used again while we walked may lead us round in a circle: more than the loops
 * have asked for, before or after. Read again; and again the same, there is a loop that we do not know.
 */
static bool read_pool(struct subject *subject, struct workshop *workshop, const struct pool_place *place,
	struct pool_report *pool)
{
	uint64_t before = count_requests(subject, workshop);

	for (int i = 0; i < POOL_TRIES; i++) {
		if (!pool_read(pool, &workshop->memory, place, workshop->walk))
			return false;
		uint64_t after = count_requests(subject, workshop), most = before > after ? before : after;
		if (pool->queued != SAMPLE_UNKNOWN && pool->queued <= most)
			return true;
		before = after;
	}
	if (pool->queued == SAMPLE_UNKNOWN)
		return true;
	pool->is_exact = false;
	snprintf(pool->reason, sizeof pool->reason, "more than the loops that were found have asked for");
	return true;
}

static void read_pools(struct subject *subject, struct workshop *workshop, struct study *study)
{
	study->pools = memory_zeroed(INSIDE_POOLS_MOST, sizeof *study->pools);
	for (size_t i = 0; i < subject->pool_count; i++) {
		struct pool_report *pool = &study->pools[study->pool_count];
		if (!read_pool(subject, workshop, &subject->pools[i], pool))
			continue;
		/* after a fork without exec the child has the numbers of its parent, and no threads */
		if (pool->threads == SAMPLE_UNKNOWN || pool->threads < subject->threads)
			study->pool_count++;
	}
}

/* Its pool is there, but not to be read: say so, rather than nothing. */
static void report_unknown(const struct subject *subject, struct study *study)
{
	study->pools = memory_zeroed(INSIDE_POOLS_MOST, sizeof *study->pools);
	study->pools[study->pool_count] = (struct pool_report){
		.kind = POOL_LIBUV, .threads = SAMPLE_UNKNOWN, .busy = SAMPLE_UNKNOWN, .queued = SAMPLE_UNKNOWN
	};
	memcpy(study->pools[study->pool_count++].reason, subject->reason, sizeof subject->reason);
}

/* Of a program that links libthrum; one thread alone is no pool. */
static void read_page(const struct subject *subject, uint64_t threads, struct study *study)
{
	if (threads < 2)
		return;
	if (!study->pools)
		study->pools = memory_zeroed(INSIDE_POOLS_MOST, sizeof *study->pools);
	study->pool_count += page_read(subject->pid, study->pools + study->pool_count, INSIDE_POOLS_MOST - study->pool_count);
}

static bool is_quiet(const struct subject *subject, const struct study *study)
{
	for (size_t i = 0; i < subject->loop_count; i++)
		if (!subject->loops[i].is_waiting)
			return false;
	for (size_t i = 0; i < study->pool_count; i++)
		if (study->pools[i].busy || study->pools[i].queued)
			return false;
	return !subject->reason[0] && !subject->searches && (!subject->is_libuv || has_loop(subject, subject->pid));
}

void subject_read(struct subject *subject, struct workshop *workshop, uint64_t threads, struct study *study)
{
	bool is_known = get_to_know(subject, workshop, threads);

	if (is_known && subject->is_libuv) {
		read_loops(subject, workshop, study);
		read_pools(subject, workshop, study);
	} else if (!is_known && subject->is_libuv) {
		report_unknown(subject, study);
	}
	read_page(subject, threads, study);
	study_sum(study);
	study->inside.is_hidden = !is_known;
	subject->is_quiet = is_known && is_quiet(subject, study);
	subject->last = study->inside;
	if (is_known && subject->is_libuv && subject->pool_count && !study->loop_count && !study->pool_count)
		subject->is_explored = false; /* it may have executed the same program again */
}

/* ---- threads ---- */

static bool is_among(int32_t tid, const int32_t *tids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tids[i] == tid)
			return true;
	return false;
}

/* From structure first, which cannot be mistaken; then from names. */
static const char *role_of(const struct subject *subject, const struct thread_report *thread,
	const int32_t *workers, size_t worker_count)
{
	if (thread->tid == subject->pid)
		return "main";
	if (is_among(thread->tid, workers, worker_count))
		return "pool worker";
	for (size_t i = 0; i < subject->loop_count; i++)
		if (subject->loops[i].tid == thread->tid)
			return subject->loops[i].last.idle_ns != SAMPLE_UNKNOWN ? "js worker" : "event loop";
	return role_of_name(thread->name);
}

static size_t find_workers(struct subject *subject, struct workshop *workshop, int32_t *tids, size_t most)
{
	size_t count = 0;

	if (subject->fd < 0)
		return 0;
	memory_attach(&workshop->memory, memory_read_file, &subject->fd);
	for (size_t i = 0; i < subject->pool_count; i++)
		count += pool_threads(&workshop->memory, &subject->pools[i], tids + count, most - count);
	if (count)
		task_translate(subject->pid, tids, count);
	return count;
}

/* The first thread of a JVM only waits for its second, which runs main() and has the program's name, too. */
static void find_java_main(struct study *study)
{
	struct thread_report *second = NULL;
	bool is_jvm = false;

	for (size_t i = 0; i < study->thread_count; i++) {
		struct thread_report *thread = &study->threads[i];
		is_jvm = is_jvm || strcmp(thread->name, "VM Thread") == 0;
		if (!second && thread->tid != study->pid && !thread->role[0] && strcmp(thread->name, study->process) == 0)
			second = thread;
	}
	if (is_jvm && second)
		snprintf(second->role, sizeof second->role, "java main");
}

/* glibc keeps the number of the thread that has a mutex behind its word; one with priority inheritance is that number. */
static void read_holder(struct memory *memory, uint64_t lock, int32_t numbers[2])
{
	uint32_t word;
	int32_t owner;

	numbers[0] = numbers[1] = 0;
	if (!memory_get_now(memory, lock, &word, sizeof word) || !memory_get_now(memory, lock + LOCK_OWNER, &owner, sizeof owner))
		return;
	numbers[0] = owner;
	numbers[1] = (int32_t)(word & LOCK_TID);
}

static bool has_thread(const struct study *study, int32_t tid)
{
	for (size_t i = 0; i < study->thread_count; i++)
		if (study->threads[i].tid == tid)
			return true;
	return false;
}

static void find_holders(struct subject *subject, struct workshop *workshop, struct study *study)
{
	struct thread_report *waiting[LOCKS_MOST];
	int32_t numbers[LOCKS_MOST][2]; /* of who has it, either way */
	size_t asked = 0;

	for (size_t i = 0; i < study->thread_count && asked < LOCKS_MOST; i++) {
		if (study->threads[i].wait != WAIT_LOCK || !open_memory(subject))
			continue;
		if (!asked)
			memory_attach(&workshop->memory, memory_read_file, &subject->fd);
		waiting[asked] = &study->threads[i];
		read_holder(&workshop->memory, waiting[asked]->wait_on, numbers[asked]);
		asked++;
	}
	if (asked)
		task_translate(subject->pid, numbers[0], 2 * asked);
	for (size_t i = 0; i < asked; i++) {
		int32_t holder = numbers[i][0] > 0 ? numbers[i][0] : numbers[i][1];
		if (holder != waiting[i]->tid && has_thread(study, holder))
			waiting[i]->holder = holder;
	}
}

void subject_read_threads(struct subject *subject, struct workshop *workshop, struct study *study)
{
	int32_t *workers = memory_zeroed(POOL_THREADS_MOST, sizeof *workers);
	size_t worker_count = find_workers(subject, workshop, workers, POOL_THREADS_MOST);

	study->threads = memory_zeroed(INSIDE_THREADS_MOST, sizeof *study->threads);
	study->thread_count =
		crew_take(&subject->crew, &workshop->budget, subject->pid, now_ns(), study->threads, INSIDE_THREADS_MOST);
	study->threads = memory_resize(study->threads, study->thread_count + 1, sizeof *study->threads);
	for (size_t i = 0; i < study->thread_count; i++) {
		struct thread_report *thread = &study->threads[i];
		snprintf(thread->role, sizeof thread->role, "%s", role_of(subject, thread, workers, worker_count));
	}
	free(workers);
	find_java_main(study);
	find_holders(subject, workshop, study);
}

/* ---- peers ---- */

void subject_read_peers(struct subject *subject, const struct directory *directory, struct study *study)
{
	peers_find(study, directory);
	streams_take(&subject->streams, study, now_ns());
}
