/*
 * What a look into a process costs: a pool of libuv with 1000 tasks queued, and an idle one, against the
 * floor: read each node of the queue by itself. The process is a child of this one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "inspect/inspector.h"
#include "procfs/stat.h"

enum { QUEUED = 1000,
	BUSY = 4,
	ROUNDS = 501 };

static struct inspector *inspector;
static struct proc_stat child;
static struct shared {
	_Atomic unsigned started;
	uv_work_t tasks[QUEUED + BUSY];
} * shared;
static int memory;

static double cpu_us(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void work(uv_work_t *task)
{
	(void)task;
	shared->started++;
	for (;;)
		pause();
}

static void run_child(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < QUEUED + BUSY; i++)
		uv_queue_work(uv_default_loop(), &shared->tasks[i], work, NULL);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	_exit(0);
}

static struct inside look(void)
{
	struct inside inside;

	inspector_sum(inspector, child.pid, child.starttime, child.threads, &inside);
	return inside;
}

static void look_once(void)
{
	look();
}

static void read_nodes(void)
{
	uint64_t node[2];

	for (int i = 0; i < QUEUED; i++)
		if (pread(memory, node, sizeof node, (off_t)(uintptr_t)&shared->tasks[i]) != sizeof node)
			exit(1);
}

static double measure(const char *name, void (*run)(void))
{
	double before = cpu_us();

	for (int i = 0; i < ROUNDS; i++)
		run();
	double used = (cpu_us() - before) / ROUNDS;
	printf("%s: CPU %.1f us\n", name, used);
	return used;
}

int main(void)
{
	char path[32];

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = fork();
	if (pid == 0)
		run_child();
	while (shared->started < BUSY)
		usleep(1000);
	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	inspector = inspector_create();
	do
		usleep(10000);
	while (proc_stat_read(pid, &child) && look().queue != QUEUED);
	double floor = measure("1000 nodes of a queue read one by one", read_nodes);
	double used = measure("a look into a process with 1000 tasks queued", look_once);
	printf("a look: %.2f times reading its nodes\n", used / floor);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	inspector_destroy(inspector);
	return 0;
}
