/*
 * The same as stamp.c without a C library: its first instruction is the first there is, so nothing of
 * what is measured is the program's own start. Elsewhere than on x86-64 it is the same as stamp.c.
 */
#ifdef __x86_64__

#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "bench/stamp.h"

enum { ARGUMENTS = 6 };

static long call(long number, const long with[ARGUMENTS])
{
	register long d __asm__("r10") = with[3];
	register long e __asm__("r8") = with[4];
	register long f __asm__("r9") = with[5];
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(with[0]), "S"(with[1]), "d"(with[2]), "r"(d), "r"(e), "r"(f)
			 : "rcx", "r11", "memory");
	return result;
}

__asm__(".globl _start\n"
	"_start: mov %rsp, %rdi\n"
	"and $-16, %rsp\n"
	"call begin\n");

static uint64_t now_ns(void)
{
	struct timespec now;

	call(SYS_clock_gettime, (long[ARGUMENTS]){ CLOCK_MONOTONIC, (long)&now });
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct stamps *map_stamps(const char *path)
{
	long fd = call(SYS_openat, (long[ARGUMENTS]){ AT_FDCWD, (long)path, O_RDWR });
	long address = call(SYS_mmap, (long[ARGUMENTS]){ 0, sizeof(struct stamps),
					      PROT_READ | PROT_WRITE, MAP_SHARED, fd });

	if (address < 0 && address > -4096)
		call(SYS_exit_group, (long[ARGUMENTS]){ 1 });
	return (struct stamps *)address;
}

/* stack: argc, then argv. With a third argument it stays until it is killed. */
__attribute__((used, noreturn)) static void begin(const long *stack)
{
	uint64_t first = now_ns();
	struct stamps *stamps = map_stamps((const char *)stack[2]);
	unsigned life = atomic_fetch_add(&stamps->count, 1) % STAMPS_MOST;

	stamps->lives[life].first = first;
	while (stack[0] > 2)
		call(SYS_ppoll, (long[ARGUMENTS]){ 0 });
	stamps->lives[life].last = now_ns();
	for (;;)
		call(SYS_exit_group, (long[ARGUMENTS]){ 0 });
}

#else
#include "bench/stamp.c"
#endif
