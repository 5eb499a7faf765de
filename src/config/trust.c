#include "config/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool check_file(const struct stat *st, const char *path, struct error *err)
{
	if (st->st_mode & S_IWOTH)
		return error_set(err, EPERM, "everybody may write %s, and root would run what it says: chmod o-w %s", path, path);
	if (st->st_mode & S_IWGRP && st->st_gid != 0)
		return error_set(err, EPERM, "its group may write %s, and root would run what it says: chmod g-w %s", path, path);
	return true;
}

static bool check_folder(const char *path, struct error *err)
{
	char folder[PATH_MAX];
	const char *name = strrchr(path, '/');
	struct stat st;

	snprintf(folder, sizeof folder, "%.*s", name ? (int)(name - path) + 1 : 1, name ? path : ".");
	if (stat(folder, &st) == 0 && st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX))
		return error_set(err, EPERM, "everybody may put another %s into its folder, and root would run what it says: chmod o-w %s",
			name ? name + 1 : path, folder);
	return true;
}

bool trust_read_file(struct text *text, const char *path, struct error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "open %s", path);
	bool ok = geteuid() != 0 || fstat(fd, &st) < 0 || (check_file(&st, path, err) && check_folder(path, err));
	ok = ok && (text_read_fd(text, fd, err) || error_wrap(err, "%s", path));
	close(fd);
	return ok;
}
