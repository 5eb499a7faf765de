#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inspect/page.h"
#include "lib/stats.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

/* A file that could shrink under our hands is not mapped. */
static bool is_whole(int fd)
{
	struct stat status;

	return (fcntl(fd, F_GET_SEALS) & SEALS) == SEALS && fstat(fd, &status) == 0 && status.st_size == (off_t)STATS_SIZE;
}

static struct stats_header *map_page(int32_t pid)
{
	struct stats_header *page = MAP_FAILED;
	int fd = page_open(pid, O_RDWR);

	if (fd < 0)
		return NULL;
	if (is_whole(fd))
		page = mmap(NULL, STATS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return NULL;
	if (page_is_known(page))
		return page;
	munmap(page, STATS_SIZE);
	return NULL;
}

static struct stats_pool *find_pool(struct stats_header *page, const char *name)
{
	struct stats_pool *pools = (struct stats_pool *)(void *)(page + 1);

	for (unsigned i = 0; i < STATS_POOLS; i++)
		if (pools[i].used && strncmp(pools[i].name, name, STATS_NAME_SIZE) == 0)
			return &pools[i];
	return NULL;
}

static void ring(struct stats_header *page)
{
	atomic_fetch_add(&page->bell, 1);
	syscall(SYS_futex, &page->bell, FUTEX_WAKE, INT_MAX);
}

static_assert((int)INSIDE_POOL_THREADS_MOST == (int)STATS_THREADS_MOST, "what a pool may have is what is told of it");

/* Threads, or -1: nobody may have so many. A change is one of what was wished last, if that is not taken yet. */
static int64_t size_of(const struct stats_pool *pool, uint32_t former, const struct thread_wish *wish)
{
	bool is_waiting = former != STATS_WISH_NONE && former != STATS_WISH_DRAIN;
	int64_t from = wish->kind != WISH_CHANGE ? 0 : is_waiting ? former - STATS_WISH_SIZE
								  : atomic_load(&pool->target);

	if (wish->number < -STATS_THREADS_MOST || wish->number > STATS_THREADS_MOST)
		return -1;
	int64_t size = from + wish->number;
	return size < 0 || size > STATS_THREADS_MOST ? -1 : size;
}

static int leave(struct stats_header *page, const struct thread_wish *wish, struct error *err)
{
	struct stats_pool *pool = find_pool(page, wish->pool);
	int64_t size;

	if (!pool)
		return error_set(err, ENOENT, "it has no thread pool '%.60s'", wish->pool), -1;
	uint32_t former = atomic_load(&pool->wish);
	if (wish->kind == WISH_DRAIN) {
		atomic_store(&pool->wish, STATS_WISH_DRAIN);
		ring(page);
		return 0;
	}
	do {
		if (former == STATS_WISH_DRAIN || atomic_load(&pool->queues[0].tail) & STATS_CLOSED)
			return error_set(err, ESHUTDOWN, "the thread pool '%.60s' is being drained", wish->pool), -1;
		size = size_of(pool, former, wish);
	} while (size >= 0 && !atomic_compare_exchange_strong(&pool->wish, &former, STATS_WISH_SIZE + (uint32_t)size));
	if (size < 0)
		return error_set(err, EINVAL, "a thread pool has from 0 to %d threads", STATS_THREADS_MOST), -1;
	ring(page);
	return (int)size;
}

int page_wish(int32_t pid, const struct thread_wish *wish, struct error *err)
{
	struct stats_header *page = map_page(pid);

	if (!page)
		return error_set(err, ENOENT, "process %d has no thread pools of libthrum that can be reached", (int)pid), -1;
	int threads = leave(page, wish, err);
	munmap(page, STATS_SIZE);
	return threads;
}
