/*
 * A folder that looks like /proc, made anew for each case: fixture_begin and fixture_end are the
 * setup and teardown of a case.
 */
#ifndef TESTS_PROCFS_FIXTURE_H
#define TESTS_PROCFS_FIXTURE_H

#include <stddef.h>

#include "procfs/stat.h"

void fixture_begin(void);
void fixture_end(void);

const char *fixture_root(void);

/* Write a file, and the folders above it. The path is relative to the root. */
void fixture_write(const char *path, const void *bytes, size_t size);
void fixture_print(const char *path, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* PID/stat; what is 0 is made plausible. */
void fixture_process(const struct proc_stat *stat);

void fixture_remove(const char *path);

/* Be somebody who may not read what chmod denies, until told otherwise or fixture_end. */
void fixture_drop_rights(void);
void fixture_regain_rights(void);

#endif
