/* Writes 100-byte lines: writer MEGABYTES blocks|lines */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char block[65500];
	long megabytes = argc > 1 ? atol(argv[1]) : 1;
	size_t size = argc > 2 && strcmp(argv[2], "lines") == 0 ? 100 : sizeof block;

	memset(block, 'x', sizeof block);
	for (size_t i = 99; i < sizeof block; i += 100)
		block[i] = '\n';
	for (long left = megabytes * 1000000; left > 0;) {
		ssize_t done = write(STDOUT_FILENO, block, size);
		if (done < 0)
			return 1;
		left -= done;
	}
	return 0;
}
