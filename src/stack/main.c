/*
 * thrum-stack: where the threads of a process are, in the kernel and in its own code. It is a program of its own, and
 * short-lived, so that whatever a strange process does to whom reads its stack harms nobody else. Prints one JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "inspect/path.h"
#include "inspect/task.h"
#include "procfs/file.h"
#include "protocol/value.h"
#include "stack/runtime.h"
#include "stack/unwind.h"

enum { FRAMES_MOST = 64,        /* of a thread … */
	ALL_FRAMES_MOST = 3000, /* … and of all: an answer is a line of the protocol */
	THREADS_MOST = 256,
	TIME_MS = 4000, /* then no more threads are begun … */
	LIFE_S = 8,     /* … and then it is killed */
	KERNEL_SIZE = 4096 };

static struct frame frames[FRAMES_MOST];
static size_t frames_told;

static json_t *text_or_null(const char *text)
{
	return *text ? text_to_json(text, strlen(text)) : json_null();
}

/* ---- in the kernel ---- */

/* "[<0>] futex_wait_queue+0x60/0x90" */
static json_t *read_kernel(int32_t pid, int32_t tid, const char **why)
{
	char path[INSPECT_PATH_SIZE], text[KERNEL_SIZE];
	json_t *lines = json_array();

	if (proc_file_read(AT_FDCWD, inspect_task_path(path, pid, tid, "stack"), text, sizeof text) < 0) {
		*why = errno == ENOENT ? "this kernel does not tell" : "the kernel tells its part of a stack to root (CAP_SYS_ADMIN) alone";
		json_decref(lines);
		return json_null();
	}
	for (char *line = text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		end += *end ? (*end = '\0', 1) : 0;
		const char *name = strstr(line, "] ");
		json_array_append_new(lines, text_or_null(name ? name + 2 : line));
	}
	return lines;
}

/* ---- in its own code ---- */

static json_t *frame_to_json(const struct frame *frame)
{
	char address[24];

	snprintf(address, sizeof address, "0x%llx", (unsigned long long)frame->address);
	return json_pack("{s:s,s:o,s:I,s:o,s:o}", "address", address, "symbol", text_or_null(frame->symbol), "offset",
		(json_int_t)frame->offset, "module", text_or_null(frame->module), "source", text_or_null(frame->source));
}

static json_t *read_frames(struct unwinder *unwinder, int32_t pid, int32_t tid, uint64_t *stopped_us, struct error *err)
{
	json_t *list = json_array();
	size_t count = unwinder_walk(unwinder, tid, frames, FRAMES_MOST, stopped_us, err);

	runtime_name(frames, count, pid);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, frame_to_json(&frames[i]));
	frames_told += count;
	return list;
}

/* ---- threads ---- */

static void read_name(char out[32], int32_t pid, int32_t tid)
{
	char path[INSPECT_PATH_SIZE];

	out[0] = '\0';
	if (proc_file_read(AT_FDCWD, inspect_task_path(path, pid, tid, "comm"), out, 32) > 0)
		out[strcspn(out, "\n")] = '\0';
}

/* The kernel's part first: afterwards it has been stopped. */
static json_t *read_thread(struct unwinder *unwinder, int32_t pid, int32_t tid, const struct error *no_unwinder)
{
	struct error err = *no_unwinder;
	const char *kernel_why = "";
	uint64_t stopped_us = 0;
	char name[32];

	read_name(name, pid, tid);
	json_t *kernel = read_kernel(pid, tid, &kernel_why);
	json_t *list = unwinder ? read_frames(unwinder, pid, tid, &stopped_us, &err) : json_array();
	return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:I}", "tid", (int)tid, "name", text_or_null(name), "kernel", kernel, "kernel_why",
		text_or_null(kernel_why), "frames", list, "why", text_or_null(err.text), "stopped_us", (json_int_t)stopped_us);
}

static json_t *read_threads(int32_t pid, const int32_t *tids, size_t count, size_t *left_out)
{
	uint64_t until_ms = clock_monotonic_ms() + TIME_MS;
	json_t *threads = json_array();
	struct error err = { 0 };
	struct unwinder *unwinder = unwinder_create(pid, &err);

	for (size_t i = 0; i < count; i++) {
		if (clock_monotonic_ms() >= until_ms || frames_told >= ALL_FRAMES_MOST)
			++*left_out;
		else
			json_array_append_new(threads, read_thread(unwinder, pid, tids[i], &err));
	}
	unwinder_destroy(unwinder);
	return threads;
}

static int tell(int32_t pid, int32_t tid)
{
	int32_t *tids = memory_zeroed(INSIDE_THREADS_MOST, sizeof *tids);
	size_t count = tid ? 1 : task_list(pid, tids, INSIDE_THREADS_MOST), left_out = 0;

	if (tid)
		tids[0] = tid;
	if (!count || !task_exists(pid, tids[0])) {
		if (tid)
			fprintf(stderr, "there is no thread %d in process %d\n", (int)tid, (int)pid);
		else
			fprintf(stderr, "there is no process %d\n", (int)pid);
		free(tids);
		return 1;
	}
	if (count > THREADS_MOST) {
		left_out = count - THREADS_MOST;
		count = THREADS_MOST;
	}
	json_t *threads = read_threads(pid, tids, count, &left_out);
	json_t *result = json_pack("{s:i,s:o,s:I}", "pid", (int)pid, "threads", threads, "left_out", (json_int_t)left_out);
	bool ok = json_dumpf(result, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF && fflush(stdout) == 0;
	json_decref(result);
	free(tids);
	return ok ? 0 : 1;
}

/* It asks no server for debugging information, and ends in time whatever happens. */
static void be_careful(void)
{
	struct rlimit none = { 0, 0 }, cpu = { LIFE_S, LIFE_S };

	unsetenv("DEBUGINFOD_URLS");
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &cpu);
	signal(SIGALRM, SIG_DFL);
	alarm(LIFE_S);
}

static int32_t number_of(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	return *text && !*end && number > 0 && number <= INT32_MAX ? (int32_t)number : 0;
}

int main(int argc, char **argv)
{
	int32_t pid = argc > 1 ? number_of(argv[1]) : 0, tid = argc > 2 ? number_of(argv[2]) : 0;

	if (argc < 2 || argc > 3 || !pid || (argc == 3 && !tid)) {
		fputs("usage: thrum-stack PID [TID]\n`thrum threads NAME|PID --stack` runs it.\n", stderr);
		return 2;
	}
	be_careful();
	return tell(pid, tid);
}
