/* The memory of a process that means to mislead, and files of machine code that do: read in bounded time, within bounds. */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inspect/image.h"
#include "inspect/loop.h"
#include "inspect/maps.h"
#include "inspect/memory.h"
#include "inspect/pool.h"
#include "inspect/walk.h"

enum { BASE = 0x10000,
	READS_MOST = 64 * WALK_READS_MOST };

struct input {
	const uint8_t *bytes;
	size_t size;
};

/* The same bytes over and over, so that pointers lead somewhere. */
static bool read_input(void *context, uint64_t address, void *out, size_t size)
{
	const struct input *input = context;

	if (address < BASE || address > UINT32_MAX)
		return false;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)out)[i] = input->bytes[(address - BASE + i) % input->size];
	return true;
}

static void read_memory(const uint8_t *bytes, size_t size)
{
	static struct memory memory;
	static struct walk walk;
	struct input input = { bytes, size };
	struct pool_place places[4] = { 0 };
	struct pool_report pool;
	struct loop loop = { .tid = 1, .address = BASE };
	struct loop_reading reading;
	int32_t tids[16];

	if (!memory.pages)
		memory_reader_init(&memory);
	memory_attach(&memory, read_input, &input);
	memory.reads = 0;
	pool_scan(&memory, BASE, BASE + size, places, 4);
	for (enum image_symbol i = 0; !places[0].at[0] && i < IMAGE_SYMBOL_COUNT; i++)
		places[0].at[i] = BASE + i * 16;
	if (pool_read(&pool, &memory, &places[0], &walk) && pool.queued != UINT64_MAX && pool.queued > 2 * WALK_NODES_MOST)
		__builtin_trap();
	pool_threads(&memory, &places[0], tids, 16);
	loop_find(&memory, BASE, 3);
	if (loop_read(&reading, &memory, &loop, 1000000000000))
		loop_undelivered(&memory, &loop, &walk);
	if (memory.reads > READS_MOST)
		__builtin_trap();
}

static void read_image(const uint8_t *bytes, size_t size)
{
	static int fd = -1;
	struct image image;

	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
		return;
	image_read(&image, fd);
}

static void read_maps(const uint8_t *bytes, size_t size)
{
	char line[1024];
	struct maps maps = { 0 };

	size = size < sizeof line ? size : sizeof line - 1;
	memcpy(line, bytes, size);
	line[size] = '\0';
	maps_take_line(&maps, line);
	maps_take_line(&maps, line);
	maps_finish(&maps);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size)
		return 0;
	read_memory(bytes, size);
	read_image(bytes, size);
	read_maps(bytes, size);
	return 0;
}
