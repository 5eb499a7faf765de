/*
 * Files of a proc filesystem, or of a folder of fixtures that looks like one. Names are relative
 * to the descriptor of its root. Whatever they hold, no more of them is read than was asked for.
 */
#ifndef PROCFS_FILE_H
#define PROCFS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_ROOT "/proc"

enum { PROC_PATH_SIZE = 64 };

/*
 * Read the beginning of a file, up to size - 1 bytes, and end it with NUL. Returns how many
 * bytes came, or -1: the file, or its process, is gone, or is not ours to read.
 */
ssize_t proc_file_read(int root, const char *path, char *buffer, size_t size);

/*
 * Hand over a file in pieces, until take returns false or `most` bytes were read.
 * False when it cannot be read.
 */
bool proc_file_scan(int root, const char *path, size_t most,
	bool (*take)(void *context, const char *bytes, size_t size), void *context);

/*
 * Call visit for each entry of a folder whose name is a number.
 * False when the folder cannot be read.
 */
bool proc_folder_scan(int root, const char *path, void (*visit)(void *context, int number),
	void *context);

/* The number behind a label, which blanks may come before; SAMPLE_UNKNOWN: there is none. */
uint64_t proc_number_behind(const char *text, const char *label);

#endif
