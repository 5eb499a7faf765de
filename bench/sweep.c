/*
 * sweep threads PROCESSES THREADS: as many processes with as many threads each, of which one in each runs now and then. Says
 * "ready", or "ready roll" if the kernel tells of all threads of a process at once; for every line of its input, "files" or
 * "roll", it takes PASSES passes over them all that way, and says what one costs: milliseconds of CPU.
 * sweep watch PID: looks into a process ten times a second, until it is killed.
 * sweep map SECONDS: maps and unmaps memory; says how often in a second, of the time that it was not waiting for a processor.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "inspect/crew.h"
#include "inspect/inspector.h"
#include "procfs/sweep.h"

enum { PASSES = 10,
	PASS_MS = 200,
	WATCH_MS = 100,
	TICK_MS = 50,
	PROCESSES_MOST = 1000,
	PAGES = 64,
	STACK = 64 * 1024 };

static pid_t children[PROCESSES_MOST];
static struct way {
	struct crew_budget budget;
	struct crew crews[PROCESSES_MOST];
} ways[2]; /* by files, by the roll */
static struct sweep_target targets[PROCESSES_MOST];
static struct sample samples[PROCESSES_MOST];
static struct thread_report reports[INSIDE_THREADS_MOST];

static void pause_ms(long ms)
{
	struct timespec span = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&span, NULL);
}

static double cpu_ms(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- threads ---- */

static void *idle(void *argument)
{
	(void)argument;
	for (;;)
		pause();
}

static void be_child(int threads)
{
	pthread_attr_t small;
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread, &small, idle, NULL) != 0)
			_exit(1);
	for (;;)
		pause_ms(TICK_MS);
}

static size_t take_pass(struct sweep *sweep, struct way *way, int processes)
{
	struct machine_sample machine;
	struct error err;
	size_t threads = 0;

	if (!sweep_take(sweep, targets, (size_t)processes, samples, &machine, &err))
		exit(1);
	for (int i = 0; i < processes; i++)
		threads += crew_take(&way->crews[i], &way->budget, children[i], now_ns(), reports, INSIDE_THREADS_MOST);
	return threads;
}

static int sweep_threads(int processes, int threads)
{
	struct rlimit files;
	struct error err;
	char line[16];
	struct sweep *sweep = sweep_create(&err);

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (int i = 0; i < 2; i++) {
		ways[i].budget = crew_budget_of_process();
		ways[i].budget.is_roll_tried = true;
	}
	bool has_roll = crew_budget_roll(&ways[1].budget, &err);
	for (int i = 0; i < processes && i < PROCESSES_MOST; i++) {
		children[i] = fork();
		if (children[i] == 0)
			be_child(threads);
		targets[i].pid = children[i];
	}
	for (int i = 0; i < 2 * PASSES; i++) /* who always sleeps is known to only after some of them */
		while (take_pass(sweep, &ways[i % 2], processes) < (size_t)processes * (size_t)threads)
			pause_ms(PASS_MS);
	puts(has_roll ? "ready roll" : "ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		struct way *way = &ways[line[0] == 'r'];
		take_pass(sweep, way, processes);
		double before = cpu_ms();
		for (int i = 0; i < PASSES; i++) {
			pause_ms(PASS_MS);
			take_pass(sweep, way, processes);
		}
		printf("%.3f\n", (cpu_ms() - before) / PASSES);
		fflush(stdout);
	}
	for (int i = 0; i < processes; i++)
		kill(children[i], SIGKILL);
	return 0;
}

/* ---- disturbance ---- */

static int watch(pid_t pid)
{
	struct inspector *inspector = inspector_create();
	struct study study;
	struct error err;

	while (inspector_study(inspector, pid, &study, &err)) {
		study_finish(&study);
		pause_ms(WATCH_MS);
	}
	return 0;
}

static uint64_t waited_ns(void)
{
	unsigned long long run, wait = 0;
	FILE *file = fopen("/proc/self/schedstat", "re");

	if (!file || fscanf(file, "%llu %llu", &run, &wait) != 2)
		exit(1);
	fclose(file);
	return wait;
}

static int map(double seconds)
{
	size_t size = PAGES * (size_t)sysconf(_SC_PAGESIZE);
	uint64_t began = now_ns(), waited = waited_ns(), rounds = 0;

	while ((double)(now_ns() - began) < seconds * 1e9) {
		char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			return 1;
		memset(memory, 1, size);
		munmap(memory, size);
		rounds++;
	}
	printf("%.1f\n", (double)rounds * 1e9 / (double)(now_ns() - began - (waited_ns() - waited)));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "threads") == 0)
		return sweep_threads(atoi(argv[2]), atoi(argv[3]));
	if (argc == 3 && strcmp(argv[1], "watch") == 0)
		return watch((pid_t)atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "map") == 0)
		return map(atof(argv[2]));
	return 2;
}
