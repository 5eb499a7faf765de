#include "inspect/maps.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "inspect/path.h"

struct mapping {
	uint64_t start, end, offset, device, inode;
	char rights[5];
	const char *path;
};

static bool parse(struct mapping *mapping, const char *line)
{
	unsigned major, minor;
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &mapping->start, &mapping->end,
		    mapping->rights, &mapping->offset, &major, &minor, &mapping->inode, &path_at) < 7)
		return false;
	mapping->device = makedev(major, minor);
	mapping->path = line + (path_at ? (size_t)path_at : strlen(line));
	return mapping->end > mapping->start;
}

static struct map_file *find_file(struct maps *maps, const struct mapping *mapping)
{
	for (size_t i = 0; i < maps->count; i++)
		if (maps->files[i].inode == mapping->inode && maps->files[i].device == mapping->device)
			return &maps->files[i];
	return NULL;
}

static struct map_file *add_file(struct maps *maps, const struct mapping *mapping)
{
	if (maps->count == MAPS_FILES_MOST || strlen(mapping->path) >= MAPS_PATH_SIZE)
		return NULL;
	if (maps->count == maps->room) {
		maps->room = maps->room ? maps->room * 2 : 16;
		maps->files = memory_resize(maps->files, maps->room, sizeof *maps->files);
	}
	struct map_file *file = &maps->files[maps->count++];
	*file = (struct map_file){ .device = mapping->device, .inode = mapping->inode };
	snprintf(file->path, sizeof file->path, "%s", mapping->path);
	return file;
}

static void add_writable(struct map_file *file, const struct mapping *mapping)
{
	struct map_span *last = file->writable_count ? &file->writable[file->writable_count - 1] : NULL;

	if (last && last->end == mapping->start)
		last->end = mapping->end;
	else if (file->writable_count < MAPS_SPANS_MOST)
		file->writable[file->writable_count++] = (struct map_span){ mapping->start, mapping->end };
}

static bool is_variables(const struct mapping *mapping)
{
	return mapping->rights[0] == 'r' && mapping->rights[1] == 'w' && mapping->rights[3] == 'p';
}

static void take_file(struct maps *maps, const struct mapping *mapping)
{
	struct map_file *file = find_file(maps, mapping);

	if (!file)
		file = add_file(maps, mapping);
	if (!file)
		return;
	if (mapping->offset == 0 && !file->start) {
		file->start = mapping->start;
		file->first_end = mapping->end;
	}
	if (mapping->rights[2] == 'x')
		file->has_code = true;
	if (is_variables(mapping))
		add_writable(file, mapping);
	maps->current = (size_t)(file - maps->files);
	maps->last_end = mapping->end;
}

void maps_take_line(struct maps *maps, const char *line)
{
	struct mapping mapping = { 0 };

	if (!parse(&mapping, line))
		return;
	if (mapping.inode)
		take_file(maps, &mapping);
	else if (maps->count && mapping.start == maps->last_end && is_variables(&mapping) && !*mapping.path) {
		add_writable(&maps->files[maps->current], &mapping);
		maps->last_end = mapping.end;
	}
}

bool maps_read(struct maps *maps, int32_t pid)
{
	char path[INSPECT_PATH_SIZE], *line = NULL;
	size_t room = 0;
	ssize_t length;

	*maps = (struct maps){ 0 };
	FILE *file = fopen(inspect_path(path, pid, "maps"), "re");
	if (!file)
		return false;
	while ((length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		maps_take_line(maps, line);
	}
	free(line);
	fclose(file);
	return true;
}

void maps_finish(struct maps *maps)
{
	free(maps->files);
	*maps = (struct maps){ 0 };
}

/* By its path as the process sees it, if that is still the same file; else by the mapping itself. */
int maps_open(const struct map_file *file, int32_t pid)
{
	char path[INSPECT_PATH_SIZE + MAPS_PATH_SIZE], base[INSPECT_PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof path, "%s%s", inspect_path(base, pid, "root"), file->path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == file->inode)
		return fd;
	close_if_open(fd);
	snprintf(path, sizeof path, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid, file->start, file->first_end);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		return fd;
	fd = open(inspect_path(base, pid, "exe"), O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_ino != file->inode)) {
		close(fd);
		fd = -1;
	}
	return fd;
}
