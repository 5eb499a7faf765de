#include "tests/procfs/fixture.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static char root[256];

void fixture_begin(void)
{
	const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(root, sizeof root, "%s/thrum-proc-XXXXXX", folder); /* thousands of files, in memory */
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(chmod(root, 0755), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st, (void)type, (void)walk;
	return remove(path);
}

void fixture_end(void)
{
	fixture_regain_rights();
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fixture_root(void)
{
	return root;
}

static void full_path(char out[512], const char *path)
{
	ck_assert_int_lt(snprintf(out, 512, "%s/%s", root, path), 512);
}

static void make_folders(char *path)
{
	for (char *end = strchr(path + strlen(root) + 1, '/'); end; end = strchr(end + 1, '/')) {
		*end = '\0';
		ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
		*end = '/';
	}
}

void fixture_write(const char *path, const void *bytes, size_t size)
{
	char full[512];

	full_path(full, path);
	make_folders(full);
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

void fixture_print(const char *path, const char *fmt, ...)
{
	char text[4096];
	va_list args;

	va_start(args, fmt);
	int size = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	ck_assert_int_lt(size, (int)sizeof text);
	fixture_write(path, text, (size_t)size);
}

void fixture_process(const struct proc_stat *stat)
{
	char path[32];
	unsigned long long user = stat->user, system = stat->system, rss = stat->rss_pages;
	unsigned long long threads = stat->threads ? stat->threads : 1;
	unsigned long long starttime = stat->starttime ? stat->starttime : 1000;

	snprintf(path, sizeof path, "%d/stat", (int)stat->pid);
	fixture_print(path,
		"%d (worker) %c %d %d %d 0 -1 %d 0 0 0 0 %llu %llu 0 0 20 0 %llu 0 %llu 0 %llu 0\n",
		(int)stat->pid, stat->state ? stat->state : 'S', (int)stat->parent,
		(int)(stat->group ? stat->group : stat->pid),
		(int)(stat->session ? stat->session : stat->pid), stat->is_exiting ? 4 : 0, user, system, threads, starttime, rss);
}

void fixture_remove(const char *path)
{
	char full[512];

	full_path(full, path);
	ck_assert_int_eq(nftw(full, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void fixture_drop_rights(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(NOBODY), 0);
}

void fixture_regain_rights(void)
{
	if (geteuid() != getuid())
		ck_assert_int_eq(seteuid(getuid()), 0);
}
