#include "inspect/page.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inspect/path.h"
#include "lib/stats.h"

#define PAGE_LINK "/memfd:" STATS_NAME

static bool read_at(int fd, void *data, size_t size, size_t offset)
{
	return pread(fd, data, size, (off_t)offset) == (ssize_t)size;
}

static bool is_known(const struct stats_header *header)
{
	return header->magic == STATS_MAGIC && header->abi_major == STATS_ABI_MAJOR &&
	       header->header_size == sizeof(struct stats_header) && header->pool_size == sizeof(struct stats_pool) &&
	       header->worker_size == sizeof(struct stats_worker) && header->pools == STATS_POOLS &&
	       header->workers == STATS_WORKERS && header->workers_used <= STATS_WORKERS;
}

/* Of the threads of one pool, together; the histograms are left out. */
struct sums {
	uint64_t started, completed, passed;
};

static void add_workers(int fd, const struct stats_header *header, uint32_t pool, struct sums *sums)
{
	size_t first = sizeof *header + STATS_POOLS * sizeof(struct stats_pool);
	struct stats_worker worker;

	for (uint32_t i = 0; i < header->workers_used; i++) {
		if (!read_at(fd, &worker, offsetof(struct stats_worker, wait), first + i * sizeof worker) || worker.pool != pool)
			continue;
		sums->completed += worker.completed;
		sums->started += worker.started;
		sums->passed += worker.passed;
	}
}

static uint64_t count_queued(const struct stats_pool *pool, const struct sums *sums)
{
	uint64_t put = 0, gone = pool->removed - sums->passed;

	for (unsigned i = 0; i < STATS_PRIORITIES; i++)
		put += (pool->queues[i].tail & ~STATS_CLOSED) - pool->queues[i].head;
	return put > gone ? put - gone : 0;
}

/* What cannot be is not known, rather than shown. */
static void report(struct pool_report *out, const struct stats_pool *pool, const struct sums *sums)
{
	uint64_t most = (uint64_t)STATS_PRIORITIES * pool->queue_max, busy = sums->started - sums->completed;

	*out = (struct pool_report){ .kind = POOL_THRUM, .is_exact = true };
	snprintf(out->name, sizeof out->name, "%.*s", STATS_NAME_SIZE - 1, pool->name);
	for (char *c = out->name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	out->threads = pool->threads <= STATS_THREADS_MOST ? pool->threads : UINT64_MAX;
	out->busy = busy <= STATS_THREADS_MOST ? busy : UINT64_MAX;
	out->queued = count_queued(pool, sums);
	if (out->queued > most)
		out->queued = UINT64_MAX;
}

size_t page_read_file(int fd, struct pool_report *pools, size_t most)
{
	struct stats_header header;
	struct stats_pool pool;
	struct sums sums;
	size_t count = 0;

	if (!read_at(fd, &header, sizeof header, 0) || !is_known(&header))
		return 0;
	for (uint32_t i = 0; i < STATS_POOLS && count < most; i++) {
		sums = (struct sums){ 0 };
		if (!read_at(fd, &pool, sizeof pool, sizeof header + i * sizeof pool) || pool.used == 0)
			continue;
		add_workers(fd, &header, i + 1, &sums);
		report(&pools[count++], &pool, &sums);
	}
	return count;
}

static bool is_page(int folder, const char *name)
{
	char target[sizeof PAGE_LINK] = "";

	return readlinkat(folder, name, target, sizeof target - 1) > 0 && strcmp(target, PAGE_LINK) == 0;
}

static int open_page(DIR *folder)
{
	struct dirent *entry;

	while ((entry = readdir(folder)))
		if (is_page(dirfd(folder), entry->d_name))
			return openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return -1;
}

size_t page_read(int32_t pid, struct pool_report *pools, size_t most)
{
	char path[INSPECT_PATH_SIZE];
	DIR *folder = opendir(inspect_path(path, pid, "fd"));
	size_t count = 0;
	int fd;

	if (!folder)
		return 0;
	fd = open_page(folder);
	closedir(folder);
	if (fd < 0)
		return 0;
	count = page_read_file(fd, pools, most);
	close(fd);
	return count;
}
