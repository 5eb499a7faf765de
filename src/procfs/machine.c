#include "procfs/machine.h"

#include <libproc2/meminfo.h>
#include <libproc2/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/sample.h"
#include "procfs/file.h"

enum { TEXT_SIZE = 16 * 1024,
	KIB = 1024 };

/* As `struct machine_reading` wants them, each from its library call. */
static enum stat_item stat_items[] = { STAT_TIC_SUM_BUSY, STAT_TIC_SUM_TOTAL };
static enum meminfo_item memory_items[] = { MEMINFO_MEM_TOTAL, MEMINFO_MEM_AVAILABLE };

struct machine_reader {
	struct stat_info *stat;      /* owned; NULL: root is read by our own hand */
	struct meminfo_info *memory; /* owned */
	int root;                    /* borrowed */
};

struct machine_reader *machine_reader_create(int root, bool is_proc, struct error *err)
{
	struct machine_reader *reader = memory_zeroed(1, sizeof *reader);

	reader->root = root;
	if (is_proc && (procps_stat_new(&reader->stat) < 0 || procps_meminfo_new(&reader->memory) < 0)) {
		error_set(err, 0, "libproc2 cannot read the machine's figures");
		machine_reader_destroy(reader);
		return NULL;
	}
	return reader;
}

void machine_reader_destroy(struct machine_reader *reader)
{
	if (!reader)
		return;
	if (reader->stat)
		procps_stat_unref(&reader->stat);
	if (reader->memory)
		procps_meminfo_unref(&reader->memory);
	free(reader);
}

/* select, not get: get answers from a cache of one second. */
static void ask_library(struct machine_reader *reader, struct machine_reading *reading)
{
	struct stat_stack *ticks = procps_stat_select(reader->stat, stat_items, 2);
	struct meminfo_stack *memory = procps_meminfo_select(reader->memory, memory_items, 2);

	reading->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (ticks) {
		reading->busy = ticks->head[0].result.ull_int;
		reading->total = ticks->head[1].result.ull_int;
	}
	if (memory) {
		reading->memory_total = memory->head[0].result.ul_int * (uint64_t)KIB;
		reading->memory_available = memory->head[1].result.ul_int * (uint64_t)KIB;
	}
}

/* "cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …": idle are the fourth and fifth. */
static void read_ticks(const char *line, struct machine_reading *reading)
{
	uint64_t total = 0, idle = 0;
	char *end;

	for (int i = 0; i < 8; i++) {
		uint64_t ticks = strtoull(line, &end, 10);
		if (end == line)
			return;
		total += ticks;
		idle += i == 3 || i == 4 ? ticks : 0;
		line = end;
	}
	reading->total = total;
	reading->busy = total - idle;
}

static void read_stat(int root, struct machine_reading *reading)
{
	char text[TEXT_SIZE], *rest = text, *line;

	if (proc_file_read(root, "stat", text, sizeof text) < 0)
		return;
	while ((line = strsep(&rest, "\n")) && strncmp(line, "cpu", 3) == 0) {
		if (line[3] == ' ')
			read_ticks(line + 3, reading);
		else
			reading->cpus++;
	}
}

static uint64_t find_kib(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	unsigned long long kib;

	return line && sscanf(line + strlen(name), ": %llu kB", &kib) == 1 ? kib * KIB : SAMPLE_UNKNOWN;
}

static void read_memory(int root, struct machine_reading *reading)
{
	char text[TEXT_SIZE];

	if (proc_file_read(root, "meminfo", text, sizeof text) < 0)
		return;
	reading->memory_total = find_kib(text, "MemTotal");
	reading->memory_available = find_kib(text, "MemAvailable");
}

void machine_read(struct machine_reader *reader, struct machine_reading *reading)
{
	*reading = (struct machine_reading){
		.busy = SAMPLE_UNKNOWN,
		.total = SAMPLE_UNKNOWN,
		.memory_total = SAMPLE_UNKNOWN,
		.memory_available = SAMPLE_UNKNOWN,
	};
	if (reader->stat) {
		ask_library(reader, reading);
	} else {
		read_stat(reader->root, reading);
		read_memory(reader->root, reading);
	}
}
