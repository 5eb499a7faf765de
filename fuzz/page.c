/* The stats page of a program that means to mislead: what is told of it is within bounds, and fit to be printed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inspect/page.h"
#include "lib/stats.h"

enum { TAKEN = 8 }; /* pools that are asked for */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c < ' ' || *c > '~')
			__builtin_trap();
}

static void check(const struct thread_pool *pool)
{
	check_name(pool->name);
	if (pool->bucket_count > INSIDE_BUCKETS_MOST)
		__builtin_trap();
	for (unsigned i = 0; i < 3; i++)
		if (pool->wait_ms[i] > 1e9 || pool->run_ms[i] > 1e9)
			__builtin_trap();
}

static void read_page(int fd)
{
	struct pool_report reports[TAKEN];
	struct thread_pool pools[TAKEN];
	size_t count = page_read_file(fd, reports, TAKEN);

	if (count > TAKEN || page_study_file(fd, pools, TAKEN) != count)
		__builtin_trap();
	for (size_t i = 0; i < count; i++) {
		check_name(reports[i].name);
		check(&pools[i]);
	}
}

/* A header that would be believed, but for the number of threads and what the first byte spoils. */
static void put_header(int fd, uint8_t spoiled, uint8_t workers)
{
	struct stats_header header = { .magic = STATS_MAGIC,
		.abi_major = STATS_ABI_MAJOR,
		.header_size = sizeof header,
		.pool_size = sizeof(struct stats_pool),
		.worker_size = sizeof(struct stats_worker),
		.pools = STATS_POOLS,
		.workers = STATS_WORKERS,
		.workers_used = workers };

	if (spoiled < sizeof header)
		((uint8_t *)&header)[spoiled] ^= workers;
	if (pwrite(fd, &header, sizeof header, 0) < 0)
		abort();
}

/* Two bytes for the header; then the pools, and behind the last of them threads, of the same bytes over and over. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	size_t most = STATS_POOLS * sizeof(struct stats_pool) + 16 * sizeof(struct stats_worker);

	if (size > 2 && fd >= 0) {
		put_header(fd, bytes[0], bytes[1]);
		for (size_t at = 0; at < most; at += size - 2)
			if (pwrite(fd, bytes + 2, size - 2, (off_t)(sizeof(struct stats_header) + at)) < 0)
				abort();
		read_page(fd);
	}
	close(fd);
	return 0;
}
