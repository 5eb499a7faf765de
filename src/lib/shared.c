#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thrum.h>
#include <unistd.h>
#include "lib/futex.h"
#include "lib/memory.h"

#define FILE_NAME "thrum-shared"
#define FILE_MAGIC UINT64_C(0x3168537572685474) /* "tThruSh1" */
/* A file that may shrink would kill whoever touches what is gone. */
#define FILE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* The file: this, count × the integers, and if those have 64 bits count × a bell. */
struct header {
	alignas(64) uint64_t magic;
	uint64_t count;
	uint32_t bits;
};

/* Count and bits are copies: others can write to the file. */
struct thrum_shared {
	struct header *file; /* mapped */
	size_t count, size;
	unsigned bits;
	int fd;
};

static _Atomic uint32_t *word_at(const struct thrum_shared *shared, size_t index)
{
	return (_Atomic uint32_t *)(void *)(shared->file + 1) + index;
}

static _Atomic uint64_t *long_at(const struct thrum_shared *shared, size_t index)
{
	return (_Atomic uint64_t *)(void *)(shared->file + 1) + index;
}

/*
 * What those who wait for an integer sleep on. A futex has 32 bits: half of an integer of 64 may stay what it was
 * while the other half changes, so such a one has a count of its notifications besides.
 */
static _Atomic uint32_t *bell_of(const struct thrum_shared *shared, size_t index)
{
	return word_at(shared, shared->bits == 32 ? index : shared->count * 2 + index);
}

static size_t file_size(size_t count, unsigned bits)
{
	return sizeof(struct header) + count * (bits == 32 ? 4 : 12);
}

static int is_valid(uint64_t count, uint32_t bits)
{
	return count > 0 && count <= THRUM_SHARED_MOST && (bits == 32 || bits == 64);
}

/* -- Making and mapping -- */

/* The descriptor is the array's then. */
static struct thrum_shared *map(int fd, size_t count, unsigned bits)
{
	struct thrum_shared *shared = thrum__allocate(1, sizeof *shared);

	if (!shared)
		return NULL;
	shared->fd = fd;
	shared->count = count;
	shared->bits = bits;
	shared->size = file_size(count, bits);
	shared->file = mmap(NULL, shared->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared->file != MAP_FAILED)
		return shared;
	thrum__free(shared);
	return NULL;
}

static struct thrum_shared *map_or_close(int fd, size_t count, unsigned bits)
{
	struct thrum_shared *shared = map(fd, count, bits);
	int reason = errno;

	if (!shared) {
		close(fd);
		errno = reason;
	}
	return shared;
}

static int create_file(size_t size)
{
	int fd = memfd_create(FILE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING), reason;

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, FILE_SEALS) == 0)
		return fd;
	reason = errno;
	close(fd);
	errno = reason;
	return -1;
}

struct thrum_shared *thrum_shared_create(size_t count, unsigned bits)
{
	struct thrum_shared *shared;
	int fd;

	errno = EINVAL;
	if (!is_valid(count, bits))
		return NULL;
	fd = create_file(file_size(count, bits));
	shared = fd < 0 ? NULL : map_or_close(fd, count, bits);
	if (shared) {
		shared->file->count = count;
		shared->file->bits = bits;
		shared->file->magic = FILE_MAGIC;
	}
	return shared;
}

static int is_file(int fd, const struct header *header)
{
	struct stat status;

	return (fcntl(fd, F_GET_SEALS) & FILE_SEALS) == FILE_SEALS && header->magic == FILE_MAGIC &&
	       is_valid(header->count, header->bits) && fstat(fd, &status) == 0 &&
	       status.st_size == (off_t)file_size(header->count, header->bits);
}

struct thrum_shared *thrum_shared_open(int fd)
{
	struct header header;
	int own;

	/* A pipe or a socket is nothing to be read from, nor does it have seals. */
	if (fcntl(fd, F_GET_SEALS) < 0)
		return NULL;
	if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header || !is_file(fd, &header)) {
		errno = EINVAL;
		return NULL;
	}
	own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return own < 0 ? NULL : map_or_close(own, header.count, header.bits);
}

void thrum_shared_close(struct thrum_shared *shared)
{
	if (!shared)
		return;
	munmap(shared->file, shared->size);
	close(shared->fd);
	thrum__free(shared);
}

int thrum_shared_fd(const struct thrum_shared *shared)
{
	return shared->fd;
}

size_t thrum_shared_count(const struct thrum_shared *shared)
{
	return shared->count;
}

unsigned thrum_shared_bits(const struct thrum_shared *shared)
{
	return shared->bits;
}

void *thrum_shared_memory(struct thrum_shared *shared)
{
	return shared->file + 1;
}

/* -- One integer -- */

static int64_t widen(uint32_t word)
{
	return (int32_t)word;
}

int thrum_shared_load(const struct thrum_shared *shared, size_t index, int64_t *value)
{
	if (index >= shared->count)
		return -EINVAL;
	*value = shared->bits == 32 ? widen(atomic_load(word_at(shared, index))) : (int64_t)atomic_load(long_at(shared, index));
	return 0;
}

int thrum_shared_store(struct thrum_shared *shared, size_t index, int64_t value)
{
	return thrum_shared_exchange(shared, index, value, NULL);
}

#define DEFINE(name, operation)                                                                              \
	int thrum_shared_##name(struct thrum_shared *shared, size_t index, int64_t operand, int64_t *former) \
	{                                                                                                    \
		int64_t was;                                                                                 \
                                                                                                             \
		if (index >= shared->count)                                                                  \
			return -EINVAL;                                                                      \
		was = shared->bits == 32 ? widen(operation(word_at(shared, index), (uint32_t)operand))       \
					 : (int64_t)operation(long_at(shared, index), (uint64_t)operand);    \
		if (former)                                                                                  \
			*former = was;                                                                       \
		return 0;                                                                                    \
	}

DEFINE(add, atomic_fetch_add)
DEFINE(sub, atomic_fetch_sub)
DEFINE(and, atomic_fetch_and)
DEFINE(or, atomic_fetch_or)
DEFINE(xor, atomic_fetch_xor)
DEFINE(exchange, atomic_exchange)

int thrum_shared_compare_exchange(struct thrum_shared *shared, size_t index, int64_t *expected, int64_t value)
{
	uint32_t word = (uint32_t)*expected;
	uint64_t wide = (uint64_t)*expected;
	int exchanged;

	if (index >= shared->count)
		return -EINVAL;
	if (shared->bits == 32) {
		exchanged = atomic_compare_exchange_strong(word_at(shared, index), &word, (uint32_t)value);
		*expected = widen(word);
	} else {
		exchanged = atomic_compare_exchange_strong(long_at(shared, index), &wide, (uint64_t)value);
		*expected = (int64_t)wide;
	}
	return exchanged ? 0 : -EAGAIN;
}

/* -- Waiting -- */

int thrum_shared_wait(const struct thrum_shared *shared, size_t index, int64_t expected, int timeout_ms)
{
	uint64_t deadline = thrum__deadline_ns(timeout_ms);
	const _Atomic uint32_t *bell;
	uint32_t seen;
	int64_t value;

	if (index >= shared->count)
		return -EINVAL;
	bell = bell_of(shared, index);
	seen = atomic_load(bell);
	thrum_shared_load(shared, index, &value);
	if (value != (shared->bits == 32 ? widen((uint32_t)expected) : expected))
		return -EAGAIN;
	return thrum__futex_wait(bell, seen, deadline, 0);
}

int thrum_shared_notify(struct thrum_shared *shared, size_t index, int count)
{
	_Atomic uint32_t *bell;

	if (index >= shared->count)
		return -EINVAL;
	bell = bell_of(shared, index);
	if (shared->bits == 64)
		atomic_fetch_add(bell, 1);
	return thrum__futex_wake(bell, count < 0 ? INT_MAX : count, 0);
}
