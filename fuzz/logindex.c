/* A log whose index anybody may have written: what is read lies within the log, and goes on to its end. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/logfile.h"

enum { LOG_SIZE = 300,
	CHUNKS_MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool keep(void *context, int fd)
{
	(void)context, (void)fd;
	return true;
}

static void put(const char *folder, const char *name, const void *bytes, size_t size)
{
	char path[96];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	if (!file || (size && !fwrite(bytes, size, 1, file)))
		abort();
	fclose(file);
}

struct reading {
	uint64_t first, end;
	size_t bytes;
};

static void take(void *context, const struct log_chunk *chunk)
{
	struct reading *reading = context;

	if (chunk->offset < reading->first || chunk->offset + chunk->size > reading->end)
		__builtin_trap();
	for (size_t i = 0; i < chunk->size; i++)
		reading->bytes += chunk->data[i] != '\0' || true;
}

static void read_all(const struct logfile *log)
{
	struct reading reading = { logfile_first(log), logfile_end(log), 0 };
	uint64_t offset = 0;

	for (int i = 0; i < CHUNKS_MOST; i++) {
		uint64_t next = logfile_read(log, offset, 64 * 1024, take, &reading);
		if (next <= offset || next >= reading.end)
			break;
		offset = next;
	}
	for (uint64_t lines = 0; lines < 5; lines++)
		if (logfile_find_lines(log, lines) > reading.end || logfile_find_time(log, lines << 40) > reading.end)
			__builtin_trap();
}

/* The first byte says how many segments there are; the rest is their indexes, in turn. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static char folder[64];
	static const struct log_spec spec = { .max_size = 1024 * 1024, .max_files = 3 };
	struct logfile log = { .fd = -1, .index_fd = -1, .keep = keep };
	char content[LOG_SIZE], name[32];
	struct error err;

	if (!size)
		return 0;
	if (!folder[0]) {
		snprintf(folder, sizeof folder, "/dev/shm/thrum-fuzz-XXXXXX");
		if (!mkdtemp(folder))
			abort();
	}
	for (int i = 0; i < LOG_SIZE; i++)
		content[i] = i % 30 == 29 ? '\n' : 'x';
	unsigned segments = 1 + bytes[0] % 3;
	size_t part = (size - 1) / segments;
	for (unsigned i = 0; i < segments; i++) {
		snprintf(name, sizeof name, i ? "a.log.%u" : "a.log", i);
		put(folder, name, content, LOG_SIZE);
		snprintf(name, sizeof name, i ? "a.log.%u.idx" : "a.log.idx", i);
		put(folder, name, bytes + 1 + i * part, part);
	}
	if (logfile_open(&log, folder, "a", &spec, -1, &err))
		read_all(&log);
	logfile_close(&log);
	for (unsigned i = 0; i < 8; i++) {
		char path[128];
		snprintf(path, sizeof path, i ? "%s/a.log.%u" : "%s/a.log", folder, i);
		unlink(path);
		strcat(path, ".idx");
		unlink(path);
	}
	return 0;
}
