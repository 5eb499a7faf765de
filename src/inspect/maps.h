/* What a process has mapped, as /proc/PID/maps tells it, as far as it matters here: files, and the zeroed memory behind them. */
#ifndef INSPECT_MAPS_H
#define INSPECT_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAPS_FILES_MOST = 1024,
	MAPS_SPANS_MOST = 8,
	MAPS_PATH_SIZE = 512 };

struct map_span {
	uint64_t start, end;
};

/* One file of machine code. */
struct map_file {
	uint64_t device, inode;
	uint64_t start;                            /* where its first byte is */
	uint64_t first_end;                        /* the end of that mapping: its name in map_files */
	struct map_span writable[MAPS_SPANS_MOST]; /* its variables, with the zeroed ones */
	size_t writable_count;
	bool has_code;
	char path[MAPS_PATH_SIZE];
};

/* Zeroed is empty. */
struct maps {
	struct map_file *files; /* owned */
	size_t count, room;
	uint64_t last_end; /* while it is read: of the last mapping of files[current], or of its tail */
	size_t current;
};

/* False, with errno: it is gone, or not ours to look at. */
bool maps_read(struct maps *maps, int32_t pid);
/* One line of the file, without its end; others may follow. */
void maps_take_line(struct maps *maps, const char *line);
void maps_finish(struct maps *maps);

/* Open a file that a process has mapped, be it deleted, or behind another root. -1: it cannot be had. */
int maps_open(const struct map_file *file, int32_t pid);

#endif
