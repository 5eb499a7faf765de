#include "tests/client/folder.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void folder_make(char path[PATH_MAX])
{
	const char *parent = getenv("TMPDIR");

	snprintf(path, PATH_MAX, "%s/thrum-test-XXXXXX", parent && parent[0] == '/' ? parent : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

void folder_remove(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
