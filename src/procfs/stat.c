#include "procfs/stat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STAT_SIZE = 1024 };

bool proc_stat_parse(const char *text, struct proc_stat *stat)
{
	const char *end = strrchr(text, ')');
	int pid, parent, group, session;
	unsigned long long user, system, threads, starttime, rss;

	if (!end || sscanf(text, "%d (", &pid) != 1)
		return false;
	int fields = sscanf(end + 1,
		" %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %llu %*d %llu %*u %llu",
		&stat->state, &parent, &group, &session, &user, &system, &threads, &starttime, &rss);
	if (fields != 9)
		return false;
	stat->pid = pid;
	stat->parent = parent;
	stat->group = group;
	stat->session = session;
	stat->user = user;
	stat->system = system;
	stat->threads = threads;
	stat->starttime = starttime;
	stat->rss_pages = rss;
	return true;
}

bool proc_stat_read(pid_t pid, struct proc_stat *stat)
{
	char path[32], text[STAT_SIZE];

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size <= 0)
		return false;
	text[size] = '\0';
	return proc_stat_parse(text, stat);
}
