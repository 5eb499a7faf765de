/*
 * A child that can be checked: notes its pid in a file, writes numbered lines, a few at a time,
 * and ends with a status of its own. counter FILE NAME LINES BATCH PAUSE_US STATUS
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t done = write(fd, bytes, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			_exit(99);
		bytes += done;
		size -= (size_t)done;
	}
}

int main(int argc, char **argv)
{
	char buffer[64 * 1024];
	int used;

	if (argc != 7)
		return 98;
	int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600);
	used = snprintf(buffer, sizeof buffer, "%s %d\n", argv[2], (int)getpid());
	put(file, buffer, (size_t)used);
	long lines = atol(argv[3]), batch = atol(argv[4]);
	for (long i = 1; i <= lines;) {
		used = 0;
		for (long k = 0; k < batch && i <= lines; k++, i++)
			used += snprintf(buffer + used, sizeof buffer - (size_t)used, "%s:%ld the quick brown fox\n", argv[2], i);
		put(STDOUT_FILENO, buffer, (size_t)used);
		if (atol(argv[5]))
			usleep((useconds_t)atol(argv[5]));
	}
	return atoi(argv[6]);
}
