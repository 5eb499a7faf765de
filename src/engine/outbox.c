#include "engine/outbox.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/fd.h"

enum { LOOK_BACK = 64 * 1024 };

bool outbox_make(struct outbox *outbox)
{
	*outbox = (struct outbox){ .fd = memfd_create("thrum-outbox", MFD_CLOEXEC) };
	return outbox->fd >= 0;
}

/* The end of the last whole line behind what was sent. */
static size_t whole_lines(const struct outbox *outbox)
{
	char bytes[LOOK_BACK];
	size_t end = outbox->size;

	while (end > outbox->sent) {
		size_t piece = end - outbox->sent < sizeof bytes ? end - outbox->sent : sizeof bytes;
		if (pread(outbox->fd, bytes, piece, (off_t)(end - piece)) != (ssize_t)piece)
			return outbox->sent;
		const char *newline = memrchr(bytes, '\n', piece);
		if (newline)
			return end - piece + (size_t)(newline + 1 - bytes);
		end -= piece;
	}
	return outbox->sent;
}

void outbox_restore(struct outbox *outbox, int fd)
{
	off_t sent = lseek(fd, 0, SEEK_CUR), size = lseek(fd, 0, SEEK_END);

	/* a file shorter than what was sent of it: it was just being emptied */
	*outbox = (struct outbox){ fd, (size_t)size, (size_t)(sent < size ? sent : size) };
	outbox->size = whole_lines(outbox);
	if (ftruncate(fd, (off_t)outbox->size) == 0)
		lseek(fd, (off_t)outbox->sent, SEEK_SET);
}

void outbox_close(struct outbox *outbox)
{
	close_if_open(outbox->fd);
	outbox->fd = -1;
}

size_t outbox_waiting(const struct outbox *outbox)
{
	return outbox->size - outbox->sent;
}

bool outbox_add(struct outbox *outbox, const char *bytes, size_t size)
{
	size_t written = 0;

	while (written < size) {
		ssize_t piece = pwrite(outbox->fd, bytes + written, size - written, (off_t)(outbox->size + written));
		if (piece < 0 && errno == EINTR)
			continue;
		if (piece <= 0)
			break;
		written += (size_t)piece;
	}
	if (written == size)
		outbox->size += size;
	else if (ftruncate(outbox->fd, (off_t)outbox->size) < 0)
		return false;
	return written == size;
}

/* Its pages are the socket's too, as long as they are under way: only a new file has new ones. */
static void empty(struct outbox *outbox)
{
	if (ftruncate(outbox->fd, 0) < 0)
		return;
	lseek(outbox->fd, 0, SEEK_SET);
	outbox->size = outbox->sent = 0;
}

bool outbox_flush(struct outbox *outbox, int socket)
{
	while (outbox->sent < outbox->size) {
		ssize_t sent = sendfile(socket, outbox->fd, NULL, outbox->size - outbox->sent);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		if (sent == 0)
			return false;
		outbox->sent += (size_t)sent;
	}
	if (outbox->size > 0)
		empty(outbox);
	return true;
}
