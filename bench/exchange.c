/*
 * The floor of a pool of processes: exchange WORKERS CONCURRENCY TASKS. Lines of the size of tasks go to so many processes and lines of
 * the size of answers come back, by socket pairs and poll, with so many under way at each; nothing is looked at, kept or counted
 * but newlines. Prints tasks a second.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	WORKERS_MOST = 16,
	ROOM = 65536
};

#define TASK "{\"type\":\"task\",\"payload\":{\"n\":12345,\"id\":12345}}\n"
#define ANSWER "{\"type\":\"task_complete\",\"taskId\":12345,\"result\":12345}\n"

struct worker {
	int fd;
	unsigned owed; /* answers */
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* How many lines there are of what can be read now; 0 at the end. */
static unsigned read_lines(int fd)
{
	static char data[ROOM];
	ssize_t size = read(fd, data, sizeof data);
	unsigned lines = 0;

	for (char *at = data; size > 0 && (at = memchr(at, '\n', (size_t)(data + size - at))); at++)
		lines++;
	return size > 0 ? lines : 0;
}

static void write_lines(int fd, const char *line, unsigned count)
{
	static char data[ROOM];
	size_t size = strlen(line);

	for (unsigned i = 0; i < count; i++)
		memcpy(data + i * size, line, size);
	if (count && write(fd, data, count * size) != (ssize_t)(count * size))
		fail("write");
}

static void work(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	unsigned lines;

	while (poll(&polled, 1, -1) > 0 && (lines = read_lines(fd)) > 0)
		write_lines(fd, ANSWER, lines);
	_exit(0);
}

static int start(void)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 || (pid = fork()) < 0)
		fail("worker");
	if (pid == 0) {
		close(pair[0]);
		work(pair[1]);
	}
	close(pair[1]);
	return pair[0];
}

static unsigned hand_out(struct worker *worker, unsigned concurrency, unsigned left)
{
	unsigned count = concurrency - worker->owed;

	count = count < left ? count : left;
	write_lines(worker->fd, TASK, count);
	worker->owed += count;
	return count;
}

static void exchange(struct worker *workers, unsigned count, unsigned concurrency, unsigned tasks)
{
	struct pollfd polled[WORKERS_MOST];
	unsigned left = tasks, owed = tasks;

	for (unsigned i = 0; i < count; i++)
		polled[i] = (struct pollfd){ .fd = workers[i].fd, .events = POLLIN };
	for (unsigned i = 0; i < count; i++)
		left -= hand_out(&workers[i], concurrency, left);
	while (owed > 0 && poll(polled, count, -1) > 0)
		for (unsigned i = 0; i < count; i++)
			if (polled[i].revents) {
				unsigned lines = read_lines(workers[i].fd);
				if (lines == 0)
					fail("a worker has ended");
				workers[i].owed -= lines;
				owed -= lines;
				left -= hand_out(&workers[i], concurrency, left);
			}
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct worker workers[WORKERS_MOST] = { { 0 } };
	unsigned count = argc == 4 ? (unsigned)atoi(argv[1]) : 0, tasks = argc == 4 ? (unsigned)atoi(argv[3]) : 0;
	double begun;

	if (count == 0 || count > WORKERS_MOST) {
		fprintf(stderr, "usage: exchange WORKERS CONCURRENCY TASKS\n");
		return 2;
	}
	for (unsigned i = 0; i < count; i++)
		workers[i].fd = start();
	begun = now();
	exchange(workers, count, (unsigned)atoi(argv[2]), tasks);
	printf("%.0f\n", tasks / (now() - begun));
	for (unsigned i = 0; i < count; i++)
		close(workers[i].fd);
	while (wait(NULL) > 0)
		continue;
	return 0;
}
