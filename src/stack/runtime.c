#include "stack/runtime.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 128,
	MAP_MOST = 256 * 1024 * 1024 };

/* "3ef1b2a4c040 1c8 LazyCompile:*hash /srv/app.js:12" */
static void take_line(struct frame *frames, size_t count, char *line)
{
	char *end;
	uint64_t start = strtoull(line, &end, 16);

	if (end == line)
		return;
	uint64_t size = strtoull(end, &end, 16);
	end += strspn(end, " ");
	end[strcspn(end, "\n")] = '\0';
	for (size_t i = 0; i < count && *end; i++) {
		struct frame *frame = &frames[i];
		if (frame->module[0] || frame->address < start || frame->address - start >= size)
			continue;
		snprintf(frame->symbol, sizeof frame->symbol, "%s", end);
		frame->offset = frame->address - start;
	}
}

void runtime_name_from(struct frame *frames, size_t count, FILE *map)
{
	char *line = NULL;
	size_t room = 0, total = 0;
	ssize_t size;

	while (total < MAP_MOST && (size = getline(&line, &room, map)) > 0) {
		take_line(frames, count, line);
		total += (size_t)size;
	}
	free(line);
}

/* As it is called in its own pid namespace: the last of "NSpid:	4711	7". */
static int own_number(int32_t pid)
{
	char path[PATH_SIZE], line[256];
	int number = pid;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file)) {
		char *last = strncmp(line, "NSpid:", 6) == 0 ? strrchr(line, '\t') : NULL;
		if (last)
			number = (int)strtol(last, NULL, 10);
	}
	if (file)
		fclose(file);
	return number;
}

/* It is the process's own file, or nobody should believe it. */
static FILE *open_map(int32_t pid)
{
	char path[PATH_SIZE], folder[64];
	struct stat file, owner;

	snprintf(folder, sizeof folder, "/proc/%d", (int)pid);
	snprintf(path, sizeof path, "/proc/%d/root/tmp/perf-%d.map", (int)pid, own_number(pid));
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) || stat(folder, &owner) < 0 ||
		(file.st_uid != owner.st_uid && file.st_uid != 0)) {
		close(fd);
		return NULL;
	}
	return fdopen(fd, "r");
}

/*
 * Code that was made at run time may lie between pieces of a file, and be taken for the file's own: only what is mapped
 * tells. "7f12a000-7f12b000 r-xp 00000000 00:00 0"
 */
static void take_mapping(struct frame *frames, size_t count, const char *line)
{
	unsigned long start, end, inode;
	int used = 0;

	if (sscanf(line, "%lx-%lx %*s %*x %*s %lu%n", &start, &end, &inode, &used) != 3 || inode || strchr(line + used, '['))
		return;
	for (size_t i = 0; i < count; i++)
		if (frames[i].address >= start && frames[i].address < end)
			frames[i] = (struct frame){ .address = frames[i].address };
}

static void forget_files(struct frame *frames, size_t count, int32_t pid)
{
	char path[64], *line = NULL;
	size_t room = 0;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	FILE *file = fopen(path, "re");
	while (file && getline(&line, &room, file) > 0)
		take_mapping(frames, count, line);
	free(line);
	if (file)
		fclose(file);
}

/* What V8 runs before it has compiled a function: which one it is, is not in the stack. */
static void mark_interpreted(struct frame *frame)
{
	static const char interpreter[] = "Builtins_InterpreterEntryTrampoline";

	if (strcmp(frame->symbol, interpreter) == 0)
		snprintf(frame->symbol, sizeof frame->symbol, "[JS] %s", interpreter);
}

static bool runs_javascript(int32_t pid)
{
	static const char *const names[] = { "node", "nodejs", "bun", "deno", "electron" };
	char path[PATH_SIZE], target[4096];

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	ssize_t length = readlink(path, target, sizeof target - 1);
	if (length <= 0)
		return false;
	target[length] = '\0';
	target[strcspn(target, " ")] = '\0'; /* "(deleted)" */
	const char *slash = strrchr(target, '/');
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(slash ? slash + 1 : target, names[i]) == 0)
			return true;
	return false;
}

void runtime_name(struct frame *frames, size_t count, int32_t pid)
{
	const char *kind = runs_javascript(pid) ? "[JS]" : "[made at run time]";
	FILE *map = open_map(pid);

	forget_files(frames, count, pid);
	if (map) {
		runtime_name_from(frames, count, map);
		fclose(map);
	}
	for (size_t i = 0; i < count; i++) {
		struct frame *frame = &frames[i];
		mark_interpreted(frame);
		if (!frame->module[0] && !frame->symbol[0])
			snprintf(frame->symbol, sizeof frame->symbol, "%s", kind);
	}
}
