/*
 * What procfs/ costs: looking for leftovers with 100 children of the keeper (this process), and a pass
 * over all processes for those 100, against the floor: list /proc, read each stat, parse nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "procfs/file.h"
#include "procfs/sweep.h"
#include "procfs/tree.h"

enum { CHILDREN = 100,
	MANY = 1000,
	ROUNDS = 201 };

static pid_t children[MANY];
static struct sweep *sweep;
static struct sweep_target targets[CHILDREN];
static unsigned processes;

static uint64_t cpu_us(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void start_children(int from, int to)
{
	for (int i = from; i < to; i++) {
		children[i] = fork();
		if (children[i] < 0)
			exit(1);
		if (children[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			setsid();
			pause();
			_exit(0);
		}
		if (i < CHILDREN)
			targets[i].pid = children[i];
	}
}

static void end_children(void)
{
	for (int i = 0; i < MANY; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
}

static void find_leftovers(size_t known)
{
	struct tree tree = { 0 };
	struct tree_search search = {
		.session = 1,
		.marker = "THRUM_LIFE_ID=1.2.3",
		.keeper = getpid(),
		.known = children,
		.known_count = known,
	};

	tree_find(&tree, &search);
	tree_finish(&tree);
}

static void find_with_all_known(void)
{
	find_leftovers(CHILDREN);
}

static void find_with_none_known(void)
{
	find_leftovers(0);
}

static void take_pass(void)
{
	struct sample samples[CHILDREN];
	struct machine_sample machine;
	struct error err;

	if (!sweep_take(sweep, targets, CHILDREN, samples, &machine, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
}

static void read_one(void *context, int pid)
{
	char path[PROC_PATH_SIZE], text[1024];

	snprintf(path, sizeof path, "%d/stat", pid);
	processes += proc_file_read(*(int *)context, path, text, sizeof text) > 0;
}

static void read_all(void)
{
	int root = open(PROC_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	processes = 0;
	proc_folder_scan(root, ".", read_one, &root);
	close(root);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* The median of wall time; CPU time is the mean. */
static double measure(const char *name, void (*run)(void))
{
	uint64_t wall[ROUNDS], cpu = cpu_us();

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t began = clock_monotonic_us();
		run();
		wall[i] = clock_monotonic_us() - began;
	}
	double used = (double)(cpu_us() - cpu) / ROUNDS;
	qsort(wall, ROUNDS, sizeof *wall, compare);
	printf("%s: %llu us, CPU %.0f us\n", name, (unsigned long long)wall[ROUNDS / 2], used);
	return used;
}

int main(void)
{
	struct error err;

	start_children(0, CHILDREN);
	sweep = sweep_create(&err);
	if (!sweep)
		return 1;
	read_all();
	measure("leftovers, 100 children of the keeper, all known", find_with_all_known);
	measure("leftovers, 100 children of the keeper, all strangers", find_with_none_known);
	double floor = measure("every stat file read, nothing parsed", read_all);
	double pass = measure("a pass for 100 targets", take_pass);
	printf("a pass over %u processes: %.1f times reading their files\n", processes, pass / floor);
	start_children(CHILDREN, MANY);
	floor = measure("every stat file of 1000 more read, nothing parsed", read_all);
	pass = measure("a pass, 1000 idle processes", take_pass);
	printf("a pass over %u processes: %.2f times reading their files\n", processes, pass / floor);
	sweep_destroy(sweep);
	end_children();
	return 0;
}
