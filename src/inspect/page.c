#include "inspect/page.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "inspect/path.h"
#include "lib/stats.h"

#define PAGE_LINK "/memfd:" STATS_NAME

static bool read_at(int fd, void *data, size_t size, size_t offset)
{
	return pread(fd, data, size, (off_t)offset) == (ssize_t)size;
}

bool page_is_known(const struct stats_header *header)
{
	return header->magic == STATS_MAGIC && header->abi_major == STATS_ABI_MAJOR &&
	       header->header_size == sizeof(struct stats_header) && header->pool_size == sizeof(struct stats_pool) &&
	       header->worker_size == sizeof(struct stats_worker) && header->pools == STATS_POOLS &&
	       header->workers == STATS_WORKERS && header->workers_used <= STATS_WORKERS;
}

/*
 * All of it is written while it is read, from its beginning on; and what was put, or begun, stands before what was taken, or done. Who
 * looks may find that more was taken than put: that was all of it then, if as much was put by now; else somebody has written nonsense.
 */
static uint64_t at_least(uint64_t before, uint64_t after, uint64_t before_later)
{
	return before < after && before_later >= after ? after : before;
}

static bool read_pool(int fd, const struct stats_header *header, uint32_t index, struct stats_pool *pool)
{
	size_t at = sizeof *header + index * sizeof *pool;
	struct stats_pool later;

	if (!read_at(fd, pool, sizeof *pool, at) || !pool->used || !read_at(fd, &later, sizeof later, at))
		return false;
	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		pool->queues[i].tail = at_least(pool->queues[i].tail, pool->queues[i].head, later.queues[i].tail);
	return true;
}

static bool read_worker(int fd, struct stats_worker *worker, size_t size, size_t at)
{
	struct stats_worker later;

	if (!read_at(fd, worker, size, at))
		return false;
	if (worker->started < worker->completed && read_at(fd, &later, size, at))
		worker->started = at_least(worker->started, worker->completed, later.started);
	return true;
}

/* Of the threads of one pool, together, and of those that lent a hand. */
struct sums {
	uint64_t started, completed, failed, passed, expired, claimed;
	uint64_t wait[STATS_BUCKETS], run[STATS_BUCKETS];
};

static void add_worker(struct sums *sums, const struct stats_worker *worker)
{
	sums->completed += worker->completed;
	sums->started += worker->started;
	sums->failed += worker->failed;
	sums->passed += worker->passed;
	sums->expired += worker->expired;
	sums->claimed += stats_claimed(worker->claim);
	for (unsigned i = 0; i < STATS_BUCKETS; i++) {
		sums->wait[i] += worker->wait[i];
		sums->run[i] += worker->run[i];
	}
}

enum {
	WITHOUT_TIMES = offsetof(struct stats_worker, wait) /* so much of a worker is read */
};

static void add_workers(int fd, const struct stats_header *header, uint32_t pool, size_t size, struct sums *sums)
{
	size_t first = sizeof *header + STATS_POOLS * sizeof(struct stats_pool);
	struct stats_worker worker = { 0 };

	for (uint32_t i = 0; i < header->workers_used; i++)
		if (read_worker(fd, &worker, size, first + i * sizeof worker) && worker.pool == pool)
			add_worker(sums, &worker);
}

/* Without those that were removed from its midst and not passed yet. */
static uint64_t count_queued(const struct stats_pool *pool, const struct sums *sums)
{
	uint64_t put = sums->claimed, gone = sums->passed < pool->removed ? pool->removed - sums->passed : 0;

	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		put += (pool->queues[i].tail & ~STATS_CLOSED) - pool->queues[i].head;
	return put > gone ? put - gone : 0;
}

/* What cannot be is not known, rather than shown. */
static uint64_t at_most(uint64_t figure, uint64_t most)
{
	return figure <= most ? figure : UINT64_MAX;
}

static void copy_name(char out[INSIDE_NAME_SIZE], const struct stats_pool *pool)
{
	snprintf(out, INSIDE_NAME_SIZE, "%.*s", STATS_NAME_SIZE - 1, pool->name);
	for (char *c = out; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static uint64_t queued_of(const struct stats_pool *pool, const struct sums *sums)
{
	return at_most(count_queued(pool, sums), (uint64_t)STATS_PRIORITIES * pool->queue_max);
}

static uint64_t busy_of(const struct sums *sums)
{
	return at_most(sums->started - sums->completed, STATS_THREADS_MOST);
}

static void report(struct pool_report *out, const struct stats_pool *pool, const struct sums *sums)
{
	*out = (struct pool_report){ .kind = POOL_THRUM, .is_exact = true };
	copy_name(out->name, pool);
	out->threads = at_most(pool->threads, STATS_THREADS_MOST);
	out->busy = busy_of(sums);
	out->queued = queued_of(pool, sums);
}

/* The next pool from *index on. */
static bool next_pool(int fd, const struct stats_header *header, uint32_t *index, struct stats_pool *pool)
{
	for (; *index < STATS_POOLS; ++*index)
		if (read_pool(fd, header, *index, pool))
			return true;
	return false;
}

size_t page_read_file(int fd, struct pool_report *pools, size_t most)
{
	struct stats_header header;
	struct stats_pool pool;
	size_t count = 0;

	if (!read_at(fd, &header, sizeof header, 0) || !page_is_known(&header))
		return 0;
	for (uint32_t i = 0; count < most && next_pool(fd, &header, &i, &pool); i++) {
		struct sums sums = { 0 };
		add_workers(fd, &header, i + 1, WITHOUT_TIMES, &sums);
		report(&pools[count++], &pool, &sums);
	}
	return count;
}

/* ---- all of it ---- */

static void fill_times(double times[3], const uint64_t buckets[STATS_BUCKETS])
{
	times[0] = stats_quantile_ms(buckets, 0.5);
	times[1] = stats_quantile_ms(buckets, 0.95);
	times[2] = stats_quantile_ms(buckets, 0.99);
}

static void fill_buckets(struct thread_pool *out, const struct sums *sums)
{
	_Static_assert((int)STATS_BUCKETS <= (int)INSIDE_BUCKETS_MOST, "they all have a place");
	for (unsigned i = 0; i < STATS_BUCKETS; i++)
		if (sums->wait[i] || sums->run[i])
			out->buckets[out->bucket_count++] =
				(struct pool_bucket){ (double)stats_bucket_end_ns(i) / 1e6, sums->wait[i], sums->run[i] };
}

static void study_pool(struct thread_pool *out, const struct stats_pool *pool, const struct sums *sums)
{
	*out = (struct thread_pool){
		.threads = at_most(pool->threads, STATS_THREADS_MOST),
		.target = at_most(pool->target, STATS_THREADS_MOST),
		.queue_max = pool->queue_max,
		.busy = busy_of(sums),
		.queued = queued_of(pool, sums),
		.completed = sums->completed + pool->guests_completed,
		.failed = sums->failed + pool->guests_failed,
		.cancelled = sums->expired + pool->cancelled,
	};
	copy_name(out->name, pool);
	for (unsigned i = 0; i < STATS_PRIORITIES; i++) {
		out->submitted += pool->queues[i].tail & ~STATS_CLOSED;
		out->is_closed |= (pool->queues[i].tail & STATS_CLOSED) != 0;
	}
	fill_times(out->wait_ms, sums->wait);
	fill_times(out->run_ms, sums->run);
	fill_buckets(out, sums);
}

size_t page_study_file(int fd, struct thread_pool *pools, size_t most)
{
	struct stats_header header;
	struct stats_pool pool;
	size_t count = 0;

	if (!read_at(fd, &header, sizeof header, 0) || !page_is_known(&header))
		return 0;
	for (uint32_t i = 0; count < most && next_pool(fd, &header, &i, &pool); i++) {
		struct sums sums = { 0 };
		add_workers(fd, &header, i + 1, sizeof(struct stats_worker), &sums);
		study_pool(&pools[count++], &pool, &sums);
	}
	return count;
}

/* ---- where it is ---- */

static bool is_page(int folder, const char *name)
{
	char target[sizeof PAGE_LINK] = "";

	return readlinkat(folder, name, target, sizeof target - 1) > 0 && strcmp(target, PAGE_LINK) == 0;
}

static int open_page(DIR *folder, int flags)
{
	struct dirent *entry;

	while ((entry = readdir(folder)))
		if (is_page(dirfd(folder), entry->d_name))
			return openat(dirfd(folder), entry->d_name, flags | O_CLOEXEC | O_NONBLOCK);
	return -1;
}

int page_open(int32_t pid, int flags)
{
	char path[INSPECT_PATH_SIZE];
	DIR *folder = opendir(inspect_path(path, pid, "fd"));

	if (!folder)
		return -1;
	int fd = open_page(folder, flags);
	closedir(folder);
	return fd;
}

size_t page_read(int32_t pid, struct pool_report *pools, size_t most)
{
	int fd = page_open(pid, O_RDONLY);
	size_t count = fd < 0 ? 0 : page_read_file(fd, pools, most);

	close_if_open(fd);
	return count;
}

size_t page_study(int32_t pid, struct thread_pool *pools, size_t most)
{
	int fd = page_open(pid, O_RDONLY);
	size_t count = fd < 0 ? 0 : page_study_file(fd, pools, most);

	close_if_open(fd);
	return count;
}
