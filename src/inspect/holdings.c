#include "inspect/holdings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "inspect/path.h"
#include "model/sample.h"
#include "procfs/file.h"

enum { TEXT_SIZE = 2048,
	FIRST_ROOM = 32 };

/* ---- memory ---- */

static uint64_t kib_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) * 1024 : SAMPLE_UNKNOWN;
}

static void read_memory(struct study *study)
{
	struct holding_memory *memory = &study->memory;
	char path[INSPECT_PATH_SIZE], text[TEXT_SIZE];

	*memory = (struct holding_memory){ SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN };
	if (proc_file_read(AT_FDCWD, inspect_path(path, study->pid, "smaps_rollup"), text, sizeof text) <= 0)
		return;
	uint64_t clean = kib_of(text, "\nPrivate_Clean:"), dirty = kib_of(text, "\nPrivate_Dirty:");
	memory->rss = kib_of(text, "\nRss:");
	memory->pss = kib_of(text, "\nPss:");
	memory->own = clean == SAMPLE_UNKNOWN || dirty == SAMPLE_UNKNOWN ? SAMPLE_UNKNOWN : clean + dirty;
	memory->swap = kib_of(text, "\nSwap:");
}

/* ---- files ---- */

static const char *kind_of(const char *path)
{
	static const struct {
		mode_t type;
		const char *name;
	} kinds[] = { { S_IFREG, "file" }, { S_IFDIR, "folder" }, { S_IFCHR, "device" }, { S_IFBLK, "disk" }, { S_IFIFO, "pipe" },
		{ S_IFSOCK, "socket" } };
	struct stat st;

	if (stat(path, &st) < 0)
		return "?";
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if ((st.st_mode & S_IFMT) == kinds[i].type)
			return kinds[i].name;
	return "kernel"; /* eventfd, epoll and the like */
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : SAMPLE_UNKNOWN;
}

/* "pos:\t120\nflags:\t0100002\n": octal, as open(2) has them. */
static void read_position(struct file_report *file, int32_t pid)
{
	static const char *const modes[] = { [O_RDONLY] = "r", [O_WRONLY] = "w", [O_RDWR] = "rw" };
	char path[INSPECT_PATH_SIZE], text[TEXT_SIZE];
	unsigned long long position;
	unsigned flags;

	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, (int)file->fd);
	if (proc_file_read(AT_FDCWD, path, text, sizeof text) <= 0 || sscanf(text, "pos: %llu flags: %o", &position, &flags) != 2)
		return;
	if (file->size != SAMPLE_UNKNOWN)
		file->position = position;
	if ((flags & O_ACCMODE) <= O_RDWR)
		snprintf(file->mode, sizeof file->mode, "%s", modes[flags & O_ACCMODE]);
}

static void add_file(void *context, int number)
{
	struct study *study = context;
	char path[INSPECT_PATH_SIZE], name[PATH_MAX];

	if (study->file_count == INSIDE_FILES_MOST) {
		study->files_left_out++;
		return;
	}
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)study->pid, number);
	ssize_t length = readlink(path, name, sizeof name - 1);
	if (length < 0)
		return;
	name[length] = '\0';
	if (study->file_count % FIRST_ROOM == 0)
		study->files = memory_resize(study->files, study->file_count + FIRST_ROOM, sizeof *study->files);
	struct file_report *file = &study->files[study->file_count++];
	*file = (struct file_report){ .fd = number, .size = size_of(path), .position = SAMPLE_UNKNOWN };
	snprintf(file->kind, sizeof file->kind, "%s", kind_of(path));
	snprintf(file->name, sizeof file->name, "%.*s", (int)sizeof file->name - 1, name);
	read_position(file, study->pid);
}

void holdings_read(struct study *study)
{
	char path[INSPECT_PATH_SIZE];

	study->has_holdings = true;
	read_memory(study);
	if (!proc_folder_scan(AT_FDCWD, inspect_path(path, study->pid, "fd"), add_file, study))
		study_find(study, "its open files are not ours to see: %s", strerror(errno));
}
