#include "procfs/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "model/sample.h"

enum { PIECE_SIZE = 4096 }; /* the kernel makes these files a page at a time */

static ssize_t read_some(int fd, char *buffer, size_t size)
{
	ssize_t got;

	do
		got = read(fd, buffer, size);
	while (got < 0 && errno == EINTR);
	return got;
}

ssize_t proc_file_read(int root, const char *path, char *buffer, size_t size)
{
	size_t used = 0;
	ssize_t got = 0;
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	while (used < size - 1 && (got = read_some(fd, buffer + used, size - 1 - used)) > 0)
		used += (size_t)got;
	close(fd);
	buffer[used] = '\0';
	return got < 0 ? -1 : (ssize_t)used;
}

bool proc_file_scan(int root, const char *path, size_t most,
	bool (*take)(void *context, const char *bytes, size_t size), void *context)
{
	char piece[PIECE_SIZE];
	ssize_t got = 0;
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	while (most > 0) {
		got = read_some(fd, piece, most < sizeof piece ? most : sizeof piece);
		if (got <= 0 || !take(context, piece, (size_t)got))
			break;
		most -= (size_t)got;
	}
	close(fd);
	return got >= 0;
}

/* -1 when the name is anything else. */
static int number_of(const char *name)
{
	int number = 0;

	if (!*name || (name[0] == '0' && name[1]))
		return -1;
	for (; *name; name++) {
		int digit = *name - '0';
		if (digit < 0 || digit > 9 || number > (INT_MAX - digit) / 10)
			return -1;
		number = number * 10 + digit;
	}
	return number;
}

bool proc_folder_scan(int root, const char *path, void (*visit)(void *context, int number),
	void *context)
{
	struct dirent *entry;
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (!folder) {
		close_if_open(fd);
		return false;
	}
	while ((entry = readdir(folder))) {
		int number = number_of(entry->d_name);
		if (number >= 0)
			visit(context, number);
	}
	closedir(folder);
	return true;
}

uint64_t proc_number_behind(const char *text, const char *label)
{
	const char *at = strstr(text, label);
	char *end;

	if (!at)
		return SAMPLE_UNKNOWN;
	at += strlen(label);
	uint64_t number = strtoull(at, &end, 10);
	return end == at ? SAMPLE_UNKNOWN : number;
}
