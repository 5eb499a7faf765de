/* Names below /proc/PID. */
#ifndef INSPECT_PATH_H
#define INSPECT_PATH_H

#include <stdint.h>
#include <stdio.h>

enum { INSPECT_PATH_SIZE = 64 };

static inline const char *inspect_path(char out[INSPECT_PATH_SIZE], int32_t pid, const char *name)
{
	snprintf(out, INSPECT_PATH_SIZE, "/proc/%d/%s", (int)pid, name);
	return out;
}

static inline const char *inspect_task_path(char out[INSPECT_PATH_SIZE], int32_t pid, int32_t tid, const char *name)
{
	snprintf(out, INSPECT_PATH_SIZE, "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
	return out;
}

#endif
