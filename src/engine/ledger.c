#include "engine/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"

enum { LEDGER_MODE = 0600,
	FILES = 2,
	RESERVE = 64 * 1024 }; /* bytes: some two hundred deaths */

/* Half of it may be used up. Where a file system cannot do that, there is no more than before. */
static void reserve(struct ledger *ledger, off_t used)
{
	if (ledger->reserved - used > RESERVE / 2)
		return;
	if (fallocate(ledger->fd, FALLOC_FL_KEEP_SIZE, used, RESERVE) == 0)
		ledger->reserved = used + RESERVE;
}

static bool reopen(struct ledger *ledger, struct error *err)
{
	if (ledger->fd >= 0)
		return true;
	ledger->fd = open(
		ledger->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, LEDGER_MODE);
	if (ledger->fd < 0)
		return error_errno(err, "%s", ledger->path);
	ledger->reserved = 0;
	reserve(ledger, lseek(ledger->fd, 0, SEEK_END));
	return true;
}

void ledger_open(struct ledger *ledger, const char *dir, const char *name, size_t most)
{
	struct error err;

	*ledger = (struct ledger){ .path = memory_format("%s/%s", dir, name), .most = most };
	ledger->fd = -1;
	reopen(ledger, &err);
}

void ledger_close(struct ledger *ledger)
{
	close_if_open(ledger->fd);
	free(ledger->path);
	*ledger = (struct ledger){ .fd = -1 };
}

static void put_aside(struct ledger *ledger)
{
	struct stat st;

	if (ledger->fd < 0 || fstat(ledger->fd, &st) < 0 || (size_t)st.st_size < ledger->most)
		return;
	char *older = memory_format("%s.1", ledger->path);
	if (ftruncate(ledger->fd, st.st_size) == 0) /* no more comes: the room behind its end is given back */
		ledger->reserved = st.st_size;
	if (rename(ledger->path, older) == 0) {
		close(ledger->fd);
		ledger->fd = -1;
	}
	free(older);
}

bool ledger_add(struct ledger *ledger, const char *line, struct error *err)
{
	put_aside(ledger);
	if (!reopen(ledger, err))
		return false;
	char *whole = memory_format("%s\n", line);
	size_t size = strlen(whole);
	off_t before = lseek(ledger->fd, 0, SEEK_END);
	ssize_t done = write(ledger->fd, whole, size);
	free(whole);
	if (done == (ssize_t)size) {
		reserve(ledger, before + done);
		return true;
	}
	int reason = done < 0 ? errno : ENOSPC;
	if (done > 0 && ftruncate(ledger->fd, before) < 0)
		reason = errno; /* half a line: passed over when reading */
	errno = reason;
	return error_errno(err, "%s", ledger->path);
}

static void read_whole(const char *path, struct text *text)
{
	struct error err;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	text_clear(text);
	if (fd < 0)
		return;
	text_read_fd(text, fd, &err);
	close(fd);
}

static bool read_back(const struct text *text, bool (*take)(void *, const char *, size_t),
	void *context)
{
	const char *start = text_string(text), *end = start + text->size;

	while (end > start) {
		const char *line = memrchr(start, '\n', (size_t)(end - start - 1));
		line = line ? line + 1 : start;
		if (!take(context, line, (size_t)(end - line)))
			return false;
		end = line;
	}
	return true;
}

void ledger_read(const struct ledger *ledger,
	bool (*take)(void *context, const char *line, size_t size), void *context)
{
	char *paths[FILES] = { memory_copy(ledger->path), memory_format("%s.1", ledger->path) };
	bool goes_on = true;
	struct text text;

	text_init(&text, ledger->most * 2); /* its last line may have gone past the size */
	for (int i = 0; i < FILES; i++) {
		if (goes_on)
			read_whole(paths[i], &text);
		goes_on = goes_on && read_back(&text, take, context);
		free(paths[i]);
	}
	text_finish(&text);
}
