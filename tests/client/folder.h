/* A folder of its own for each case. */
#ifndef TESTS_CLIENT_FOLDER_H
#define TESTS_CLIENT_FOLDER_H

#include <limits.h>

void folder_make(char path[PATH_MAX]);
void folder_remove(const char *path);

#endif
