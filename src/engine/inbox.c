#include "engine/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAGIC = 0x696e626f,
	ABI = 2,
	ROOM = INBOX_LINE_MOST + 4 * INBOX_WINDOW,
	SIZE = sizeof(struct inbox_page) + ROOM,
	KEPT = INBOX_WINDOW, /* of memory, when all is acted on */
};

static const uint32_t nowhere = UINT32_MAX;

static uint32_t begin_of(uint64_t range)
{
	return (uint32_t)range;
}

static uint32_t end_of(uint64_t range)
{
	return (uint32_t)(range >> 32);
}

static void set_range(struct inbox *inbox, uint32_t begin, uint32_t end)
{
	atomic_store(&inbox->page->range, (uint64_t)end << 32 | begin);
}

/* Zeros from here to there; what is far out costs no memory any more. */
static void wipe(struct inbox *inbox, uint32_t from, uint32_t to)
{
	uint32_t far = from > KEPT ? from : KEPT;

	if (to > far) {
		off_t at = (off_t)(sizeof(struct inbox_page) + far);
		if (fallocate(inbox->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, to - far) < 0)
			memset(inbox->page->bytes + far, 0, to - far);
		to = far;
		inbox->clean = inbox->clean < far ? inbox->clean : far;
	}
	if (to > from)
		memset(inbox->page->bytes + from, 0, to - from);
}

static bool map(struct inbox *inbox)
{
	inbox->page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, inbox->fd, 0);
	if (inbox->page == MAP_FAILED)
		inbox->page = NULL;
	return inbox->page;
}

bool inbox_make(struct inbox *inbox)
{
	*inbox = (struct inbox){ .fd = memfd_create("thrum-inbox", MFD_CLOEXEC) };
	if (inbox->fd < 0)
		return false;
	if (ftruncate(inbox->fd, SIZE) < 0 || !map(inbox)) {
		int reason = errno;
		close(inbox->fd);
		errno = reason;
		return false;
	}
	inbox->page->magic = MAGIC;
	inbox->page->abi = ABI;
	inbox->window = INBOX_NARROW;
	return true;
}

/*
 * The kernel may have brought bytes that nobody noted: all up to the first zero. Behind that may be what an
 * engine was just moving away.
 */
static void find_end(struct inbox *inbox)
{
	uint64_t range = atomic_load(&inbox->page->range);
	uint32_t end = end_of(range);
	const char *zero = memchr(inbox->page->bytes + end, '\0', ROOM - end);

	end = zero ? (uint32_t)(zero - inbox->page->bytes) : ROOM;
	set_range(inbox, begin_of(range), end);
	fallocate(inbox->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		(off_t)(sizeof(struct inbox_page) + end), ROOM - end);
	inbox->clean = end;
	inbox->searched = begin_of(range);
	inbox->window = INBOX_NARROW;
}

/* The line before the first is done with, so it is counted: once, however often this is done. */
static void finish_count(struct inbox *inbox)
{
	struct inbox_page *page = inbox->page;

	if (atomic_load(&page->next_begin) != begin_of(atomic_load(&page->range)))
		return;
	page->counts.in = page->next_in;
	page->counts.in_bytes = page->next_in_bytes;
}

/* An engine that dies before it comes to the first line has not died of it. */
static void judge(struct inbox *inbox)
{
	struct inbox_page *page = inbox->page;

	if (atomic_load(&page->acting) == begin_of(atomic_load(&page->range)) + 1)
		page->tries++;
	atomic_store(&page->acting, 0);
	inbox->is_abandoned = page->tries >= INBOX_TRIES;
}

bool inbox_restore(struct inbox *inbox, int fd)
{
	struct stat st;

	*inbox = (struct inbox){ .fd = fd };
	if (fstat(fd, &st) < 0 || st.st_size != SIZE || !map(inbox))
		return false;
	uint64_t range = atomic_load(&inbox->page->range);
	if (inbox->page->magic != MAGIC || inbox->page->abi != ABI || begin_of(range) > end_of(range) ||
		end_of(range) > ROOM) {
		munmap(inbox->page, SIZE);
		return false;
	}
	find_end(inbox);
	finish_count(inbox);
	judge(inbox);
	return true;
}

void inbox_close(struct inbox *inbox)
{
	munmap(inbox->page, SIZE);
	close(inbox->fd);
}

/*
 * Make room ahead. Each step leaves what is not acted on in one place, with a zero behind it, wherever
 * the engine dies.
 */
static void tidy(struct inbox *inbox)
{
	uint64_t range = atomic_load(&inbox->page->range);
	uint32_t begin = begin_of(range), end = end_of(range), rest = end - begin;

	if (!begin || (rest && begin < INBOX_WINDOW) || rest >= begin)
		return;
	wipe(inbox, 0, begin);
	memcpy(inbox->page->bytes, inbox->page->bytes + begin, rest);
	atomic_store(&inbox->page->next_begin, nowhere);
	set_range(inbox, 0, rest);
	wipe(inbox, begin, end);
	inbox->searched -= begin;
}

/* The memory is there before the kernel writes: what is copied by half would come twice. */
static void prepare(struct inbox *inbox, uint32_t to)
{
	if (to <= inbox->clean)
		return;
	memset(inbox->page->bytes + inbox->clean, 0, to - inbox->clean);
	inbox->clean = to;
}

long inbox_receive(struct inbox *inbox, int socket)
{
	tidy(inbox);
	uint64_t range = atomic_load(&inbox->page->range);
	uint32_t begin = begin_of(range), end = end_of(range), window = inbox->window;

	if (end - begin > INBOX_LINE_MOST || ROOM - end < window) {
		errno = ENOBUFS;
		return -1;
	}
	prepare(inbox, end + window);
	long size = recv(socket, inbox->page->bytes + end, window, MSG_DONTWAIT);
	if (size > 0)
		set_range(inbox, begin, end + (uint32_t)size);
	inbox->window = size == window ? INBOX_WINDOW : size < INBOX_NARROW ? INBOX_NARROW
									    : window;
	return size;
}

bool inbox_next(struct inbox *inbox, const char **line, size_t *size)
{
	uint64_t range = atomic_load(&inbox->page->range);
	uint32_t begin = begin_of(range), end = end_of(range);
	const char *bytes = inbox->page->bytes;
	const char *newline = memchr(bytes + inbox->searched, '\n', end - inbox->searched);

	inbox->searched = newline ? begin : end;
	if (!newline)
		return false;
	*line = bytes + begin;
	*size = (size_t)(newline - *line);
	inbox->line_end = (uint32_t)(newline + 1 - bytes);
	atomic_store_explicit(&inbox->page->acting, begin + 1, memory_order_relaxed);
	return true;
}

/* What the engine has done when it is killed is what stands before here, and nothing of what follows. */
static void step(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/* The range decides: before it is set nothing has been done, after it all that follows can be done again. */
void inbox_done(struct inbox *inbox)
{
	struct inbox_page *page = inbox->page;
	uint64_t range = atomic_load(&page->range);

	page->tries = 0;
	atomic_store_explicit(&page->next_begin, nowhere, memory_order_relaxed);
	step();
	page->next_in = page->counts.in + 1;
	page->next_in_bytes = page->counts.in_bytes + (inbox->line_end - begin_of(range));
	step();
	atomic_store_explicit(&page->next_begin, inbox->line_end, memory_order_relaxed);
	set_range(inbox, inbox->line_end, end_of(range));
	finish_count(inbox);
	step();
	atomic_store_explicit(&page->acting, 0, memory_order_relaxed);
	inbox->searched = inbox->line_end;
	inbox->is_abandoned = false;
}
