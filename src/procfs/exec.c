#include "procfs/exec.h"

#include <time.h>

#include "procfs/stat.h"

enum { GLANCES = 50 };

bool exec_await(int root, pid_t pid, unsigned *glances)
{
	static const struct timespec pause = { .tv_nsec = 200000 };
	struct proc_stat stat;

	if (*glances == GLANCES || !procfs_stat(root, pid, &stat) || !stat.is_execing)
		return false;
	nanosleep(&pause, NULL);
	++*glances;
	return true;
}
