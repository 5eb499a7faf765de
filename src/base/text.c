#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { FIRST_ROOM = 64,
	READ_SIZE = 16 * 1024 };

void text_init(struct text *text, size_t most)
{
	*text = (struct text){ .most = most };
}

void text_finish(struct text *text)
{
	free(text->data);
	*text = (struct text){ .most = text->most };
}

void text_clear(struct text *text)
{
	text->size = 0;
	text->full = false;
	if (text->data)
		text->data[0] = '\0';
}

static bool reserve(struct text *text, size_t more)
{
	if (more > text->most || text->size > text->most - more) {
		text->full = true;
		return false;
	}
	size_t need = text->size + more + 1;
	if (need > text->room) {
		size_t room = text->room ? text->room : FIRST_ROOM;
		while (room < need)
			room *= 2;
		text->data = memory_resize(text->data, room, 1);
		text->room = room;
	}
	return true;
}

bool text_append(struct text *text, const void *bytes, size_t size)
{
	if (!reserve(text, size))
		return false;
	if (size)
		memcpy(text->data + text->size, bytes, size);
	text->size += size;
	text->data[text->size] = '\0';
	return true;
}

bool text_puts(struct text *text, const char *string)
{
	return text_append(text, string, strlen(string));
}

bool text_putc(struct text *text, char c)
{
	return text_append(text, &c, 1);
}

/* Two figures for each division, which is what takes the time. */
bool text_put_number(struct text *text, uint64_t number, char after)
{
	static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
				    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
	char figures[24], *at = figures + sizeof figures;

	*--at = after;
	for (; number >= 100; number /= 100)
		memcpy(at -= 2, pairs + number % 100 * 2, 2);
	*--at = pairs[number * 2 + 1];
	if (number >= 10)
		*--at = pairs[number * 2];
	return text_append(text, at, (size_t)(figures + sizeof figures - at));
}

bool text_format(struct text *text, const char *fmt, ...)
{
	char small[256];
	va_list args, again;

	va_start(args, fmt);
	va_copy(again, args);
	int length = vsnprintf(small, sizeof small, fmt, args);
	va_end(args);
	bool fits = length >= 0;
	if (fits && (size_t)length < sizeof small) {
		fits = text_append(text, small, (size_t)length);
	} else if (fits && (fits = reserve(text, (size_t)length))) {
		vsnprintf(text->data + text->size, (size_t)length + 1, fmt, again);
		text->size += (size_t)length;
	}
	va_end(again);
	return fits;
}

void text_drop(struct text *text, size_t size)
{
	if (size > text->size)
		size = text->size;
	if (!size)
		return;
	text->size -= size;
	memmove(text->data, text->data + size, text->size + 1);
}

const char *text_string(const struct text *text)
{
	return text->data ? text->data : "";
}

char *text_take(struct text *text)
{
	char *data = text->data ? text->data : memory_copy("");

	*text = (struct text){ .most = text->most };
	return data;
}

bool text_read_fd(struct text *text, int fd, struct error *err)
{
	char buffer[READ_SIZE];

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof buffer);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_errno(err, "read");
		if (got == 0)
			return true;
		if (!text_append(text, buffer, (size_t)got))
			return error_set(err, EFBIG, "more than %zu bytes", text->most);
	}
}

bool text_read_file(struct text *text, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "open %s", path);
	bool ok = text_read_fd(text, fd, err) || error_wrap(err, "%s", path);
	close(fd);
	return ok;
}

bool text_write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(fd, bytes, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

bool text_write_file(const struct text *text, const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(err, "cannot write '%s'", path);
	bool ok = text_write_all(fd, text->data, text->size);
	ok = (close(fd) == 0 && ok) || error_errno(err, "cannot write all of '%s'", path);
	if (!ok)
		unlink(path);
	return ok;
}

bool text_replace_file(const struct text *text, const char *path, struct error *err)
{
	char real[PATH_MAX], beside[PATH_MAX + 16];
	const char *file = realpath(path, real) ? real : path; /* a link stays one */

	if (text->full)
		return error_set(err, EFBIG, "'%s' would be too long", path);
	snprintf(beside, sizeof beside, "%s.%d", file, (int)getpid());
	unlink(beside); /* of another of that pid, which was killed */
	bool ok = text_write_file(text, beside, err) && (rename(beside, file) == 0 || error_errno(err, "cannot write '%s'", path));
	if (!ok)
		unlink(beside);
	return ok;
}
