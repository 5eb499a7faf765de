/*
 * The memory of another process, read and never written. What is read there may be anything, also what was
 * forged to mislead us: nobody may trust a value from here further than its own bounds reach.
 */
#ifndef INSPECT_MEMORY_H
#define INSPECT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMORY_PAGE = 4096,
	MEMORY_PAGES = 128 };

struct memory_page {
	uint64_t address;
	uint64_t generation;
	unsigned char bytes[MEMORY_PAGE];
};

/* Small reads next to each other cost one read of their page, within one generation. */
struct memory {
	bool (*read)(void *context, uint64_t address, void *out, size_t size);
	void *context;
	struct memory_page *pages; /* owned; MEMORY_PAGES of them */
	uint64_t generation;
	uint64_t reads; /* so far: whoever must stay within bounds compares */
};

void memory_reader_init(struct memory *memory);
void memory_reader_finish(struct memory *memory);

/* From now on this one is read; nothing is remembered of another. */
void memory_attach(struct memory *memory, bool (*read)(void *context, uint64_t address, void *out, size_t size),
	void *context);
/* /proc/PID/mem, open at *fd. */
bool memory_read_file(void *fd, uint64_t address, void *out, size_t size);

/* Forget what was read: the process has gone on. */
void memory_renew(struct memory *memory);

/* By way of the remembered pages, and past them. False: there is nothing at some byte of it. */
bool memory_get(struct memory *memory, uint64_t address, void *out, size_t size);
bool memory_get_now(struct memory *memory, uint64_t address, void *out, size_t size);

/* A number in bytes that were read, at any place. */
uint32_t memory_u32(const unsigned char *bytes, unsigned offset);
uint64_t memory_u64(const unsigned char *bytes, unsigned offset);

#endif
