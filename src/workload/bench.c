/*
 * The comparisons of the concurrency guide: threads against processes, in C by libthrum and, where there is a node,
 * in Node beside it. A figure is the median of some rounds.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thrum.h>
#include <time.h>
#include <unistd.h>

#include "workload/herd.h"
#include "workload/job.h"
#include "workload/workload.h"

enum {
	ROWS_MOST = 8,
	ROUNDS_MOST = 99,
	PRIMES_BELOW = 1000000,
	PRIMES_PARTS = 16,
	FILES = 10,
	FILE_SIZE = 1 << 20,
	BLOCK_SIZE = 100 << 20,
	TASKS = 200000, /* of a pool of threads */
	CALLS = 20000,  /* of a pool of processes */
	PAYLOAD_SIZE = 256,
	BAR_WIDTH = 24,
	NODE_TIMEOUT_MS = 120000
};

/* One thing that is measured. */
struct row {
	char name[32];
	double c, node; /* below 0: not measured */
};

struct bench {
	const char *name, *title, *unit;
	bool more_is_better;
	/* Fills in c of rows, and how many there are; 0, or a negative errno value. */
	int (*measure)(struct row *rows, unsigned *count);
};

static struct {
	unsigned rounds, threads;
	char folder[PATH_MAX]; /* of the files that are read */
	char node[64];         /* its version; "": there is none */
} bench;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return a < b ? -1 : a > b;
}

/* Adds a row with the median of what it returns: milliseconds, or another figure; negative errno values end it. */
static int add_row(struct row *rows, unsigned *count, double (*once)(unsigned number), unsigned number, const char *what)
{
	double figures[ROUNDS_MOST];
	struct row *row = &rows[(*count)++];

	if (number)
		snprintf(row->name, sizeof row->name, "%u %s%s", number, what, number == 1 ? "" : *what == 't' ? "s"
													       : "es");
	else
		snprintf(row->name, sizeof row->name, "%s", what);
	row->node = -1;
	for (unsigned i = 0; i < bench.rounds; i++)
		if ((figures[i] = once(number)) < 0)
			return (int)figures[i];
	qsort(figures, bench.rounds, sizeof *figures, compare);
	row->c = figures[bench.rounds / 2];
	return 0;
}

/* ---- work that is divided: by one thread, by threads, by processes ---- */

struct work {
	const char *workload;
	job_function *job;
	unsigned count;
	char payloads[PRIMES_PARTS][PAYLOAD_SIZE];
};

static struct work work;

static int do_part(void *payload)
{
	char answer[ANSWER_SIZE];

	return work.job(payload, strlen(payload), answer);
}

static double by_one(unsigned unused)
{
	double begun = now_ms();

	(void)unused;
	for (unsigned i = 0; i < work.count; i++)
		if (do_part(work.payloads[i]) < 0)
			return -EIO;
	return now_ms() - begun;
}

/* From their making to their end. */
static double by_threads(unsigned threads)
{
	struct thrum_pool_options options = { .threads = threads };
	struct thrum_task tasks[PRIMES_PARTS] = { 0 };
	double begun = now_ms();
	struct thrum_pool *pool = thrum_pool_create(&options);
	int failed = 0;

	if (!pool)
		return -errno;
	for (unsigned i = 0; i < work.count; i++) {
		tasks[i] = (struct thrum_task){ .work = do_part, .argument = work.payloads[i] };
		thrum_pool_submit(pool, &tasks[i]);
	}
	for (unsigned i = 0; i < work.count; i++) {
		thrum_task_wait(&tasks[i], -1);
		failed |= tasks[i].result;
	}
	thrum_pool_destroy(pool);
	return failed ? -EIO : now_ms() - begun;
}

static double by_processes(unsigned processes)
{
	const char *payloads[PRIMES_PARTS];
	double begun = now_ms();
	struct herd *herd = herd_create(work.workload, processes);

	for (unsigned i = 0; i < work.count; i++)
		payloads[i] = work.payloads[i];
	int status = herd ? herd_do(herd, payloads, work.count) : -errno;
	herd_destroy(herd);
	return status < 0 ? status : now_ms() - begun;
}

static void divide_primes(void)
{
	unsigned step = PRIMES_BELOW / PRIMES_PARTS;

	work = (struct work){ .workload = "primes", .job = job_primes, .count = PRIMES_PARTS };
	for (unsigned i = 0; i < PRIMES_PARTS; i++)
		snprintf(work.payloads[i], PAYLOAD_SIZE, "{\"from\":%u,\"below\":%u}", i * step, (i + 1) * step);
}

static int compare_ways(struct row *rows, unsigned *count)
{
	int status = add_row(rows, count, by_one, 1, "thread");

	if (status == 0)
		status = add_row(rows, count, by_threads, bench.threads, "thread");
	return status < 0 ? status : add_row(rows, count, by_processes, bench.threads, "process");
}

static int measure_primes(struct row *rows, unsigned *count)
{
	divide_primes();
	return compare_ways(rows, count);
}

static int measure_scaling(struct row *rows, unsigned *count)
{
	int status = 0;

	divide_primes();
	for (unsigned threads = 1; threads <= 8 && status == 0; threads *= 2)
		status = add_row(rows, count, by_threads, threads, "thread");
	return status;
}

/* ---- files ---- */

static int make_file(unsigned number)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof path, "%s/%u", bench.folder, number);
	FILE *file = fopen(path, "we");
	for (unsigned i = 0; file && i < FILE_SIZE / sizeof i; i++)
		fwrite(&(unsigned){ i * 2654435761u + number }, sizeof i, 1, file);
	return file && fclose(file) == 0 ? 0 : -errno;
}

static int make_files(void)
{
	const char *temporary = getenv("TMPDIR");
	int status = 0;

	snprintf(bench.folder, sizeof bench.folder, "%.*s/thrum-bench-XXXXXX", PATH_MAX - 32, temporary ? temporary : "/tmp");
	if (!mkdtemp(bench.folder)) {
		status = -errno;
		bench.folder[0] = '\0';
	}
	for (unsigned i = 0; i < FILES && status == 0; i++)
		status = make_file(i);
	return status;
}

static void remove_files(void)
{
	char path[PATH_MAX + 16];

	for (unsigned i = 0; i < FILES && *bench.folder; i++) {
		snprintf(path, sizeof path, "%s/%u", bench.folder, i);
		unlink(path);
	}
	if (*bench.folder)
		rmdir(bench.folder);
}

static int measure_files(struct row *rows, unsigned *count)
{
	work = (struct work){ .workload = "checksum", .job = job_checksum, .count = FILES };
	for (unsigned i = 0; i < FILES; i++)
		if (snprintf(work.payloads[i], PAYLOAD_SIZE, "{\"path\":\"%s/%u\"}", bench.folder, i) >= PAYLOAD_SIZE)
			return -ENAMETOOLONG;
	return compare_ways(rows, count);
}

/* ---- from thread to thread ---- */

static int receive(void *port)
{
	void *buffer;
	size_t size;
	int status = thrum_port_receive(port, &buffer, &size, -1);

	if (status < 0)
		return status;
	thrum_buffer_destroy(buffer);
	return size == BLOCK_SIZE ? 0 : -EIO;
}

/* From sending to receiving, in another thread, which waits for it. */
static double send_block(bool is_transferred)
{
	void *block = thrum_buffer_create(BLOCK_SIZE);
	struct thrum_pool *pool = thrum_pool_create(&(struct thrum_pool_options){ .threads = 1 });
	struct thrum_port *ends[2] = { NULL, NULL };
	struct thrum_task task = { .work = receive };
	int status = block && pool ? thrum_port_pair(ends, 1) : -ENOMEM;
	double begun = 0, ended = 0;

	if (status == 0) {
		memset(block, 1, BLOCK_SIZE);
		task.argument = ends[1];
		thrum_pool_submit(pool, &task);
		begun = now_ms();
		status = is_transferred ? thrum_port_transfer(ends[0], &block, BLOCK_SIZE, -1)
					: thrum_port_send(ends[0], block, BLOCK_SIZE, -1);
		ended = now_ms();
		thrum_task_wait(&task, -1);
		status = status ? status : task.result;
	}
	thrum_pool_destroy(pool);
	thrum_port_close(ends[0]);
	thrum_port_close(ends[1]);
	thrum_buffer_destroy(block);
	return status < 0 ? status : ended - begun;
}

static double send_copy(unsigned unused)
{
	(void)unused;
	return send_block(false);
}

static double send_itself(unsigned unused)
{
	(void)unused;
	return send_block(true);
}

static int measure_transfer(struct row *rows, unsigned *count)
{
	int status = add_row(rows, count, send_copy, 0, "copied");

	return status < 0 ? status : add_row(rows, count, send_itself, 0, "transferred");
}

/* ---- pools ---- */

static int do_nothing(void *unused)
{
	(void)unused;
	return 0;
}

static double tasks_of_threads(unsigned threads)
{
	struct thrum_pool *pool = thrum_pool_create(&(struct thrum_pool_options){ .threads = threads, .queue_max = TASKS });
	struct thrum_task *tasks = thrum_buffer_create(TASKS * sizeof *tasks);
	double begun = now_ms();

	if (!pool || !tasks) {
		thrum_pool_destroy(pool);
		thrum_buffer_destroy(tasks);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < TASKS; i++) {
		tasks[i].work = do_nothing;
		thrum_pool_submit(pool, &tasks[i]);
	}
	for (unsigned i = 0; i < TASKS; i++)
		thrum_task_wait(&tasks[i], -1);
	double span_ms = now_ms() - begun;
	thrum_pool_destroy(pool);
	thrum_buffer_destroy(tasks);
	return TASKS / span_ms;
}

static double tasks_of_processes(unsigned processes)
{
	struct herd *herd = herd_create("echo", processes);
	const char *one = "{}", **payloads = thrum_buffer_create(CALLS * sizeof *payloads);
	int status = herd && payloads ? 0 : -ENOMEM;

	for (unsigned i = 0; payloads && i < CALLS; i++)
		payloads[i] = one;
	if (status == 0)
		status = herd_do(herd, payloads, processes); /* they have all begun */
	double begun = now_ms();
	if (status == 0)
		status = herd_do(herd, payloads, CALLS);
	double span_ms = now_ms() - begun;
	herd_destroy(herd);
	thrum_buffer_destroy(payloads);
	return status < 0 ? status : CALLS / span_ms;
}

static int measure_pool(struct row *rows, unsigned *count)
{
	int status = add_row(rows, count, tasks_of_threads, bench.threads, "thread");

	return status < 0 ? status : add_row(rows, count, tasks_of_processes, bench.threads, "process");
}

/* ---- beginning ---- */

static double start_thread(unsigned unused)
{
	double begun = now_ms();
	struct thrum_pool *pool = thrum_pool_create(&(struct thrum_pool_options){ .threads = 1 });
	struct thrum_task task = { .work = do_nothing };

	(void)unused;
	if (!pool)
		return -errno;
	thrum_pool_submit(pool, &task);
	thrum_task_wait(&task, -1);
	double span_ms = now_ms() - begun;
	thrum_pool_destroy(pool);
	return span_ms;
}

static double start_process(unsigned unused)
{
	double begun = now_ms();
	struct herd *herd = herd_create("echo", 1);
	int status = herd ? herd_do(herd, &(const char *){ "{}" }, 1) : -errno;
	double span_ms = now_ms() - begun;

	(void)unused;
	herd_destroy(herd);
	return status < 0 ? status : span_ms;
}

static int measure_start(struct row *rows, unsigned *count)
{
	int status = add_row(rows, count, start_thread, 0, "thread");

	return status < 0 ? status : add_row(rows, count, start_process, 0, "process");
}

static const struct bench benches[] = {
	{ "primes", "primes below 1 000 000", "ms", false, measure_primes },
	{ "files", "checksums of ten files of 1 MB", "ms", false, measure_files },
	{ "scaling", "the same primes by ever more threads", "ms", false, measure_scaling },
	{ "transfer", "100 MB from one thread to another", "ms", false, measure_transfer },
	{ "pool", "empty tasks of a pool", "thousand/s", true, measure_pool },
	{ "start", "from beginning one to its first answer", "ms", false, measure_start },
};

enum { BENCHES = sizeof benches / sizeof *benches };

/* ---- Node ---- */

/* Where its side is: beside us. False: it is not there. */
static bool find_script(char path[PATH_MAX])
{
	ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 32);

	path[size > 0 ? size : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash)
		return false;
	snprintf(slash, (size_t)(path + PATH_MAX - slash), "/thrum-bench.js");
	return access(path, R_OK) == 0;
}

static void find_node(void)
{
	struct thrum_output output = { 0 };
	char path[PATH_MAX];

	if (find_script(path) && thrum_exec_file((const char *const[]){ "node", "--version", NULL }, NULL, &output) == 0 && output.out)
		snprintf(bench.node, sizeof bench.node, "%.*s", (int)strcspn(output.out, "\n"), output.out);
	thrum_buffer_destroy(output.out);
	thrum_buffer_destroy(output.err);
}

/* Its figures, one a line: {"name":…,"value":…}. */
static void take_figures(struct row *rows, unsigned count, const char *text)
{
	char name[sizeof rows->name];
	double value;

	for (size_t size; (size = strcspn(text, "\n")) > 0; text += size + (text[size] == '\n')) {
		if (thrum_message_string(text, size, "name", name, sizeof name) < 0 ||
			thrum_message_number(text, size, "value", &value) < 0)
			continue;
		for (unsigned i = 0; i < count; i++)
			if (strcmp(name, rows[i].name) == 0)
				rows[i].node = value;
	}
}

/* The line of what it said that tells the most. */
static void say_node_failed(const struct bench *one, const struct thrum_output *output, int status)
{
	const char *what = status < 0 ? strerror(-status) : output->err ? output->err
									: "it failed";
	const char *error = strstr(what, "Error: ");

	while (error && error > what && error[-1] != '\n')
		error--;
	error = error ? error : what;
	workload_fail(0, "bench: node, for %s: %.*s", one->name, (int)strcspn(error, "\n"), error);
}

static int measure_node(const struct bench *one, struct row *rows, unsigned count)
{
	struct thrum_exec_options options = { .timeout_ms = NODE_TIMEOUT_MS };
	struct thrum_output output = { 0 };
	char path[PATH_MAX], rounds[16], threads[16];
	const char *const argv[] = { "node", path, one->name, rounds, threads, bench.folder, NULL };

	if (!*bench.node || !find_script(path))
		return 0;
	snprintf(rounds, sizeof rounds, "%u", bench.rounds);
	snprintf(threads, sizeof threads, "%u", bench.threads);
	int status = thrum_exec_file(argv, &options, &output);
	if (status == 0 && output.code == 0 && output.out)
		take_figures(rows, count, output.out);
	else
		say_node_failed(one, &output, status);
	thrum_buffer_destroy(output.out);
	thrum_buffer_destroy(output.err);
	return 0;
}

/* ---- printing ---- */

static void print_figure(double value, double most)
{
	static const char hashes[] = "########################";
	int width = most > 0 && value > 0 ? (int)(value / most * BAR_WIDTH + 0.5) : 0;

	if (value < 0)
		printf("  %*s  %-*s", 10, "-", BAR_WIDTH, "");
	else
		printf("  %*.*f  %-*.*s", 10, value < 1 ? 4 : value < 100 ? 2
									  : 0,
			value, BAR_WIDTH, width, hashes);
}

static void print_bench(const struct bench *one, const struct row *rows, unsigned count)
{
	double most = 0;

	for (unsigned i = 0; i < count; i++) {
		most = rows[i].c > most ? rows[i].c : most;
		most = rows[i].node > most ? rows[i].node : most;
	}
	printf("\n%s, %s%s\n", one->title, one->unit, one->more_is_better ? " (more is better)" : "");
	printf("  %-14s  %10s  %-*s", "", "C", BAR_WIDTH, "");
	printf(*bench.node ? "  %10s\n" : "\n", bench.node);
	for (unsigned i = 0; i < count; i++) {
		printf("  %-14s", rows[i].name);
		print_figure(rows[i].c, most);
		if (*bench.node)
			print_figure(rows[i].node, most);
		putchar('\n');
	}
	fflush(stdout);
}

static void print_json(const struct bench *one, const struct row *rows, unsigned count, bool is_first)
{
	printf("%s{\"bench\":\"%s\",\"title\":\"%s\",\"unit\":\"%s\",\"rows\":[", is_first ? "" : ",", one->name, one->title, one->unit);
	for (unsigned i = 0; i < count; i++) {
		printf("%s{\"name\":\"%s\",\"c\":%.4f,\"node\":", i ? "," : "", rows[i].name, rows[i].c);
		printf(rows[i].node < 0 ? "null}" : "%.4f}", rows[i].node);
	}
	printf("]}");
}

/* ---- all ---- */

static int run_bench(const struct bench *one, bool as_json, bool is_first)
{
	struct row rows[ROWS_MOST];
	unsigned count = 0;
	int status = one->measure(rows, &count);

	if (status == 0)
		status = measure_node(one, rows, count);
	if (status < 0)
		return workload_fail(ENDED_BADLY, "bench: %s: %s", one->name, strerror(-status));
	if (as_json)
		print_json(one, rows, count, is_first);
	else
		print_bench(one, rows, count);
	return ENDED_WELL;
}

static int run_all(const struct order *order, bool as_json)
{
	bool is_first = true;
	int status = ENDED_WELL;

	if (as_json)
		printf("{\"threads\":%u,\"rounds\":%u,\"node\":%s%s%s,\"benches\":[", bench.threads, bench.rounds, *bench.node ? "\"" : "",
			*bench.node ? bench.node : "null", *bench.node ? "\"" : "");
	else
		printf("%u threads and processes; medians of %u rounds%s\n", bench.threads, bench.rounds,
			*bench.node ? "" : "; no node is here to compare with");
	for (unsigned i = 0; i < BENCHES && status == ENDED_WELL; i++) {
		if (!order_wants(order, benches[i].name))
			continue;
		status = run_bench(&benches[i], as_json, is_first);
		is_first = false;
	}
	if (as_json)
		puts("]}");
	return status;
}

int work_bench(const struct order *order)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	bench.rounds = (unsigned)order->values[0];
	bench.threads = order->values[1] > 0 ? (unsigned)order->values[1] : cores > 1 ? (unsigned)cores
										      : 2;
	bool as_json = order->values[2] > 0;
	if (order->values[3] == 0)
		find_node();
	int status = make_files();
	status = status < 0 ? workload_fail(ENDED_BADLY, "bench: %s: %s", bench.folder, strerror(-status)) : run_all(order, as_json);
	remove_files();
	return status;
}
