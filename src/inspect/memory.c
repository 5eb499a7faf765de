#include "inspect/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

void memory_reader_init(struct memory *memory)
{
	*memory = (struct memory){ .generation = 1 };
	memory->pages = memory_zeroed(MEMORY_PAGES, sizeof *memory->pages);
}

void memory_reader_finish(struct memory *memory)
{
	free(memory->pages);
	*memory = (struct memory){ 0 };
}

void memory_attach(struct memory *memory, bool (*read)(void *context, uint64_t address, void *out, size_t size),
	void *context)
{
	memory->read = read;
	memory->context = context;
	memory_renew(memory);
}

bool memory_read_file(void *fd, uint64_t address, void *out, size_t size)
{
	return address <= INT64_MAX && pread(*(int *)fd, out, size, (off_t)address) == (ssize_t)size;
}

void memory_renew(struct memory *memory)
{
	memory->generation++;
}

bool memory_get_now(struct memory *memory, uint64_t address, void *out, size_t size)
{
	memory->reads++;
	return address <= UINT64_MAX - size && memory->read(memory->context, address, out, size);
}

static const unsigned char *page_at(struct memory *memory, uint64_t address)
{
	uint64_t number = address / MEMORY_PAGE;
	struct memory_page *page = &memory->pages[number % MEMORY_PAGES];

	if (page->address == address && page->generation == memory->generation)
		return page->bytes;
	page->generation = 0;
	if (!memory_get_now(memory, address, page->bytes, sizeof page->bytes))
		return NULL;
	page->address = address;
	page->generation = memory->generation;
	return page->bytes;
}

bool memory_get(struct memory *memory, uint64_t address, void *out, size_t size)
{
	unsigned char *to = out;

	if (address > UINT64_MAX - size - MEMORY_PAGE)
		return false;
	while (size) {
		size_t offset = address % MEMORY_PAGE, piece = MEMORY_PAGE - offset;
		const unsigned char *page = page_at(memory, address - offset);
		if (!page)
			return false;
		if (piece > size)
			piece = size;
		memcpy(to, page + offset, piece);
		to += piece;
		address += piece;
		size -= piece;
	}
	return true;
}

uint32_t memory_u32(const unsigned char *bytes, unsigned offset)
{
	uint32_t value;

	memcpy(&value, bytes + offset, sizeof value);
	return value;
}

uint64_t memory_u64(const unsigned char *bytes, unsigned offset)
{
	uint64_t value;

	memcpy(&value, bytes + offset, sizeof value);
	return value;
}
