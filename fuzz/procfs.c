/* /proc/PID/stat of a process that chooses its name, and lists of children: no line is taken for more than it says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "procfs/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A process that is there, whose name are these bytes: its name must not change what is read of it. */
static void check_name(const char *name, size_t size)
{
	static const char tail[] = ") S 7 8 9 0 -1 4194560 1 2 3 4 50 60 5 6 20 0 3 0 12345 4096 77 18446744073709551615 "
				   "1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 99 5\n";
	char *line = malloc(size + sizeof tail + 16);
	struct proc_stat stat;
	size_t used = 0;

	memcpy(line, "42 (", 4);
	used = 4;
	for (size_t i = 0; i < size; i++)
		if (name[i])
			line[used++] = name[i];
	memcpy(line + used, tail, sizeof tail);
	if (!proc_stat_parse(line, &stat) || stat.pid != 42 || stat.parent != 7 || stat.session != 9 || stat.state != 'S' ||
		stat.threads != 3 || stat.starttime != 12345 || stat.rss_pages != 77 || stat.exit_code != 5)
		__builtin_trap();
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct proc_stat stat;

	memcpy(text, bytes, size);
	text[size] = '\0';
	if (proc_stat_parse(text, &stat) && (!stat.state || !strchr(text, ')')))
		__builtin_trap();
	check_name(text, size);
	free(text);
	return 0;
}
