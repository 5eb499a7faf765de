#include "procfs/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/sample.h"
#include "procfs/file.h"

enum { STAT_SIZE = 2048,
	FLAG_EXITING = 0x4 }; /* PF_EXITING of the kernel */

/* The fields by their numbers in proc(5). */
enum {
	PARENT = 4,
	GROUP = 5,
	SESSION = 6,
	FLAGS = 9,
	FAULTS = 12,
	USER = 14,
	SYSTEM = 15,
	PRIORITY = 18,
	NICE = 19,
	THREADS = 20,
	STARTTIME = 22,
	SIZE = 23,
	RSS = 24,
	PROCESSOR = 39,
	ENVIRONMENT_END = 51,
	EXIT_CODE = 52, /* since Linux 3.5 */
	FIELDS = 53,
};

/* A number must be ended: one that the text broke off would be another number. */
static bool take_number(const char **at, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(*at, &end, 10); /* below zero: counted down from 2^64 */
	bool ok = end != *at && !errno && (*end == ' ' || *end == '\n');
	*at = end;
	return ok;
}

bool proc_stat_parse(const char *text, struct proc_stat *stat)
{
	uint64_t field[FIELDS] = { 0 }, pid;
	const char *at = text, *comm_end = strrchr(text, ')');
	int number = PARENT;

	if (!comm_end || comm_end[1] != ' ' || !comm_end[2] || !take_number(&at, &pid))
		return false;
	at = comm_end + 3;
	while (number < FIELDS && take_number(&at, &field[number]))
		number++;
	if (number <= RSS)
		return false;
	*stat = (struct proc_stat){
		.pid = (pid_t)pid,
		.parent = (pid_t)field[PARENT],
		.group = (pid_t)field[GROUP],
		.session = (pid_t)field[SESSION],
		.state = comm_end[2],
		.starttime = field[STARTTIME],
		.user = field[USER],
		.system = field[SYSTEM],
		.faults = field[FAULTS],
		.priority = (int32_t)field[PRIORITY],
		.nice = (int32_t)field[NICE],
		.threads = field[THREADS],
		.size = field[SIZE],
		.rss_pages = field[RSS],
		.processor = number > PROCESSOR ? (int32_t)field[PROCESSOR] : -1,
		.is_execing = number > ENVIRONMENT_END && field[SIZE] && !field[ENVIRONMENT_END],
		.is_exiting = field[FLAGS] & FLAG_EXITING,
		.exit_code = number > EXIT_CODE ? (int)field[EXIT_CODE] : 0,
	};
	return true;
}

bool procfs_stat(int root, pid_t pid, struct proc_stat *stat)
{
	char path[PROC_PATH_SIZE], text[STAT_SIZE];

	snprintf(path, sizeof path, "%d/stat", (int)pid);
	return proc_file_read(root, path, text, sizeof text) > 0 && proc_stat_parse(text, stat) &&
	       stat->pid == pid;
}

bool proc_stat_read(pid_t pid, struct proc_stat *stat)
{
	char path[PROC_PATH_SIZE], text[STAT_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/stat", (int)pid);
	return proc_file_read(AT_FDCWD, path, text, sizeof text) > 0 && proc_stat_parse(text, stat) &&
	       stat->pid == pid;
}

bool proc_is_dead(char state, uint64_t threads)
{
	return state == 'X' || state == 'x' || (state == 'Z' && threads <= 1);
}

uint64_t proc_cpu_ns(pid_t pid)
{
	clockid_t clock;
	struct timespec used;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
		return SAMPLE_UNKNOWN;
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}
