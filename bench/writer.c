/*
 * Writes 100-byte lines, and stamps when it began and when the last of them was taken.
 * writer FILE MEGABYTES blocks|lines
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/stamp.h"

enum {
	LINE = 100,
	BLOCK = 65500,
	MEGABYTE = 1000000,
	CALM_US = 300 * 1000, /* whoever started this has come to rest by then */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool write_all(size_t size, long long left)
{
	static char block[BLOCK];

	memset(block, 'x', sizeof block);
	for (size_t i = LINE - 1; i < sizeof block; i += LINE)
		block[i] = '\n';
	while (left > 0) {
		size_t next = left < (long long)size ? (size_t)left : size;
		ssize_t done = write(STDOUT_FILENO, block, next);
		if (done != (ssize_t)next)
			return false;
		left -= done;
	}
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: writer FILE MEGABYTES blocks|lines\n");
		return 2;
	}
	int fd = open(argv[1], O_RDWR | O_CLOEXEC);
	struct stamps *stamps = mmap(NULL, sizeof *stamps, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (stamps == MAP_FAILED)
		return 1;
	unsigned life = atomic_fetch_add(&stamps->count, 1) % STAMPS_MOST;
	usleep(CALM_US);
	stamps->lives[life].first = now_ns();
	bool ok = write_all(strcmp(argv[3], "lines") == 0 ? LINE : BLOCK, atoll(argv[2]) * MEGABYTE);
	stamps->lives[life].last = now_ns();
	return ok ? 0 : 1;
}
