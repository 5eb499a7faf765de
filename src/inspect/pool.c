#include "inspect/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/sample.h"

enum {
	/* of struct uv__work, from its place in the queue */
	WORK_FUNCTION = 24,
	SCAN_PIECE = 64 * 1024,
	SCAN_MOST = 64 * 1024 * 1024,
	BLOCK_SIZE = 0x130,
	DEFAULT_THREADS = 4,
	ONCE_DONE = 2,
	MUTEX_WORD_MOST = 2,
	TID_IN_PTHREAD = 0x2d0, /* glibc, x86-64 */
};

/* How a compiler lays out the variables of threadpool.c, from the first of them. */
struct layout {
	uint16_t at[IMAGE_POOL_COUNT];
	uint16_t default_threads, mutex, once, slow_running;
};

static const struct layout layouts[] = {
	{ /* gcc: backwards */
		.at = { [IMAGE_SLOW_QUEUE] = 0,
			[IMAGE_SLOW_MESSAGE] = 0x10,
			[IMAGE_QUEUE] = 0x20,
			[IMAGE_EXIT_MESSAGE] = 0x30,
			[IMAGE_THREADS] = 0x60,
			[IMAGE_THREAD_COUNT] = 0x68,
			[IMAGE_IDLE] = 0x70 },
		.default_threads = 0x40,
		.mutex = 0x80,
		.once = 0xf0,
		.slow_running = 0x6c },
	{ /* clang */
		.at = { [IMAGE_THREAD_COUNT] = 0,
			[IMAGE_EXIT_MESSAGE] = 8,
			[IMAGE_THREADS] = 0x18,
			[IMAGE_SLOW_QUEUE] = 0xa0,
			[IMAGE_SLOW_MESSAGE] = 0xb0,
			[IMAGE_QUEUE] = 0xc0,
			[IMAGE_IDLE] = 0xd0 },
		.default_threads = 0x20,
		.mutex = 0x40,
		.once = 0x98,
		.slow_running = 0xd4 },
};

static const enum work_kind kinds[IMAGE_SYMBOL_COUNT] = {
	[IMAGE_WORK_FS] = WORK_FS,
	[IMAGE_WORK_ADDRESS] = WORK_DNS,
	[IMAGE_WORK_NAME] = WORK_DNS,
	[IMAGE_WORK_RANDOM] = WORK_RANDOM,
	[IMAGE_WORK_QUEUE] = WORK_OTHER,
};

void pool_place_image(struct pool_place *place, const struct image *image, uint64_t start)
{
	uint64_t bias = image->is_fixed ? 0 : start - image->base / MEMORY_PAGE * MEMORY_PAGE;

	for (enum image_symbol i = 0; i < IMAGE_SYMBOL_COUNT; i++)
		place->at[i] = image->symbols[i] ? image->symbols[i] + bias : 0;
}

/* ---- by its looks ---- */

/* A ring: who is first and who is last both know the head. */
static bool is_list(struct memory *memory, const unsigned char *block, unsigned offset, uint64_t head)
{
	uint64_t next = memory_u64(block, offset), prev = memory_u64(block, offset + 8), back, forth;

	if (!next || !prev || next % 8 || prev % 8)
		return false;
	if (next == head || prev == head)
		return next == prev;
	return memory_get_now(memory, next + 8, &back, 8) && back == head &&
	       memory_get_now(memory, prev, &forth, 8) && forth == head;
}

static bool are_counts(const unsigned char *block, const struct layout *layout)
{
	uint32_t threads = memory_u32(block, layout->at[IMAGE_THREAD_COUNT]);

	return threads >= 1 && threads <= POOL_THREADS_MOST && memory_u32(block, layout->at[IMAGE_IDLE]) <= threads &&
	       memory_u32(block, layout->slow_running) <= (threads + 1) / 2 && memory_u32(block, layout->once) == ONCE_DONE &&
	       memory_u32(block, layout->mutex) <= MUTEX_WORD_MOST;
}

/* Four threads or fewer are kept in a table beside them; it has as many as there are, and no more. */
static bool are_threads(const unsigned char *block, const struct layout *layout, uint64_t address)
{
	uint64_t threads = memory_u64(block, layout->at[IMAGE_THREADS]);
	uint32_t count = memory_u32(block, layout->at[IMAGE_THREAD_COUNT]);

	if (!threads || threads % 8)
		return false;
	if (threads != address + layout->default_threads)
		return count > DEFAULT_THREADS;
	for (uint32_t i = 0; i < DEFAULT_THREADS; i++)
		if ((i < count) != (memory_u64(block, layout->default_threads + i * 8u) != 0))
			return false;
	return count <= DEFAULT_THREADS;
}

static bool is_pool(struct memory *memory, const unsigned char *block, const struct layout *layout, uint64_t address)
{
	unsigned queue = layout->at[IMAGE_QUEUE], slow = layout->at[IMAGE_SLOW_QUEUE];

	return are_counts(block, layout) && are_threads(block, layout, address) &&
	       is_list(memory, block, queue, address + queue) && is_list(memory, block, slow, address + slow);
}

static bool match(struct memory *memory, const unsigned char *block, uint64_t address, struct pool_place *place)
{
	for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
		if (!is_pool(memory, block, &layouts[i], address))
			continue;
		*place = (struct pool_place){ 0 };
		for (enum image_symbol k = 0; k < IMAGE_POOL_COUNT; k++)
			place->at[k] = address + layouts[i].at[k];
		return true;
	}
	return false;
}

size_t pool_scan(struct memory *memory, uint64_t start, uint64_t end, struct pool_place *places, size_t most)
{
	unsigned char *piece = memory_zeroed(SCAN_PIECE, 1);
	size_t found = 0;

	if (end - start > SCAN_MOST)
		end = start + SCAN_MOST;
	while (start + BLOCK_SIZE <= end && found < most) {
		size_t size = end - start < SCAN_PIECE ? (size_t)(end - start) : SCAN_PIECE;
		if (!memory_get_now(memory, start, piece, size))
			break;
		for (size_t at = 0; at + BLOCK_SIZE <= size && found < most; at += 8)
			found += match(memory, piece + at, start + at, &places[found]);
		start += size == SCAN_PIECE ? SCAN_PIECE - BLOCK_SIZE : size;
	}
	free(piece);
	return found;
}

/* ---- reading ---- */

static enum work_kind kind_of(struct memory *memory, const struct pool_place *place, uint64_t node)
{
	uint64_t function;

	if (!memory_get(memory, node - WORK_FUNCTION, &function, sizeof function))
		return WORK_OTHER;
	for (enum image_symbol i = IMAGE_WORK_FS; i < IMAGE_SYMBOL_COUNT; i++)
		if (place->at[i] == function)
			return kinds[i];
	return WORK_OTHER;
}

static void count_nodes(struct pool_report *pool, struct memory *memory, const struct pool_place *place,
	const struct walk *walk)
{
	for (size_t i = walk->first; i < walk->end; i++) {
		uint64_t node = walk->nodes[i];
		if (node == place->at[IMAGE_SLOW_MESSAGE] || node == place->at[IMAGE_EXIT_MESSAGE])
			continue;
		pool->queued++;
		if (pool->has_kinds)
			pool->by_kind[kind_of(memory, place, node)]++;
	}
}

static bool count_list(struct pool_report *pool, struct memory *memory, const struct pool_place *place,
	struct walk *walk, enum image_symbol list)
{
	if (!walk_list(walk, memory, place->at[list]))
		return false;
	count_nodes(pool, memory, place, walk);
	if (walk->is_capped) {
		pool->is_exact = false;
		snprintf(pool->reason, sizeof pool->reason, "only the first %d of a queue are counted", WALK_NODES_MOST);
	}
	return true;
}

static void not_known(struct pool_report *pool, const char *why)
{
	pool->queued = SAMPLE_UNKNOWN;
	pool->has_kinds = pool->is_exact = false;
	memset(pool->by_kind, 0, sizeof pool->by_kind);
	snprintf(pool->reason, sizeof pool->reason, "%s", why);
}

static void read_queues(struct pool_report *pool, struct memory *memory, const struct pool_place *place,
	struct walk *walk)
{
	if (!count_list(pool, memory, place, walk, IMAGE_QUEUE) ||
		!count_list(pool, memory, place, walk, IMAGE_SLOW_QUEUE))
		not_known(pool, "the queue changed faster than it could be read");
}

bool pool_read(struct pool_report *pool, struct memory *memory, const struct pool_place *place, struct walk *walk)
{
	uint32_t threads, idle;

	*pool = (struct pool_report){ .kind = POOL_LIBUV, .is_exact = true };
	memory_renew(memory);
	if (!memory_get(memory, place->at[IMAGE_THREAD_COUNT], &threads, sizeof threads))
		return false;
	if (!threads) {
		snprintf(pool->reason, sizeof pool->reason, "it has had nothing to do yet");
		return true;
	}
	if (!memory_get(memory, place->at[IMAGE_IDLE], &idle, sizeof idle) || threads > POOL_THREADS_MOST ||
		idle > threads) {
		pool->threads = pool->busy = SAMPLE_UNKNOWN;
		not_known(pool, "what stands where its counters should be makes no sense");
		return true;
	}
	pool->threads = threads;
	pool->busy = threads - idle;
	pool->has_kinds = place->at[IMAGE_WORK_FS];
	read_queues(pool, memory, place, walk);
	return true;
}

size_t pool_threads(struct memory *memory, const struct pool_place *place, int32_t *tids, size_t most)
{
	uint64_t table, thread;
	uint32_t count;
	size_t found = 0;

	if (!memory_get(memory, place->at[IMAGE_THREAD_COUNT], &count, sizeof count) || count > POOL_THREADS_MOST ||
		!memory_get(memory, place->at[IMAGE_THREADS], &table, sizeof table) || table > INT64_MAX)
		return 0;
	for (uint32_t i = 0; i < count && found < most; i++)
		if (memory_get(memory, table + i * 8ull, &thread, sizeof thread) && thread < INT64_MAX &&
			memory_get(memory, thread + TID_IN_PTHREAD, &tids[found], sizeof *tids))
			found++;
	return found;
}
