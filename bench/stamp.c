/*
 * A child for the benchmarks, an ordinary C program: stamps the time into a mapped file, when its
 * main begins and when it ends. stamp FILE [SECONDS]: with seconds it stays that long in between.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/stamp.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
	uint64_t first = now_ns();
	int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
	struct stamps *stamps = mmap(NULL, sizeof *stamps, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (stamps == MAP_FAILED)
		return 1;
	unsigned life = atomic_fetch_add(&stamps->count, 1) % STAMPS_MOST;
	stamps->lives[life].first = first;
	if (argc > 2)
		sleep((unsigned)atoi(argv[2]));
	stamps->lives[life].last = now_ns();
	_exit(0);
}
